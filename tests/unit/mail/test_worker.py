"""The background work: it goes on whatever happens to one of its steps, and it ends when it is told to."""

import asyncio
from datetime import timedelta

import pytest

from server.billing import NotFound
from server.mail.smtp import KeepingMailer
from server.store import StoreUnavailable, micros
from server.worker import Worker
from tests.support import mailing

pytestmark = pytest.mark.anyio


class Ledger:
    """Notes whose account was asked for; knows nobody whose id ends in `?`, and stumbles over `!`."""

    def __init__(self):
        self.asked = []

    async def account(self, customer_id, _now):
        self.asked.append(customer_id)
        if customer_id.endswith("?"):
            raise NotFound
        if customer_id.endswith("!"):
            raise ZeroDivisionError


def worker(store, clock, billing=None, mailer=None):
    return Worker((mailing.portal(store, clock=clock, billing=billing),), store, mailer or KeepingMailer(), clock)


async def add_account(store, customer_id, due_at, brand="plain"):
    row = {"brand": brand, "customer_id": customer_id, "version": 1, "as_of": 0, "due_at": due_at, "document": b""}
    sql = f"INSERT INTO account ({', '.join(row)}) VALUES ({', '.join(':' + key for key in row)})"
    await store.write(lambda transaction: transaction.run(sql, row))


async def test_accounts_with_something_due_are_brought_up_to_date(store, clock):
    ledger = Ledger()
    await add_account(store, "due", micros(clock()))
    await add_account(store, "later", micros(clock() + timedelta(seconds=1)))
    await add_account(store, "never", None)
    await worker(store, clock, ledger).bring_accounts_up_to_date()
    assert ledger.asked == ["due"]


async def test_an_account_that_cannot_be_brought_up_to_date_holds_up_no_other(store, clock):
    ledger = Ledger()
    for number in range(150):
        await add_account(store, f"{number:03}{'?!'[number % 2]}", micros(clock()))
    await add_account(store, "good", micros(clock()))
    await worker(store, clock, ledger).bring_accounts_up_to_date()
    assert len(ledger.asked) == len(set(ledger.asked)) == 151


async def test_accounts_of_a_brand_that_is_gone_are_left_alone(sqlite_store, clock):
    ledger = Ledger()
    await add_account(sqlite_store, "due", micros(clock()), brand="gone")
    await worker(sqlite_store, clock, ledger).bring_accounts_up_to_date()
    assert ledger.asked == []


class Flaky:
    """A store that is away for its first reads; `works` is set at the first one after that."""

    def __init__(self, store, failures):
        self._store, self._failures = store, failures
        self.works = asyncio.Event()

    async def read(self, sql, parameters=None):
        if self._failures:
            self._failures.pop()
            raise StoreUnavailable("gone for a moment")
        self.works.set()
        return await self._store.read(sql, parameters)

    async def write(self, work):
        return await self._store.write(work)


async def test_a_database_that_was_away_is_asked_again(sqlite_store, clock):
    store = Flaky(sqlite_store, [1, 2])
    running = worker(store, clock)
    running.start()
    async with asyncio.timeout(10):
        await store.works.wait()
    await running.stop()


async def test_it_ends_at_once_when_nothing_is_under_way(sqlite_store, clock):
    running = worker(sqlite_store, clock)
    running.start()
    async with asyncio.timeout(2):
        await running.stop()


async def test_stopping_what_never_started_is_fine(sqlite_store, clock):
    await worker(sqlite_store, clock).stop()
