"""Two downloads of which one fails: `gather` leaves the other one to itself, a `TaskGroup` does not."""

import asyncio

import clock


# ANCHOR: both
async def download(file, length):
    await asyncio.sleep(length)
    if file == "b":
        raise OSError("b is not there")
    print(f"  {file} is written to the disk")


async def by_gather():
    await asyncio.gather(download("a", 3), download("b", 1))


async def by_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(download("a", 3))
        group.create_task(download("b", 1))
# ANCHOR_END: both


async def told(title, both):
    print(f"{title}:")
    loop = asyncio.get_running_loop()
    begin = loop.time()
    try:
        await both
    except* OSError as errors:
        print(f"  {errors.exceptions[0]}, after {loop.time() - begin:.0f} s")
    await asyncio.sleep(4)


async def main():
    await told("gather", by_gather())
    await told("TaskGroup", by_group())


clock.run(main())
