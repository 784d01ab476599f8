"""PostgreSQL as two servers: what a customer was told is done is there after the primary was killed under load, and the
portal goes on with the other by itself.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from server.brands import load
from server.store import Store, StoreUnavailable, StoreUncertain, open_store
from tests.support.crowd import BRAND, Customer, check_rows, fill
from tests.support.production import Forked, Mailbox, Visitor
from tests.support.replicated import Server, both, pair
from tests.support.served import ROOT

VISITORS = 4
SOON = 10.0
"""Seconds from the promotion to a customer whose change is done."""
_ADD = "INSERT INTO catalog (brand, kind, id, document) VALUES ('harbour', 'price', :id, '')"
_COUNT = "SELECT count(*) FROM catalog"


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with pair() as started:
        yield started


async def add(store: Store, id_: str) -> int:
    return await store.write(lambda transaction: transaction.count(_ADD, {"id": id_}))


async def eventually(happens: Callable[[], Any], seconds: float = SOON) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            await happens()
        except StoreUnavailable:
            assert time.monotonic() < until, "it does not come back"
            await asyncio.sleep(0.02)
        else:
            return


@pytest.mark.anyio
async def test_a_read_only_moment_refuses_writes_at_once_and_nothing_else(servers: tuple[Server, Server]) -> None:
    store = open_store(both(*servers))
    await add(store, "before")
    servers[0].set("default_transaction_read_only", "on")
    opened: list[Store] = []
    try:
        began = time.monotonic()
        await until_refused(store)
        for number in range(12):  # also with connections that were made meanwhile
            with pytest.raises(StoreUnavailable, match="read-only"):
                await add(store, f"never {number}")
            assert await store.read(_COUNT) == [(1,)]
        assert time.monotonic() - began < SOON
        opened.append(open_store(both(*servers)))  # a process that starts now
        assert await opened[0].read(_COUNT) == [(1,)]
    finally:
        servers[0].set("default_transaction_read_only", "off")
    for each in (store, *opened):
        await eventually(lambda each=each: add(each, f"after {id(each)}"))
        await each.close()


async def until_refused(store: Store) -> None:
    """A reload is not at once."""
    for _ in range(200):
        try:
            await store.write(lambda transaction: transaction.count("DELETE FROM catalog WHERE id = 'nobody'"))
        except StoreUnavailable:
            return
        await asyncio.sleep(0.02)
    pytest.fail("it takes writes all the time")


@pytest.mark.anyio
async def test_a_commit_whose_answer_is_lost_may_be_done(servers: tuple[Server, Server]) -> None:
    primary, standby = servers
    store = open_store(both(*servers))
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    standby.signal(signal.SIGSTOP)
    try:
        task = asyncio.create_task(add(store, "uncertain"))
        await asyncio.to_thread(wait_for, lambda: primary.run(waiting))
        await asyncio.to_thread(primary.run, f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS found")
        with pytest.raises(StoreUncertain):
            await task
    finally:
        standby.signal(signal.SIGCONT)
    assert await store.read("SELECT 1 FROM catalog WHERE id = 'uncertain'") == [(1,)]
    await store.close()


class Patient(Customer):
    """Goes on after "try again in a moment", and remembers when a change was refused or done."""

    def __init__(self, number: int, production: Forked, mailbox: Mailbox) -> None:
        super().__init__(number, production, mailbox)
        self.visitor = Honest(production.port, f"198.51.100.{number + 1}")
        self.done: list[float] = []

    def live(self, link: str, stop: threading.Event, failures: list[BaseException]) -> None:
        try:
            while not stop.is_set():
                self._once(link)
        except BaseException as error:  # noqa: BLE001 (carried to the main thread, which fails with it)
            failures.append(error)

    def _once(self, link: str) -> None:
        before = self.acknowledged
        try:
            if self.ending is None:
                self.still_there()
            self.act(link)
        except Refused:
            time.sleep(0.05)
        if self.acknowledged > before:
            self.done.append(time.monotonic())


class Refused(Exception):
    pass


class Honest(Visitor):
    refused = 0

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        status, text = super()._ask(method, path, body)
        if status == 503:
            assert "Nothing was changed" in text or "We do not know yet" in text, text
            self.refused += method == "POST"
            raise Refused
        assert status < 500, (status, path, text)
        return status, text


def test_a_primary_killed_under_load_loses_nothing_that_was_acknowledged(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    primary, standby = servers
    mailbox = Mailbox()
    production = Forked(tmp_path, mailbox, BRAND, PORTAL_DATABASE=both(*servers))
    asyncio.run(fill(both(*servers), VISITORS))
    link = load(ROOT / "themes" / BRAND).config.login_page.link
    stop, failures = threading.Event(), []
    crowd = [Patient(number, production, mailbox) for number in range(VISITORS)]
    threads = [threading.Thread(target=each.live, args=(link, stop, failures)) for each in crowd]
    production.start()
    try:
        for each in threads:
            each.start()
        wait_for(lambda: all(each.acknowledged > 2 for each in crowd), failures)
        primary.kill()
        wait_for(lambda: all(each.visitor.refused for each in crowd), failures)
        reading = Visitor(production.port)
        reading.cookies = dict(crowd[0].visitor.cookies)
        assert reading.get(f"/{BRAND}/my/invoices")[0] == 200  # by the standby, before anybody promotes it
        standby.promote()
        promoted = time.monotonic()
        wait_for(lambda: all(each.done[-1] > promoted for each in crowd), failures)
        assert max(min(at for at in each.done if at > promoted) for each in crowd) - promoted < SOON
        stop.set()
        for each in threads:
            each.join(timeout=30)
        assert not failures, failures[0]
        assert all(each.still_there() for each in crowd)
        check_rows(standby.run)
        ((kept,),) = standby.run("SELECT count(*) FROM activity WHERE kind = 'login' OR kind LIKE 'subscription.%'")
        assert kept >= sum(each.acknowledged for each in crowd)
        assert not [line for line in production.log.read_text().splitlines() if '"level": "error"' in line]
    finally:
        stop.set()
        production.stop()
        mailbox.stop()


def wait_for(happened: Callable[[], Any], failures: Sequence[BaseException] = (), seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert not failures, failures[0]
        assert time.monotonic() < until, "the load makes no progress"
        time.sleep(0.02)


@pytest.mark.anyio
async def test_a_server_that_was_demoted_is_left(servers: tuple[Server, Server]) -> None:
    """It came back after the other was promoted, as a host does whose power is there again."""
    first, second = servers
    store = open_store(both(*servers))
    first.kill()
    await asyncio.to_thread(second.promote)
    await asyncio.to_thread(first.start)
    await asyncio.to_thread(first.set, "synchronous_standby_names", "")
    await add(store, "by the first")
    assert await store.read("SELECT 1 FROM catalog WHERE id = 'by the first'") == [(1,)]
    await asyncio.to_thread(first.set, "default_transaction_read_only", "on")
    await until_refused(store)
    await eventually(lambda: add(store, "by the second"))
    assert second.run("SELECT 1 FROM catalog WHERE id = 'by the second'") == [(1,)]
    await eventually(lambda: reads(store, "SELECT 1 FROM catalog WHERE id = 'by the second'"))
    await store.close()


async def reads(store: Store, sql: str) -> None:
    if await store.read(sql) != [(1,)]:
        raise StoreUnavailable
