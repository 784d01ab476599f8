"""A mail server in a process of its own that takes everything and keeps nothing: the benchmarks' peer.

It is as little as it can be, since in life it would be on another machine: what it costs here is not to be measured.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.served import free_port


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 sink ESMTP\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
        if verb == b"QUIT":
            break
    writer.close()


async def _serve(port: int, ready: Any) -> None:
    server = await asyncio.start_server(_talk, "127.0.0.1", port)
    ready.set()
    await server.serve_forever()


def _run(port: int, ready: Any) -> None:
    asyncio.run(_serve(port, ready))


class Sink:
    def __init__(self, port: int) -> None:
        self.url = f"smtp://127.0.0.1:{port}"


@contextmanager
def sink() -> Iterator[Sink]:
    context, port = multiprocessing.get_context("spawn"), free_port()
    ready = context.Event()
    process = context.Process(target=_run, args=(port, ready), daemon=True)
    process.start()
    assert ready.wait(60), "the mail server did not start"
    try:
        yield Sink(port)
    finally:
        process.kill()
        process.join()
