"""Processes that are killed in the middle of their work at Stripe, by a real SIGKILL.

`python -m tests.support.dying` imports everything once; for the jobs of each line that it reads (a pickle in base64) it forks a
process that does it, and writes how they ended: `=0`, or `=-9` where one was killed.

| point | where the process dies |
|---|---|
| `before` | its write of this number is ready and not sent |
| `sent` | it was sent, and nothing of the answer was read |
| `answered` | the answer was read, and nothing was done with it |
| `stored` | its transaction of this number is in the store |
"""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx
import pytest

from server.billing import By
from server.billing.stripe.backend import Stripe
from server.billing.stripe.client import Client
from server.billing.stripe.syncing import Busy, sync
from server.store import Row, Store, Transaction, open_store
from tests.stripe.app import KEY
from tests.support.mortal import die, ended, forked

T = TypeVar("T")
POINTS = ("before", "sent", "answered", "stored")
KEYS = (b"k" * 32,)
ORIGIN = "https://portal.example"


@dataclass(frozen=True)
class Job:
    """One verb of one customer; or, of the background work, rounds at these moments, or a `sync`."""

    database: str
    stripe: str
    brand: str
    verb: str
    by: By | None = None
    given: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    moments: Sequence[datetime] = ()
    point: str = ""
    number: int = 0


class Wire(httpx.AsyncBaseTransport):
    def __init__(self, job: Job) -> None:
        self.job, self.writes, self.inner = job, 0, httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" or request.url.path.endswith("create_preview"):
            return await self.inner.handle_async_request(request)
        self.writes += 1
        point = self.job.point if self.writes == self.job.number else ""
        if point == "before":
            die()
        if point == "sent":
            request.extensions["trace"] = _after_the_body
        answer = await self.inner.handle_async_request(request)
        if point == "answered":
            await answer.aread()
            die()
        return answer

    async def aclose(self) -> None:
        await self.inner.aclose()


async def _after_the_body(event: str, _: object) -> None:
    if event == "http11.send_request_body.complete":
        die()


class Dying:
    """A store whose process dies once so many transactions are in it."""

    def __init__(self, store: Store, job: Job) -> None:
        self.store, self.job, self.writes = store, job, 0

    async def read(self, sql: str, parameters: Any = None) -> list[Row]:
        return await self.store.read(sql, parameters)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        done = await self.store.write(work)
        self.writes += 1
        if self.job.point == "stored" and self.writes == self.job.number:
            die()
        return done

    async def close(self) -> None:
        await self.store.close()


async def _do(job: Job) -> None:
    store: Any = Dying(open_store(job.database), job)
    client = Client(KEY, base=job.stripe, transport=Wire(job))
    billing = Stripe(store, job.brand, client, keys=KEYS, origin=ORIGIN)
    moments = iter(job.moments)
    if job.verb == "follow":
        for now in moments:
            await billing.follow(now)
    elif job.verb == "sync":
        try:
            await sync(billing, lambda: job.moments[0], lambda *_: None)
        except Busy:
            os._exit(3)
    else:
        await getattr(billing, job.verb)(job.by, *job.given, **job.named)
    await billing.close()
    await store.close()
    print(store.writes, flush=True)


def main() -> None:
    for line in sys.stdin:
        jobs = pickle.loads(base64.b64decode(line))  # noqa: S301 (from the test that started us)
        children = [forked(_do, job) for job in jobs]
        print("=" + " ".join(str(ended(child)) for child in children), flush=True)


class Nursery:
    """What a test asks for such processes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.stored = 0
        """How many transactions the last one made that came to its end."""

    @classmethod
    async def begun(cls) -> Nursery:
        command = (sys.executable, "-m", "tests.support.dying")
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))

    async def run(self, *jobs: Job) -> list[int]:
        """How their processes ended, which ran at the same time."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(base64.b64encode(pickle.dumps(jobs)) + b"\n")
        self.stored = 0
        while line := (await self.process.stdout.readline()).decode():
            if line.startswith("="):
                return [int(each) for each in line[1:].split()]
            self.stored = int(line)
        raise EOFError("the nursery is gone; what it said last is above")

    async def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        await self.process.wait()


@pytest.fixture(scope="module")
async def nursery() -> AsyncIterator[Nursery]:
    made = await Nursery.begun()
    yield made
    await made.end()


if __name__ == "__main__":
    main()
