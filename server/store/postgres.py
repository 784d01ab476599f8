"""The store at scale: PostgreSQL 14 or newer, by psycopg 3.

Reads go through a pool in autocommit; each write is a plain function in a greenlet of the event loop's thread, over a pool
of its own, at READ COMMITTED: whatever must hold under a race is written as one guarded statement. The pools connect again
by themselves when the server comes back.

The URL may name several hosts. A connection goes to the first that takes writes; where none does, to any that answers:
pages are read on, and each write is refused at once. Such connections are given up again and again, until one takes writes.

Nothing is kept in a session but prepared statements and two time limits, which a pooler in between may not keep: where it
does not hand on what a session begins with, statements are not prepared (see docs/operations.md).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import psycopg
from psycopg import Connection, RawCursor, errors
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8BinaryDumper
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from server.store import migrations
from server.store.pipelined import PipelinedConnection, Statement, placed
from server.store.port import Parameters, Row, StoreFull, StoreUnavailable, StoreUncertain, T
from server.store.writing import Writes, in_greenlet

READERS, WRITERS = 8, 8
WAIT = 5.0  # seconds for a connection, and for a lock
# How long a pool goes on connecting by itself, in growing pauses. With its default of five minutes, a server that was
# away for two would be seen again only after two more; given up sooner, the next request connects at once.
RECONNECT = 2.0
RENEWED = 2.0
"""Seconds for which reads go to a server that takes no writes, before one that does is looked for."""
LOCKED, TRIES, PAUSE = "2s", 30, 0.5
"""How long a migration waits for a table, while all that comes after it waits too; how often, and seconds in between."""
_ADVISORY_LOCK = 0x706F737465726E  # "postern"
# A host that lost its power says nothing: connections to it end after some five seconds, also in the middle of a wait.
_OPTIONS: dict[str, Any] = {
    "connect_timeout": 3,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 4000,
    "application_name": "postern",
}
_DIRECT = _OPTIONS | {
    "options": "-c statement_timeout=10000 -c lock_timeout=5000 -c postern.direct=yes",
    "prepare_threshold": 1,
}
_POOLED = _OPTIONS | {"prepare_threshold": None}


class _Pooled(PipelinedConnection):
    takes_writes = True

    @classmethod
    async def connect(cls, conninfo: str = "", **given: Any) -> Self:
        try:
            return await super().connect(conninfo, **{"target_session_attrs": "read-write", **given})
        except psycopg.OperationalError:
            found = await super().connect(conninfo, **{**given, "target_session_attrs": "any"})
            found.takes_writes = False
            return found


class PostgresStore:
    """Connects and brings the schema up to date. Raises `StoreUnavailable`."""

    def __init__(self, url: str) -> None:
        try:
            connection, options = _connected(url)
            with connection:
                _migrate(connection)
        except (psycopg.OperationalError, errors.ReadOnlySqlTransaction) as error:
            raise StoreUnavailable(f"PostgreSQL: {error}") from error
        except psycopg.ProgrammingError:
            # The driver's words repeat a part of the URL, which may hold the password.
            raise StoreUnavailable(
                "PostgreSQL: what should be connected to is not postgresql://user:password@host:port/database; "
                "a % in it is written %25, an @ in a password %40"
            ) from None
        self._renewed_at = math.inf
        self._readers = self._pool(url, {"autocommit": True, **options}, 2, READERS)
        self._writers = self._pool(url, options, 1, WRITERS)
        self._writes = Writes()

    def _pool(self, url: str, options: dict[str, Any], least: int, most: int) -> AsyncConnectionPool[_Pooled]:
        """One that opens when it is first asked, in the event loop of whoever asks."""
        return AsyncConnectionPool(
            url,
            connection_class=_Pooled,
            kwargs=options,
            min_size=least,
            max_size=most,
            timeout=WAIT,
            reconnect_timeout=RECONNECT,
            open=False,
            configure=self._configure,
        )

    async def read(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        if self._readers.closed:
            await self._readers.open()
        if time.monotonic() > self._renewed_at:
            self._renewed_at = math.inf
            await self._readers.drain()
        try:
            async with self._readers.connection() as connection:
                cursor = await connection.execute(*placed(sql, parameters or {}), binary=True)
                return await cursor.fetchall()
        except psycopg.OperationalError as error:
            if _is_lost(error):  # and the idle ones with it: to ask each would take as long again
                await self._readers.drain()
            raise StoreUnavailable(f"PostgreSQL: {error}") from error

    async def write(self, work: Callable[[PostgresTransaction], T]) -> T:
        return await self._writes.whole(self._write(work))

    async def close(self) -> None:
        await self._writes.ended()
        for pool in (self._writers, self._readers):
            if not pool.closed:
                await pool.close()

    async def _write(self, work: Callable[[PostgresTransaction], T]) -> T:
        if self._writers.closed:
            await self._writers.open()
        try:
            async with self._writers.connection() as connection:
                return await in_greenlet(_done, PostgresTransaction(connection), work)
        except errors.ReadOnlySqlTransaction as error:
            # It was demoted, or is a standby: another one may take writes by now.
            await self._writers.drain()
            self._renew_readers()
            raise StoreUnavailable(f"PostgreSQL: {error}") from error
        except psycopg.OperationalError as error:
            if _is_lost(error):
                await self._writers.drain()
            away = StoreFull if isinstance(error, errors.DiskFull) else StoreUnavailable
            raise away(f"PostgreSQL: {error}") from error
        except StoreUncertain:
            await self._writers.drain()
            raise

    async def _configure(self, connection: _Pooled) -> None:
        # Otherwise each size of integer makes a type, and with it a prepared statement, of its own.
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        if connection.autocommit and not connection.takes_writes:
            self._renew_readers()

    def _renew_readers(self) -> None:
        self._renewed_at = min(self._renewed_at, time.monotonic() + RENEWED)


def _connected(url: str) -> tuple[Connection[Row], dict[str, Any]]:
    """A connection and how to make more of them: whether what a session begins with reaches the server, or a pooler in
    between keeps it."""
    try:
        connection = _connection(url, _DIRECT)
    except psycopg.OperationalError as error:
        if "option" not in str(error):  # PgBouncer: unsupported startup parameter: options
            raise
        return _connection(url, _POOLED), _POOLED
    if connection.execute("SELECT current_setting('postern.direct', true)").fetchone() == ("yes",):
        return connection, _DIRECT
    connection.prepare_threshold = None
    return connection, _POOLED


def _connection(url: str, options: dict[str, Any]) -> Connection[Row]:
    given = {"autocommit": True, "cursor_factory": RawCursor, **options}
    try:
        return Connection.connect(url, target_session_attrs="read-write", **given)
    except psycopg.OperationalError:
        return Connection.connect(url, **given)


def _done(transaction: PostgresTransaction, work: Callable[[PostgresTransaction], T]) -> T:
    found = work(transaction)
    transaction.commit()
    return found


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Whether the connection ended, by itself or told by the server (57P01 and the like)."""
    if isinstance(error, PoolTimeout):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


