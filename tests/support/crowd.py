"""Customers of a real server who log in, cancel and take it back, and remember what was acknowledged; and what must hold
of the rows that they leave, whatever happened to the server meanwhile."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

from server.billing.model.documents import decode_account
from server.publishing.samples.many import address_of, write_many
from server.store import open_store
from tests.support.production import Mailbox, Production, Visitor

BRAND = "plain"


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


async def fill(database: str, customers: int) -> None:
    store = open_store(database)
    async for _ in write_many(store, BRAND, customers, datetime.now(UTC)):
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
    with closing(sqlite3.connect(path)) as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",), kill
        (sessions,) = rows.execute("SELECT count(*) FROM session").fetchone()
        (consumed,) = rows.execute("SELECT count(*) FROM challenge WHERE consumed_at IS NOT NULL").fetchone()
        (logins,) = rows.execute("SELECT count(*) FROM activity WHERE kind = 'login'").fetchone()
        assert sessions <= consumed, (kill, sessions, consumed)
        assert consumed == logins, (kill, consumed, logins)
        assert not rows.execute("SELECT 1 FROM challenge WHERE attempts > 5").fetchall(), kill
        (challenges,) = rows.execute("SELECT count(*) FROM challenge").fetchone()
        (mails,) = rows.execute("SELECT count(*) FROM outbox WHERE kind = 'passcode'").fetchone()
        assert challenges == mails, f"kill {kill}: {challenges} challenges and {mails} passcodes in the outbox"
        for customer, document in rows.execute(
            "SELECT customer_id, document FROM account WHERE version > 1"
        ).fetchall():
            _check_account(rows, customer, document, kill)
    rows.close()


def _check_account(rows: sqlite3.Connection, customer: str, document: bytes, kill: int) -> None:
    """The account, its history and the operations tell the same story."""
    newest = rows.execute(
        "SELECT kind FROM activity WHERE customer_id = ? AND kind LIKE 'subscription.%' ORDER BY at DESC LIMIT 1",
        [customer],
    ).fetchone()
    (subscription,) = decode_account(document).subscriptions
    ends = subscription.cancel_at is not None
    assert newest is not None, (kill, customer)
    assert ends == (newest[0] == "subscription.canceled"), (kill, customer, newest[0], ends)
    (changes,) = rows.execute(
        "SELECT count(*) FROM activity WHERE customer_id = ? AND kind LIKE 'subscription.%'", [customer]
    ).fetchone()
    (done,) = rows.execute(
        "SELECT count(*) FROM operation WHERE customer_id = ? AND state = 'done'", [customer]
    ).fetchone()
    assert changes == done, f"kill {kill}, {customer}: {changes} in the history, {done} operations done"
