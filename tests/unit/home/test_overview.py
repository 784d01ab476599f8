"""The overview: everything at a glance, and only what the business offers."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.brands.features import CustomerUpdate, InvoiceHistory, PaymentMethodUpdate
from server.features.home import views
from tests.support.accounts import FEATURES, NOW, account, eur, invoice, keep, subscription
from tests.support.rendered import renderer, words

ALL_OFF = replace(
    FEATURES,
    invoice_history=InvoiceHistory(enabled=False),
    payment_method_update=PaymentMethodUpdate(enabled=False),
    customer_update=CustomerUpdate(enabled=False),
)


def shown(whole, features=FEATURES):
    return views.overview(whole, features, NOW, address="jenny@example.com", key="fresh")


def test_it_says_how_fresh_it_is():
    assert shown(account()).as_of == NOW


def test_what_is_hours_old_says_its_day():
    stale = account(as_of=NOW - timedelta(hours=7))
    assert shown(stale).is_old
    assert not shown(account()).is_old


def test_a_customer_with_invoices_only_sees_them():
    it = shown(account(invoices=(invoice(),)))
    assert [each.id for each in it.invoices] == ["in_1"]
    assert (it.subscriptions.running, it.subscriptions.ended) == ((), ())


@pytest.mark.parametrize(("count", "older", "more"), [(5, False, False), (6, False, True), (5, True, True)])
def test_it_links_to_all_invoices_where_there_are_more(count, older, more):
    whole = account(invoices=tuple(invoice(f"in_{n}") for n in range(count)), has_older_invoices=older)
    assert shown(whole).has_more_invoices is more


def test_what_is_switched_off_is_not_shown():
    it = shown(account(subscription(), invoices=(invoice(),), has_older_invoices=True), ALL_OFF)
    assert (it.invoices, it.payment_methods, it.details, it.has_more_invoices) == (None, None, None, False)


def test_an_even_balance_is_not_mentioned():
    assert shown(account(balance=eur(0))).balance is None
    assert shown(account(balance=eur(-500))).balance == eur(-500)


@pytest.mark.parametrize(("status", "is_said"), [("active", True), ("canceled", False)])
def test_a_credit_names_its_currency_where_another_one_is_charged(status, is_said):
    it = shown(account(subscription(), subscription("sub_2", status, currency="USD"), balance=eur(-500)))
    assert ("It comes off your next invoice in EUR." in words(renderer().fragment(it))) is is_said


@pytest.mark.anyio
async def test_the_overview_is_one_page_and_one_fragment(world):
    await keep(world, account(subscription(), invoices=(invoice(),)))
    browser = world.client()
    await world.log_in(browser)
    page = await browser.get("/harbour/my/overview")
    fragment = await browser.get("/harbour/my/overview", fragment=True)
    assert fragment.text.startswith('<div id="home-overview"')
    for each in ("House blend", "€14.50", "4242", "jenny@example.com", "As of 12:00"):
        assert each in words(page.text)
        assert each in words(fragment.text) or each in fragment.text


@pytest.mark.anyio
async def test_reading_changes_nothing(world):  # threat 62
    await keep(world, account(subscription(), invoices=(invoice(),)))
    browser = world.client()
    await world.log_in(browser)
    before = [await world.rows(table) for table in ("account", "operation", "activity", "invoice", "outbox")]
    for path in ("overview", "subscriptions", "subscriptions/sub_1", "subscriptions/sub_1/cancel", "history"):
        await browser.get(f"/harbour/my/{path}")
    for path in ("invoices", "invoices/in_1", "payment-methods", "details"):
        await browser.get(f"/harbour/my/{path}")
    assert [await world.rows(table) for table in ("account", "operation", "activity", "invoice", "outbox")] == before


@pytest.mark.anyio
async def test_a_change_in_place_brings_along_what_else_the_overview_says(world):
    """In place alone: a page of its own has nothing beside the card."""
    await keep(world, account(subscription(), invoices=(invoice(),), balance=eur(-500)))
    browser = world.client()
    await world.log_in(browser)
    card = await browser.get("/harbour/my/subscriptions/sub_1/cancel", fragment=True)
    assert 'id="home-beside"' not in card.text
    done = await browser.fill(card, fragment=True)
    assert 'hx-swap-oob="outerMorph:[aria-labelledby=home-invoices]"' in done.text
    assert "€5.00 credit" in words(done.text)
    again = await browser.get("/harbour/my/subscriptions/sub_1")
    assert 'id="home-beside"' not in (await browser.fill(again)).text
