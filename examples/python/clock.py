"""Runs a coroutine, with `--virtual` on a clock that leaps: a sleep takes no time, and everything prints the same each time.

The loop asks its selector to wait until the next timer. This selector does not wait: it moves the clock there. So it is for programs
that wait for timers only. A thread, or a call that blocks, would be overtaken.
"""

import asyncio
import selectors
import sys


class Leaping(selectors.DefaultSelector):
    """A selector that passes the time instead of waiting for it."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        events = super().select(0)
        if not events and timeout is None:
            return super().select(None)
        if not events and timeout > 0:
            self.now += timeout
        return events


def run(main):
    """As `asyncio.run(main)`; the loop's own `time()` is the clock."""
    if "--virtual" not in sys.argv:
        return asyncio.run(main)
    selector = Leaping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)
