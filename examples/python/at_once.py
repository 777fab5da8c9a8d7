"""Three waits: one after the other, and at once. One thread does both."""

import asyncio

import clock


# ANCHOR: at_once
async def fetch(page):
    await asyncio.sleep(1)
    return page


async def main():
    loop = asyncio.get_running_loop()

    begin = loop.time()
    pages = [await fetch(page) for page in range(3)]
    print(f"one after the other: {pages} after {loop.time() - begin:.1f} s")

    begin = loop.time()
    pages = await asyncio.gather(*(fetch(page) for page in range(3)))
    print(f"at once:             {pages} after {loop.time() - begin:.1f} s")
# ANCHOR_END: at_once


clock.run(main())
