"""A mail server in a process of its own that takes everything and keeps nothing: the benchmarks' peer."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.served import free_port


class _Takes:
    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        return "250 taken"


def _run(port: int, ready: Any) -> None:
    import asyncio

    from aiosmtpd.smtp import SMTP

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(_Takes()), "127.0.0.1", port)
        ready.set()
        await server.serve_forever()

    asyncio.run(serve())


class Sink:
    def __init__(self, port: int) -> None:
        self.url = f"smtp://127.0.0.1:{port}"


@contextmanager
def sink() -> Iterator[Sink]:
    context, port = multiprocessing.get_context("spawn"), free_port()
    ready = context.Event()
    process = context.Process(target=_run, args=(port, ready), daemon=True)
    process.start()
    assert ready.wait(30), "the mail server did not start"
    try:
        yield Sink(port)
    finally:
        process.kill()
        process.join()
