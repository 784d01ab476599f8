"""A server that dies by SIGKILL between the page before a change and the change itself, or in the middle of it: the page
is still good afterwards, and whatever was asked how often, there is one change and one invoice."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest

from server.billing.model.documents import decode_account, decode_invoice
from server.brands import load
from server.merchant.importing.files import import_records
from server.publishing.samples import records
from server.store import open_store
from tests.support.production import Forked, Mailbox, Production, Visitor
from tests.support.served import ROOT

BRAND, SAM = "orbit", "sam@example.com"  # three seats, billed at once for more of them


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    kept = Mailbox()
    yield kept
    kept.stop()


@pytest.fixture
def production(tmp_path: Path, mailbox: Mailbox) -> Iterator[Production]:
    server = Forked(tmp_path, mailbox, BRAND, "plain")  # which it extends
    asyncio.run(_fill(server.environment["PORTAL_DATABASE"]))
    server.start()
    yield server
    server.stop()


async def _fill(database: str) -> None:
    store, now = open_store(database), datetime.now(UTC)
    await import_records(store, BRAND, records(BRAND, now), now=now)
    await store.close()


@pytest.fixture
def sam(production: Production, mailbox: Mailbox) -> Visitor:
    """Logged in."""
    visitor = Visitor(production.port)
    visitor.post(f"/{BRAND}/login", email=SAM, link=load(ROOT / "themes" / BRAND).config.login_page.link)
    code = mailbox.passcode(SAM, 20)
    assert code
    assert visitor.post(f"/{BRAND}/login/code", code=code)[0] == 303
    return visitor


def form_in(page: str, ending: str) -> tuple[str, dict[str, str]]:
    """The form whose address ends so, and its hidden fields."""
    for action, inside in re.findall(r'<form[^>]* action="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL):
        if action.endswith(ending):
            fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside)
            return action, {name: unescape(value) for name, value in fields}
    raise AssertionError(f"no form to {ending} in {page[-3000:]}")


def before_five_seats(sam: Visitor) -> tuple[str, dict[str, str]]:
    """The form of the page before the change, with all that it sends."""
    _, overview = sam.get(f"/{BRAND}/my/overview")
    (address,) = set(re.findall(r'href="([^"]+/change)"', overview))
    action, fields = form_in(sam.get(address)[1], "/change")
    status, page = sam.post(action, **fields, quantity="5")
    assert status == 200, page[-2000:]
    return form_in(page, "/change/confirm")


def kept(production: Production) -> tuple[int, list[int], int, int]:
    """Seats, what the changes' invoices come to, lines of history, operations: as they are in the database."""
    path = production.environment["PORTAL_DATABASE"].removeprefix("sqlite:")
    with closing(sqlite3.connect(path)) as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (customer,) = rows.execute("SELECT customer_id FROM session ORDER BY created_at DESC LIMIT 1").fetchone()
        who = [BRAND, customer]
        (document,) = rows.execute("SELECT document FROM account WHERE brand = ? AND customer_id = ?", who).fetchone()
        invoices = rows.execute("SELECT document FROM invoice WHERE brand = ? AND customer_id = ?", who).fetchall()
        (done,) = rows.execute(
            "SELECT count(*) FROM activity WHERE brand = ? AND customer_id = ? AND kind = 'subscription.changed'", who
        ).fetchone()
        (operations,) = rows.execute(
            "SELECT count(*) FROM operation WHERE brand = ? AND customer_id = ? AND state = 'done'", who
        ).fetchone()
    account = decode_account(document)
    billed = [decode_invoice(each) for (each,) in invoices]
    totals = [each.total.amount for each in billed if each.billing_reason == "subscription_update"]
    assert [each.id for each in account.invoices] == [
        each.id for each in sorted(billed, key=lambda it: it.created_at, reverse=True)
    ]
    return account.subscriptions[0].items[0].quantity, totals, done, operations


def test_a_kill_between_the_page_before_and_the_change_costs_nothing(production: Production, sam: Visitor) -> None:
    action, fields = before_five_seats(sam)
    production.kill()
    assert kept(production) == (3, [], 0, 0)
    production.start()
    status, page = sam.post(action, **fields)
    assert (status, "Your plan has been changed" in page) == (200, True)
    once = kept(production)
    assert (once[0], len(once[1]), once[2:]) == (5, 1, (1, 1))
    assert sam.post(action, **fields)[0] == 200
    assert kept(production) == once


def test_a_kill_in_the_middle_of_the_change_leaves_all_of_it_or_nothing(production: Production, sam: Visitor) -> None:
    for wait in (0.0, 0.002, 0.005, 0.01, 0.02, 0.04):
        action, fields = before_five_seats(sam)
        clicks = [threading.Thread(target=_click, args=(sam, action, fields)) for _ in range(2)]
        for each in clicks:
            each.start()
        time.sleep(wait)
        production.kill()
        for each in clicks:
            each.join(timeout=30)
        found = kept(production)
        whole = (found[0], len(found[1]), *found[2:])
        assert whole in {(3, 0, 0, 0), (5, 1, 1, 1)}, (wait, found)
        production.start()
        status, _ = sam.post(action, **fields)
        assert status == 200
        once = kept(production)
        assert (once[0], len(once[1]), once[2:]) == (5, 1, (1, 1))
        _start_over(production)


def _click(sam: Visitor, action: str, fields: dict[str, str]) -> None:
    try:
        sam.post(action, **fields)
    except OSError:
        return  # the server died under it


def _start_over(production: Production) -> None:
    """Sam has three seats again, as in the beginning."""
    asyncio.run(_refill(production.environment["PORTAL_DATABASE"]))


async def _refill(database: str) -> None:
    store = open_store(database)
    for table in ("account", "invoice", "operation", "imported"):
        await store.write(lambda transaction, table=table: transaction.count(f"DELETE FROM {table}"))  # type: ignore[misc]
    await store.write(lambda it: it.count("DELETE FROM activity WHERE kind LIKE 'subscription.%'"))
    await store.close()
    await _fill(database)
