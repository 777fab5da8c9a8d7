"""A queue and a loop: coroutines that take turns, on a loop of ours and on asyncio's."""

import asyncio
import collections

import clock


# ANCHOR: turns
class Turn:
    """What our loop can wait for: nothing but the next turn."""

    def __await__(self):
        yield


class Loop:
    def __init__(self):
        self.ready = collections.deque()

    def spawn(self, coroutine):
        self.ready.append(coroutine)

    def run(self):
        while self.ready:
            coroutine = self.ready.popleft()
            try:
                coroutine.send(None)
            except StopIteration:
                continue
            self.ready.append(coroutine)
# ANCHOR_END: turns


async def player(name, turn):
    for number in (1, 2):
        print(f"  {name} {number}")
        await turn()


async def main():
    await asyncio.gather(*(player(name, lambda: asyncio.sleep(0)) for name in ("ping", "pong")))


print("our loop:")
loop = Loop()
loop.spawn(player("ping", Turn))
loop.spawn(player("pong", Turn))
loop.run()
print("asyncio's:")
clock.run(main())
