"""Timers in asyncio: a heap of deadlines; and a timeout that waits for the clean-up of what it has cut short."""

import asyncio

import clock


# ANCHOR: timers
async def slow_to_leave():
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0.3)


async def main():
    loop = asyncio.get_running_loop()
    for name, delay in ("long", 3), ("short", 1), ("middle", 2):
        loop.call_later(delay, print, name)
    cancelled = loop.call_later(2.5, print, "never")
    cancelled.cancel()
    await asyncio.sleep(3.5)

    begin = loop.time()
    try:
        await asyncio.wait_for(slow_to_leave(), 0.1)
    except TimeoutError:
        print(f"a timeout of 0.1 s, after {loop.time() - begin:.1f} s")
# ANCHOR_END: timers


clock.run(main())
