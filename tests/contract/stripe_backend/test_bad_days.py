"""The portal on days when Stripe answers badly, or somebody asks badly: a page that says so, or the old one; nothing half
made; and nothing of Stripe's links or keys in the store, in a log or in a mail."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from server.billing import NotFound
from tests.contract.stripe_backend.conftest import BRAND
from tests.contract.stripe_backend.test_leaving import customer_of, hidden
from tests.contract.stripe_backend.test_pages import ASKS, deliver, logged_in, read_everywhere
from tests.stripe.app import KEY
from tests.stripe.faults import Fault
from tests.stripe.keys import Key
from tests.support.world import World as Portals

pytestmark = pytest.mark.anyio
MY = f"/{BRAND}/my"
KINDS = ("html", "cut", "shape", "500", "429", "lock", "refused")
READS = ("customer.retrieve", "subscription.list", "payment_method.list", "invoice.list", "invoice.create_preview",
         "payment_intent.list", "event.list")  # fmt: skip


async def links(browser, *pages):
    """Where these pages lead, to what asks Stripe."""
    found = [await browser.get(f"{MY}/{page}") for page in pages]
    every = {each for page in found for each in re.findall(rf'href="({MY}/[^"#]*)"', page.text)}
    return sorted(each for each in every if ASKS.search(each))


@pytest.mark.parametrize("kind", KINDS)
async def test_an_odd_answer_is_a_page_that_says_so_or_the_old_page(shop, standin, kind, clock):
    browser = await logged_in(shop)
    standin.faults.append(Fault(kind, times=10_000))
    first = await browser.get(f"{MY}/overview")
    assert first.status_code == 503
    standin.faults.clear()
    assert (await browser.get(f"{MY}/overview")).status_code == 200
    asking = await links(browser, "overview", "invoices", "payment-methods", "subscriptions")
    assert len(asking) > 5
    clock.forward(minutes=5)
    standin.faults.append(Fault(kind, times=10_000))
    answers = {path: await browser.get(path) for path in asking}
    assert {each.status_code for each in answers.values()} <= {200, 503}
    assert answers[f"{MY}/overview?fresh=1"].status_code == 200


async def with_a_change_to_come(shop, stripe_world, clock):
    """Somebody who is logged in and has seen the copy, and an event that no poller has read yet."""
    browser = await logged_in(shop)
    await browser.get(f"{MY}/overview")
    await shop.stripe.follow(clock())
    row = stripe_world.customer(customer_of(stripe_world))
    row["name"] = "Changed"
    stripe_world.tell("customer.updated", row)
    return browser


@pytest.mark.parametrize("operation", READS)
async def test_one_odd_list_stops_neither_the_worker_nor_what_comes_after(
    shop, stripe_world, standin, operation, clock
):
    browser = await with_a_change_to_come(shop, stripe_world, clock)
    standin.faults.append(Fault("shape", operation=operation))
    for _ in range(4):
        clock.forward(seconds=61)
        stripe_world.clock.ahead += 61
        await shop.stripe.follow(clock())
    assert "Changed" in (await browser.get(f"{MY}/overview")).text


async def test_one_odd_event_hides_no_other(shop, stripe_world, clock):
    browser = await with_a_change_to_come(shop, stripe_world, clock)
    await shop.stripe._take_in([{"id": 1}, {"object": "event", "created": "now"}], clock())
    clock.forward(seconds=31)
    stripe_world.clock.ahead += 31
    await shop.stripe.follow(clock())
    assert "Changed" in (await browser.get(f"{MY}/overview")).text


@pytest.mark.parametrize("kind", [*KINDS, "lost", "500_done"])
async def test_a_cancellation_on_a_bad_day_is_refused_or_not_known_and_then_happens_once(
    shop, stripe_world, standin, kind, clock
):
    browser = await logged_in(shop)
    account = await shop.stripe.account(customer_of(stripe_world), clock())
    subscription = account.subscriptions[0].id
    page = f"{MY}/subscriptions/{subscription}/cancel"
    shown = await browser.get(page)
    fields = {**hidden(shown), **dict(re.findall(r'name="(fingerprint)" value="([^"]*)"', shown.text))}
    standin.faults.append(Fault(kind, operation="subscription.update", times=1))
    first = await browser.post(page, data=fields)
    was_done = kind in ("cut", "lost", "shape", "500_done")
    assert first.status_code in ((200, 303, 503) if was_done else (503,))
    assert bool(stripe_world.get("subscription", subscription)["cancel_at"]) is was_done
    standin.faults.clear()
    again = await browser.post(page, data=fields)
    assert again.status_code in (200, 303)
    assert stripe_world.get("subscription", subscription)["cancel_at"]
    lines = await shop.stripe.history(account.customer.id)
    assert [each.kind for each in lines].count("subscription.canceled") == 1
    assert "Ending" in (await browser.get(f"{MY}/overview")).text


async def test_with_a_key_that_was_rolled_pages_stay_and_what_writes_is_refused(shop, stripe_world, standin, clock):
    browser = await logged_in(shop)
    await browser.get(f"{MY}/overview")
    asking = await links(browser, "overview", "invoices")
    standin.keys = {"rk_test_another_0123456789": Key("rk_test_another_0123456789")}
    assert (await browser.get(f"{MY}/overview?fresh=1")).status_code == 200
    assert {(await browser.get(each)).status_code for each in asking} <= {200, 503}
    for page in (await read_everywhere(browser)).values():
        assert KEY not in page
    await shop.stripe.follow(clock.forward(seconds=61))


async def test_ids_of_another_customer_are_not_found_and_stripe_is_not_asked_about_them(
    shop, stripe_world, standin, clock
):
    browser = await logged_in(shop)
    await browser.get(f"{MY}/overview")
    mine = customer_of(stripe_world)
    kinds = ("subscription", "invoice", "payment_method")
    others = (each for each in stripe_world.tables["customer"] if each != mine)
    other = next(each for each in others if all(stripe_world.of(each, kind) for kind in kinds))
    await shop.stripe.account(other, clock())  # it is in the store, too
    theirs = {kind: stripe_world.of(other, kind)[0]["id"] for kind in kinds}
    before = standin.count()
    for path in (
        *(f"subscriptions/{theirs['subscription']}{more}" for more in ("", "/cancel", "/change", "/pause")),
        *(f"invoices/{theirs['invoice']}{more}" for more in ("", "/pay", "/pdf", "/receipt")),
        *(f"payment-methods/{theirs['payment_method']}{more}" for more in ("", "/remove", "/replace")),
    ):
        assert (await browser.get(f"{MY}/{path}")).status_code == 404, path
    with pytest.raises(NotFound):
        await shop.stripe.document(mine, theirs["invoice"], "receipt")
    assert standin.count() == before


async def test_two_writers_at_once_leave_one_change_and_one_line(shop, stripe_world, standin, clock):
    browser = await logged_in(shop)
    account = await shop.stripe.account(customer_of(stripe_world), clock())
    subscription = account.subscriptions[0].id
    page = f"{MY}/subscriptions/{subscription}/cancel"
    tabs = [await browser.get(page) for _ in range(4)]
    forms = [{**hidden(each), **dict(re.findall(r'name="(fingerprint)" value="([^"]*)"', each.text))} for each in tabs]
    assert len({each["key"] for each in forms}) == 4
    answers = await asyncio.gather(*(browser.post(page, data=each) for each in forms))
    assert {each.status_code for each in answers} <= {200, 303, 409}
    assert standin.count("subscription.update") == 1
    lines = await shop.stripe.history(account.customer.id)
    assert [each.kind for each in lines].count("subscription.canceled") == 1


CANARIES = ("canary-invoice", "canary-pdf", "canary-receipt", "canary-secret", "canary-checkout", KEY)


LIBRARIES = ("httpx", "httpcore", "stripe")


async def test_nothing_of_stripes_links_and_keys_is_kept_logged_or_mailed(shop, stripe_world, standin, stream, caplog):
    caplog.set_level(logging.DEBUG)
    for name in LIBRARIES:  # as somebody would who looks for a fault
        caplog.set_level(logging.DEBUG, logger=name)
    stripe_world.base = "http://stripe.test/canary-checkout"
    for each in stripe_world.tables["invoice"].values():
        each["hosted_invoice_url"] = "http://stripe.test/canary-invoice"
        each["invoice_pdf"] = "http://stripe.test/canary-pdf"
    for each in stripe_world.tables["charge"].values():
        each["receipt_url"] = "http://stripe.test/canary-receipt"
    for kind in ("payment_intent", "setup_intent"):
        for each in stripe_world.tables[kind].values():
            each["client_secret"] = "canary-secret"
    browser = shop.client()
    await shop.ask(browser, "pat@example.com")
    code = await shop.code("pat@example.com")
    mails = await deliver(shop)
    await shop.try_code(browser, code)
    pages = list((await read_everywhere(browser)).values())
    asking = await links(browser, "overview", "invoices", "payment-methods")
    pages += [(await browser.get(each)).text for each in asking]
    form = await browser.get(f"{MY}/payment-methods/add")
    out = await browser.post(f"{MY}/payment-methods/add", data=hidden(form))
    assert out.status_code == 303
    standin.faults.append(Fault("html", times=3))
    await browser.get(f"{MY}/overview?fresh=1")
    await shop.stripe.follow(shop.clock.forward(seconds=61))
    kept = [row for table in await tables(shop) for row in await shop.rows(table)]
    said = {each.name.partition(".")[0] for each in caplog.records}
    assert {"httpx", "stripe", "server"} <= said
    own = (each for each in caplog.records if not each.name.startswith(LIBRARIES))
    logged = stream.getvalue() + "".join(f"{each.getMessage()}{each.__dict__}" for each in own)
    for canary in CANARIES:
        assert canary not in str(kept)
        assert canary not in logged
        assert canary not in "".join(each.as_string() for each in mails)
        assert canary not in "".join(pages)


async def tables(shop: Portals) -> list[str]:
    found = await shop.store.read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return [str(name) for (name,) in found]
