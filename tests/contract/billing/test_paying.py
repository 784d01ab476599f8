"""Invoices paid, over both backends: once for a key, never twice, in the account and in the invoice's row alike. Row I4."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import NotFound, Refused
from server.billing.ledger.sandbox import find
from server.brands.features import Features
from server.merchant.importing.files import import_records
from tests.contract.billing.test_atomicity import BreakingStore, BrokenOff, everything
from tests.support import exports
from tests.support.ledger_accounts import NOW, day, eur
from tests.support.pages import ledger_of

pytestmark = pytest.mark.anyio
OPEN = {"status": "open", "amount_paid": 0, "amount_remaining": 3100}


def records():
    """Both customers are past due, with 16 invoices: the two newest and the very first one are open."""
    yield exports.product()
    for who in (1, 2):
        whose = {"customer": f"cus_{who}"}
        default = {"default_payment_method": f"pm_{who}"}
        yield exports.customer(f"cus_{who}", email=f"c{who}@example.com", invoice_settings=default)
        yield exports.method(f"pm_{who}", **whose)
        items = [exports.item(f"si_{who}")]
        late = {"status": "past_due", "latest_invoice": f"in_{who}_15"}
        yield exports.subscription(f"sub_{who}", items, **late, **whose)
        for nth in range(16):
            due = OPEN if nth in (0, 14, 15) else {}
            parent = {"subscription": f"sub_{who}", "created": exports.MARCH + nth}
            yield exports.invoice(f"in_{who}_{nth}", **whose, **parent, **due)
    for behavior in ("insufficient_funds", "requires_action"):
        yield exports.method(f"pm_{behavior}", customer="cus_1", metadata={"portal_behavior": behavior})


@pytest.fixture
async def ledger(store):
    await import_records(store, "plain", records(), now=NOW)
    return ledger_of(store, "plain", Features())


@pytest.fixture
async def billing(backend):
    return await backend.begun(records())


async def pay(billing, invoice="in_1_15", method="pm_1", key="k" * 16, customer="cus_1"):
    return await billing.pay(billing.by(customer, key=key, now=NOW, browser="Firefox"), invoice, method)


async def bank(ledger, waits):
    """The session of the bank's page that the payment led to."""
    token = waits.confirm_at.rpartition("/")[2]
    seen = await find(ledger.store, "plain", "cus_1", token, NOW)
    assert seen.return_to == "/plain/my/invoices/in_1_15/pay"
    return seen


async def kinds(billing):
    return [each.kind for each in await billing.history("cus_1")]


async def test_a_paid_invoice_is_paid_in_the_account_and_in_its_row(billing):  # I4
    done = await pay(billing)
    account = await billing.account("cus_1", NOW)
    assert (done.account, done.payment.status, account.subscriptions[0].status) == (account, "paid", "active")
    assert await billing.invoice("cus_1", "in_1_15") == account.invoices[0] == done.invoice
    assert (done.invoice.status, done.invoice.amount_paid, done.invoice.amount_due) == ("paid", eur(3100), eur(0))
    (line,) = await billing.history("cus_1")
    assert (line.kind, line.subject, line.browser) == ("invoice.paid", "in_1_15", "Firefox")
    assert line.data["amount"] == "3100"
    assert line.data["method"] == "visa 4242"


async def test_an_invoice_that_is_older_than_the_latest_is_paid_in_its_row_too(billing):
    before = await billing.account("cus_1", NOW)
    assert [each.id for each in before.older_debts] == ["in_1_0"]
    done = await pay(billing, "in_1_0")
    assert (await billing.invoice("cus_1", "in_1_0")).status == "paid"
    # The newest is still owed: still past due.
    assert done.account == replace(before, invoices=before.latest_invoices) == await billing.account("cus_1", NOW)


async def test_a_double_click_pays_once(billing):
    answers = await asyncio.gather(*(pay(billing) for _ in range(6)))
    assert {each.payment.id for each in answers} == {answers[0].payment.id}
    assert [each.status for each in (await billing.invoice("cus_1", "in_1_15")).payments] == ["paid"]
    assert await kinds(billing) == ["invoice.paid"]


@pytest.mark.parametrize("invoice", ["in_1_15", "in_1_0"])
async def test_two_tabs_pay_once(billing, invoice):
    """Also an invoice that is older than the latest."""
    answers = await asyncio.gather(*(pay(billing, invoice, key=f"tab-{n}") for n in range(6)), return_exceptions=True)
    assert sorted(getattr(each, "reason", "") for each in answers) == ["", *["already_paid"] * 5]
    found = await billing.invoice("cus_1", invoice)
    assert ([each.status for each in found.payments], found.amount_paid) == (["paid"], eur(3100))
    assert await kinds(billing) == ["invoice.paid"]


async def test_a_payment_that_is_broken_off_anywhere_did_not_happen(ledger):
    breaking = BreakingStore(ledger.store)
    before = await everything(ledger.store)
    for breaking.after in range(8):
        with pytest.raises(BrokenOff):
            await pay(ledger_of(breaking, "plain", Features()))
        assert await everything(ledger.store) == before
    breaking.after = None
    assert (await pay(ledger_of(breaking, "plain", Features()))).payment.status == "paid"


