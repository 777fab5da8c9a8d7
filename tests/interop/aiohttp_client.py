"""aiohttp's client asks the server at the URL in the first argument for everything, and fails if something is not right."""

import asyncio
import sys

import aiohttp

URL = sys.argv[1]
LARGE = bytes(n % 251 for n in range(3_000_000))


async def pieces():
    for start in range(0, len(LARGE), 70_000):
        yield LARGE[start : start + 70_000]


async def main():
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(URL, timeout=timeout) as session:
        async with session.get("/hello") as answer:
            assert (answer.status, await answer.text()) == (200, "hello")
        async with session.head("/hello") as answer:
            assert answer.headers["content-length"] == "5"
        async with session.get("/moved") as answer:
            assert (str(answer.url.path), len(answer.history), await answer.text()) == ("/hello", 1, "hello")
        async with session.get("/empty") as answer:
            assert (answer.status, await answer.read()) == (204, b"")
        async with session.get("/stream") as answer:
            assert b"".join([part async for part in answer.content.iter_any()]) == b"one two three"
        async with session.get("/large") as answer:
            assert await answer.read() == LARGE
        async with session.post("/echo", data=LARGE) as answer:
            assert await answer.read() == LARGE
        async with session.post("/echo", data=pieces()) as answer:
            assert answer.request_info.headers.get("transfer-encoding") == "chunked"
            assert await answer.read() == LARGE
        async with session.post("/echo", data=pieces(), expect100=True) as answer:
            assert await answer.read() == LARGE
        async with session.post("/refused", data=b"x" * 1000, expect100=True) as answer:
            assert answer.status == 403
        async with session.put("/mirror", params={"a": "b c"}, json={"x": 1}) as answer:
            seen = await answer.json()
            assert (seen["method"], seen["query"]) == ("PUT", "a=b+c"), seen
            assert seen["headers"]["content-type"] == "application/json", seen
        form = aiohttp.FormData({"name": "value"})
        form.add_field("file", LARGE[:100_000], filename="file.bin")
        async with session.post("/mirror", data=form) as answer:
            assert (await answer.json())["length"] > 100_000

        async def number(n):
            async with session.post("/mirror", data=b"x" * n) as answer:
                return (await answer.json())["length"]

        assert await asyncio.gather(*(number(n) for n in range(1, 200))) == list(range(1, 200))
        for _ in range(10):
            async with session.get("/endless") as answer:
                await answer.content.readexactly(10)
        async with session.get("/hello") as answer:
            assert await answer.text() == "hello"


asyncio.run(main())
