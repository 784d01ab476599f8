"""`customers search` says what a log-in would do, by the code that does it."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from server.mail import reminder_choices
from server.merchant import customers
from server.merchant.importing.files import import_records
from server.publishing import samples

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def said(store, email, brand="plain"):
    memory = io.StringIO()
    Console(file=memory, width=200).print(await customers.search(store, brand, email))
    return memory.getvalue()


@pytest.fixture
async def filled(sqlite_store):
    await import_records(sqlite_store, "plain", samples.records("plain", NOW), now=NOW)
    return sqlite_store


async def test_of_two_customers_the_one_with_an_active_subscription_opens(filled):
    lines = [line for line in (await said(filled, "SAM@example.com")).splitlines() if "Sam Okafor" in line]
    assert len(lines) == 2
    assert "opens: the only one with an active subscription" in lines[0]
    assert "no: another one has an active subscription" in lines[1]
    assert "(studio)" in lines[1]


async def test_a_customer_who_wants_no_reminders_is_said_to(filled):
    [(jenny,)] = await filled.read("SELECT id FROM customer WHERE brand = 'plain' AND address = 'jenny@example.com'")
    assert "has switched off" not in await said(filled, "jenny@example.com")
    await filled.write(
        lambda transaction: reminder_choices.choose(
            transaction, "plain", jenny, "card_expiring", wanted=False, now=NOW, browser=""
        )
    )
    assert f"{jenny} has switched off card_expiring, on 2026-03-01." in await said(filled, "jenny@example.com")
    assert "has switched off" not in await said(filled, "sam@example.com")


async def test_a_disabled_customer_is_said_to_be(filled):
    assert "switched off" in await said(filled, "dee@example.com")


async def test_an_unknown_address_is_explained(filled):
    words = await said(filled, "nobody@example.com")
    assert "No customer has this address" in words
    assert "No code was asked for" in words


async def test_another_brand_has_other_customers(filled):
    assert "No customer has this address" in await said(filled, "jenny@example.com", brand="harbour")


async def test_what_became_of_the_last_mails_is_told(filled):
    row = {
        "id": "1",
        "brand": "plain",
        "kind": "passcode",
        "address": "jenny@example.com",
        "created_at": 1772366400000000,
        "not_before": 0,
        "expires_at": 0,
        "attempts": 3,
        "state": "expired",
        "detail": "not sent: the mail server refused the recipient with 550",
    }
    sql = f"INSERT INTO outbox ({', '.join(row)}) VALUES ({', '.join(':' + key for key in row)})"
    await filled.write(lambda transaction: transaction.run(sql, row))
    words = await said(filled, "jenny@example.com")
    assert "2026-03-01 12:00:00" in words
    assert "refused the recipient with 550" in words


async def test_names_cannot_paint_the_terminal(filled):
    sql = "UPDATE customer SET name = :name WHERE address = 'jenny@example.com'"
    await filled.write(lambda transaction: transaction.count(sql, {"name": "\x1b[31m[red]x[/red]\x07"}))
    words = await said(filled, "jenny@example.com")
    assert "\x1b" not in words
    assert "[red]x[/red]" in words


async def test_what_is_no_address_is_refused(filled):
    with pytest.raises(customers.NotAnAddress):
        await customers.search(filled, "plain", "jenny")


def test_every_reason_has_words():
    assert set(customers.REASONS) == {"only", "active", "newest_active", "newest", "disabled", "inactive", "older"}
