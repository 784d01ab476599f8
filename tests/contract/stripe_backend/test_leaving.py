"""The way out to a page of Stripe's, and the way back: our own page between the two, and what came of it there."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import pytest
from msgspec.structs import replace

from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe import hosted
from tests.stripe.app import Request
from tests.stripe.faults import Fault
from tests.support.world import brands

pytestmark = pytest.mark.anyio
FRAGMENT = {"HX-Request": "true", "Sec-Fetch-Dest": "empty"}
METHODS = f"/{BRAND}/my/payment-methods"


@pytest.fixture
async def browser(shop, stripe_world):
    stripe_world.base = "http://stripe.test"
    made = shop.client()
    await shop.log_in(made, "jenny@example.com")
    return made


def customer_of(stripe_world, address: str = "jenny@example.com") -> str:
    found = (each for each in stripe_world.tables["customer"].values() if each["email"] == address)
    return next(found)["id"]


async def begun(browser, path: str = "add", **more: str):
    """The form that leads out, as a browser sends it; the answer to it."""
    page = await browser.get(f"{METHODS}/{path}")
    return await browser.post(f"{METHODS}/{path}", data=hidden(page), **more)


def leads_to(page) -> str:
    assert page.status_code == 200
    seconds, _, url = page.headers["refresh"].partition("; url=")
    assert seconds == "0"
    return url


def sent(standin, url: str, **fields: str):
    """A form on Stripe's page."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return hosted.answer(standin, Request("post", urlsplit(url).path, "", headers, urlencode(fields).encode()))


def typed(standin, url: str, number: str = "5555555555554444") -> str:
    """A card is typed; where that leads then."""
    return urlsplit(sent(standin, url, number=number, expires="12/34").headers["location"]).path


async def test_a_form_leads_out_by_a_page_of_our_own_that_tells_nobody_where_it_was(browser, standin):  # C1, C2
    answer = await begun(browser)
    assert answer.status_code == 303
    out = answer.headers["location"]
    assert out.startswith(f"/{BRAND}/my/leave/")
    assert "stripe" not in out
    page = await browser.get(out)
    url = leads_to(page)
    assert url.startswith("http://stripe.test/c/pay/cs_")
    assert f'href="{url}"' in page.text
    assert page.headers.get_list("referrer-policy") == ["no-referrer"]
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    in_place = await begun(browser, headers=FRAGMENT)
    assert in_place.headers["hx-redirect"].startswith(f"/{BRAND}/my/leave/")
    assert standin.count("checkout.session.create") == 2


async def test_the_way_out_is_one_customers_and_open_for_a_minute(shop, browser, clock):
    out = (await begun(browser)).headers["location"]
    other = shop.client()
    await shop.log_in(other, next(each for each in await addresses(shop) if each != "jenny@example.com"))
    assert (await other.get(out)).status_code == 404
    assert (await browser.get(out[:-2] + "AA")).status_code == 404
    assert (await browser.get(f"/{BRAND}/my/leave/%C3%BC")).status_code == 404
    assert "refresh" in (await browser.get(out)).headers
    clock.forward(seconds=61)
    late = await browser.get(out)
    assert (late.status_code, late.headers.get("refresh")) == (410, None)
    assert "stripe.test" not in late.text
    assert f'href="{METHODS}"' in late.text


async def addresses(shop) -> list[str]:
    rows = await shop.store.read("SELECT address FROM customer WHERE brand = :brand AND active = 1", {"brand": BRAND})
    return [each[0] for each in rows]


async def test_the_browser_comes_back_with_the_new_default(shop, browser, standin, stripe_world):
    url = leads_to(await browser.get((await begun(browser)).headers["location"]))
    back = typed(standin, url)
    assert back.startswith(f"{METHODS}/returned/cs_")
    answer = await browser.get(back)
    assert answer.status_code == 303
    page = await browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert "4444" in page.text
    default = stripe_world.tables["customer"][customer_of(stripe_world)]["invoice_settings"]["default_payment_method"]
    assert answer.headers["location"] == f"{METHODS}/{default}/added"
    writes = standin.count("customer.update")
    assert (await browser.get(back)).headers["location"] == answer.headers["location"]
    assert standin.count("customer.update") == writes


async def test_a_session_of_another_customer_or_of_nobodys_portal_changes_nothing(shop, browser, standin, stripe_world):
    kept = {"mode": "setup", "currency": "eur", "success_url": "https://portal.example/x/{CHECKOUT_SESSION_ID}"}
    others = next(each for each in stripe_world.tables["customer"] if each != customer_of(stripe_world))
    client = shop.stripe.client
    theirs = await client.post("/v1/checkout/sessions", key="x1", customer=others, metadata={"postern_brand": BRAND}, **kept)  # fmt: skip
    shops = await client.post("/v1/checkout/sessions", key="x2", customer=customer_of(stripe_world), **kept)
    for session in (theirs, shops):
        typed(standin, session["url"])
        assert (await browser.get(f"{METHODS}/returned/{session['id']}")).status_code == 404
    assert standin.count("customer.update") == 0
    assert (await browser.get(f"{METHODS}/returned/cs_unknown")).status_code == 404


