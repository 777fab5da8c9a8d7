"""A coroutine driven by hand, without a loop: what `send` gives, where the coroutine stands, and what comes at the end."""


# ANCHOR: by_hand
class Later:
    """Finds nothing in its first polls, and then the answer."""

    def __init__(self, polls, answer):
        self.polls, self.answer = polls, answer

    def __await__(self):
        for _ in range(self.polls):
            yield
        return self.answer


async def fetch(page):
    socket = await Later(2, 3)
    count = await Later(2, 512)
    return f"page {page}: {count} bytes through socket {socket}"


coroutine = fetch(7)
for number in range(1, 7):
    try:
        coroutine.send(None)
        print(f"send {number}: not yet; it stands in line {coroutine.cr_frame.f_lineno}")
    except StopIteration as end:
        print(f"send {number}: {end.value}")
    except RuntimeError as error:
        print(f"send {number}: {error}")
# ANCHOR_END: by_hand
