"""The page on which an invoice is paid, and what comes of it. Row I4 of the portal's features, and S12's way out."""

import re

import pytest
from msgspec.structs import replace

from server.billing import Payment, Uncertain
from server.brands.features import Features, InvoiceHistory, PaymentMethodUpdate
from server.features.invoices import views
from tests.support.accounts import END, NOW, START, Failing, account, card, eur, invoice, keep, subscription
from tests.support.client import forms_in
from tests.support.pages import ledger_of
from tests.support.rendered import words
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
INVOICE = "/harbour/my/invoices/in_1"
PAY = f"{INVOICE}/pay"
BOTH = pytest.mark.parametrize("fragment", [False, True])
BAD = card("pm_bad", last4="0341", behavior="insufficient_funds")
ASKS = card("pm_asks", last4="3184", behavior="requires_action")
OLD = card("pm_old", last4="0069", exp_year=2025)


def behind(*, default="pm_1", **changed):
    """Jenny, past due with one open invoice, with a card for every answer."""
    late = subscription(status="past_due", latest_invoice="in_1")
    tried = Payment("py_1", "failed", eur(1450), START, "visa 0341", "insufficient_funds")
    owed = invoice("in_1", "open", payments=(tried,))
    fields = {"payment_methods": (card(), BAD, ASKS, OLD), "invoices": (owed,), "default_payment_method": default}
    return account(late, **(fields | changed))


@pytest.fixture
def world(sqlite_store, clock):
    return World(sqlite_store, clock, features=Features())


async def inside(world, it=None, *older):
    await keep(world, it or behind(), *older)
    browser = world.client()
    await world.log_in(browser)
    return browser


async def stored(world):
    it = await ledger_of(world.store, BRAND, Features()).account("cus_jenny", world.clock())
    return it.subscriptions[0].status, it.invoices[0]


@BOTH
async def test_an_open_invoice_is_paid_with_the_chosen_method(world, fragment):  # I4
    browser = await inside(world)
    card_text = words((await browser.get("/harbour/my/overview")).text)
    assert "€14.50 is due There was not enough money in the account. Pay now" in card_text
    page = await browser.get(PAY, fragment=fragment)
    said = words(page.text)
    assert "Pay €14.50" in said
    assert "Invoice HC-in_1 Date February 15, 2026 What it is for House blend" in said
    assert "The last payment failed on February 15, 2026 There was not enough money" in said
    assert "House blend is no longer overdue after you pay." in said
    assert forms_in(page.text)[0][1]["method"] == "pm_1"
    done = await browser.fill(page, fragment=fragment)
    assert (done.headers.get("location") or done.headers["hx-redirect"]) == f"{INVOICE}?paid=1"
    thanks = words((await browser.get(f"{INVOICE}?paid=1")).text)
    assert "This invoice is paid Thank you. House blend is active. Download the receipt (PDF)" in thanks
    status, paid = await stored(world)
    assert (status, paid.status, paid.amount_paid) == ("active", "paid", eur(1450))
    assert "Active" in words((await browser.get("/harbour/my/overview")).text)
    assert "Paid an invoice HC-in_1 €14.50" in words((await browser.get("/harbour/my/history")).text)


@BOTH
async def test_a_declined_payment_says_why_and_the_same_page_pays_with_another(world, fragment):
    browser = await inside(world)
    page = await browser.fill(await browser.get(PAY), fragment=fragment, method="pm_bad")
    assert page.status_code == 409
    said = words(page.text)
    assert "The payment with Visa •••• 0341 failed There was not enough money" in said
    assert "Pay another way" in said
    assert (await stored(world))[0] == "past_due"
    done = await browser.fill(page, method="pm_1")
    assert (done.status_code, (await stored(world))[1].status) == (303, "paid")
    assert [each.status for each in (await stored(world))[1].payments] == ["failed", "failed", "paid"]


@BOTH
async def test_a_payment_that_the_bank_wants_confirmed_is_confirmed_on_the_providers_page(world, fragment):
    browser = await inside(world)
    sent = await browser.fill(await browser.get(PAY), fragment=fragment, method="pm_asks")
    bank = sent.headers.get("location") or sent.headers["hx-redirect"]
    assert bank.startswith("/harbour/sandbox/")
    assert "Confirm the payment" in words((await browser.get("/harbour/my/overview")).text)
    assert "with your bank." in words((await browser.get(INVOICE)).text)
    again = await browser.get(PAY)
    assert "was not confirmed with your bank" in words(again.text)
    assert forms_in(again.text)[0][1]["method"] == "pm_asks"
    failed = await browser.post(f"{bank}/confirm", data={"outcome": "fail"}, follow=True)
    assert "You did not confirm the payment with your bank. Try again" in words(failed.text)
    sent = await browser.fill(failed, method="pm_asks")
    paid = await browser.post(f"{sent.headers['location']}/confirm", data={"outcome": "complete"}, follow=True)
    assert "This invoice is paid Thank you. House blend is active." in words(paid.text)
    assert (await stored(world))[0] == "active"


