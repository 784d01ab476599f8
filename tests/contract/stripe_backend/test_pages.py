"""The portal on Stripe: logging in fetches the account, and from then on every page is read without Stripe."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile

import pytest

from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer
from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.faults import Fault

pytestmark = pytest.mark.anyio
JENNY = "jenny@example.com"
PAGES = ("overview", "invoices", "payment-methods", "details", "history", "mails")


async def deliver(world):
    mailer = KeepingMailer()
    delivery = Delivery(world.state.portals, world.store, mailer, world.clock)
    for job in await outbox.claim(world.store, world.clock(), 10):
        await delivery.deliver(job)
    return mailer.messages


async def logged_in(world):
    browser = world.client()
    await world.log_in(browser, JENNY)
    return browser


async def test_the_account_is_fetched_while_the_mail_travels(shop, standin):
    browser = shop.client()
    await shop.ask(browser, JENNY)
    code = await shop.code(JENNY)
    assert standin.count("subscription.list") == 0  # the request asks Stripe nothing
    assert len(await deliver(shop)) == 1
    assert standin.count("subscription.list") == 1
    before = standin.count()
    await shop.try_code(browser, code)
    assert (await browser.get(f"/{BRAND}/my/overview")).status_code == 200
    assert standin.count() == before


async def test_stripe_is_asked_as_much_about_a_customers_address_as_about_anybodys(shop, standin):  # threats 26 to 29
    asked = []
    for address in (JENNY, JENNY, "nobody@example.com"):
        await shop.ask(shop.client(), address)
        before = standin.count()
        await deliver(shop)
        await asyncio.sleep(0.2)
        asked.append(standin.count() - before)
    assert asked[1] == asked[2] > 0  # the first one fetches the account


async def test_every_account_of_an_address_is_fetched_with_its_passcode(shop, stripe_world, standin):  # L13
    row = stripe_world.add("customer", id="cus_second", email=JENNY, name="Jenny's studio")
    stripe_world.tell("customer.created", row)
    await shop.stripe.look_for(JENNY)
    await shop.ask(shop.client(), JENNY)
    await deliver(shop)
    assert "cus_second" in [each[1] for each in await shop.rows("stripe_copy")]
    assert len(await shop.rows("stripe_copy")) == 2


async def test_a_slow_stripe_does_not_hold_up_the_mail(shop, standin):
    standin.faults.append(Fault("late", operation="subscription.list", times=1, seconds=2.5))
    await shop.ask(shop.client(), JENNY)
    began = asyncio.get_running_loop().time()
    assert len(await deliver(shop)) == 1
    assert asyncio.get_running_loop().time() - began < 2
    await asyncio.sleep(2)
    assert await shop.rows("stripe_copy")  # it went on while the mail travelled


ASKS = re.compile(r"/(cancel|change|pause|unpause|restart|pay|leave|pdf|receipt|zip)\b|\?")
"""Pages before a change, whose numbers are Stripe's, and Stripe's own documents."""


async def read_everywhere(browser) -> dict[str, str]:
    """Every page that a customer comes to by links, without those that ask Stripe; each with what it says."""
    found: dict[str, str] = {}
    left = [f"/{BRAND}/my/{page}" for page in PAGES]
    while left:
        path = left.pop()
        if path in found or ASKS.search(path):
            continue
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        found[path] = answer.text
        left += re.findall(rf'href="(/{BRAND}/my/[^"]*)"', answer.text)
    return found


async def test_every_page_is_read_with_stripe_switched_off_and_says_how_old_it_is(shop, standin, clock):
    browser = await logged_in(shop)
    await browser.get(f"/{BRAND}/my/overview")
    standin.faults.append(Fault("refused", times=10_000))
    before = standin.count()
    clock.forward(minutes=20)
    found = await read_everywhere(browser)
    account = await shop.stripe.account((await shop.rows("stripe_copy"))[0][1], clock())
    for path in (
        *(f"invoices/{each.id}" for each in account.invoices),
        *(f"subscriptions/{each.id}" for each in account.subscriptions),
    ):
        assert (await browser.get(f"/{BRAND}/my/{path}")).status_code == 200
    assert {f"/{BRAND}/my/{page}" for page in PAGES} <= found.keys()
    assert len(found) > 20
    assert [path for path, text in found.items() if "As of" not in text] == [f"/{BRAND}/my/details/export"]
    assert standin.count() == before


async def test_stripes_own_documents_are_led_to_and_kept_nowhere(shop, stripe_world, standin):  # I3
    stripe_world.base = "http://stripe.test"
    for each in stripe_world.tables["invoice"].values():
        each["invoice_pdf"] = f"http://stripe.test/i/{each['id']}/pdf"
    for each in stripe_world.tables["charge"].values():
        each["receipt_url"] = f"http://stripe.test/r/{each['id']}"
    browser = await logged_in(shop)
    await browser.get(f"/{BRAND}/my/overview")
    account = await shop.stripe.account((await shop.rows("stripe_copy"))[0][1], shop.clock())
    paid = next(
        each for each in account.invoices if each.status == "paid" and each.amount_paid.amount and each.payments
    )
    await shop.stripe.client.post("/v1/credit_notes", key="k" * 16, invoice=paid.id, amount=100, credit_amount=100)
    await shop.stripe.refetch(account.customer.id, shop.clock())
    (note,) = (await shop.stripe.invoice(account.customer.id, paid.id)).credit_notes
    page = (await browser.get(f"/{BRAND}/my/invoices/{paid.id}")).text
    page += (await browser.get(f"/{BRAND}/my/invoices/{paid.id}/credit-notes/{note.id}")).text
    for kind in ("pdf", "receipt", f"credit-notes/{note.id}/pdf"):
        assert f"/my/invoices/{paid.id}/{kind}" in page
        answer = await browser.get(f"/{BRAND}/my/invoices/{paid.id}/{kind}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("http://stripe.test/")
    for table in ("account", "invoice"):
        assert not any(
            b"stripe.test" in cell for row in await shop.rows(table) for cell in row if isinstance(cell, bytes)
        )
    other = next(each for each in stripe_world.tables["invoice"].values() if each["customer"] != account.customer.id)
    before = standin.count()
    for path in (
        f"{other['id']}/pdf",
        f"{paid.id}/credit-notes/cn_other/pdf",
        f"{other['id']}/credit-notes/{note.id}/pdf",
    ):
        assert (await browser.get(f"/{BRAND}/my/invoices/{path}")).status_code == 404
    assert standin.count() == before
    with zipfile.ZipFile(io.BytesIO((await browser.get(f"/{BRAND}/my/invoices/zip")).content)) as whole:
        assert whole.namelist() == ["README.txt"]
        (line,) = [
            each for each in whole.read("README.txt").decode("utf-8-sig").splitlines() if f" {note.number} " in each
        ]
        assert "Its PDF is made where it is billed" in line


async def test_a_document_that_is_not_stripes_is_led_to_by_nobody(quick, stripe_world, clock):
    customer = next(each for each in stripe_world.tables["invoice"].values() if each["status"] == "paid")["customer"]
    account = await quick.account(customer, clock())
    for url in (
        "https://evil.example/x",
        "javascript:alert(1)",
        "https://stripe.com.evil.example/x",
        "http://pay.stripe.com/x",
    ):
        stripe_world.tables["invoice"][account.invoices[0].id]["invoice_pdf"] = url
        assert await quick.document(customer, account.invoices[0].id, "invoice") == ""
    stripe_world.tables["invoice"][account.invoices[0].id]["invoice_pdf"] = "https://pay.stripe.com/x/pdf"
    assert await quick.document(customer, account.invoices[0].id, "invoice") == "https://pay.stripe.com/x/pdf"


async def test_the_overview_is_read_anew_when_somebody_asks_and_not_more_often(shop, stripe_world, standin, clock):
    browser = await logged_in(shop)
    page = f"/{BRAND}/my/overview"
    assert f'href="{page}?fresh=1"' in (await browser.get(page)).text
    next(each for each in stripe_world.tables["customer"].values() if each["email"] == JENNY)["name"] = "Jennifer"
    clock.forward(seconds=11)
    before = standin.count()
    assert "Jennifer" not in (await browser.get(page)).text
    assert standin.count() == before
    assert "Jennifer" in (await browser.get(f"{page}?fresh=1")).text
    after = standin.count()
    assert after > before
    assert "Jennifer" in (await browser.get(f"{page}?fresh=1")).text
    assert standin.count() == after
    standin.faults.append(Fault("refused", times=10_000))
    clock.forward(seconds=11)
    assert "Jennifer" in (await browser.get(f"{page}?fresh=1")).text
