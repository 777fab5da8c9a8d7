"""A call that blocks, beside a clock: in the coroutine, and on a thread."""

import asyncio
import time


# ANCHOR: clock
async def clock(latest):
    """Ticks a hundred times a second, and keeps how late the latest tick was."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due += 0.01
        await asyncio.sleep(due - loop.time())
        latest[0] = max(latest[0], loop.time() - due)
# ANCHOR_END: clock


# ANCHOR: calls
def blocks():
    time.sleep(0.3)


def computes():
    return sum(number * number for number in range(3_000_000))


async def in_the_coroutine(call):
    call()


async def on_a_thread(call):
    await asyncio.to_thread(call)
# ANCHOR_END: calls


async def beside_a_clock(title, work):
    latest = [0.0]
    ticks = asyncio.create_task(clock(latest))
    await asyncio.sleep(0.02)
    await work
    await asyncio.sleep(0.02)
    ticks.cancel()
    print(f"{title:<32} the clock late by up to {latest[0] * 1000:>4.0f} ms")


async def main():
    await beside_a_clock("a call that sleeps, in it", in_the_coroutine(blocks))
    await beside_a_clock("a call that sleeps, on a thread", on_a_thread(blocks))
    await beside_a_clock("a call that computes, in it", in_the_coroutine(computes))
    await beside_a_clock("a call that computes, on a thread", on_a_thread(computes))


asyncio.run(main())
