"""A client that sends a letter every nine seconds, and two servers with ten seconds of patience."""

import asyncio

import clock


# ANCHOR: server
async def patience_for_each_read(reader):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await asyncio.wait_for(reader.read(64), 10)
    return head


async def patience_for_all(reader):
    async with asyncio.timeout(10):
        return await reader.readuntil(b"\r\n\r\n")
# ANCHOR_END: server


async def slow_client(reader):
    for letter in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n":
        reader.feed_data(bytes([letter]))
        await asyncio.sleep(9)


async def main():
    loop = asyncio.get_running_loop()
    for server in patience_for_each_read, patience_for_all:
        reader = asyncio.StreamReader()
        client = asyncio.create_task(slow_client(reader))
        begin = loop.time()
        try:
            head = await server(reader)
            said = f"a head of {len(head)} bytes"
        except TimeoutError:
            said = "too slow"
        print(f"{server.__name__}: {said}, after {loop.time() - begin:.0f} s")
        client.cancel()


clock.run(main())
