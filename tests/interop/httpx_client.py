"""httpx's client asks the server at the URL in the first argument for everything, and fails if something is not right."""

import asyncio
import sys

import httpx

URL = sys.argv[1]
LARGE = bytes(n % 251 for n in range(3_000_000))


async def pieces():
    for start in range(0, len(LARGE), 70_000):
        yield LARGE[start : start + 70_000]


async def main():
    async with httpx.AsyncClient(base_url=URL, timeout=30, follow_redirects=True, trust_env=False) as client:
        assert (await client.get("/hello")).text == "hello"
        assert (await client.head("/hello")).headers["content-length"] == "5"
        moved = await client.get("/moved")
        assert (moved.url.path, len(moved.history), moved.text) == ("/hello", 1, "hello")
        assert (await client.get("/empty")).status_code == 204
        async with client.stream("GET", "/stream") as answer:
            assert [part async for part in answer.aiter_raw()] != [] and answer.is_success
        assert (await client.get("/large")).content == LARGE
        assert (await client.post("/echo", content=LARGE)).content == LARGE
        assert (await client.post("/echo", content=pieces())).content == LARGE
        seen = (await client.post("/mirror", files={"file": LARGE[:100_000]}, data={"name": "value"})).json()
        assert seen["length"] > 100_000, seen
        seen = (await client.patch("/mirror", params={"a": "ä"}, json={"x": 1})).json()
        assert (seen["method"], seen["query"]) == ("PATCH", "a=%C3%A4"), seen
        lengths = await asyncio.gather(*(client.post("/mirror", content=b"x" * n) for n in range(1, 200)))
        assert [answer.json()["length"] for answer in lengths] == list(range(1, 200))
        for _ in range(10):
            async with client.stream("GET", "/endless") as answer:
                async for _part in answer.aiter_raw():
                    break
        assert (await client.get("/hello")).text == "hello"
    with httpx.Client(base_url=URL, timeout=30, trust_env=False) as client:
        assert client.get("/stream").text == "one two three"


asyncio.run(main())
