"""A retry in which `None` means "not yet": what it makes of an answer that is `None`, and of a server that always fails."""

import asyncio

import clock


# ANCHOR: none
async def fetch_or_none(server):
    try:
        return await server()
    except OSError:
        return None


async def by_none(server):
    for attempt in range(3):
        answer = await fetch_or_none(server)
        if answer is not None:
            return answer
        await asyncio.sleep(2**attempt)
# ANCHOR_END: none


# ANCHOR: error
async def by_error(server):
    for attempt in range(3):
        try:
            return await server()
        except OSError:
            if attempt == 2:
                raise
        await asyncio.sleep(2**attempt)
# ANCHOR_END: error


asked = 0


async def null():
    """It answers: with the JSON text `null`."""
    global asked
    asked += 1
    return None


async def fails():
    global asked
    asked += 1
    raise OSError("503 Service Unavailable")


async def main():
    global asked
    loop = asyncio.get_running_loop()
    for retry in by_none, by_error:
        for server in null, fails:
            asked, begin = 0, loop.time()
            try:
                said = f"gives {await retry(server)}"
            except OSError as error:
                said = f"raises {error}"
            print(f"{retry.__name__}, {server.__name__}: {said}; asked {asked} times, {loop.time() - begin:.0f} s")


clock.run(main())
