"""The default store: one SQLite file, by the standard library.

Statements run in line on the event loop's thread (some 20 µs each; a hop to a thread costs several times that). Writes run
one after the other; one that takes long lets others have a turn between its statements. What waits, for the disk at a
COMMIT or for another process that writes, is done in a thread, so it delays the one who writes and nobody else. WAL lets
readers pass a writer, also one in another process; ``synchronous=FULL`` makes an acknowledged write survive the loss of
power.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

from server.store import migrations
from server.store.port import Parameters, Row, StoreFull, StoreUnavailable, T
from server.store.writing import Writes, in_greenlet, others_first

# A reader blocks the event loop while it waits; in WAL mode it waits only for recovery after a crash.
READER_WAIT, WRITER_WAIT = 1_000, 5_000  # milliseconds
TURN = 0.001
"""Seconds after which a write lets others have the event loop."""
AT_ONCE = 50
"""Rows that a write puts in between two looks at the clock."""

# Busy, locked, out of memory, read-only, interrupted, I/O error, damaged, full, cannot open, protocol, not a database:
# the file or the disk, not our SQL.
_AWAY = frozenset({5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26})


class SqliteStore:
    """Opens, and where needed creates, the file; its schema is brought up to date. Raises `StoreUnavailable`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            # Only its owner reads the file; the journal beside it takes over its mode. A file that is there is not touched:
            # to close it here would drop the locks of every other store that this process has on it (POSIX), and what
            # another process then writes would damage it.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreUnavailable(f"{self.path}: {error.strerror}") from error
        with ExitStack() as opened:
            try:
                self._writer = opened.enter_context(closing(_opened(self.path, WRITER_WAIT)))
                _prepare(self._writer)
                _migrate(self._writer)
                self._reader = opened.enter_context(closing(_opened(self.path, READER_WAIT)))
                _prepare(self._reader)
                self._reader.execute("PRAGMA query_only = ON")
                self._writer.execute("PRAGMA busy_timeout = 0")
            except sqlite3.Error as error:
                raise _mapped(error, str(self.path)) from error
            opened.pop_all()  # from here on `close` closes them
        self._reading = threading.Lock()
        self._writes, self._alone = Writes(), asyncio.Lock()
        self._waiting = ThreadPoolExecutor(1, thread_name_prefix="store-writer")

    async def read(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        try:
            with self._reading:
                return self._reader.execute(sql, parameters or {}).fetchall()
        except sqlite3.Error as error:
            raise _mapped(error) from error

    async def write(self, work: Callable[[SqliteTransaction], T]) -> T:
        return await self._writes.whole(self._write(work))

    async def close(self) -> None:
        await self._writes.ended()
        self._waiting.shutdown()
        with self._reading:
            self._reader.close()
        self._writer.close()

    async def _write(self, work: Callable[[SqliteTransaction], T]) -> T:
        try:
            async with self._alone:
                await self._begin()
                changes = self._writer.total_changes
                try:
                    found = await in_greenlet(work, SqliteTransaction(self._writer))
                except BaseException:
                    self._roll_back()
                    raise
                if self._writer.total_changes == changes:
                    self._commit()  # which has nothing to wait for
                else:
                    await self._in_thread(self._commit)
                return found
        except sqlite3.Error as error:
            raise _mapped(error) from error

    async def _begin(self) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            await self._in_thread(self._begin_in_turn)

    def _begin_in_turn(self) -> None:
        """Once no other process writes."""
        self._writer.execute(f"PRAGMA busy_timeout = {WRITER_WAIT}")
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        finally:
            self._writer.execute("PRAGMA busy_timeout = 0")

    def _commit(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._writer.in_transaction:  # a full disk may have rolled back already
            self._writer.execute("ROLLBACK")

    async def _in_thread(self, wait: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._waiting, wait)


class SqliteTransaction:
    __slots__ = ("_connection", "_until")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection, self._until = connection, time.perf_counter() + TURN

    def run(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        self._share()
        return self._connection.execute(sql, parameters or {}).fetchall()

    def count(self, sql: str, parameters: Parameters | None = None) -> int:
        self._share()
        return self._connection.execute(sql, parameters or {}).rowcount

    def later(self, sql: str, parameters: Parameters | None = None) -> Callable[[], list[Row]]:
        rows = self.run(sql, parameters)
        return lambda: rows

    def run_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        for first in range(0, len(rows), AT_ONCE):
            self._share()
            self._connection.executemany(sql, rows[first : first + AT_ONCE])

    def _share(self) -> None:
        if time.perf_counter() > self._until:
            others_first()
            self._until = time.perf_counter() + TURN


def _opened(path: Path, wait: int) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=wait / 1000, isolation_level=None, check_same_thread=False, cached_statements=256
    )


def _prepare(connection: sqlite3.Connection) -> None:
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    until = time.monotonic() + WRITER_WAIT / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Of a new file, another process says the same at this moment: SQLite does not wait for that by itself.
            if not _is_busy(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN EXCLUSIVE")
    try:
        connection.execute(migrations.TABLE)
        for each in migrations.pending({number for (number,) in connection.execute(migrations.APPLIED)}):
            for statement in migrations.statements(each.sql):
                connection.execute(statement)
            applied = {"number": each.number, "name": each.name, "applied_at": time.time_ns() // 1000}
            connection.execute(migrations.RECORD, applied)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _mapped(error: sqlite3.Error, what: str = "SQLite") -> Exception:
    """`StoreUnavailable` where the file or the disk is at fault; our own mistakes stay what they are."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"{what}: {error}")
    if code is not None and code & 0xFF in _AWAY:
        return StoreUnavailable(f"{what}: {error}")
    return error
