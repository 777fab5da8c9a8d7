"""Four ends of a task in asyncio: a result, an exception, a cancel that is taken as a hint, and an exception that nobody asks for."""

import asyncio
import gc

import clock


# ANCHOR: handles
async def result():
    return 42


async def fails():
    raise ValueError("a number is missing")


async def hard_to_cancel():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await asyncio.sleep(0.1)
        return "I finish first"


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: print("nobody asked:", context["message"], repr(context["exception"])))

    print("a result:    ", await asyncio.create_task(result()))
    try:
        await asyncio.create_task(fails())
    except ValueError as error:
        print("an exception:", repr(error))

    task = asyncio.create_task(hard_to_cancel())
    await asyncio.sleep(0)
    task.cancel()
    print("a cancel:    ", await task, "- cancelled?", task.cancelled())

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    del task
    gc.collect()
# ANCHOR_END: handles


clock.run(main())
