"""Everything that the portal knows about a customer, to take along."""

import json
from datetime import timedelta

import pytest

from server.billing import Activity, TaxId, rows
from tests.support.accounts import NOW, START, account, invoice, keep, subscription
from tests.support.world import BRAND

pytestmark = pytest.mark.anyio
URL = "/harbour/my/details/export"
HOSTILE = '"}, <script>alert(1)</script> \\ \u2028 {{ 7*7 }}'


@pytest.fixture
async def browser(world):
    them = tuple(invoice(f"in_{n:03}", created_at=START - timedelta(days=n)) for n in range(250))
    it = account(
        subscription(),
        invoices=them[:12],
        has_older_invoices=True,
        name=HOSTILE,
        phone="+49 30 901820",
        tax_ids=(TaxId("txi_1", "eu_vat", "DE1"),),
    )
    await keep(world, it, *them[12:])
    lines = [Activity(NOW - timedelta(minutes=n), "login", "", {"n": str(n)}, "Firefox on Linux") for n in range(230)]
    await world.store.write(
        lambda transaction: [rows.add_activity(transaction, BRAND, "cus_jenny", each) for each in lines]
    )
    await world.customer("cus_else", "else@example.com", name="Somebody Else")
    found = world.client()
    await world.log_in(found)
    return found


async def taken(browser):
    answer = await browser.get(URL)
    assert answer.status_code == 200
    return json.loads(answer.content)


async def test_it_is_a_file_to_keep(browser):
    answer = await browser.get(URL)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="harbour-2026-03-01.json"'


async def test_the_details_page_offers_it(browser):
    assert f'href="{URL}" download' in (await browser.get("/harbour/my/details")).text


async def test_everything_is_in_it(browser):  # D4
    it = await taken(browser)
    assert it["customer"]["name"] == HOSTILE
    assert (it["customer"]["email"], it["customer"]["phone"]) == ("jenny@example.com", "+49 30 901820")
    assert it["customer"]["tax_ids"][0]["value"] == "DE1"
    assert it["subscriptions"][0]["items"][0]["price"]["product_name"] == "House blend"
    assert it["payment_methods"][0]["last4"] == "4242"
    assert [each["id"] for each in it["invoices"]] == [f"in_{n:03}" for n in range(250)]
    assert it["invoices"][0]["total"] == {"amount": 1450, "currency": "EUR"}
    assert it["invoices"][0]["created_at"] == "2026-02-15T00:00:00Z"
    assert len({json.dumps(each) for each in it["activity"]}) >= 230
    assert [each.keys() for each in it["known_browsers"]] == [{"logged_in_at"}]
    assert it["mails"][0].keys() == {"kind", "created_at", "state"}
    assert set(it) == {
        *("exported_at", "brand", "customer", "subscriptions", "payment_methods", "upcoming", "balance"),
        *("sessions", "known_browsers", "reminders_off", "mails", "declarations", "invoices", "activity"),
    }


async def test_a_session_is_told_without_what_opens_it(world, browser):  # threat 47
    it = await taken(browser)
    [session] = it["sessions"]
    assert session.keys() == {"kind", "address", "browser", "created_at", "last_seen_at", "expires_at"}
    text = (await browser.get(URL)).text
    for token in browser.cookies.values():
        assert token not in text
    for (id_hash,) in await world.store.read("SELECT id_hash FROM session"):
        assert bytes(id_hash).hex() not in text
    assert await world.code() not in text


async def test_nothing_of_anybody_else_is_in_it(world, browser):  # threat 75
    assert "Else" not in (await browser.get(URL)).text
    stranger = world.client()
    await world.log_in(stranger, "else@example.com")
    theirs = await taken(stranger)
    assert (theirs["customer"]["id"], theirs["invoices"]) == ("cus_else", [])
    assert "jenny" not in json.dumps(theirs)


async def test_nobody_takes_anything_without_logging_in(world):
    assert (await world.client().get(URL)).status_code == 401


async def test_changed_details_and_what_was_done_to_them_are_in_it(world, browser):  # D4
    """The details as they are, that they were changed, and nothing of the other account with the same address."""
    await world.customer(
        "cus_twin", "jenny@example.com", name="The Other Jenny", created_at=START - timedelta(days=900)
    )
    page = await browser.get("/harbour/my/details/contact")
    await browser.fill(page, name="Jenny Rosenbaum", step="save")
    it = await taken(browser)
    assert it["customer"]["name"] == "Jenny Rosenbaum"
    assert [each["data"] for each in it["activity"] if each["kind"] == "customer.updated"] == [{"fields": "name"}]
    assert "The Other Jenny" not in json.dumps(it)
    assert "cus_twin" not in json.dumps(it)
