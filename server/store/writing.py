"""How a plain function writes while the event loop goes on: in a greenlet of the loop's own thread.

In threads of their own, such functions wait for the interpreter as often as they let go of it, which is at each statement, and
make the event loop wait for it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from greenlet import getcurrent, greenlet

from server.store.port import T


class Writes:
    """What is being written now."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def whole(self, write: Coroutine[Any, Any, T]) -> T:
        """What it answers; nobody who goes away ends it half-way."""
        task = asyncio.create_task(write)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def ended(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def in_greenlet(function: Callable[..., T], *given: Any) -> T:
    """What the plain function returns or raises. Where it waits for a server, or calls `others_first`, the event loop goes on
    with other work."""
    ended: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def run() -> None:
        try:
            found = function(*given)
        except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
            if not ended.done():
                ended.set_exception(error)
        else:
            ended.set_result(found)

    running = greenlet(run)
    running.gr_context = copy_context()
    running.switch()
    try:
        return await ended
    finally:
        if not running.dead:  # the loop ends in the middle of it
            running.throw()


def here() -> tuple[greenlet, greenlet]:
    """The greenlet that `in_greenlet` made, and the event loop's."""
    this = getcurrent()
    if this.parent is None:
        raise RuntimeError("not within in_greenlet")
    return this, this.parent


def others_first() -> None:
    """Within `in_greenlet`: what else the event loop has ready comes first."""
    this, loops = here()
    asyncio.get_running_loop().call_soon(this.switch)
    loops.switch()