class PostgresTransaction:
    """BEGIN travels with the first statement that has an answer, COMMIT with the last, and what `later` puts off with the one
    after it."""

    __slots__ = ("_answers", "_connection", "_waiting")

    def __init__(self, connection: _Pooled) -> None:
        self._connection = connection
        self._answers: list[PGresult] = []
        self._waiting = [Statement("BEGIN", {})]

    def run(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        return self.later(sql, parameters)()

    def count(self, sql: str, parameters: Parameters | None = None) -> int:
        return self._answer(self._put_off(sql, parameters)).command_tuples or 0

    def later(self, sql: str, parameters: Parameters | None = None) -> Callable[[], list[Row]]:
        number = self._put_off(sql, parameters)
        return lambda: self._connection.rows(self._answer(number))

    def run_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        for each in rows:
            self._put_off(sql, each)

    def commit(self) -> None:
        """Raises `StoreUncertain` where the connection ended before the answer came: it may be done or not."""
        if self._put_off("COMMIT") == 1:  # nothing was asked since BEGIN
            return
        try:
            self._send()
        except psycopg.OperationalError as error:
            if _is_lost(error):  # also a session that was ended: it may have committed and waited for its standby
                raise StoreUncertain(f"PostgreSQL: {error}") from error
            raise

    def _put_off(self, sql: str, parameters: Parameters | None = None) -> int:
        """The number of its answer."""
        self._waiting.append(Statement(sql, parameters or {}))
        return len(self._answers) + len(self._waiting) - 1

    def _answer(self, number: int) -> PGresult:
        if number >= len(self._answers):
            self._send()
        return self._answers[number]

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._answers += self._connection.answers(waiting)


def schema(sql: str) -> str:
    """A schema file in PostgreSQL's words. Texts sort by their bytes, as they do on SQLite."""
    for pattern, words in ((r"\bTEXT\b", 'TEXT COLLATE "C"'), (r"\bBLOB\b", "BYTEA"), (r"\) WITHOUT ROWID;", ");")):
        sql = re.sub(pattern, words, sql)
    return sql


def _migrate(connection: Connection[Row]) -> None:
    """One transaction a file, so that a table is locked no longer than its own file takes. Where a table is taken, the file
    waits a moment, lets go of all, and tries again: what the old version serves waits no longer than that."""
    left = TRIES
    while each := next(iter(_pending(connection)), None):
        try:
            _apply(connection, each)
        except errors.LockNotAvailable:
            left -= 1
            if not left:
                raise
            time.sleep(PAUSE)


def _pending(connection: Connection[Row]) -> list[migrations.Migration]:
    try:
        return migrations.pending({number for (number,) in connection.execute(migrations.APPLIED)})
    except errors.UndefinedTable:
        return migrations.pending(())


def _apply(connection: Connection[Row], each: migrations.Migration) -> None:
    with connection.transaction():
        # Whoever else starts now waits for its end, however long it takes; nobody waits so for a table.
        connection.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock($1)", (_ADVISORY_LOCK,))
        connection.execute(f"SET LOCAL lock_timeout = '{LOCKED}'")
        connection.execute(migrations.TABLE)
        if connection.execute(*placed(migrations.IS_APPLIED, {"number": each.number})).fetchone():
            return
        script: Any = schema(each.sql)
        connection.execute(script, prepare=False)
        applied = {"number": each.number, "name": each.name, "applied_at": time.time_ns() // 1000}
        connection.execute(*placed(migrations.RECORD, applied))
