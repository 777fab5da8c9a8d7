"""Three workers between two queues: the end is one mark that overtakes, and then the end is counted."""

import asyncio

import clock

ITEMS, WORKERS = 10, 3


async def producer(items, marks):
    for number in range(ITEMS):
        await items.put(number)
    for _ in range(marks):
        await items.put(None)


# ANCHOR: overtakes
async def hasty_worker(items, results):
    while (number := await items.get()) is not None:
        await asyncio.sleep(1 + number % 3)  # some take longer
        await results.put(number * number)
    await results.put(None)  # "that was the last one"


async def one_mark():
    items, results, stored = asyncio.Queue(4), asyncio.Queue(4), []
    workers = [asyncio.create_task(hasty_worker(items, results)) for _ in range(WORKERS)]
    made = asyncio.create_task(producer(items, marks=1))
    while (result := await results.get()) is not None:
        stored.append(result)
    try:
        async with asyncio.timeout(3600):
            await asyncio.gather(made, *workers)
    except TimeoutError:
        return f"{len(stored)} of {ITEMS} stored, and after an hour {WORKERS - 1} workers still wait for their mark"
# ANCHOR_END: overtakes


# ANCHOR: counted
async def worker(items, results):
    while (number := await items.get()) is not None:
        await asyncio.sleep(1 + number % 3)
        await results.put(number * number)


async def counted():
    items, results, stored = asyncio.Queue(4), asyncio.Queue(4), []

    async def all_of_it():
        made = producer(items, marks=WORKERS)
        await asyncio.gather(made, *[worker(items, results) for _ in range(WORKERS)])
        await results.put(None)  # nobody is left who could send

    everything = asyncio.create_task(all_of_it())
    while (result := await results.get()) is not None:
        stored.append(result)
    await everything
    return f"{len(stored)} of {ITEMS} stored"
# ANCHOR_END: counted


async def main():
    print("one mark:", await one_mark())
    print("counted: ", await counted())


clock.run(main())