async def test_what_a_browser_that_never_came_back_added_is_finished_by_the_event(
    shop, browser, standin, stripe_world, clock
):
    url = leads_to(await browser.get((await begun(browser)).headers["location"]))
    typed(standin, url)
    customer = customer_of(stripe_world)
    before = stripe_world.tables["customer"][customer]["invoice_settings"]["default_payment_method"]
    await shop.stripe.follow(clock.forward(seconds=31))
    assert stripe_world.tables["customer"][customer]["invoice_settings"]["default_payment_method"] == before
    await shop.stripe.follow(clock.forward(seconds=31))
    after = stripe_world.tables["customer"][customer]["invoice_settings"]["default_payment_method"]
    assert after != before
    assert stripe_world.tables["payment_method"][after]["card"]["last4"] == "4444"
    assert (await shop.stripe.account(customer, clock())).customer.default_payment_method == after
    assert next(each.kind for each in await shop.stripe.history(customer)) == "payment_method.added"
    writes = standin.count("customer.update")
    for _ in range(3):
        await shop.stripe.follow(clock.forward(seconds=61))
    assert standin.count("customer.update") == writes


async def owing(shop, stripe_world, browser) -> str:
    """An invoice that could not be collected, and a card that the bank asks about."""
    customer = customer_of(stripe_world, "pat@example.com")
    invoice = next(each for each in stripe_world.of(customer, "invoice") if each["status"] == "open")
    stripe_world.add("payment_method", id="pm_asks", type="card", customer=customer,
                     card={"brand": "visa", "last4": "3155", "exp_month": 8, "exp_year": 2034, "funding": "credit"})  # fmt: skip
    await shop.log_in(browser, "pat@example.com")
    return str(invoice["id"])


async def test_a_payment_that_the_bank_asks_about_is_confirmed_there_and_known_here(
    shop, browser, standin, stripe_world
):
    invoice = await owing(shop, stripe_world, browser)
    pay = f"/{BRAND}/my/invoices/{invoice}/pay"
    fields = {**hidden(await browser.get(pay)), "method": "pm_asks"}
    answer = await browser.post(pay, data=fields)
    hosted_page = leads_to(await browser.get(answer.headers["location"]))
    assert hosted_page.endswith(f"//stripe.test/i/{invoice}")
    waits = await browser.get(pay)
    assert "3155 was not confirmed" in waits.text
    assert "needs your confirmation" in waits.text
    sent(standin, hosted_page, confirm="yes")
    assert "Paid" in (await browser.get(pay)).text
    assert stripe_world.tables["invoice"][invoice]["status"] == "paid"
    again = await browser.post(pay, data=fields)
    assert again.headers["location"] == f"/{BRAND}/my/invoices/{invoice}?paid=1"
    before = standin.count()
    assert (await browser.get(pay)).status_code == 200
    assert standin.count() == before  # nothing waits any more, so nobody is asked


async def test_a_page_of_a_payment_that_waits_is_read_with_stripe_away(shop, browser, standin, stripe_world):
    invoice = await owing(shop, stripe_world, browser)
    pay = f"/{BRAND}/my/invoices/{invoice}/pay"
    await browser.post(pay, data={**hidden(await browser.get(pay)), "method": "pm_asks"})
    standin.faults.append(Fault("refused", times=10_000))
    for path in (pay, pay.removesuffix("/pay")):
        assert (await browser.get(path)).status_code == 200


def hidden(page) -> dict[str, str]:
    return dict(re.findall(r'name="(customer|key)" value="([^"]+)"', page.text))


HARBOURS = next(each.config.features for each in brands() if each.name == BRAND)
AT_ONCE = replace(
    HARBOURS, subscription_update=replace(HARBOURS.subscription_update, proration_behavior="always_invoice")
)


@pytest.mark.parametrize("features", [AT_ONCE])
async def test_a_change_that_the_bank_asks_about_can_be_paid_or_given_up(shop, browser, standin, stripe_world, clock):
    customer = customer_of(stripe_world)
    stripe_world.add("payment_method", id="pm_asks", type="card", customer=customer,
                     card={"brand": "visa", "last4": "3155", "exp_month": 8, "exp_year": 2034, "funding": "credit"})  # fmt: skip
    stripe_world.tables["customer"][customer]["invoice_settings"]["default_payment_method"] = "pm_asks"
    subscription = (await shop.stripe.refetch(customer, clock())).subscriptions[0]
    page = f"/{BRAND}/my/subscriptions/{subscription.id}"
    wanted = {"price": "price_harbour_seats_eur", "quantity": "5"}
    before = await browser.post(f"{page}/change", data=wanted)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', before.text))
    assert fields.keys() >= {"customer", "key", "fingerprint", "price"}
    answer = await browser.post(f"{page}/change/confirm", data=fields)
    awaiting = (await shop.stripe.account(customer, clock())).subscriptions[0].awaiting
    assert leads_to(await browser.get(answer.headers["location"])).endswith(f"//stripe.test/i/{awaiting.invoice}")
    assert "Your plan changes to" in (await browser.get(f"/{BRAND}/my/invoices/{awaiting.invoice}/pay")).text
    shown = await browser.get(page)
    assert "waits for its payment" in shown.text
    assert f"/my/invoices/{awaiting.invoice}/pay" in shown.text
    assert "waits for its payment" in (await browser.get(f"{page}/change")).text
    given_up = await browser.post(f"{page}/change/undo", data=hidden(shown))
    assert "The change is given up" in given_up.text
    assert "waits for its payment" not in (await browser.get(page)).text
    assert stripe_world.tables["invoice"][awaiting.invoice]["status"] == "void"
