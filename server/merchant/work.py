"""`python -m server work`: the background work as a process of its own. `serve` starts one; any number may run, on any
host that reaches the database.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib import import_module

from server.brands import Brand
from server.merchant.releases.following import Following
from server.merchant.releases.following import ended as ended_task
from server.merchant.turns import stand_back
from server.store import Store, StoreUnavailable
from server.worker import Worker

LOOKS = 0.2
"""Seconds between two looks whether the process that started this one is still there."""


def work(target: str, *, parent: int = 0) -> None:
    """Work until SIGTERM or Ctrl-C; mails under way are sent. `target` makes the worker and its store, as `module:name`,
    which is how Granian is told of the application. `parent` is the process that started it and tells it to
    end: its own Ctrl-C is left to that one, and it ends with it, however that died."""
    module, _, name = target.partition(":")
    asyncio.run(_work(getattr(import_module(module), name), parent))


Made = tuple[Callable[[Sequence[Brand]], Awaitable[Worker]], Following, Store]


async def _work(make: Callable[[], Made], parent: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if parent else ended.set)
    if parent:
        stand_back()
    begin, releases, store = make()
    watching = asyncio.create_task(_watch(parent, ended)) if parent else None
    with suppress(StoreUnavailable):  # it is looked for again in a moment
        await releases.look()
    workers = [await begin(releases.brands)]
    workers[0].start()

    async def exchange() -> None:
        await workers[-1].stop()
        workers[:] = [await begin(releases.brands)]
        workers[0].start()

    following = asyncio.create_task(releases.follow(exchange))
    try:
        await ended.wait()
    finally:
        if watching:
            watching.cancel()
        await ended_task(following)
        await workers[0].stop()
        await store.close()


async def _watch(parent: int, ended: asyncio.Event) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 (no event tells that a parent died)
        await asyncio.sleep(LOOKS)
    ended.set()
