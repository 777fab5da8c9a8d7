"""Three jobs at once: waited for by a guess, waited for themselves, and the first of them."""

import asyncio

import clock


async def job(name, seconds):
    await asyncio.sleep(seconds)
    return name


# ANCHOR: jobs
def start():
    return [asyncio.create_task(job(name, seconds)) for name, seconds in [("one", 1), ("two", 2), ("three", 4)]]


async def by_a_guess():
    tasks = start()
    await asyncio.sleep(3)  # "that will be enough"
    return [task.result() if task.done() else "?" for task in tasks]


async def themselves():
    return await asyncio.gather(*start())


async def the_first():
    done, pending = await asyncio.wait(start(), return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()  # they would run on
    return f"{[task.result() for task in done]}, {len(pending)} others cancelled"
# ANCHOR_END: jobs


async def main():
    loop = asyncio.get_running_loop()
    for name, way in [("by a guess", by_a_guess), ("themselves", themselves), ("the first", the_first)]:
        begin = loop.time()
        print(f"{name}: {await way()}, {loop.time() - begin:.1f} s")


clock.run(main())
