"""What happens when things break under the running portal: refused as such, nothing by halves, and back by itself.

The rows of security.md §6. What a kill leaves behind is asked in tests/chaos.
"""

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from httpx import Response

from server.access.limits import Limits
from server.mail.smtp import KeepingMailer, MailPermanent, MailTemporary
from server.store import Store, StoreUnavailable, StoreUncertain, Transaction, cleaning, open_store, rounds
from server.worker import Worker
from tests.conftest import Clock
from tests.support.accounts import account, keep, subscription
from tests.support.client import Client, without_marks
from tests.support.postgres import stoppable
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
OVERVIEW, CANCEL = f"/{BRAND}/my/overview", f"/{BRAND}/my/subscriptions/sub_1/cancel"


@contextmanager
def locked(store: Any) -> Iterator[None]:
    """Another process keeps the write lock for longer than anybody waits."""
    store._writer.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def read_only(store: Any) -> Iterator[None]:
    store._writer.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        store._writer.execute("PRAGMA query_only = OFF")


@contextmanager
def full(store: Any) -> Iterator[None]:
    """No file of this process can grow beyond what the journal has now: every write of a page fails in the kernel."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{store.path}-wal").stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


FAULTS = {"locked": locked, "read-only": read_only, "full": full}


def is_refused_for_now(answer: Response) -> bool:
    """503 in words, with a time to come back, and nothing of what is inside."""
    inside = ("Traceback", "sqlite", "SQLite", "psycopg", "PostgreSQL", "database is", 'File "')
    return (
        answer.status_code == 503
        and answer.headers["retry-after"] == "5"
        and "Nothing was changed" in answer.text
        and not any(each in answer.text for each in inside)
    )


async def at_work(world: World) -> tuple[Client, Client]:
    """One browser that is logged in, and one that has its code already; a worker did its round."""
    await rounds.note(world.store, "mail", world.clock())
    await keep(world, account(subscription("sub_1")))
    await world.customer("cus_sam", "sam@example.com")
    inside, outside = world.client(), world.client()
    await world.log_in(inside)
    await world.ask(outside, "sam@example.com")
    return inside, outside


def refused(world: World, inside: Client, outside: Client, code: str, cancel: Response) -> list[Any]:
    """Every request that would write; `cancel` is the page before canceling."""
    return [
        world.ask(world.client(), "new@example.com"),
        world.try_code(outside, code),
        world.try_code(outside, "000000"),
        inside.post(f"/{BRAND}/logout"),
        inside.post(f"/{BRAND}/my/logout-everywhere"),
        inside.fill(cancel),
    ]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_database_that_cannot_be_written_lets_nobody_in_and_loses_nothing(
    sqlite_store: Store, clock: Clock, fault: str
) -> None:
    world = World(sqlite_store, clock, limits=Limits(on=False))
    inside, outside = await at_work(world)
    code, cancel = await world.code("sam@example.com"), await inside.get(CANCEL)
    tables = ("challenge", "budget", "session", "outbox", "operation", "activity", "account")
    before = [await world.rows(table) for table in tables]
    with FAULTS[fault](sqlite_store):
        for request in refused(world, inside, outside, code, cancel):
            answer = await request
            assert is_refused_for_now(answer), (answer.request.url, answer.status_code, answer.text[-600:])
            assert "set-cookie" not in answer.headers
        assert (await inside.get(OVERVIEW)).status_code == 200  # what can be read is shown
        assert (await world.operations("/readyz")).status == 503
        assert (await world.operations("/healthz")).status == 200
        assert [await world.rows(table) for table in tables] == before
    assert (await world.operations("/readyz")).status == 200
    assert (await world.try_code(outside, code)).status_code == 303
    assert (await inside.fill(await inside.get(CANCEL))).status_code == 200


async def test_postgresql_that_stops_in_the_middle_is_refused_and_comes_back_by_itself(clock: Clock) -> None:
    with stoppable() as server:
        store: Any = open_store(server.get_uri())
        store._readers.timeout = store._writers.timeout = 0.5  # so long everybody waits for a connection below
        world = World(store, clock, limits=Limits(on=False))
        inside, outside = await at_work(world)
        code, cancel = await world.code("sam@example.com"), await inside.get(CANCEL)
        sessions = await world.rows("session")
        server.stop()
        for request in [inside.get(OVERVIEW), *refused(world, inside, outside, code, cancel)]:
            answer = await request
            assert is_refused_for_now(answer), (answer.request.url, answer.status_code, answer.text[-600:])
            assert "set-cookie" not in answer.headers
        assert (await world.operations("/readyz")).status == 503
        assert (await world.operations("/healthz")).status == 200
        # A long time passes: the pools have given up, and none of them sleeps through the server's return.
        await until(lambda: (store._writers._nconns, store._readers._nconns) == (0, 0))
        server.start()
        assert (await world.operations("/readyz")).status == 200
        assert (await inside.get(OVERVIEW)).status_code == 200
        assert await world.rows("session") == sessions
        assert (await world.try_code(outside, code)).status_code == 303
        await store.close()


class Unheard:
    """A store whose answers to writes get lost while `is_on`."""

    def __init__(self, store: Store) -> None:
        self.store, self.is_on = store, False
        self.read, self.close = store.read, store.close

    async def write(self, work: Callable[[Transaction], Any]) -> Any:
        done = await self.store.write(work)
        if self.is_on:
            raise StoreUncertain("the connection ended")
        return done


async def test_a_change_whose_answer_is_lost_is_asked_again_and_done_once(sqlite_store: Store, clock: Clock) -> None:
    store = Unheard(sqlite_store)
    world = World(store, clock, limits=Limits(on=False))
    inside, _ = await at_work(world)
    cancel = await inside.get(CANCEL)
    store.is_on = True
    answer = await inside.fill(cancel)
    assert answer.status_code == 503
    assert "We do not know yet" in answer.text
    assert "Nothing was changed" not in answer.text
    store.is_on = False
    assert (await inside.fill(cancel)).status_code == 200
    assert len([row for row in await world.rows("activity") if "subscription.canceled" in row]) == 1


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_postgresql_that_is_read_only_for_a_moment_shows_what_it_has(
    store: Store, store_url: str, postgres_url: str, clock: Clock
) -> None:
    world = World(store, clock, limits=Limits(on=False))
    inside, outside = await at_work(world)
    code, cancel = await world.code("sam@example.com"), await inside.get(CANCEL)
    name = urlsplit(store_url).path.removeprefix("/")
    set_read_only(postgres_url, name, "SET default_transaction_read_only = on")
    try:
        await answers(store)
        for request in refused(world, inside, outside, code, cancel):
            answer = await request
            assert is_refused_for_now(answer), (answer.request.url, answer.status_code, answer.text[-600:])
        assert (await inside.get(OVERVIEW)).status_code == 200
        assert (await world.operations("/readyz")).status == 503
        clock.forward(minutes=50)
        assert (await inside.get(OVERVIEW)).status_code == 200  # without the note that the session was used
    finally:
        set_read_only(postgres_url, name, "RESET default_transaction_read_only")
    await answers(store)
    assert (await world.operations("/readyz")).status == 503  # no worker since
    assert (await inside.fill(await inside.get(CANCEL))).status_code == 200


def set_read_only(server: str, database: str, how: str) -> None:
    with psycopg.connect(server, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {database} {how}")
        other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (database,))


async def answers(store: Store) -> None:
    """Until its connections are new ones."""
    for _ in range(20):
        with suppress(StoreUnavailable):
            await store.read("SELECT 1")
            await store.write(lambda transaction: transaction.run("SELECT 1"))
            return
    pytest.fail("the store does not answer")


async def until(true: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.05)


class Hanging:
    """A mail server that takes the connection and never says another word."""

    def __init__(self) -> None:
        self.asked = 0

    async def send(self, _: EmailMessage) -> None:
        self.asked += 1
        await asyncio.Event().wait()

    rehearse = send

    async def check(self) -> str:
        await asyncio.Event().wait()
        return ""


def worker_of(world: World, mailer: Any) -> Worker:
    portals = tuple(world.routed.state.portals.values())
    return Worker(portals, world.store, mailer, world.clock)


@pytest.mark.parametrize("mailer", ["refuses", "refuses for good", "hangs"])
async def test_a_mail_server_that_fails_changes_no_byte_of_any_answer(
    sqlite_store: Store, clock: Clock, mailer: str
) -> None:  # threat 28
    world = World(sqlite_store, clock)
    await world.customer()
    well = KeepingMailer()
    ill: Any = Hanging() if mailer == "hangs" else KeepingMailer()
    if mailer != "hangs":
        ill.refusal = MailTemporary("421") if mailer == "refuses" else MailPermanent("550")
    said = []
    for sender, address in ((well, "jenny@example.com"), (ill, "jenny@example.com"), (ill, "nobody@example.com")):
        worker = worker_of(world, sender)
        worker.start()
        browser = world.client()
        answers = [await world.ask(browser, address), await browser.get(f"/{BRAND}/login/code")]
        await until(lambda: bool(well.messages))
        if sender is ill and mailer == "hangs":
            await until(lambda: ill.asked > 0)
        answers.append(await world.try_code(browser, "BCDFG-HJKLM-NPQRS"))
        said.append(
            [
                (each.status_code, sorted(each.headers), without_marks(each.text).replace(address, "…"))
                for each in answers
            ]
        )
        for task in [*worker._tasks, *worker._sending]:
            task.cancel()
        await asyncio.gather(*worker._tasks, *worker._sending, return_exceptions=True)
    assert said[0] == said[1] == said[2]


async def test_a_mail_that_could_not_leave_arrives_once_the_server_is_back(any_world: World, clock: Clock) -> None:
    await any_world.customer()
    mailer = KeepingMailer()
    mailer.refusal = MailTemporary("421")
    worker = worker_of(any_world, mailer)
    await any_world.ask(any_world.client())
    for _ in range(4):
        await worker.mail()
        await worker.settled()
        clock.forward(seconds=61)
    mailer.refusal = None
    await worker.mail()
    await worker.settled()
    assert len(mailer.messages) == 1
    assert await any_world.store.read("SELECT state FROM outbox") == [("sent",)]


async def test_after_a_month_of_log_ins_next_to_nothing_is_left(any_world: World, clock: Clock) -> None:
    mailer = KeepingMailer()
    worker = worker_of(any_world, mailer)
    for number in range(8):
        address = f"c{number}@example.com"
        await any_world.customer(f"cus_{number}", address)
        browser = any_world.client(f"198.51.100.{number}")
        await any_world.ask(browser, address)
        if number % 2:
            await any_world.try_code(browser, await any_world.code(address))
        await any_world.ask(any_world.client(f"203.0.113.{number}"), f"nobody{number}@example.com")
    await worker.mail()
    await worker.settled()
    clock.forward(days=31)
    await worker.mail()  # what nobody took in time
    await worker.settled()
    await asyncio.gather(*(worker.clean_up() for _ in range(3)))
    await worker.clean_up()
    left = {table: await any_world.count(table) for table in ("challenge", "budget", "session", "outbox", "operation")}
    assert left == {"challenge": 0, "budget": 0, "session": 0, "outbox": 0, "operation": 0}
    assert await any_world.count("activity") == 4  # the customers' history stays
    assert await cleaning.clean(any_world.store, clock(), timedelta(hours=1)) == 0
