"""The seam to the database: one set of SQL statements, two stores.

Statements are written once, with ``:name`` parameters, in the file that owns their table, and run unchanged on SQLite
and PostgreSQL. SQLite, where one writes at a time, is told ``/* FOR UPDATE SKIP LOCKED */`` as a comment. So: no function whose meaning differs between the two (``lower`` above all), times as integers made in
Python (UTC microseconds, see `micros`), documents as bytes, ids as text.

Reading is one statement outside any transaction. Writing is a plain synchronous function over a `Transaction`: while it
waits, for a disk or for PostgreSQL, the event loop goes on (`writing`), and nothing can cancel it half-way; when it raises,
everything it did is rolled back. It must not await, do I/O of its own, or be slow: nobody else has the thread while it
computes between two statements, and on SQLite it holds the one write lock.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
Row = tuple[Any, ...]
Parameters = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class StoreUnavailable(Exception):
    """The database cannot be reached, is locked for too long, is full or read-only. Nothing was changed, unless it is
    `StoreUncertain`."""

    kind = "database_away"
    """As `telemetry.refused` counts it."""


class StoreFull(StoreUnavailable):
    """The disk is full."""

    kind = "disk_full"


class StoreUncertain(StoreUnavailable):
    """The connection ended after COMMIT was sent and before its answer came: all of the write is done, or nothing."""


class Transaction(Protocol):
    """What the function given to `Store.write` may do. Rows come back as tuples, in the order of the columns."""

    def run(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """Run one statement; the rows that it returns, or that its RETURNING names."""
        ...

    def count(self, sql: str, parameters: Parameters | None = None) -> int:
        """Run one statement without RETURNING; how many rows it changed."""
        ...

    def later(self, sql: str, parameters: Parameters | None = None) -> Callable[[], list[Row]]:
        """Run one statement whose answer is not needed yet, or never: after those before it, and before the next one or
        COMMIT. It makes no round trip to PostgreSQL; what is wrong with it is raised where the next answer is. Calling what
        comes back gives the rows, also after the write has ended."""
        ...

    def run_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run one statement once for each set of parameters."""
        ...


@runtime_checkable
class Store(Protocol):
    """One database, open. Every method raises `StoreUnavailable` when the database does not answer."""

    async def read(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """The rows of one SELECT."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction and commit it. An exception from `work` rolls back and is raised again."""
        ...

    async def close(self) -> None: ...


def micros(at: datetime) -> int:
    """An aware datetime as UTC microseconds, exactly: floats would lose the last digits."""
    return (at - _EPOCH) // _MICROSECOND


def new_id(now: datetime) -> str:
    """An id that no other row has, later ones after earlier ones: rows that come one after the other lie side by side in the
    index of ids, among a million others too, and so do old ones that go together."""
    return f"{micros(now):014x}{secrets.token_hex(9)}"


def moment(value: int) -> datetime:
    """UTC microseconds as an aware datetime."""
    return _EPOCH + value * _MICROSECOND
