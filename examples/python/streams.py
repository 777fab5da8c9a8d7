"""A write in asyncio never waits, and never says how much went out: the rest is kept in memory. `drain` is the wait."""

import asyncio

import clock

MEGABYTE = bytes(1_000_000)


# ANCHOR: streams
async def slow(reader, writer):
    await asyncio.sleep(1)
    received = len(await reader.read())
    print(f"the other side has read {received} bytes, after a second")
    writer.close()


async def main():
    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(20):
        writer.write(MEGABYTE)
    kept = writer.transport.get_write_buffer_size()
    print("20 MB are written, and more than half of it is kept in our memory:", kept > 10_000_000)

    await writer.drain()
    kept = writer.transport.get_write_buffer_size()
    print("after drain() it is less than a tenth of a megabyte:", kept < 100_000)
    writer.write_eof()
    await reader.read()
    writer.close()
    server.close()
# ANCHOR_END: streams


clock.run(main())
