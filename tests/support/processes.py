"""Four processes on one database, as four workers or hosts would be: each does its share of many tries at one moment."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

PROCESSES = 4

Try = tuple[str, str]
"""The token of a challenge's cookie, and the code that is tried with it."""

_together: Any = None


@contextmanager
def processes() -> Iterator[Any]:
    """A pool to give to `try_together`. They start afresh and share nothing with the test but the database."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES, _begin, (context.Barrier(PROCESSES),)) as pool:
        yield pool
        pool.close()
        pool.join()


def try_together(pool: Any, url: str, tries: Sequence[Try], now: datetime) -> list[str]:
    """What became of each try: `in`, or how many tries are left."""
    shares = [(url, list(tries[number::PROCESSES]), now) for number in range(PROCESSES)]
    return [each for share in pool.map(_share, shares, chunksize=1) for each in share]


def _begin(barrier: Any) -> None:
    global _together  # noqa: PLW0603 (a barrier reaches a process of a pool by inheritance alone)
    _together = barrier


def _share(given: tuple[str, list[Try], datetime]) -> list[str]:
    from server.access.entry import Entered, enter  # the test's own process needs none of these
    from server.access.limits import Limits
    from server.store import open_store
    from tests.support.world import World

    url, tries, now = given

    async def all_of_them() -> list[str]:
        store = open_store(url)
        portal = World(store, lambda: now).portal()

        async def one(it: Try) -> str:
            token, code = it
            entered = await store.write(
                lambda transaction: enter(
                    transaction, portal, Limits(on=False), challenge=token, code=code, session="", mark="",
                    client="203.0.113.7", browser="", now=now,
                )
            )  # fmt: skip
            return "in" if isinstance(entered, Entered) else str(entered.tries_left)

        _together.wait(60)
        try:
            return await asyncio.gather(*map(one, tries))
        finally:
            await store.close()

    return asyncio.run(all_of_them())