async def test_the_same_form_twice_pays_once_and_leads_to_the_same_place(world):  # S13
    browser = await inside(world)
    page, other_tab = await browser.get(PAY), await browser.get(PAY)
    for again in (page, page, other_tab):
        answer = await browser.fill(again)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{INVOICE}?paid=1")
    _, paid = await stored(world)
    assert (paid.amount_paid, [each.status for each in paid.payments]) == (eur(1450), ["failed", "paid"])


async def test_what_is_wrong_with_the_form_is_told_and_nothing_is_charged(world):
    browser = await inside(world)
    page = await browser.get(PAY)
    for changed, says in (
        ({"method": ""}, "Choose a payment method."),
        ({"method": "pm_of_nobody"}, "Choose a payment method."),
        ({"method": "pm_old"}, "This card has expired. Choose another one."),
        ({"key": ""}, "Please confirm again"),
        ({"customer": ""}, "Please confirm again"),
    ):
        answer = await browser.fill(page, **changed)
        assert answer.status_code == 422, changed
        assert says in words(answer.text)
    of_another = await browser.fill(page, customer="cus_sam")
    assert (of_another.status_code, "another account" in of_another.text) == (409, True)
    assert (await stored(world))[1].status == "open"


async def test_too_many_failed_tries_are_stopped(world):
    browser = await inside(world)
    page = await browser.get(PAY)
    for _ in range(8):
        page = await browser.fill(page, method="pm_bad")
    page = await browser.fill(page, method="pm_1")
    assert (page.status_code, "The payment failed too often within an hour." in words(page.text)) == (409, True)
    assert (await stored(world))[1].status == "open"


async def test_an_expired_card_is_marked_and_cannot_be_chosen(world):
    browser = await inside(world, behind(default="pm_old"))
    page = await browser.get(PAY)
    assert "expires 08/25 (expired)" in words(page.text)
    assert forms_in(page.text)[0][1]["method"] == "pm_1"
    assert re.search(r'<input[^>]*value="pm_old"[^>]*disabled', page.text)


@pytest.mark.parametrize("methods", [(), (OLD,)])
async def test_without_a_card_that_works_there_is_one_to_add(world, methods):
    browser = await inside(world, behind(payment_methods=methods))
    page = await browser.get(PAY)
    ((action, fields),) = forms_in(page.text)
    asks = {"asked": "yes", "default": "yes"} if methods else {}
    assert (action, fields) == (f"{PAY}/add", {"customer": "cus_jenny", **asks})
    sent = await browser.fill(page)
    assert sent.headers["location"].startswith("/harbour/sandbox/")
    assert f'href="{PAY}"' in (await browser.get(sent.headers["location"])).text


async def test_the_new_card_is_chosen_on_the_way_back(world):
    browser = await inside(world)
    back = await browser.get(f"{PAY}/pm_asks/added")
    assert "Your new payment method was added" in words(back.text)
    assert forms_in(back.text)[0][1]["method"] == "pm_asks"
    assert (await browser.get(f"{PAY}/pm_of_nobody/added")).status_code == 404


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("paid", "This invoice is paid Thank you. You do not need to do anything else."),
        ("void", "There is nothing to pay Harbour Coffee canceled this invoice."),
        ("dreamt", "There is nothing to pay Nothing is due on this invoice."),
    ],
)
async def test_what_is_not_to_be_paid_says_why(world, status, says):
    browser = await inside(world, behind(invoices=(invoice("in_1", status),)))
    page = await browser.get(PAY)
    assert (page.status_code, says in words(page.text)) == (200, True)
    answer = await browser.post(PAY, data={"key": "k" * 20, "customer": "cus_jenny", "method": "pm_1"})
    assert answer.status_code == (303 if status == "paid" else 409)


async def test_an_invoice_without_a_subscription_is_paid(world):  # I5
    browser = await inside(world, account(invoices=(invoice("in_1", "open", subscription="", due_at=START),)))
    assert "Overdue" in words((await browser.get("/harbour/my/invoices")).text)
    assert f'href="{PAY}"' in (await browser.get("/harbour/my/invoices")).text
    assert words((await browser.get(INVOICE)).text).lower().count("due on february 15, 2026") == 1  # at the top
    paid = await browser.fill(await browser.get(PAY), follow=True)
    assert "Thank you. You do not need to do anything else." in words(paid.text)


async def test_an_invoice_that_was_written_off_can_still_be_paid(world):
    browser = await inside(world, behind(invoices=(invoice("in_1", "uncollectible"),)))
    assert "no longer expects this payment. You can still make it." in words((await browser.get(INVOICE)).text)
    paid = await browser.fill(await browser.get(PAY), follow=True)
    assert "This invoice is paid" in words(paid.text)


