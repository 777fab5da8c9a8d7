"""A task of asyncio that waits for a future: who completes it, and what happens to whoever comes too late."""

import asyncio

import clock


# ANCHOR: cell
async def waiter(future):
    return f"it got {await future!r}"


async def main():
    future = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(waiter(future))
    await asyncio.sleep(0)
    print("it waits:           done?", task.done())
    future.set_result("a word")
    print("the word is there:  done?", task.done())
    await asyncio.sleep(0)
    print("after one more turn:", task.result())
    try:
        future.set_result("another word")
    except asyncio.InvalidStateError as error:
        print("too late:           InvalidStateError:", error)
# ANCHOR_END: cell


coroutine = waiter(None)
try:
    asyncio.create_task(coroutine)
except RuntimeError as error:
    print("without a loop:     RuntimeError:", error)
coroutine.close()
clock.run(main())
