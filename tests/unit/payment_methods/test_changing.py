"""Choosing the default, removing, going back to it, and being led to the provider: the pages and their forms."""

import pytest
from msgspec.structs import replace

from server.billing import Payment
from server.brands.features import PaymentMethodUpdate
from tests.support.accounts import FEATURES, account, card, eur, invoice, keep, subscription
from tests.support.provider import begun, typed
from tests.support.rendered import words
from tests.support.selling import stored
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
LIST = f"/{BRAND}/my/payment-methods"
PINNED = subscription(default_payment_method="pm_2")
OLD = {"exp_month": 1, "exp_year": 2026}


async def entered(world, it):
    await keep(world, it)
    browser = world.client()
    await world.log_in(browser)
    return browser


def two(*subscriptions, **changed):
    return account(*subscriptions, payment_methods=(card(), card("pm_2", brand="mastercard", last4="4444")), **changed)


async def test_the_list_says_which_is_the_default_and_which_subscription_names_which(world):  # P1
    browser = await entered(world, two(PINNED))
    said = words((await browser.get(LIST)).text)
    assert "Visa •••• ending in 4242, expires 08/28 Default" in said
    assert "Pays for House blend" in said


@pytest.mark.parametrize("fragment", [False, True])
async def test_the_default_is_chosen_in_place_and_on_a_page(world, fragment):  # P4
    browser = await entered(world, two(subscription()))
    answer = await browser.fill(await browser.get(LIST), fragment=fragment)
    assert answer.status_code == 200
    assert "This is your default now" in answer.text
    assert (await stored(world)).customer.default_payment_method == "pm_2"


async def test_the_default_is_offered_for_all_subscriptions_where_one_names_another(world):  # P3
    browser = await entered(world, two(PINNED))
    added = await typed(browser, await begun(browser))
    page = await browser.get(added.headers["location"])
    assert "Use it for all my subscriptions" in page.text
    answer = await browser.fill(page)
    assert "It now pays for all your subscriptions" in answer.text
    it = await stored(world)
    assert it.subscriptions[0].default_payment_method == ""
    assert it.customer.default_payment_method == it.payment_methods[0].id


async def test_an_expired_one_is_not_chosen(world):
    browser = await entered(world, account(payment_methods=(card(), card("pm_2", **OLD))))
    assert "This payment method has expired" in (await browser.get(f"{LIST}/pm_2/default")).text
    refused = await browser.post(f"{LIST}/pm_2/default", data={"key": "k" * 22, "customer": "cus_jenny"})
    assert refused.status_code == 409
    assert (await stored(world)).customer.default_payment_method == "pm_1"


async def test_one_is_removed_after_a_page_that_says_what_it_means(world):  # P4
    browser = await entered(world, two(subscription()))
    page = await browser.get(f"{LIST}/pm_1/remove")
    assert "It is your default. Your new default will be: Mastercard" in words(page.text)
    answer = await browser.fill(page)
    assert "The payment method is removed" in answer.text
    it = await stored(world)
    assert ([each.id for each in it.payment_methods], it.customer.default_payment_method) == (["pm_2"], "pm_2")
    again = await browser.fill(page)  # a double click
    assert (again.status_code, "The payment method is removed" in again.text) == (200, True)


async def test_the_last_one_stays_while_a_subscription_lives_and_another_is_offered_first(world):  # P4
    browser = await entered(world, account(subscription()))
    page = await browser.get(f"{LIST}/pm_1/remove")
    assert "You cannot remove this one yet" in page.text
    assert "Add another one first" in page.text
    refused = await browser.post(f"{LIST}/pm_1/remove", data={"key": "k" * 22, "customer": "cus_jenny"})
    assert refused.status_code == 409
    assert len((await stored(world)).payment_methods) == 1
    led = await browser.fill(page)  # what the page offers
    assert led.headers["location"].startswith(f"/{BRAND}/sandbox/")