async def test_of_two_open_invoices_the_page_of_the_older_says_which_brings_it_back(world):  # S12
    newer, older = invoice("in_1", "open", created_at=NOW), invoice("in_0", "open")
    browser = await inside(world, behind(invoices=(newer, older)))
    overview = await browser.get("/harbour/my/overview")
    assert "1 older invoice is due, too." in words(overview.text)
    assert f'href="{PAY}"' in overview.text
    page = await browser.get(PAY.replace("in_1", "in_0"))
    assert "House blend also has a newer invoice due. It stays overdue until that one is paid." in words(page.text)
    await browser.fill(page)
    assert (await stored(world))[0] == "past_due"
    await browser.fill(await browser.get(PAY))
    assert (await stored(world))[0] == "active"


async def test_after_paying_it_is_gone_from_a_list_of_open_ones(world):
    browser = await inside(world)
    open_ones = "/harbour/my/invoices?status=open"
    assert "HC-in_1" in words((await browser.get(open_ones)).text)
    await browser.fill(await browser.get(PAY))
    assert "No invoices match." in words((await browser.get(open_ones)).text)


async def test_where_no_invoices_are_shown_none_is_paid(sqlite_store, clock):
    world = World(sqlite_store, clock, features=Features(invoice_history=InvoiceHistory(enabled=False)))
    browser = await inside(world)
    assert (await browser.get(PAY)).status_code == 404
    overview = await browser.get("/harbour/my/overview")
    assert "Please contact Harbour Coffee to pay." in words(overview.text)
    assert '/pay"' not in overview.text


async def test_where_no_card_can_be_added_the_business_helps(sqlite_store, clock):
    world = World(sqlite_store, clock, features=Features(payment_method_update=PaymentMethodUpdate(enabled=False)))
    browser = await inside(world, behind(payment_methods=()))
    page = await browser.get(PAY)
    assert "Harbour Coffee can help you pay." in words(page.text)
    assert not forms_in(page.text)
    answer = await browser.post(f"{PAY}/add", data={"customer": "cus_jenny"})
    assert answer.status_code == 409


async def test_a_failure_in_between_offers_to_ask_again_with_the_same_key(sqlite_store, clock):
    told = []

    def shaky(brand, store):
        told.append(Failing(ledger_of(store, brand.name, Features())))
        return told[-1]

    world = World(sqlite_store, clock, features=Features(), billing=shaky)
    browser = await inside(world)
    page = await browser.get(PAY)
    for each in told:
        each.error, each.late = Uncertain(), True
    unsure = await browser.fill(page)
    assert (unsure.status_code, "We do not know yet" in words(unsure.text)) == (503, True)
    assert f'href="{INVOICE}"' in unsure.text
    for each in told:
        each.error = None
    again = await browser.fill(unsure)
    assert again.headers["location"] == f"{INVOICE}?paid=1"
    assert [each.status for each in (await stored(world))[1].payments] == ["failed", "paid"]


async def test_a_session_that_ends_on_the_page_loses_no_choice(world):  # L14
    browser = await inside(world)
    page = await browser.get(PAY)
    browser.cookies.clear()
    asked = await browser.fill(page, method="pm_bad")
    assert asked.status_code == 401
    assert 'value="invoice_pay:in_1"' in asked.text
    assert 'name="kept.method" value="pm_bad"' in asked.text


# --- the list, and one invoice -------------------------------------------------------------------------------------------


def test_only_what_is_asked_for_offers_to_be_paid_in_the_list():
    for status, may_pay in (("open", True), ("paid", False), ("void", False), ("uncollectible", False)):
        assert views.row(invoice(status=status), NOW).may_pay is may_pay
    assert not views.row(invoice(status="open", amount_due=eur(0)), NOW).may_pay


def test_what_was_refunded_stands_in_the_list():  # I1
    back = Payment("py_1", "paid", eur(1450), START, refunded=eur(400))
    assert views.row(invoice(payments=(back, back)), NOW).refunded == eur(800)
    assert views.row(invoice(), NOW).refunded is None


def test_a_next_try_that_is_over_is_not_promised():
    coming, over = invoice(status="open", next_attempt_at=END), invoice(status="open", next_attempt_at=START)
    assert views.detail(coming, NOW).next_attempt_at == END
    assert views.detail(over, NOW).next_attempt_at is None


async def test_one_invoice_tells_what_the_balance_and_credit_notes_did_to_it(world):  # I2
    it = invoice("in_1", "open", amount_due=eur(650), balance_applied=eur(-500), credited=eur(300))
    browser = await inside(world, behind(invoices=(replace(it, memo="Thank you"),)))
    said = words((await browser.get(INVOICE)).text)
    assert "Total €14.50 Credit used -€5.00 Credit note -€3.00 Amount due €6.50" in said
