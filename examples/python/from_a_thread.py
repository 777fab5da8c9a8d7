"""A thread brings a result to a loop that sleeps: told, and not told. A heartbeat gets the loop up once a second."""

import asyncio
import threading
import time


# ANCHOR: both
async def brought(tell):
    loop = asyncio.get_running_loop()
    result = loop.create_future()

    def bring():
        time.sleep(0.2)
        tell(loop, result.set_result, "here")

    begin = loop.time()
    threading.Thread(target=bring).start()
    await result
    return loop.time() - begin


async def main():
    heartbeat = asyncio.create_task(beat())
    not_told = await brought(lambda loop, *call: loop.call_soon(*call))
    told = await brought(lambda loop, *call: loop.call_soon_threadsafe(*call))
    print(f"call_soon:            after {not_told:.1f} s, with the next heartbeat")
    print(f"call_soon_threadsafe: after {told:.1f} s")
    heartbeat.cancel()
# ANCHOR_END: both


async def beat():
    while True:
        await asyncio.sleep(1)


asyncio.run(main())
