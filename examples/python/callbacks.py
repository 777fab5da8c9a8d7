"""What waits for a future of asyncio: a list of callbacks, each of which puts something into the loop's queue."""

import asyncio

import clock


# ANCHOR: callbacks
async def waits_for(door):
    await door
    print("the task goes on")


async def main():
    door = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(waits_for(door))
    await asyncio.sleep(0)  # the task runs, and waits
    print(f"callbacks of the future: {len(door._callbacks)}")
    door.add_done_callback(lambda door: print(f"another callback: {door.result()}"))
    door.set_result("open")
    print("the result is set; nobody has run yet")
    await task
# ANCHOR_END: callbacks


clock.run(main())