async def test_what_a_removed_one_pays_for_is_said_before(world):
    browser = await entered(world, two(PINNED))
    said = words((await browser.get(f"{LIST}/pm_2/remove")).text)
    assert "It pays for one subscription, which will use your default: Visa" in said
    assert "House blend" in said


async def test_a_subscription_goes_back_to_the_default(world):  # P5
    browser = await entered(world, two(PINNED))
    assert f"/{BRAND}/my/subscriptions/sub_1/unpin" in (await browser.get(LIST)).text
    assert f"/{BRAND}/my/subscriptions/sub_1/unpin" in (await browser.get(f"/{BRAND}/my/subscriptions/sub_1")).text
    page = await browser.get(f"/{BRAND}/my/subscriptions/sub_1/unpin")
    assert "It will be paid with your default: Visa" in words(page.text)
    for _ in range(2):  # sent twice
        answer = await browser.fill(page)
        assert "Your default now pays for this subscription" in answer.text
    assert (await stored(world)).subscriptions[0].default_payment_method == ""


async def test_the_terms_are_linked_where_one_is_added(world):  # P6
    browser = await entered(world, two(subscription()))
    for path in ("", "/add", "/pm_1/replace"):
        page = (await browser.get(LIST + path)).text
        assert "By adding it you agree to the" in page
        assert "terms of service</a>" in page


async def test_what_expires_is_marked_and_can_be_replaced(world):  # P7
    browser = await entered(world, account(subscription(), payment_methods=(card(**OLD),)))
    page = await browser.get(LIST)
    assert "Expired" in page.text
    assert f"{LIST}/pm_1/replace" in page.text
    assert "this one is removed" in (await browser.get(f"{LIST}/pm_1/replace")).text


async def test_after_a_failed_payment_the_new_one_leads_to_paying(world):  # S12
    # case money 9
    owed = invoice("in_9", "open", payments=(), subscription="sub_1")
    failed = Payment("inpay_9", "failed", eur(1450), world.clock(), "visa 4242", "card_declined")
    owed = replace(owed, payments=(failed,))
    browser = await entered(world, account(subscription(status="past_due"), invoices=(owed,)))
    added = await typed(browser, await begun(browser))
    page = await browser.get(added.headers["location"])
    assert f"/{BRAND}/my/invoices/in_9/pay" in page.text


@pytest.mark.parametrize("path", ["pm_2/default", "pm_2/remove", "add", "pm_1/replace"])
async def test_a_form_without_its_key_is_asked_again_and_changes_nothing(world, path):
    browser = await entered(world, two(subscription()))
    before = await world.rows("account")
    answer = await browser.post(f"{LIST}/{path}", data={"customer": "cus_jenny"})
    assert answer.status_code == 422
    assert "Please confirm again" in answer.text
    of_another = await browser.post(f"{LIST}/{path}", data={"customer": "cus_sam", "key": "k" * 22})
    assert of_another.status_code == 409  # threat 53
    assert await world.rows("account") == before


async def test_where_it_is_switched_off_nothing_of_it_is_there(sqlite_store, clock):
    off = World(
        sqlite_store, clock, features=replace(FEATURES, payment_method_update=PaymentMethodUpdate(enabled=False))
    )
    browser = await entered(off, two(PINNED))
    for method, path in (("GET", ""), ("POST", "/add"), ("GET", "/pm_1/remove"), ("POST", "/pm_2/default")):
        answer = await browser.request(
            method, LIST + path, data={"key": "k" * 22, "customer": "cus_jenny"} if method == "POST" else None
        )
        assert answer.status_code == 404, path
    overview = (await browser.get(f"/{BRAND}/my/overview")).text
    assert "payment-methods" not in overview
    assert "/unpin" not in overview


async def test_the_history_says_which(world):
    browser = await entered(world, two(subscription()))
    await browser.fill(await browser.get(f"{LIST}/pm_2/remove"))
    assert "Removed a payment method Mastercard •••• ending in 4444" in words(
        (await browser.get(f"/{BRAND}/my/history")).text
    )
