"""The store at scale: PostgreSQL 14 or newer, by psycopg 3.

Reads go through an asynchronous pool in autocommit; each write is a synchronous function in a thread, over a pool of its
own, at READ COMMITTED: whatever must hold under a race is written as one guarded statement. The pools connect again by
themselves when the server comes back. Prepared statements are used, so a pooler in between must keep sessions.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.types.numeric import Int8BinaryDumper
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from server.store import migrations
from server.store.port import Parameters, Row, StoreFull, StoreUnavailable, T

READERS, WRITERS = 8, 8
WAIT = 5.0  # seconds for a connection, and for a lock
# How long a pool goes on connecting by itself, in growing pauses. With its default of five minutes, a server that was
# away for two would be seen again only after two more; given up sooner, the next request connects at once.
RECONNECT = 2.0
_ADVISORY_LOCK = 0x706F737465726E  # "postern"
_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=10000 -c lock_timeout=5000 -c timezone=UTC",
    "prepare_threshold": 1,
    "application_name": "postern",
}
_TOKEN = re.compile(
    r"(?P<keep>'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|::)"  # literals, quoted names, comments and casts stay
    r"|:(?P<name>[a-z_][a-z0-9_]*)"
    r"|(?P<percent>%)",
)


class PostgresStore:
    """Connects and brings the schema up to date. Raises `StoreUnavailable`."""

    def __init__(self, url: str) -> None:
        try:
            with psycopg.connect(url, **_OPTIONS) as connection:
                _migrate(connection)
        except psycopg.OperationalError as error:
            raise StoreUnavailable(f"PostgreSQL: {error}") from error
        except psycopg.ProgrammingError:
            # The driver's words repeat a part of the URL, which may hold the password.
            raise StoreUnavailable(
                "PostgreSQL: what should be connected to is not postgresql://user:password@host:port/database; "
                "a % in it is written %25, an @ in a password %40"
            ) from None
        self._readers: AsyncConnectionPool[AsyncConnection[Row]] = AsyncConnectionPool(
            url,
            kwargs={"autocommit": True, **_OPTIONS},
            min_size=2,
            max_size=READERS,
            timeout=WAIT,
            reconnect_timeout=RECONNECT,
            open=False,
            configure=_configure_async,
        )
        self._writers: ConnectionPool[Connection[Row]] = ConnectionPool(
            url,
            kwargs=_OPTIONS,
            min_size=1,
            max_size=WRITERS,
            timeout=WAIT,
            reconnect_timeout=RECONNECT,
            open=True,
            configure=_configure,
        )
        self._writing = ThreadPoolExecutor(WRITERS, thread_name_prefix="store-writer")

    async def read(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        if self._readers.closed:
            await self._readers.open()
        try:
            async with self._readers.connection() as connection:
                cursor = await connection.execute(translated(sql), parameters or {}, binary=True)
                return await cursor.fetchall()
        except psycopg.OperationalError as error:
            # The other idle connections died with this one: have them looked at before the next request takes one.
            if not isinstance(error, psycopg.errors.QueryCanceled):
                await self._readers.check()
            raise StoreUnavailable(f"PostgreSQL: {error}") from error

    async def write(self, work: Callable[[PostgresTransaction], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._write, work)

    async def close(self) -> None:
        self._writing.shutdown()
        self._writers.close()
        if not self._readers.closed:
            await self._readers.close()

    def _write(self, work: Callable[[PostgresTransaction], T]) -> T:
        try:
            with self._writers.connection() as connection:
                return work(PostgresTransaction(connection))
        except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction) as error:
            if not isinstance(error, (psycopg.errors.QueryCanceled, psycopg.errors.TransactionRollback)):
                self._writers.check()
            away = StoreFull if isinstance(error, psycopg.errors.DiskFull) else StoreUnavailable
            raise away(f"PostgreSQL: {error}") from error


class PostgresTransaction:
    __slots__ = ("_connection",)

    def __init__(self, connection: Connection[Row]) -> None:
        self._connection = connection

    def run(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        cursor = self._connection.execute(translated(sql), parameters or {}, binary=True)
        return cursor.fetchall() if cursor.description else []

    def count(self, sql: str, parameters: Parameters | None = None) -> int:
        return self._connection.execute(translated(sql), parameters or {}).rowcount

    def run_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(translated(sql), rows)


@lru_cache(maxsize=1024)
def translated(sql: str) -> Any:
    """Our ``:name`` parameters as psycopg's ``%(name)s``."""

    def replaced(found: re.Match[str]) -> str:
        if found["name"]:
            return f"%({found['name']})s"
        return found[0].replace("%", "%%")

    return _TOKEN.sub(replaced, sql)


def schema(sql: str) -> str:
    """A schema file in PostgreSQL's words. Texts sort by their bytes, as they do on SQLite."""
    return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', re.sub(r"\bBLOB\b", "BYTEA", sql))


def _migrate(connection: Connection[Row]) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
    connection.execute(migrations.TABLE)
    for each in migrations.pending({number for (number,) in connection.execute(migrations.APPLIED)}):
        script: Any = schema(each.sql)
        connection.execute(script, prepare=False)
        applied = {"number": each.number, "name": each.name, "applied_at": time.time_ns() // 1000}
        connection.execute(translated(migrations.RECORD), applied)


def _configure(connection: Connection[Row]) -> None:
    # Otherwise each size of integer makes a type, and with it a prepared statement, of its own.
    connection.adapters.register_dumper(int, Int8BinaryDumper)


async def _configure_async(connection: AsyncConnection[Row]) -> None:
    connection.adapters.register_dumper(int, Int8BinaryDumper)
