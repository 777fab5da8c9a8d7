"""An ASGI application on uvicorn with h11: says where it is, and serves until its standard input ends."""

import asyncio
import socket
import sys

import uvicorn

LARGE = bytes(n % 251 for n in range(3_000_000))


async def application(scope, receive, send):
    if scope["type"] != "http":
        return

    async def begin(status=200, *headers):
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def say(body, more=False):
        await send({"type": "http.response.body", "body": body, "more_body": more})

    match scope["path"]:
        case "/echo":
            await begin()
            more = True
            while more:
                part = await receive()
                more = part.get("more_body", False)
                await say(part.get("body", b""), True)
            await say(b"")
        case "/stream":
            await begin()
            for part in (b"one ", b"two ", b"three"):
                await say(part, True)
            await say(b"")
        case "/large":
            await begin(200, (b"content-length", str(len(LARGE)).encode()))
            await say(LARGE)
        case "/moved":
            await begin(302, (b"location", b"/hello"), (b"content-length", b"0"))
            await say(b"")
        case "/closes":
            await begin(200, (b"connection", b"close"))
            await say(b"hello")
        case _:
            await begin()
            await say(b"hello")


async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, http="h11", lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    print(listener.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


asyncio.run(main())
