"""Twenty calls at once, ten a second: a limiter that looks, waits and then writes, and one that does so under a lock."""

import asyncio

import clock


# ANCHOR: hasty
class Hasty:
    def __init__(self, per_second):
        self.pause = 1 / per_second
        self.last = float("-inf")

    async def turn(self):
        loop = asyncio.get_running_loop()
        wait = self.last + self.pause - loop.time()
        await asyncio.sleep(max(wait, 0))
        self.last = loop.time()
# ANCHOR_END: hasty


# ANCHOR: locked
class Locked:
    def __init__(self, per_second):
        self.pause = 1 / per_second
        self.last = float("-inf")
        self.lock = asyncio.Lock()

    async def turn(self):
        loop = asyncio.get_running_loop()
        async with self.lock:
            wait = self.last + self.pause - loop.time()
            await asyncio.sleep(max(wait, 0))
            self.last = loop.time()
# ANCHOR_END: locked


async def main():
    loop = asyncio.get_running_loop()
    for limiter in Hasty(10), Locked(10):
        begin = loop.time()
        await asyncio.gather(*[limiter.turn() for _ in range(20)])
        print(f"{type(limiter).__name__}: twenty calls in {loop.time() - begin:.1f} s")


clock.run(main())