async def test_a_failed_payment_is_noted_with_its_code_and_changes_nothing_else(billing):
    before = await billing.account("cus_1", NOW)
    done = await pay(billing, method="pm_insufficient_funds")
    assert (done.payment.status, done.payment.failure) == ("failed", "insufficient_funds")
    after = await billing.account("cus_1", NOW)
    assert (after.subscriptions, after.balance, after.invoices[1:]) == (
        before.subscriptions,
        before.balance,
        before.invoices[1:],
    )
    assert after.invoices[0].status == "open"
    assert after.invoices[0].payments == (done.payment,)
    assert await kinds(billing) == ["invoice.payment_failed"]
    assert (await pay(billing, method="pm_insufficient_funds")).payment == done.payment  # the same form, sent again


async def test_a_payment_that_has_to_be_confirmed_is_confirmed_once(ledger):
    waits = await pay(ledger, method="pm_requires_action")
    assert (waits.payment.status, waits.invoice.status) == ("open", "open")

    async def confirm(succeeded=True, key="c" * 16):
        seen = await bank(ledger, waits)
        return await ledger.payment_confirmed(ledger.by("cus_1", key=key, now=NOW), seen, succeeded=succeeded)

    answers = await asyncio.gather(*(confirm() for _ in range(4)))
    assert {each.payment.status for each in answers} == {"paid"}
    with pytest.raises(Refused, match="already_paid"):
        await confirm(succeeded=False, key="another")
    assert sorted(await kinds(ledger)) == ["invoice.paid", "invoice.payment_action_required"]
    assert (await ledger.invoice("cus_1", "in_1_15")).amount_paid == eur(3100)


async def test_a_payment_that_was_not_confirmed_says_so(ledger):
    waits = await pay(ledger, method="pm_requires_action")
    seen = await bank(ledger, waits)
    done = await ledger.payment_confirmed(ledger.by("cus_1", key="c", now=NOW), seen, succeeded=False)
    assert (done.payment.status, done.payment.failure) == ("failed", "payment_intent_authentication_failure")
    with pytest.raises(Refused, match="not_waiting"):
        await ledger.payment_confirmed(ledger.by("cus_1", key="d", now=NOW), seen, succeeded=True)
    with pytest.raises(NotFound):
        await ledger.payment_confirmed(ledger.by("cus_2", key="e", now=NOW), seen, succeeded=True)


async def test_another_payment_calls_off_the_one_that_waits(ledger):
    waits = await pay(ledger, method="pm_requires_action")
    seen = await bank(ledger, waits)
    await pay(ledger, key="another")
    with pytest.raises(Refused, match="already_paid"):
        await ledger.payment_confirmed(ledger.by("cus_1", key="c", now=NOW), seen, succeeded=True)
    found = await ledger.invoice("cus_1", "in_1_15")
    assert [each.status for each in found.payments] == ["canceled", "paid"]
    assert found.amount_paid == eur(3100)


async def test_what_is_refused_changes_nothing(ledger):
    before = await everything(ledger.store)
    for invoice, method, error in (
        ("in_1_13", "pm_1", "already_paid"),
        ("in_1_15", "pm_2", "payment_method_missing"),
        ("in_1_15", "", "payment_method_missing"),
    ):
        with pytest.raises(Refused, match=error):
            await pay(ledger, invoice, method)
    for invoice in ("in_2_15", "in_9", ""):
        with pytest.raises(NotFound):
            await pay(ledger, invoice)
    assert await everything(ledger.store) == before
    await pay(ledger)
    with pytest.raises(Refused, match="key_reused"):
        await pay(ledger, "in_1_14")


@pytest.mark.parametrize(("method", "kind"), [("pm_1", "charge_paid"), ("pm_insufficient_funds", "charge_failed")])
async def test_another_try_by_itself_leaves_a_line_in_the_history(store, method, kind):  # S15
    again = {"next_payment_attempt": exports.MARCH + 20 * 86400}
    more = {"in_1_15": again, "sub_1": {"default_payment_method": method}}
    all_but = ("in_1_0", "in_1_14")
    mine = [{**each, **more.get(each["id"], {})} for each in records() if each["id"] not in all_but]
    await import_records(store, "plain", mine, now=NOW)
    ledger = ledger_of(store, "plain", Features())
    later = NOW + timedelta(days=9)
    for _ in range(2):
        await ledger.account("cus_1", later)
    ended = ["subscription.ended"] if kind == "charge_failed" else []  # the schedule of two weeks is over
    told = await ledger.history("cus_1")
    assert sorted(each.kind for each in told) == sorted([f"invoice.{kind}", *ended])
    line = next(each for each in told if each.subject == "in_1_15")
    assert (line.kind, line.subject, line.browser) == (f"invoice.{kind}", "in_1_15", "")
    assert line.at == day(2026, 3, 21)
    assert line.data["amount"] == "3100"


async def test_a_charge_that_works_at_once_leaves_no_line_and_one_that_fails_does(store):
    await import_records(store, "plain", records(), now=NOW)
    ledger = ledger_of(store, "plain", Features())
    await pay(ledger)
    renewed = await ledger.account("cus_1", day(2026, 4, 2))
    assert renewed.invoices[0].status == "paid"
    assert await kinds(ledger) == ["invoice.paid"]
    broken = {"invoice_settings": {"default_payment_method": "pm_insufficient_funds"}}
    await import_records(store, "plain", [exports.customer("cus_1", email="c1@example.com", **broken)], now=NOW)
    failed = await ledger.account("cus_1", day(2026, 5, 1, 12))
    assert failed.invoices[0].status == "open"
    assert await kinds(ledger) == ["invoice.charge_failed", "invoice.paid"]
