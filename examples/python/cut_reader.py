"""A line that comes letter by letter, read with a second of patience at a time: where the letters are kept is what matters."""

import asyncio

import clock


async def type_slowly(reader):
    for letter in b"to be\nor not\n":
        await asyncio.sleep(0.35)
        reader.feed_data(bytes([letter]))
    reader.feed_eof()


# ANCHOR: reader
async def read_line(reader):
    """The letters are in a variable of this coroutine."""
    line = b""
    while not line.endswith(b"\n"):
        line += await reader.readexactly(1)
    return line


async def again_and_again(wait):
    """Waits for a second, and once more, until there is a line."""
    while True:
        try:
            return await asyncio.wait_for(wait(), 1)
        except TimeoutError:
            print("tick", end=" ")
# ANCHOR_END: reader


async def lines(title, wait_for_line):
    print(f"{title}:")
    reader = asyncio.StreamReader()
    keyboard = asyncio.create_task(type_slowly(reader))
    for _ in range(2):
        try:
            print(await again_and_again(wait_for_line(reader)), end=" ")
        except EOFError:
            print("(the end comes in the middle of a line)", end=" ")
    print()
    await keyboard


# ANCHOR: three
def by_coroutine(reader):
    return lambda: read_line(reader)


def by_reader(reader):
    return lambda: reader.readuntil(b"\n")


def by_task(reader):
    task = None

    async def wait():
        nonlocal task
        task = task or asyncio.create_task(read_line(reader))
        line = await asyncio.shield(task)
        task = None
        return line

    return wait
# ANCHOR_END: three


async def main():
    await lines("a coroutine, cancelled and made again", by_coroutine)
    await lines("the reader keeps what has come", by_reader)
    await lines("a task that is shielded, and kept", by_task)


clock.run(main())
