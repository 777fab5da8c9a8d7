"""aiohttp's server: says where it is, and serves until its standard input ends."""

import asyncio
import sys

from aiohttp import web

LARGE = bytes(n % 251 for n in range(3_000_000))


async def hello(request):
    return web.Response(text="hello")


async def echo(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    async for part in request.content.iter_any():
        await answer.write(part)
    return answer


async def stream(request):
    answer = web.StreamResponse()
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    for part in (b"one ", b"two ", b"three"):
        await answer.write(part)
        await asyncio.sleep(0.005)
    return answer


async def large(request):
    return web.Response(body=LARGE)


async def moved(request):
    raise web.HTTPFound("/hello")


async def closes(request):
    answer = web.Response(text="hello")
    answer.force_close()
    return answer


async def main():
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_get("/hello", hello)
    app.router.add_post("/echo", echo)
    app.router.add_get("/stream", stream)
    app.router.add_get("/large", large)
    app.router.add_get("/moved", moved)
    app.router.add_get("/closes", closes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
