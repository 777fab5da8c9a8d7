"""Two sleeps, one after the other and then at once: what a loop is for."""

import asyncio

import clock


# ANCHOR: sleepers
async def sleeper(name, seconds):
    await asyncio.sleep(seconds)
    return name


async def main():
    loop = asyncio.get_running_loop()

    begin = loop.time()
    names = [await sleeper("one", 1), await sleeper("two", 2)]
    print(f"one after the other: {names} after {loop.time() - begin:.1f} s")

    begin = loop.time()
    names = await asyncio.gather(sleeper("one", 1), sleeper("two", 2))
    print(f"at once:             {names} after {loop.time() - begin:.1f} s")
# ANCHOR_END: sleepers


clock.run(main())
