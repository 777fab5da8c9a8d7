"""A queue of jobs of which one fails: how the count of the jobs comes to be wrong for ever, and how it does not."""

import asyncio

import clock


# ANCHOR: workers
async def counts_behind_the_job(queue):
    while True:
        job = await queue.get()
        try:
            await job()
        except ValueError as error:
            print(f"  {error}")
            continue
        queue.task_done()


async def counts_in_any_case(queue):
    while True:
        job = await queue.get()
        try:
            await job()
        except ValueError as error:
            print(f"  {error}")
        finally:
            queue.task_done()
# ANCHOR_END: workers


async def works():
    await asyncio.sleep(1)


async def fails():
    raise ValueError("a job has failed")


async def main():
    loop = asyncio.get_running_loop()
    for worker in counts_behind_the_job, counts_in_any_case:
        print(f"{worker.__name__}:")
        begin, queue = loop.time(), asyncio.Queue()
        for job in works, fails, works:
            queue.put_nowait(job)
        task = asyncio.create_task(worker(queue))
        try:
            await asyncio.wait_for(queue.join(), 60)
            print(f"  all is done after {loop.time() - begin:.0f} s")
        except TimeoutError:
            print(f"  nothing is left to do, and after {loop.time() - begin:.0f} s it still waits")
        task.cancel()


clock.run(main())
