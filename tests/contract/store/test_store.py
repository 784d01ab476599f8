"""What every store does alike."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest

from server.store import Row, Store, StoreUnavailable, Transaction, micros, moment, new_id, open_store
from server.store.cleaning import clean
from server.store.pipelined import PREPARED, PipelinedConnection, Statement
from server.store.writing import in_greenlet

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSERT = "INSERT INTO catalog (brand, kind, id, document) VALUES (:brand, :kind, :id, :document)"
READ = "SELECT id, document FROM catalog WHERE brand = :brand ORDER BY id"
ROW = {"brand": "harbour", "kind": "price", "id": "one", "document": b"\x00\xff"}


async def test_what_was_written_is_read_back(store: Store) -> None:
    await store.write(lambda transaction: transaction.count(INSERT, ROW))
    assert await store.read(READ, {"brand": "harbour"}) == [("one", b"\x00\xff")]


async def test_a_failed_write_leaves_nothing(store: Store) -> None:
    def work(transaction) -> None:
        transaction.count(INSERT, ROW)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    assert await store.read(READ, {"brand": "harbour"}) == []


async def test_the_store_works_on_after_a_failed_write(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.write(lambda _: 1 / 0)
    assert await store.write(lambda transaction: transaction.count(INSERT, ROW)) == 1


async def test_texts_sort_by_their_bytes(store: Store) -> None:
    ids = ["b", "B", "ä", "a", "_", "Z", "é", "10", "9"]
    await store.write(lambda transaction: transaction.run_many(INSERT, [{**ROW, "id": each} for each in ids]))
    assert [row[0] for row in await store.read(READ, {"brand": "harbour"})] == sorted(ids, key=str.encode)


async def test_percent_signs_casts_and_quotes_pass(store: Store) -> None:
    sql = "SELECT ':no', 'it''s 100%', :name, 7 % 4 -- :comment 5%"
    assert await store.read(sql, {"name": "x"}) == [(":no", "it's 100%", "x", 3)]


async def test_a_parameter_may_be_named_twice(store: Store) -> None:
    assert await store.read("SELECT :a, :a || :b", {"a": "x", "b": "y"}) == [("x", "xy")]


async def test_integers_of_every_size_come_back(store: Store) -> None:
    insert = "INSERT INTO budget (brand, kind, subject, starts_at, used) VALUES ('b', 'k', :subject, :starts_at, 1)"
    values = [0, 1, -1, 2**15, 2**31, 2**53 + 1, 2**62]
    rows = [{"subject": str(each), "starts_at": each} for each in values]
    await store.write(lambda transaction: transaction.run_many(insert, rows))
    assert sorted(row[0] for row in await store.read("SELECT starts_at FROM budget")) == sorted(values)


async def test_returning_gives_the_rows(store: Store) -> None:
    sql = INSERT + " RETURNING id, document"
    assert await store.write(lambda transaction: transaction.run(sql, ROW)) == [("one", b"\x00\xff")]


async def test_counting_says_how_many_rows_changed(store: Store) -> None:
    await store.write(lambda transaction: transaction.run_many(INSERT, [{**ROW, "id": each} for each in "abc"]))
    assert await store.write(lambda transaction: transaction.count("DELETE FROM catalog WHERE id < 'c'")) == 2


async def test_what_is_put_off_is_done_in_its_order(store: Store) -> None:
    def work(transaction: Transaction) -> list[Row]:
        transaction.later(INSERT, ROW)
        transaction.later("UPDATE catalog SET document = :document", {"document": b"changed"})
        return transaction.run(READ, ROW)

    assert await store.write(work) == [("one", b"changed")]
    await store.write(lambda transaction: transaction.later("DELETE FROM catalog"))
    assert await store.read(READ, ROW) == []


async def test_rows_put_off_are_those_of_their_moment(store: Store) -> None:
    def work(transaction: Transaction) -> list[list[Row]]:
        asked = [transaction.later(READ, ROW)]
        transaction.later(INSERT, ROW)
        asked.append(transaction.later(READ, ROW))
        transaction.later("DELETE FROM catalog")
        asked.append(transaction.later(READ, ROW))
        return [each() for each in (asked[1], asked[0], asked[2], asked[1])]

    one = [("one", b"\x00\xff")]
    assert await store.write(work) == [one, [], [], one]


async def test_rows_put_off_are_there_after_the_write(store: Store) -> None:
    taken = await store.write(lambda transaction: transaction.later(INSERT + " RETURNING id", ROW))
    await store.write(lambda transaction: transaction.later("DELETE FROM catalog RETURNING kind"))
    assert taken() == [("one",)]


@pytest.mark.parametrize("ends", [True, False], ids=["with COMMIT", "with the next"])
async def test_a_mistake_in_what_was_put_off_undoes_the_write(store: Store, ends: bool) -> None:
    def work(transaction: Transaction) -> None:
        transaction.later(INSERT, ROW)
        transaction.later(INSERT, ROW)
        transaction.later("DELETE FROM catalog WHERE id = :never", {"never": "said before"})
        if not ends:
            transaction.count("UPDATE catalog SET kind = 'product'")

    for _ in range(2):
        with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
            await store.write(work)
        assert await store.read(READ, ROW) == []
    assert await store.write(lambda transaction: transaction.count(INSERT, ROW)) == 1


async def test_a_parameter_that_is_missing_leaves_nothing(store: Store) -> None:
    def work(transaction: Transaction) -> None:
        transaction.later(INSERT, ROW)
        transaction.count(INSERT, {"brand": "harbour"})

    with pytest.raises((sqlite3.ProgrammingError, KeyError)):
        await store.write(work)
    assert await store.write(lambda transaction: transaction.count(INSERT, ROW)) == 1


async def test_more_than_any_buffer_holds_is_put_off(store: Store) -> None:
    sizes = [1_000] * 5_000 + [20_000_000]
    rows = [{**ROW, "id": f"{each:05}", "document": b"x" * size} for each, size in enumerate(sizes)]

    def work(transaction: Transaction) -> list[Row]:
        for each in rows:
            transaction.later(INSERT + " RETURNING document", each)
        return transaction.run("SELECT COUNT(*) FROM catalog")

    assert await store.write(work) == [(len(rows),)]


async def test_more_kinds_of_statements_than_are_prepared_are_run(store: Store) -> None:
    for number in range(PREPARED + 5):
        assert await store.write(lambda transaction, each=number: transaction.run(f"SELECT {each}")) == [(number,)]
    assert await store.write(lambda transaction: transaction.count(INSERT, ROW)) == 1


async def test_a_write_that_nobody_waits_for_is_whole(store_url: str) -> None:
    """A browser that goes away cancels its request, but never half of a transaction."""
    store, loop = open_store(store_url), asyncio.get_running_loop()

    def work(transaction) -> None:
        transaction.count(INSERT, ROW)
        loop.call_soon_threadsafe(task.cancel)
        transaction.run("SELECT 1")
        transaction.count(INSERT, {**ROW, "id": "two"})

    task = asyncio.create_task(store.write(work))
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.close()
    store = open_store(store_url)
    assert [row[0] for row in await store.read(READ, {"brand": "harbour"})] == ["one", "two"]
    await store.close()


async def test_a_write_that_waits_for_a_row_holds_up_nobody(postgres_databases) -> None:
    with postgres_databases.one() as url, psycopg.connect(url) as other:
        store = open_store(url)
        await store.write(lambda transaction: transaction.count(INSERT, ROW))
        other.execute("UPDATE catalog SET kind = 'taken'")
        waiting = asyncio.create_task(store.write(lambda transaction: transaction.run(_TAKEN)))
        for number in range(20):
            await store.write(lambda transaction, each=number: transaction.count(INSERT, {**ROW, "id": f"z{each}"}))
            assert len(await store.read(READ, {"brand": "harbour"})) == number + 2
        assert not waiting.done()
        other.commit()
        assert await waiting == [("taken",)]
        await store.close()


_TAKEN = "UPDATE catalog SET kind = kind WHERE id = 'one' RETURNING kind"


async def test_a_connection_that_is_left_in_the_middle_of_an_exchange_is_closed(postgres_databases) -> None:
    with postgres_databases.one() as url:
        connection = await PipelinedConnection.connect(url)
        asked = asyncio.create_task(in_greenlet(connection.answers, [Statement("SELECT pg_sleep(1)", {})]))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert connection.closed


async def test_what_a_socket_does_not_take_at_once_arrives_whole(store: Store) -> None:
    sql = "SELECT LENGTH(:it)"
    assert await store.write(lambda transaction: transaction.run(sql, {"it": b"x" * 30_000_000})) == [(30_000_000,)]


async def test_opening_again_changes_nothing(store: Store, store_url: str) -> None:
    await store.write(lambda transaction: transaction.count(INSERT, ROW))
    again = open_store(store_url)
    assert await again.read(READ, {"brand": "harbour"}) == [("one", b"\x00\xff")]
    await again.close()


async def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    opened = await asyncio.gather(*(asyncio.to_thread(open_store, empty_url) for _ in range(6)))
    numbers = [row[0] for row in await opened[0].read("SELECT number FROM migration ORDER BY number")]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1
    for each in opened:
        await each.close()


async def test_a_new_file_that_another_process_opens_is_waited_for(tmp_path) -> None:
    """Only the first to open a file makes it write ahead, and SQLite does not wait for another who is about to."""
    path = tmp_path / "new.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(asyncio.to_thread(open_store, f"sqlite:{path}"))
        await asyncio.sleep(0.2)
        assert not opening.done()
        other.execute("COMMIT")
    await (await opening).close()


async def test_parallel_increments_are_all_counted(store: Store) -> None:
    upsert = """
    INSERT INTO budget (brand, kind, subject, starts_at, used) VALUES ('b', 'k', 's', 0, 1)
    ON CONFLICT (brand, kind, subject, starts_at) DO UPDATE SET used = budget.used + 1 RETURNING used"""
    seen = await asyncio.gather(*(store.write(lambda transaction: transaction.run(upsert)) for _ in range(64)))
    assert sorted(rows[0][0] for rows in seen) == list(range(1, 65))


async def test_old_rows_go_and_others_stay(store: Store) -> None:
    insert = """
    INSERT INTO budget (brand, kind, subject, starts_at, used, expires_at) VALUES ('b', 'k', :subject, 0, 1, :expires_at)"""
    old = [{"subject": f"old {number}", "expires_at": micros(NOW) - 1} for number in range(1200)]
    kept = [{"subject": "fresh", "expires_at": micros(NOW) + 1}, {"subject": "wrong codes", "expires_at": None}]
    await store.write(lambda transaction: transaction.run_many(insert, old + kept))
    both = await asyncio.gather(*(clean(store, NOW, timedelta(hours=1), at_once=100) for _ in range(2)))
    assert sum(both) == 1200
    assert sorted(row[0] for row in await store.read("SELECT subject FROM budget")) == ["fresh", "wrong codes"]
    assert await clean(store, NOW, timedelta(hours=1)) == 0


def test_ids_are_in_the_order_of_time_and_those_of_one_moment_differ() -> None:
    moments = (datetime(1970, 1, 1, tzinfo=UTC), NOW, NOW + timedelta(microseconds=1), datetime(2999, 1, 1, tzinfo=UTC))
    ids = [new_id(each) for each in moments]
    assert ids == sorted(ids)
    assert len({len(each) for each in ids}) == 1
    assert len({new_id(NOW) for _ in range(100)}) == 100


def test_times_are_exact_to_the_microsecond() -> None:
    at = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert moment(micros(at)) == at


async def test_a_server_that_is_not_there_is_named_as_such() -> None:
    with pytest.raises(StoreUnavailable, match="PostgreSQL"):
        open_store("postgresql://127.0.0.1:1/none?connect_timeout=1")
