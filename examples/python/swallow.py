"""A transaction that is cancelled: what `except Exception` sees of it, and what becomes of a task that sees too much."""

import asyncio

import clock


# ANCHOR: transaction
async def by_exception(work):
    try:
        await work
        print("  committed")
    except Exception:
        print("  rolled back")


async def by_finally(work):
    done = False
    try:
        await work
        done = True
    finally:
        print("  committed" if done else "  rolled back")
# ANCHOR_END: transaction


# ANCHOR: deaf
async def deaf():
    """It means "try again when something goes wrong", and takes the request to end for a mishap."""
    for _ in range(3):
        try:
            await asyncio.sleep(10)
        except BaseException as error:
            print(f"  {type(error).__name__}? again!")
# ANCHOR_END: deaf


async def cancelled_after_a_second(coroutine):
    loop = asyncio.get_running_loop()
    begin = loop.time()
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    print(f"  cancelled: {task.cancelled()}, after {loop.time() - begin:.0f} s")


async def main():
    print("except Exception:")
    await cancelled_after_a_second(by_exception(asyncio.sleep(10)))
    print("finally:")
    await cancelled_after_a_second(by_finally(asyncio.sleep(10)))
    print("except BaseException, in a loop:")
    await cancelled_after_a_second(deaf())


clock.run(main())
