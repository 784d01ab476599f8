"""A worker that copies a release into a bucket and is killed at one step of it, by a real SIGKILL.

`python -m tests.support.copying DATABASE` imports everything once; for each line that it reads, the number of a step and the
time as microseconds, it forks a worker that copies what is due then, and dies at that step. It answers how that ended: `-9`, or
`0` where it came to its end first; step 0 is never reached.

| step | the worker dies when |
|---|---|
| a transaction | it is in the store |
| a file is written | half of its bytes have left, and once more when the bucket has answered |
| a file is deleted | the bucket has answered |

What is before a step is after the one before it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from server.merchant.releases import tunnel
from server.merchant.releases.copying import Copying, Way
from server.settings import Settings
from server.store import Store, Transaction, moment, open_store
from tests.support import mortal

T = TypeVar("T")
SETTINGS = Settings(
    secrets=(b"k" * 32,), origin="https://portal.example", themes=Path("themes"), studio_private_targets=True
)


class Steps:
    """Counts what is done, and dies at the step of this number."""

    def __init__(self, last: int) -> None:
        self.left, self.is_cut = last, False
        """`is_cut`: it dies when half of the next bytes have left."""

    def step(self) -> None:
        if self.next():
            mortal.die()

    def next(self) -> bool:
        self.left -= 1
        return self.left == 0

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As the tunnel does it, up to there."""
        try:
            while chunk := await reader.read(64 * 1024):
                writer.write(chunk[: len(chunk) // 2] if self.is_cut else chunk)
                await writer.drain()
                if self.is_cut:
                    mortal.die()
        finally:
            writer.close()


class Dying:
    """A store that counts its transactions."""

    def __init__(self, store: Store, steps: Steps) -> None:
        self.read, self.close, self._store, self._steps = store.read, store.close, store, steps

    async def write(self, work: Callable[[Transaction], T]) -> T:
        done = await self._store.write(work)
        self._steps.step()
        return done


async def _copy(database: str, last: str, now: str) -> None:
    steps = Steps(int(last))
    store: Any = Dying(open_store(database), steps)

    class Counted(Way):
        async def put(self, path: str, content: bytes, headers: Mapping[str, str]) -> None:
            steps.is_cut = steps.next()
            await super().put(path, content, headers)
            steps.step()

        async def delete(self, path: str) -> None:
            await super().delete(path)
            steps.step()

    tunnel._pass_on = steps.pass_on
    worker = Copying(SETTINGS, store, lambda: moment(int(now)))
    worker.way = Counted
    if trouble := await worker.copy_releases():
        raise AssertionError(trouble)
    await store.close()


if __name__ == "__main__":
    mortal.answer(partial(_copy, sys.argv[1]))
