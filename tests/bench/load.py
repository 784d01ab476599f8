"""Requests a second over keep-alive connections, from a process of its own.

Written for little: one request, sent again as soon as its answer is whole. The client must cost less than the server.
"""

from __future__ import annotations

import asyncio
import re
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Self

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, until: float) -> None:
        self.request, self.until = request, until
        self.answered, self.failed = 0, 0
        self.buffer = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, received: bytes) -> None:
        self.buffer += received
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if found else None
        if length is None or len(body) < int(length[1]):
            return
        self.answered += 1
        self.failed += not head.startswith(b"HTTP/1.1 200")
        self.buffer = b""
        if time.perf_counter() < self.until:
            self.transport.write(self.request)
        else:
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def _load(port: int, request: bytes, seconds: float, connections: int) -> tuple[int, float]:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        (await loop.create_connection(lambda: _Connection(request, began + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(each.ended for each in made))
    failed = sum(each.failed for each in made)
    if failed:
        raise AssertionError(f"{failed} answers were not 200 for {request[:80]!r}")
    return sum(each.answered for each in made), time.perf_counter() - began


def _run(port: int, request: bytes, seconds: float, connections: int) -> tuple[int, float]:
    return asyncio.run(_load(port, request, seconds, connections))


class Load:
    """The client's process; use as a context manager."""

    def __enter__(self) -> Self:
        self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def per_second(self, port: int, request: bytes, *, seconds: float = 1.5, connections: int = 8) -> float:
        answered, took = self.answered(port, request, seconds=seconds, connections=connections)
        return answered / took

    def answered(self, port: int, request: bytes, *, seconds: float = 1.5, connections: int = 8) -> tuple[int, float]:
        """How many answers came, and in how many seconds."""
        return self.pool.submit(_run, port, request, seconds, connections).result()


def get(path: str, cookie: str = "", *, host: str, fragment: bool = True) -> bytes:
    """The bytes of one GET, as htmx sends it."""
    lines = [f"GET {path} HTTP/1.1", f"host: {host}"]
    if cookie:
        lines.append(f"cookie: {cookie}")
    if fragment:
        lines += ["hx-request: true", "sec-fetch-dest: empty", "sec-fetch-site: same-origin"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
