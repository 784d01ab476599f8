"""A database that is away, full, locked or read-only: refused as such, nothing is changed, and it comes back by itself."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from server.store import Store, StoreUnavailable, Transaction, open_store, sqlite
from server.store.cleaning import may_write
from server.store.migrations import pending, statements
from server.store.pipelined import numbered
from server.store.postgres import schema
from tests.support.turns import Turns

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO catalog (brand, kind, id, document) VALUES ('harbour', 'price', :id, :document)"
COUNT = "SELECT COUNT(*) FROM catalog"


async def add(store: Store, id_: str = "one", size: int = 1) -> int:
    return await store.write(lambda transaction: transaction.count(INSERT, {"id": id_, "document": b"x" * size}))


async def test_a_full_disk_changes_nothing_and_passes(sqlite_store) -> None:
    (pages,) = sqlite_store._writer.execute("PRAGMA page_count").fetchone()
    sqlite_store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreUnavailable, match="full"):
        await add(sqlite_store, size=1_000_000)
    assert await sqlite_store.read(COUNT) == [(0,)]
    sqlite_store._writer.execute("PRAGMA max_page_count = 1000000")
    assert await add(sqlite_store, size=1_000_000) == 1


async def test_a_read_only_file_changes_nothing(sqlite_store) -> None:
    sqlite_store._writer.execute("PRAGMA query_only = ON")
    for write in (add(sqlite_store), sqlite_store.write(may_write)):
        with pytest.raises(StoreUnavailable, match="readonly"):
            await write
    sqlite_store._writer.execute("PRAGMA query_only = OFF")
    assert await add(sqlite_store) == 1
    changes = sqlite_store._writer.total_changes
    await sqlite_store.write(may_write)
    assert sqlite_store._writer.total_changes == changes


async def test_a_postgresql_that_takes_no_writes_is_away(postgres_databases) -> None:
    """Such as a copy that nobody has promoted yet."""

    def work(transaction: Any) -> None:
        transaction.run("SET TRANSACTION READ ONLY")
        may_write(transaction)

    with postgres_databases.one() as url:
        store = open_store(url)
        with pytest.raises(StoreUnavailable, match="read-only"):
            await store.write(work)
        assert await add(store) == 1
        await store.close()


async def test_a_locked_file_is_waited_for_and_then_refused_while_reading_goes_on(sqlite_store, monkeypatch) -> None:
    with closing(sqlite3.connect(sqlite_store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await reads_go_on_beside(waiting := asyncio.create_task(add(sqlite_store)), sqlite_store)
        other.execute("ROLLBACK")
        assert await waiting == 1
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite, "WRITER_WAIT", 20)
        with pytest.raises(StoreUnavailable, match="locked"):
            await add(sqlite_store, "two")
        other.execute("ROLLBACK")
    assert await add(sqlite_store, "two") == 1


async def test_a_disk_that_takes_its_time_holds_up_who_writes_alone(sqlite_store, monkeypatch) -> None:
    synced, commit = threading.Event(), sqlite_store._commit
    monkeypatch.setattr(sqlite_store, "_commit", lambda: (synced.wait(10), commit()))
    await reads_go_on_beside(writing := asyncio.create_task(add(sqlite_store)), sqlite_store)
    synced.set()
    assert await writing == 1


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "in one go"])
async def test_a_write_that_takes_long_lets_others_have_their_turns(sqlite_store, monkeypatch, at_once: bool) -> None:
    monkeypatch.setattr(sqlite, "TURN", 0)

    def work(transaction: Transaction) -> int:
        began, rows = turns.count, [{"id": str(each), "document": b""} for each in range(1_000)]
        if at_once:
            transaction.run_many(INSERT, rows)
        else:
            for each in rows:
                transaction.run(INSERT + " RETURNING id", each)
        transaction.run("SELECT 1")
        return turns.count - began

    async with Turns() as turns:
        assert await sqlite_store.write(work) > 10


async def reads_go_on_beside(writing: asyncio.Task[int], store: Store) -> None:
    for _ in range(20):
        await asyncio.sleep(0.005)
        assert await store.read(COUNT) == [(0,)]
    assert not writing.done()


async def test_our_own_mistakes_stay_what_they_are(sqlite_store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await sqlite_store.read("SELECT 1 FROM nothing_of_the_kind")


async def test_acknowledged_writes_are_synced(sqlite_store) -> None:
    for connection in (sqlite_store._writer, sqlite_store._reader):
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


async def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    await open_store(f"sqlite:{tmp_path / 'store.sqlite'}").close()
    assert (tmp_path / "store.sqlite").stat().st_mode & 0o077 == 0


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere"):
        open_store(f"sqlite:{tmp_path / 'nowhere' / 'store.sqlite'}")


@pytest.mark.parametrize("url", ["postgresql://me:50%secret@host/x", "postgresql://host/x?nothing=secret"])
def test_a_connection_string_that_is_none_is_said_without_its_password(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="a % in it is written %25") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_store(f"sqlite:{tmp_path / 'store.sqlite'}")


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_postgresql_comes_back_by_itself(store: Store, store_url: str, postgres_url: str) -> None:
    await add(store)
    name = store_url.split("/")[3].partition("?")[0]
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        # Waits for each to be gone: one that still answers would be kept as a good one.
        other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))
        with pytest.raises(StoreUnavailable):
            await add(store, "two")
        with pytest.raises(StoreUnavailable):
            await store.read(COUNT)
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await eventually_reads(store)
    assert await add(store, "two") == 1


async def eventually_reads(store: Store) -> None:
    """The pool connects again with growing pauses; a request meanwhile is refused, never answered wrongly."""
    for _ in range(20):
        try:
            assert await store.read(COUNT) == [(1,)]
        except StoreUnavailable:
            continue
        return
    pytest.fail("PostgreSQL is back and the store is not")


def test_parameters_become_numbers() -> None:
    assert numbered("SELECT :a, :b, x::text, ':b', 1 % 2, :a") == (
        b"SELECT $1, $2, x::text, ':b', 1 % 2, $1",
        ("a", "b"),
    )


def test_the_schema_becomes_postgresqls() -> None:
    assert schema("CREATE TABLE t (a TEXT, b BLOB)") == 'CREATE TABLE t (a TEXT COLLATE "C", b BYTEA)'


def test_migrations_apply_once_and_in_order(tmp_path: Path) -> None:
    for name in ("0002_more.sql", "0001_first.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    assert [each.number for each in pending((), tmp_path)] == [1, 2]
    assert [each.number for each in pending({1}, tmp_path)] == [2]


def test_a_number_that_stands_twice_is_refused(tmp_path: Path) -> None:
    for name in ("0001_first.sql", "0001_other.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match="each number once"):
        pending((), tmp_path)


def test_a_script_falls_into_its_statements() -> None:
    script = "-- one; two\nCREATE TABLE a (b TEXT DEFAULT ';');\nCREATE TABLE c (d TEXT);\n-- the end\n"
    assert len(list(statements(script))) == 2
    with pytest.raises(ValueError, match="middle"):
        list(statements("CREATE TABLE a (b TEXT)"))
