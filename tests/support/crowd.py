"""Customers of a real server who log in, cancel and take it back, and remember what was acknowledged; and what must hold
of the rows that they leave, whatever happened to the server meanwhile."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from server.billing.model.documents import decode_account
from server.publishing.samples.many import address_of, write_many
from server.store import open_store
from tests.support.production import Mailbox, Production, Visitor

BRAND = "plain"
Rows = Callable[[str], list[Any]]
_COUNTS = """
SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM challenge WHERE consumed_at IS NOT NULL),
       (SELECT count(*) FROM activity WHERE kind = 'login'), (SELECT count(*) FROM challenge),
       (SELECT count(*) FROM outbox WHERE kind = 'passcode')"""


class Customer:
    """One customer's browser, again and again: logs in, cancels, takes it back. Remembers what was acknowledged."""

    def __init__(self, number: int, production: Production, mailbox: Mailbox) -> None:
        self.number, self.production, self.mailbox = number, production, mailbox
        self.address = address_of(number)
        self.id, self.subscription = f"cus_many{number:07d}", f"sub_many{number:07d}"
        self.visitor = Visitor(production.port, f"198.51.100.{number % 250 + 1}")
        self.logged_in = False
        self.ending: bool | None = False
        """Whether the subscription ends at the period's end, as last acknowledged; None: a change was under way."""
        self.acknowledged = 0

    def act(self, link: str) -> None:
        """One step. Raises `OSError` when the server dies in the middle of it."""
        if not self.logged_in:
            self.log_in(link)
            return
        wanted = not self.ending
        path = f"/{BRAND}/my/subscriptions/{self.subscription}"
        _, page = self.visitor.get(f"{path}/cancel" if wanted else path)
        fields = dict(re.findall(r'name="(key|fingerprint)" value="([^"]+)"', page))
        if "key" not in fields:
            raise AssertionError(f"no form in {page[-2000:]}")
        self.ending = None
        status, _ = self.visitor.post(f"{path}/{'cancel' if wanted else 'resume'}", customer=self.id, **fields)
        assert status == 200, status
        self.ending = wanted
        self.acknowledged += 1

    def log_in(self, link: str) -> None:
        self.mailbox.forget(self.address)
        status, _ = self.visitor.post(f"/{BRAND}/login", email=self.address, link=link)
        assert status in (200, 303), status
        code = self.mailbox.passcode(self.address, 5)
        if code is None:
            return
        status, _ = self.visitor.post(f"/{BRAND}/login/code", code=code)
        if status == 303:
            self.logged_in = True
            self.acknowledged += 1

    def still_there(self) -> bool:
        """Whether what was acknowledged is what the server says now."""
        if self.logged_in:
            status, page = self.visitor.get(f"/{BRAND}/my/subscriptions/{self.subscription}")
            assert status == 200, f"{self.address} was logged in and is not any more: {status}"
            ends = f"{self.subscription}/resume" in page
            assert self.ending in (None, ends), f"{self.address}: acknowledged ending={self.ending}, found {ends}"
            self.ending = ends
        return self.logged_in


async def fill(database: str, customers: int, *, last: str = "paid") -> None:
    """`last`: the status of each one's newest invoice."""
    store = open_store(database)
    async for _ in write_many(store, BRAND, customers, datetime.now(UTC), last=last):
        pass
    await store.close()


def work(customer: Customer, link: str, failures: list[BaseException]) -> None:
    try:
        while True:
            customer.act(link)
    except OSError:
        return  # the server is dead: what we were doing is not acknowledged
    except BaseException as error:  # noqa: BLE001 (carried to the main thread, which fails with it)
        failures.append(error)


def check_invariants(production: Production, kill: int) -> None:
    """What must hold of the rows whatever was going on."""
    path = production.environment["PORTAL_DATABASE"].removeprefix("sqlite:")
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), kill
        check_rows(lambda sql: database.execute(sql).fetchall(), kill)


def check_rows(rows: Rows, kill: int = 0) -> None:
    """The same on any database: `rows` runs a SELECT."""
    sessions, consumed, logins, challenges, mails = rows(_COUNTS)[0]
    assert sessions <= consumed, (kill, sessions, consumed)
    assert consumed == logins, (kill, consumed, logins)
    assert not rows("SELECT 1 FROM challenge WHERE attempts > 5"), kill
    assert challenges == mails, f"kill {kill}: {challenges} challenges and {mails} passcodes in the outbox"
    for customer, document in rows("SELECT customer_id, document FROM account WHERE version > 1"):
        _check_account(rows, customer, document, kill)


def _check_account(rows: Rows, customer: str, document: bytes, kill: int) -> None:
    """The account, its history and the operations tell the same story."""
    of = f"customer_id = '{customer}'"
    changes = rows(f"SELECT kind FROM activity WHERE {of} AND kind LIKE 'subscription.%' ORDER BY at DESC")
    (subscription,) = decode_account(document).subscriptions
    ends = subscription.cancel_at is not None
    assert changes, (kill, customer)
    assert ends == (changes[0][0] == "subscription.canceled"), (kill, customer, changes[0], ends)
    ((done,),) = rows(f"SELECT count(*) FROM operation WHERE {of} AND state = 'done' AND subject LIKE 'sub_%'")
    assert len(changes) == done, f"kill {kill}, {customer}: {len(changes)} in the history, {done} operations done"
