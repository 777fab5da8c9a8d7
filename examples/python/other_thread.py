"""A thread has an answer for the loop. Does it tell the loop, or only leave it there?

It measures: a thread does not wait for a clock that leaps.
"""

import asyncio
import threading

import clock


# ANCHOR: answer
async def answer(tell):
    """How long an answer takes that a thread has after a tenth of a second."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    threading.Timer(0.1, lambda: tell(loop)(future.set_result, 7)).start()
    # The loop has something else to get up for: in half a second.
    loop.call_later(0.5, lambda: None)
    begin = loop.time()
    await future
    return loop.time() - begin


async def main():
    print(f"call_soon:            {await answer(lambda loop: loop.call_soon):.1f} s")
    print(f"call_soon_threadsafe: {await answer(lambda loop: loop.call_soon_threadsafe):.1f} s")
# ANCHOR_END: answer


clock.run(main())
