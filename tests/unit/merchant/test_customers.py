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


@pytest.mark.parametrize("part", ["lindq", "LINDQVIST", " pat@exa", "Ｐａｔ　Ｌ"])
async def test_a_customer_is_found_by_a_part(filled, part):
    words = await said(filled, part)
    assert "pat@example.com" in words
    assert "Okafor" not in words


async def test_a_customer_is_found_by_a_part_of_the_id_and_beyond_ascii(filled):
    await filled.write(
        lambda t: t.count("UPDATE customer SET name = 'ÅSA ÖBERG' WHERE address = 'jenny@example.com'", {})
    )
    [(jenny,)] = await filled.read("SELECT id FROM customer WHERE brand = 'plain' AND address = 'jenny@example.com'")
    for part in (jenny, jenny[4:], "åsa ö"):
        assert "ÅSA ÖBERG" in await said(filled, part), part
    assert "No customer" in await said(filled, "%")


async def test_a_part_that_many_have_shows_the_newest_and_says_that_there_are_more(filled):
    columns = "brand, id, address, email, name, created_at, active, disabled"
    row = "SELECT 'plain', 'cus_many' || :i, :a, :a, 'Many ' || :i, :i, 1, 0"
    for i in range(60):
        values = {"i": f"{i:03}", "a": f"many{i}@example.com"}
        await filled.write(lambda t, values=values: t.run(f"INSERT INTO customer ({columns}) {row}", values))
    words = await said(filled, "many")
    assert "there are more" in words
    assert "Many 059" in words
    assert "Many 009" not in words
    assert "opens: the only customer with this address" in words


async def test_a_customer_without_an_address_says_so(filled):
    await filled.write(
        lambda t: t.count("UPDATE customer SET address = '', email = '' WHERE address = 'pat@example.com'", {})
    )
    assert "no: has no address to log in with" in await said(filled, "lindqvist")


async def test_a_part_that_nobody_has_is_said(filled):
    assert "No customer of plain has 'zzz'" in await said(filled, "zzz")


def test_every_reason_has_words():
    assert set(customers.REASONS) == {
        "only",
        "active",
        "newest_active",
        "newest",
        "disabled",
        "inactive",
        "older",
        "unreachable",
    }
