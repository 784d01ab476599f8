"""Exports as merchants have them: each case stands for a kind of loss. November 2026 is now in the files."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.billing import Money
from server.billing.ledger.events.renewals import bring_up_to_date
from server.brands.features import Features, SubscriptionCancel
from server.formats.minor_units import in_units
from server.merchant.importing import report
from server.merchant.importing.files import ImportRefused, Options, import_files, import_records
from tests.support import canceling, exports
from tests.support.pages import ledger_of

pytestmark = pytest.mark.anyio
CASES = Path(__file__).parents[2] / "corpora" / "exports"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
DAY = 86_400


@dataclass
class Importing:
    store: object
    ledger: object

    async def case(self, name, now=NOW, **options):
        return await import_files(
            self.store, "plain", [next(CASES.glob(f"{name}-*.json"))], live=None, now=now, options=Options(**options)
        )

    async def records(self, *found, now=NOW, **options):
        return await import_records(self.store, "plain", found, now=now, options=Options(**options))

    async def account(self, customer="cus_1"):
        return await self.ledger.account(customer, NOW)

    async def next_total(self, customer="cus_1"):
        return (await self.account(customer)).upcoming[0].total

    async def kept(self):
        return await self.store.read("SELECT count(*) FROM account")


@pytest.fixture
def importing(store, ledger):
    return Importing(store, ledger)


def running(identity="sub_1", /, items=None, **more):
    """A subscription whose period runs now."""
    period = {"current_period_start": SECONDS - 10 * DAY, "current_period_end": SECONDS + 20 * DAY}
    items = [exports.item(**period)] if items is None else [each | period for each in items]
    return exports.subscription(identity, items=items, **{"billing_cycle_anchor": SECONDS - 10 * DAY, **more})


def said(done):
    return "\n".join(report.lines(done))


# A field that changes an amount is read.


async def test_the_discount_of_the_customer_counts(importing):  # case import 3
    await importing.case("03")
    assert await importing.next_total("cus_Cora") == Money(1000, "USD")


async def test_the_discount_of_an_item_counts(importing):  # case import 4
    await importing.case("04")
    assert await importing.next_total("cus_Ida") == Money(1000, "USD")


async def test_a_pending_item_is_on_the_next_invoice(importing):  # case import 20
    await importing.case("20")
    assert await importing.next_total("cus_Ike") == Money(3500, "USD")
    account, (invoice, *_) = bring_up_to_date(await importing.account("cus_Ike"), NOW + timedelta(days=30))
    assert [each.description for each in invoice.lines] == ["Setup", "Tea Box"]
    assert account.subscriptions[0].pending == ()


OWN = {  # found by ourselves, of the same kind
    "item tax rates": ({"items": [exports.item(tax_rates=[{"id": "txr_1", "percentage": 19}])]}, {}, 3689),
    "an exempt customer": ({"default_tax_rates": [{"id": "t", "percentage": 19}]}, {"tax_exempt": "reverse"}, 3100),
    "the old tax_percent": ({"tax_percent": 19}, {}, 3689),
    "the old plan": ({"items": [{**exports.item(), "price": None, "plan": {
        "id": "gold", "object": "plan", "amount": 900, "currency": "eur", "interval": "month", "product": "prod_1"}}]},
        {}, 900),
    "no items, but a plan": ({"items": None, "plan": {
        "id": "gold", "object": "plan", "amount": 900, "currency": "eur", "interval": "month", "name": "Gold"},
        "quantity": 2, "current_period_start": SECONDS - 10 * DAY, "current_period_end": SECONDS + 20 * DAY}, {}, 1800),
    "a price in another currency": ({"items": [exports.item(price=exports.price(
        currency="usd", currency_options={"eur": {"unit_amount": 4000}}))]}, {}, 4000),
    "a coupon in another currency": ({"discounts": [exports.discount(source={"coupon": {
        "id": "TEN", "amount_off": 1000, "currency": "usd", "duration": "forever",
        "currency_options": {"eur": {"amount_off": 900}}}})]}, {}, 2200),
    "the subscription's discount before the customer's": (
        {"discounts": [exports.discount(source={"coupon": exports.coupon(percent_off=10)})]},
        {"discount": exports.discount("di_2", source={"coupon": exports.coupon(percent_off=50)})}, 2790),
    "a balance without a currency": ({}, {"balance": -600, "currency": None}, 3100),
    "the customer's coupon in another currency": ({}, {"discount": exports.discount(source={"coupon": {
        "id": "TEN", "amount_off": 1000, "currency": "usd", "duration": "forever",
        "currency_options": {"eur": {"amount_off": 400}}}})}, 2700),
    "tax rates by their ids": ({"default_tax_rates": ["txr_7"]}, {}, 3317),
    "an item's tax rates by their ids": ({"items": [exports.item(tax_rates=["txr_7"])]}, {}, 3317),
    "a price by its id": ({"items": [exports.item(price="price_7")]}, {}, 700),
}  # fmt: skip


@pytest.mark.parametrize("kind", OWN)
async def test_what_changes_an_amount_is_read_wherever_it_is(importing, kind):  # cases import 3, 4, 7, money 1, 2
    subscription, customer, total = OWN[kind]
    it = running(**subscription)
    if "plan" in subscription:
        del it["items"]
    seven = {"id": "txr_7", "object": "tax_rate", "percentage": 7, "inclusive": False}
    cheap = exports.price("price_7", unit_amount=700, unit_amount_decimal="700")
    await importing.records(exports.product(), seven, cheap, exports.customer(**customer), it)
    assert await importing.next_total() == Money(total, "EUR")
    balance = (await importing.account()).balance
    assert balance == (Money(-600, "EUR") if customer.get("balance") else None)


async def test_an_exempt_customer_is_billed_no_tax(importing):  # case money 1
    taxed = running(default_tax_rates=[{"id": "t", "percentage": 19}])
    await importing.records(exports.product(), exports.customer(tax_exempt="exempt"), taxed)
    _, (invoice, *_) = bring_up_to_date(await importing.account(), NOW + timedelta(days=25))
    assert (invoice.total, invoice.taxes, invoice.customer_tax_exempt) == (Money(3100, "EUR"), (), "exempt")


async def test_a_customers_exemption_that_changes_reaches_the_subscriptions_that_did_not(importing):
    taxed = running(default_tax_rates=[{"id": "t", "percentage": 19}])
    await importing.records(exports.product(), exports.customer(), taxed)
    assert await importing.next_total() == Money(3689, "EUR")
    await importing.records(exports.customer(tax_exempt="reverse"))
    assert await importing.next_total() == Money(3100, "EUR")


async def test_a_discount_of_the_customer_that_counted_once_does_not_come_again(importing):
    once = exports.discount(source={"coupon": exports.coupon(percent_off=50, duration="once")})
    await importing.records(exports.product(), exports.customer(discount=once), running())
    assert await importing.next_total() == Money(1550, "EUR")
    later = NOW + timedelta(days=25)
    assert (await importing.ledger.account("cus_1", later)).upcoming[0].total == Money(3100, "EUR")
    await importing.records(exports.customer(discount=once, name="Jennifer"), now=later)
    assert (await importing.ledger.account("cus_1", later)).upcoming[0].total == Money(3100, "EUR")


async def test_the_next_phase_of_a_schedule_is_what_is_charged_next(importing):  # case money 2
    end = SECONDS + 20 * DAY
    phases = [
        {"start_date": SECONDS - 10 * DAY, "end_date": end, "items": [{"price": "price_1", "quantity": 1}]},
        {"start_date": end, "end_date": end + 60 * DAY, "items": [{"price": "price_2", "quantity": 2}]},
    ]
    schedule = {
        "id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1",
        "status": "active", "current_phase": {"start_date": SECONDS - 10 * DAY, "end_date": end},
        "end_behavior": "cancel", "phases": phases,
    }  # fmt: skip
    prices = [exports.price(), exports.price("price_2", unit_amount=6200, unit_amount_decimal="6200")]
    await importing.records(exports.product(), *prices, exports.customer(), running(schedule="sub_sched_1"), schedule)
    assert await importing.next_total() == Money(12400, "EUR")
    assert (await importing.account()).subscriptions[0].cancel_at == datetime.fromtimestamp(end + 60 * DAY, UTC)


async def test_a_schedule_finds_prices_and_discounts_in_its_subscription(importing):
    """Found by ourselves: Stripe names both by their ids in phases, and an export may hold them in the subscription."""
    end = SECONDS + 20 * DAY
    phase = {"start_date": end, "items": [{"price": "price_1", "quantity": 3}], "discounts": [{"discount": "di_1"}]}
    schedule = {
        "id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1",
        "status": "active", "phases": [phase],
    }  # fmt: skip
    it = running(discounts=[exports.discount(source={"coupon": exports.coupon(percent_off=50)})], schedule=schedule)
    await importing.records(exports.product(), exports.customer(), it)
    assert await importing.next_total() == Money(4650, "EUR")


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ({"status": "not_started"}, "its subscription has not begun"),
        ({"status": "active", "subscription": "sub_9"}, "its subscription is not there"),
    ],
)
async def test_a_schedule_without_its_subscription_is_counted(importing, schedule, why):
    head = {"id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1"}
    done = await importing.records(exports.customer(), head | schedule)
    assert done.kinds["subscription_schedule"].left_out == {why: 1}


async def test_a_part_of_a_list_inside_an_object_is_named(importing):
    part = {"object": "list", "data": [running()], "has_more": True}
    done = await importing.records(exports.product(), exports.customer(subscriptions=part))
    assert "customer.subscriptions: 1 (holds some of them only (has_more)" in said(done)


async def test_the_discount_of_an_invoice_is_found_beside_its_amount(importing):
    whole = exports.discount(source={"coupon": exports.coupon()})
    less = {"total": 2790, "discounts": [whole], "total_discount_amounts": [{"amount": 310, "discount": "di_1"}]}
    await importing.records(exports.customer(), exports.invoice(**less))
    assert (await importing.account()).invoices[0].discounts[0].label == "Ten off"


async def test_a_pending_item_has_its_own_tax_and_may_give_back(importing):  # case money 2
    item = {"id": "ii_1", "object": "invoiceitem", "customer": "cus_1", "currency": "eur", "date": SECONDS}
    refund = {**item, "amount": -1550, "tax_rates": [{"id": "t", "percentage": 10}]}
    await importing.records(exports.product(), exports.customer(), running(), refund)
    assert await importing.next_total() == Money(3100 - 1550 - 155, "EUR")
    done = await importing.records(
        {**refund, "invoice": "in_9"}, {**item, "id": "ii_2", "amount": 1, "currency": "usd"}
    )
    assert await importing.next_total() == Money(3100, "EUR")
    assert done.kinds["invoiceitem"].left_out == {"on an invoice already": 1, "no subscription bills it": 1}


def waiting(**more):
    head = {"id": "ii_1", "object": "invoiceitem", "customer": "cus_1", "currency": "eur", "date": SECONDS}
    return {**head, "description": "Setup", **more}


HALF = {"discounts": [exports.discount(source={"coupon": exports.coupon(percent_off=50)})]}
FIVE = {"id": "FIVE", "amount_off": 500, "currency": "eur", "duration": "forever"}


@pytest.mark.parametrize(
    ("subscription", "item", "total"),
    [
        ({}, {"amount": -1550}, 1550),
        # The subscription's discount is taken off what waits, too, unless the item says otherwise.
        (HALF, {"amount": 1500}, 2300),
        (HALF, {"amount": 1500, "discountable": True}, 2300),
        (HALF, {"amount": 1500, "discountable": False}, 3050),
        (HALF, {"amount": 1500, "proration": True}, 3050),
        (HALF, {"amount": -1500}, 50),
        ({"discounts": [exports.discount(source={"coupon": FIVE})]}, {"amount": 1500}, 4100),
        ({"discounts": [exports.discount(source={"coupon": {**FIVE, "applies_to": {"products": ["prod_2"]}}})]},
         {"amount": 1500, "pricing": {"price_details": {"price": "price_2", "product": "prod_2"}}}, 4100),
        # 31.00 / 2 and 2.95 of tax, 20.00 / 2 and 1.90
        ({**HALF, "default_tax_rates": [{"id": "t", "percentage": 19}]}, {"amount": 2000}, 3035),
    ],
)  # fmt: skip
async def test_what_waits_costs_what_it_says_after_the_discounts_that_reach_it(importing, subscription, item, total):
    # case money 2
    await importing.records(exports.product(), exports.customer(), running(**subscription), waiting(**item))
    assert await importing.next_total() == Money(total, "EUR")
    account, (invoice, *_) = bring_up_to_date(await importing.account(), NOW + timedelta(days=21))
    assert (invoice.total, invoice.gap, account.subscriptions[0].pending) == (Money(total, "EUR"), "", ())


END = SECONDS + 20 * DAY


def schedule_of(*phases, **more):
    """A schedule whose first phase is the running period."""
    begun = {"start_date": SECONDS - 10 * DAY, "end_date": END, "items": [{"price": "price_1"}]}
    head = {"id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1"}
    now = {"start_date": SECONDS - 10 * DAY, "end_date": END}
    return {**head, "status": "active", "current_phase": now, "phases": [begun, *phases], **more}


TWO = {"start_date": END, "items": [{"price": "price_1", "quantity": 2}]}


SET_UP = exports.price("price_once", unit_amount=5000, unit_amount_decimal="5000", recurring=None)


@pytest.mark.parametrize("begins", [20, 5])
async def test_what_a_phase_adds_to_its_first_invoice_is_billed_once(importing, begins):
    half = {"coupon": exports.coupon(percent_off=50, duration="once", applies_to={"products": ["prod_1"]})}
    added = {"price": "price_once", "quantity": 4, "tax_rates": [{"id": "t", "percentage": 10}], "discounts": [half]}
    phase = {"start_date": SECONDS + begins * DAY, "items": [{"price": "price_1"}], "add_invoice_items": [added]}
    done = await importing.records(
        exports.product(), exports.price(), SET_UP, exports.customer(), exports.method(),
        running(default_payment_method="pm_1"), schedule_of(phase),
    )  # fmt: skip
    assert done.named == ()
    assert await importing.next_total() == Money(3100 + 11000, "EUR")
    account, invoices = bring_up_to_date(await importing.account(), NOW + timedelta(days=60))
    assert [each.total.amount for each in invoices] == [14100, 3100]
    assert (invoices[0].lines[0].amount, invoices[0].taxed) == (Money(10000, "EUR"), Money(1000, "EUR"))
    assert account.subscriptions[0].pending == ()


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"trial_end": SECONDS + 30 * DAY}, r"\$.phases\[1\].trial_end: is a trial"),
        ({"trial": True}, r"\$.phases\[1\].trial_end: is a trial"),
        ({"add_invoice_items": [{"price": "price_gone"}]}, r"add_invoice_items\[0\].price: price price_gone"),
    ],
)
async def test_a_phase_that_would_be_billed_wrongly_is_refused(importing, more, problem):
    phase = {"start_date": SECONDS + 20 * DAY, "items": [{"price": "price_1"}], **more}
    with pytest.raises(ImportRefused, match=problem):
        await importing.records(
            exports.product(), exports.price(), SET_UP, exports.customer(), running(), schedule_of(phase)
        )


async def test_what_the_running_phase_was_is_done(importing):
    begun = {"start_date": SECONDS - 10 * DAY, "end_date": END, "items": [{"price": "price_1"}], "trial_end": SECONDS - DAY,
             "add_invoice_items": [{"price": "price_gone"}]}  # fmt: skip
    done = await importing.records(
        exports.product(), exports.price(), exports.customer(), running(), schedule_of(phases=[begun])
    )
    assert (done.named, await importing.next_total()) == ((), Money(3100, "EUR"))


@pytest.mark.parametrize("again", [(), (schedule_of(TWO), waiting(amount=1500))])
async def test_what_waits_stays_where_only_its_subscription_changed(importing, again):
    it = running(schedule="sub_sched_1")
    begun = [exports.product(), exports.price(), exports.customer(), it, schedule_of(TWO), waiting(amount=1500)]
    await importing.records(*begun)
    assert await importing.next_total() == Money(7700, "EUR")
    done = await importing.records({**it, "description": "Tea"}, *again)
    assert await importing.next_total() == Money(7700, "EUR")
    assert (done.named, {kind: each.changed for kind, each in done.kinds.items() if each.changed}) == (
        (), {"subscription": 1})  # fmt: skip
    assert len((await importing.account()).subscriptions[0].pending) == 1


async def test_what_came_before_its_subscription_is_put_there_once_that_comes(importing):
    waits = schedule_of(TWO), waiting(amount=1500)
    await importing.records(exports.product(), exports.price(), exports.customer(), *waits)
    await importing.records(running(schedule="sub_sched_1"), *waits)
    assert await importing.next_total() == Money(7700, "EUR")


async def test_an_item_is_billed_once_however_long_ago_that_was(importing):
    """After more invoices than an account holds, and a subscription that came again with it."""
    daily = exports.price(recurring={"interval": "day"})
    period = {"current_period_start": SECONDS - DAY, "current_period_end": SECONDS + DAY}
    it = exports.subscription(items=[exports.item(price=daily, **period)], default_payment_method="pm_1")
    records = [exports.product(), exports.customer(), exports.method(), it, waiting(amount=500)]
    await importing.records(*records)
    later = NOW + timedelta(days=30)
    await importing.ledger.account("cus_1", later)
    done = await importing.records({**it, "description": "again"}, waiting(amount=500), now=later)
    account = await importing.ledger.account("cus_1", later)
    assert (account.subscriptions[0].pending, account.upcoming[0].total) == ((), Money(3100, "EUR"))
    assert done.kinds["invoiceitem"].left_out == {}


async def test_an_item_of_nobody_waits_for_its_subscription(importing):
    await importing.records(exports.product(), exports.customer(), exports.method(), waiting(amount=500))
    await importing.records(running(), waiting(amount=500))
    assert await importing.next_total() == Money(3600, "EUR")


async def test_a_schedule_that_is_over_or_another_one_is_not_kept(importing):
    begun = [exports.product(), exports.price(), exports.customer(), running(schedule="sub_sched_1"), schedule_of(TWO)]
    await importing.records(*begun)
    done = await importing.records(running(schedule="sub_sched_2"))
    assert await importing.next_total() == Money(3100, "EUR")
    assert "subscription.schedule: 1 (is neither in these files nor in the ledger" in said(done)
    await importing.records(running(), schedule_of(TWO, status="released"))
    assert await importing.next_total() == Money(3100, "EUR")


@pytest.mark.parametrize(
    ("later", "end"),
    [
        ({"end_behavior": "release"}, None),
        ({"phases": [{**TWO, "end_date": END + 9 * DAY}], "end_behavior": "cancel"}, END + 9 * DAY),
    ],
)
async def test_the_end_of_a_schedule_moves_with_it(importing, later, end):
    until = schedule_of({**TWO, "end_date": END + DAY}, end_behavior="cancel")
    begun = [exports.product(), exports.price(), exports.customer(), running(schedule="sub_sched_1"), until]
    await importing.records(*begun)
    await importing.records({**until, **later})
    found = (await importing.account()).subscriptions[0]
    assert found.cancel_at == (datetime.fromtimestamp(end, UTC) if end else None)


async def test_the_end_of_a_schedule_stays_where_only_its_subscription_changed(importing):
    until = schedule_of({**TWO, "end_date": END + DAY}, end_behavior="cancel")
    it = running(schedule="sub_sched_1")
    await importing.records(exports.product(), exports.price(), exports.customer(), it, until)
    await importing.records({**it, "description": "Tea"})
    assert (await importing.account()).subscriptions[0].cancel_at == datetime.fromtimestamp(END + DAY, UTC)


async def test_phases_come_in_their_order(importing):
    three = {"start_date": END + 30 * DAY, "items": [{"price": "price_1", "quantity": 3}]}
    it = running(schedule="sub_sched_1")
    await importing.records(exports.product(), exports.price(), exports.customer(), it, schedule_of(three, TWO))
    assert await importing.next_total() == Money(6200, "EUR")


@pytest.mark.parametrize("where", ["phases", "default_settings"])
async def test_a_phase_that_sends_invoices_says_when_they_are_due(importing, where):
    sent = {"collection_method": "send_invoice", "invoice_settings": {"days_until_due": 14}}
    schedule = schedule_of({**TWO, **sent}) if where == "phases" else schedule_of(TWO, default_settings=sent)
    it = running(schedule="sub_sched_1")
    await importing.records(exports.product(), exports.price(), exports.customer(), it, schedule)
    _, (invoice, *_) = bring_up_to_date(await importing.account(), NOW + timedelta(days=21))
    assert invoice.due_at == datetime.fromtimestamp(END + 14 * DAY, UTC)


async def test_a_phase_that_sends_invoices_without_their_days_is_refused(importing):
    sent = schedule_of({**TWO, "collection_method": "send_invoice"})
    begun = [exports.product(), exports.price(), exports.customer(), sent]
    with pytest.raises(ImportRefused, match=r"\$\.phases: expected days_until_due for the phase of 2026-12-18, which"):
        await importing.records(*begun, running(schedule="sub_sched_1"))
    already = running(schedule="sub_sched_1", collection_method="send_invoice", days_until_due=7)
    await importing.records(*begun, already)
    _, (invoice, *_) = bring_up_to_date(await importing.account(), NOW + timedelta(days=21))
    assert invoice.due_at == datetime.fromtimestamp(END + 7 * DAY, UTC)


async def test_a_schedules_own_settings_reach_its_phases(importing):
    end = SECONDS + 5 * DAY  # within the running period
    schedule = {
        "id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1",
        "status": "active", "default_settings": {"billing_cycle_anchor": "phase_start", "collection_method": "send_invoice",
                                               "invoice_settings": {"days_until_due": 5}},
        "phases": [{"start_date": end, "items": [{"price": "price_1"}], "proration_behavior": "none"}],
    }  # fmt: skip
    await importing.records(exports.product(), exports.price(), exports.customer(), running(), schedule)
    account, (invoice, *_) = bring_up_to_date(await importing.account(), NOW + timedelta(days=6))
    assert invoice.created_at == datetime.fromtimestamp(end, UTC)
    assert account.subscriptions[0].collection_method == "send_invoice"


async def test_what_a_trials_end_does_without_a_payment_method_is_read(importing):
    trial = running(
        status="trialing", trial_start=SECONDS - DAY, trial_end=SECONDS + DAY,
        trial_settings={"end_behavior": {"missing_payment_method": "cancel"}},
    )  # fmt: skip
    await importing.records(exports.product(), exports.customer(), trial)
    assert (await importing.account()).upcoming == ()
    after, invoices = bring_up_to_date(await importing.account(), NOW + timedelta(days=5))
    assert (after.subscriptions[0].status, invoices) == ("canceled", ())


# A field that is not read is named, or refused.


async def test_automatic_tax_is_refused_unless_it_is_to_be_billed_without(importing):  # case import 6
    with pytest.raises(ImportRefused, match=r"\$\[3\]\.automatic_tax\.enabled: Stripe works out the tax"):
        await importing.case("06")
    assert await importing.kept() == [(0,)]
    done = await importing.case("06", without_automatic_tax=True)
    charge = (await importing.account("cus_Otto")).upcoming[0]
    assert (charge.total, charge.plus_tax) == (Money(2000, "USD"), True)
    assert "the ledger bills it without that tax" in said(done)


@pytest.mark.parametrize("where", ["phases", "default_settings"])
async def test_automatic_tax_that_begins_with_a_phase_is_refused_too(importing, where):
    on = {"automatic_tax": {"enabled": True}}
    phase = {"start_date": SECONDS + 20 * DAY, "items": [{"price": "price_1"}], **(on if where == "phases" else {})}
    schedule = {
        "id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1",
        "status": "active", "phases": [phase], **({} if where == "phases" else {"default_settings": on}),
    }  # fmt: skip
    found = (exports.product(), exports.price(), exports.customer(), running())
    with pytest.raises(ImportRefused, match="Stripe works out the tax"):
        await importing.records(*found, schedule)
    await importing.records(*found, {**schedule, "status": "completed"})
    done = await importing.records(*found, schedule, without_automatic_tax=True)
    assert "the ledger bills it without that tax" in said(done)


async def test_a_discount_of_the_customer_that_reaches_no_subscription_is_named(importing):
    dollars = {"id": "TEN", "amount_off": 1000, "currency": "usd", "duration": "forever"}
    them = exports.customer(discount=exports.discount(source={"coupon": dollars}))
    done = await importing.records(exports.product(), them, running())
    assert await importing.next_total() == Money(3100, "EUR")
    assert "customer.discount: 1 (has no amount in EUR, and takes nothing off" in said(done)


async def test_a_pending_update_is_named(importing):  # case import 28
    assert "subscription.pending_update: 1 (a change that waits for its payment is not carried over" in said(
        await importing.case("28")
    )


async def test_a_field_that_nobody_knows_and_that_looks_like_money_is_named(importing):
    done = await importing.records(exports.customer(loyalty_balance=5, sparkle=7))
    assert [(each.what, each.count, each.first) for each in done.named] == [
        ("customer.loyalty_balance", 1, "records:1: $.loyalty_balance")
    ]


async def test_what_is_known_is_not_named_wherever_it_is_expanded(importing):
    """Else a report of many false alarms would hide the true one."""
    price, rate = exports.price(), {"id": "t", "object": "tax_rate", "percentage": 0, "tax_type": "vat"}
    plan = {"id": "gold", "object": "plan", "amount": 3100, "currency": "eur", "interval": "month", "product": "prod_1"}
    details = {"type": "price_details", "price_details": {"price": price, "product": "prod_1"}}
    line = exports.line(price=price, plan=plan, pricing=details, tax_rates=[rate])
    phase = {"start_date": SECONDS + 20 * DAY, "items": [{"price": price, "plan": plan}], "default_tax_rates": [rate]}
    schedule = {"id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1",
                "status": "active", "phases": [phase]}  # fmt: skip
    tax = {"amount": 0, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": rate}}
    done = await importing.records(
        exports.product(), exports.customer(metadata={"balance": "5", "discount_tier": "gold"}),
        running(metadata={"price_list": "b"}, items=[{**exports.item(), "plan": plan}]), schedule,
        exports.invoice(lines={"object": "list", "data": [line]}, total_taxes=[tax], charge=CHARGE),
    )  # fmt: skip
    assert done.named == ()


# A part that was left out is not taken for nothing.


async def test_tiers_that_are_nowhere_are_refused_and_taken_from_the_price_where_they_are(importing):  # case import 2
    with pytest.raises(
        ImportRefused, match=r"\$\[3\]\.items\.data\[0\]\.price\.tiers: has no tiers; .*expand\[\]=data\.tiers"
    ):
        await importing.case("02")
    tiered = {"billing_scheme": "tiered", "tiers_mode": "volume", "unit_amount": None, "unit_amount_decimal": None}
    whole = exports.price(**tiered, tiers=[{"up_to": None, "unit_amount": 500}])
    await importing.records(exports.product(), whole)
    await importing.records(
        exports.customer(), running(items=[exports.item(quantity=5, price=exports.price(**tiered))])
    )
    assert await importing.next_total() == Money(2500, "EUR")


@pytest.mark.parametrize(
    "more",
    [
        {"unit_amount": -500, "unit_amount_decimal": None},
        {"unit_amount_decimal": "-0.5"},
        {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": None, "flat_amount": -1}]},
        {"currency": "usd", "currency_options": {"eur": {"unit_amount": -1}}},
    ],
)
async def test_a_price_that_would_pay_the_customer_is_refused(importing, more):
    with pytest.raises(ImportRefused, match="0"):
        await importing.records(
            exports.product(), exports.customer(), running(items=[exports.item(price=exports.price(**more))])
        )


async def test_a_coupon_of_some_months_says_when_they_began(importing):
    given = exports.discount(source={"coupon": exports.coupon(duration="repeating", duration_in_months=3)}, start=None)
    records = exports.product(), exports.customer(), running(discounts=[given])
    with pytest.raises(ImportRefused, match=r"\$.discounts\[0\].start: expected when a coupon of some months began"):
        await importing.records(*records)


async def test_a_price_without_an_amount_is_refused(importing):
    nothing = exports.price(unit_amount=None, unit_amount_decimal=None)
    with pytest.raises(ImportRefused, match=r"price\.unit_amount: expected what one unit costs, got nothing"):
        await importing.records(exports.product(), exports.customer(), running(items=[exports.item(price=nothing)]))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"items": [exports.item(price=exports.price(currency="usd"))]}, "expand currency_options of the price"),
        ({"discounts": [exports.discount(source={"coupon": {**FIVE, "id": "T", "currency": "usd"}})]},
         "coupon T has no amount in EUR"),
        ({"default_tax_rates": [{"id": "t", "percentage": 0, "rate_type": "flat_amount"}]}, "is a flat amount"),
    ],
)  # fmt: skip
async def test_an_amount_of_another_currency_or_kind_is_not_taken_for_nothing(importing, more, words):
    with pytest.raises(ImportRefused, match=words):
        await importing.records(exports.product(), exports.customer(), running(**more))


@pytest.mark.parametrize("them", [exports.customer, lambda **more: exports.account("cus_1", **more)])
async def test_a_record_without_a_balance_leaves_that_of_the_ledger(importing, them):
    await importing.records(exports.customer(balance=-500, currency="eur"))
    done = await importing.records(them(description="new"))
    assert ((await importing.account()).balance, done.named) == (Money(-500, "EUR"), ())


@pytest.mark.parametrize(("now", "left"), [(0, None), (-900, Money(-900, "EUR"))])
async def test_a_balance_that_takes_the_place_of_the_ledgers_is_named(importing, now, left):
    await importing.records(exports.customer(balance=-500, currency="eur"))
    done = await importing.records(exports.customer(balance=now, currency="eur"))
    assert (await importing.account()).balance == left
    assert f"customer.balance: 1 ({REPLACED})" in said(done)
    same = await importing.records(exports.customer(balance=now, currency="eur", name="Jennifer"))
    assert same.named == ()


def code_of(coupon):
    return {"id": "promo_1", "object": "promotion_code", "code": "SPRING", "active": True, **coupon}


@pytest.mark.parametrize(
    "inside", [lambda it: {"coupon": it}, lambda it: {"promotion": {"type": "coupon", "coupon": it}}]
)
async def test_a_coupon_inside_its_promotion_code_is_there_unless_it_came_by_itself(importing, inside):
    part, whole = exports.coupon(), exports.coupon(applies_to={"products": ["prod_1"]})
    document = "SELECT document FROM catalog WHERE kind = 'coupon'"
    done = await importing.records(code_of(inside(part)))
    assert [each.what for each in done.named] == ["coupon.applies_to"]
    ((first,),) = await importing.store.read(document)
    await importing.records(whole)
    ((second,),) = await importing.store.read(document)
    done = await importing.records(code_of(inside(part) | {"active": False}))
    assert (await importing.store.read(document), done.named, first == second) == ([(second,)], (), False)


async def test_a_promotion_code_whose_coupon_is_nowhere_is_named(importing):
    done = await importing.records(code_of({"promotion": {"coupon": "NOWHERE"}}))
    assert [(each.what, each.first) for each in done.named] == [("promotion_code.promotion", "records:1: $")]


async def test_what_a_promotion_code_asks_for_and_nobody_knows_is_named(importing):
    odd = code_of({"promotion": {"coupon": "OFF"}, "restrictions": {"least_tax": 5}})
    done = await importing.records(exports.coupon(applies_to=None), odd)
    assert [(each.what, each.first) for each in done.named] == [
        ("promotion_code.restrictions.least_tax", "records:2: $.restrictions.least_tax")
    ]


async def test_an_item_that_is_there_twice_is_refused(importing):
    twice = running(items=[exports.item(), exports.item()])
    with pytest.raises(ImportRefused, match=r"\$\.items\.data\[0\]\.id: item si_1 is there 2 times"):
        await importing.records(exports.product(), exports.customer(), twice)


async def test_a_balance_whose_currency_nothing_says_is_refused(importing):
    with pytest.raises(ImportRefused, match=r"\$\.balance: a balance of 500 without a currency"):
        await importing.records(exports.customer(balance=500))


async def test_a_phase_that_names_a_price_without_its_tiers_is_refused_too(importing):
    tiered = {"billing_scheme": "tiered", "tiers_mode": "volume", "unit_amount": None, "unit_amount_decimal": None}
    schedule = {
        "id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1", "subscription": "sub_1",
        "status": "active", "phases": [{"start_date": SECONDS + 20 * DAY, "items": [{"price": "price_2"}]}],
    }  # fmt: skip
    found = (exports.product(), exports.price("price_2", **tiered), exports.customer(), running(), schedule)
    with pytest.raises(ImportRefused, match=r"\$\.phases\[0\]\.items\[0\]\.price\.tiers: has no tiers"):
        await importing.records(*found)


async def test_a_price_of_the_catalog_that_does_not_say_what_it_costs_is_named(importing):
    nothing = {"unit_amount": None, "unit_amount_decimal": None}
    tiered = {**nothing, "billing_scheme": "tiered", "tiers_mode": "volume"}
    found = [exports.price(**tiered), exports.price("price_2", **nothing), exports.price("price_3")]
    done = await importing.records(exports.product(), *found, exports.price("price_4", **nothing, active=False))
    assert [(each.what, each.count, each.first) for each in done.named] == [("price", 2, "records:2: $")]


@pytest.mark.parametrize("recurring", [None, {"interval": "fortnight"}])
async def test_a_price_with_which_nothing_is_ever_billed_is_refused(importing, recurring):
    once = running(items=[exports.item(price=exports.price(recurring=recurring))])
    with pytest.raises(ImportRefused, match=r"data\[0\]\.price\.recurring: expected a price for each day, week, month"):
        await importing.records(exports.product(), exports.customer(), once)
    await importing.records(exports.product(), exports.customer(), {**once, "status": "canceled"})


async def test_a_sent_invoice_without_its_days_is_refused(importing):
    sent = running(collection_method="send_invoice")
    with pytest.raises(ImportRefused, match=r"\$\.days_until_due: expected in how many days a sent invoice is due"):
        await importing.records(exports.product(), exports.customer(), sent)
    await importing.records(exports.product(), exports.customer(), {**sent, "status": "canceled"})
    await importing.records(exports.product(), exports.customer(), {**sent, "days_until_due": 0})


async def test_a_status_with_which_nothing_is_ever_billed_is_named(importing):
    done = await importing.records(exports.product(), exports.customer(), running(status="hibernating"))
    assert "subscription.status: 1 (is not known here: nothing is billed" in said(done)


async def test_a_balance_in_a_currency_in_which_nothing_is_billed_is_named(importing):
    them = exports.customer(balance=-500, currency="usd")
    done = await importing.records(exports.product(), them, running())
    assert await importing.next_total() == Money(3100, "EUR")
    assert "customer.balance: 1 (is in USD, and changes nothing of what is in EUR" in said(done)


async def test_a_coupon_of_which_nothing_says_what_it_is_for_is_named(importing):
    coupon = exports.coupon(percent_off=50)
    them = exports.customer(discount=exports.discount("di_2", source={"coupon": {**coupon, "id": "HERS"}}))
    held = running(discounts=[exports.discount(source={"coupon": coupon})])
    done = await importing.records(exports.product(), them, held)
    assert [(each.what, each.count, each.first) for each in done.named] == [
        ("coupon.applies_to", 2, "records:2: $.discount.source.coupon")
    ]
    only = {**coupon, "applies_to": {"products": ["prod_2"]}}
    done = await importing.records(only, {**only, "id": "HERS"}, {**held, "description": "Tea"})
    assert (done.named, await importing.next_total()) == ((), Money(3100, "EUR"))


async def test_a_record_that_comes_twice_is_named_where_it_differs(importing):
    more = running(items=[exports.item(quantity=2)])
    done = await importing.records(exports.product(), exports.customer(), running(), running(), more)
    assert [(each.what, each.count, each.why, each.first) for each in done.named] == [
        ("subscription", 1, "came twice, and not the same; the later one counts", "records:5: $")
    ]
    assert await importing.next_total() == Money(6200, "EUR")


async def test_a_copy_inside_another_record_is_no_second_one(importing):
    plan = {"id": "price_1", "object": "plan", "amount": 5, "currency": "eur", "interval": "month", "product": "prod_1"}
    dollars = exports.price(currency="usd", currency_options={"eur": {"unit_amount": 3100}})
    inside = {**running(items=[exports.item(price=dollars)]), "customer": exports.customer(name="Old")}
    for order in ((plan, dollars), (dollars, plan)):
        done = await importing.records(exports.product(), *order, inside, exports.customer())
        assert [each for each in done.named if "twice" in each.why] == []
    assert (await importing.account()).customer.name == "Jenny"


async def test_a_record_of_two_customers_is_refused_with_both_places(importing):
    two = exports.customer(), exports.customer("cus_2")
    problem = r"records:5: \$\.customer: subscription sub_1 belongs to cus_1 in records:4, got cus_2"
    with pytest.raises(ImportRefused, match=problem):
        await importing.records(exports.product(), *two, running(), running(customer="cus_2"))


async def test_use_comes_on_top_of_the_next_charge(importing):  # case import 21
    await importing.case("21")
    charge = (await importing.account("cus_Meg")).upcoming[0]
    assert (charge.total, charge.plus_usage) == (Money(0, "USD"), True)


# A part is not shown as the whole; the parts make the sum.


async def test_an_invoice_without_all_its_lines_is_named_and_does_not_add_up(importing):  # case import 16
    done = await importing.case("16")
    assert "invoice.lines: 1 (holds some of its lines only (has_more)" in said(done)
    assert not (await importing.account("cus_Mia")).invoices[0].adds_up


@pytest.mark.parametrize(
    ("case", "customer", "shipping", "tax"), [("13", "cus_Sven", Money(500, "USD"), []), ("14", "cus_Ted", None, [380])]
)
async def test_shipping_and_the_old_tax_are_parts_of_the_total(importing, case, customer, shipping, tax):
    # cases import 13, 14
    await importing.case(case)
    invoice = (await importing.account(customer)).invoices[0]
    assert (invoice.shipping, [each.amount.amount for each in invoice.taxes]) == (shipping, tax)
    assert invoice.adds_up


PARTS = {  # found by ourselves
    "billing credits": {"total": 2100, "total_pretax_credit_amounts": [{"amount": 1000, "type": "credit_balance_transaction"}]},
    "a subtotal after an item's discount": {
        "subtotal": 2800, "total": 2800, "total_discount_amounts": [{"amount": 300, "discount": "di_1"}]},
    "the old discount": {"total": 2790, "discount": exports.discount(source={"coupon": exports.coupon()})},
    "taxed shipping, the tax among the invoice's": {
        "total": 3100 + 500 + 95, "shipping_cost": {"amount_subtotal": 500, "amount_tax": 95, "amount_total": 595},
        "total_taxes": [{"amount": 95, "tax_behavior": "exclusive"}]},
    "taxed shipping, the tax in the delivery": {
        "total": 3100 + 595, "shipping_cost": {"amount_subtotal": 500, "amount_tax": 95, "amount_total": 595}},
}  # fmt: skip


@pytest.mark.parametrize("kind", PARTS)
async def test_every_part_of_an_invoice_is_in_its_sum(importing, kind):
    done = await importing.records(exports.customer(), exports.coupon(), exports.invoice(**PARTS[kind]))
    assert (await importing.account()).invoices[0].adds_up
    assert [each for each in done.named if each.what == "invoice"] == []


@pytest.mark.parametrize("wrong", [7, 1.5, True, ["cus_1"]])
@pytest.mark.parametrize("record", [exports.invoice, exports.subscription])
async def test_an_owner_that_is_no_id_is_refused_with_its_place(importing, record, wrong):
    with pytest.raises(ImportRefused, match=r"records:2: \$.customer: expected an id, got "):
        await importing.records(exports.product(), record(customer=wrong))


async def test_an_invoice_whose_parts_do_not_make_its_total_is_named(importing):
    done = await importing.records(exports.customer(), exports.invoice(total=3200))
    assert "invoice: 1 (its parts do not make its total: no document of it; first: records:2: $.total)" in said(done)


async def test_the_payment_of_an_older_invoice_is_its_charge(importing):  # case import 22
    await importing.case("22")
    (payment,) = (await importing.account("cus_Val")).invoices[0].payments
    assert (payment.status, payment.amount, payment.refunded) == ("paid", Money(2000, "USD"), Money(800, "USD"))
    assert payment.method == "visa 4242"


@pytest.mark.parametrize(
    ("more", "status", "method", "failure"),
    [
        ({"charge": "ch_1"}, "paid", "", ""),
        ({"payment_intent": {"id": "pi_1", "latest_charge": {"id": "ch_1", "amount": 3100, "paid": True,
          "source": {"id": "card_1", "object": "card", "brand": "Visa", "last4": "4242"}}}}, "paid", "visa 4242", ""),
        ({"status": "open", "amount_paid": 0, "amount_remaining": 3100,
          "charge": {"id": "ch_1", "amount": 3100, "paid": False, "failure_code": "card_declined"}},
         "failed", "", "card_declined"),
    ],
)  # fmt: skip
async def test_a_payment_is_found_wherever_an_old_invoice_has_it(importing, more, status, method, failure):
    await importing.records(exports.customer(), exports.invoice(**more))
    (payment,) = (await importing.account()).invoices[0].payments
    assert (payment.status, payment.method, payment.failure) == (status, method, failure)


PAID_BY_PI = {
    "payments": {"object": "list", "has_more": False, "data": [
        {"id": "inpay_1", "object": "invoice_payment", "status": "paid", "amount_requested": 3100, "amount_paid": 3100,
         "created": exports.MARCH, "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]},
}  # fmt: skip
CHARGE = {
    "id": "ch_1", "object": "charge", "customer": "cus_1", "payment_intent": "pi_1", "created": exports.MARCH,
    "amount": 3100, "amount_refunded": 0, "paid": True, "currency": "eur",
    "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
}  # fmt: skip
REFUND = {"object": "refund", "payment_intent": "pi_1", "charge": "ch_1", "currency": "eur", "status": "succeeded"}
NOT_KNOWN = "what was given back of its payment is not known"


@pytest.mark.parametrize(
    ("more", "records", "back"),
    [
        (PAID_BY_PI, [CHARGE | {"amount_refunded": 800}], 800),
        (PAID_BY_PI, [CHARGE, {**REFUND, "id": "re_1", "amount": 300}, {**REFUND, "id": "re_2", "amount": 500}], 800),
        (PAID_BY_PI, [{**REFUND, "id": "re_1", "amount": 300}, {**REFUND, "id": "re_2", "amount": 9, "status": "failed"}], 300),
        (PAID_BY_PI, [CHARGE, {**CHARGE, "id": "ch_0", "paid": False, "created": exports.APRIL}], 0),
        ({"charge": "ch_1"}, [CHARGE | {"amount_refunded": 800}], 800),
        ({"payment_intent": "pi_1"}, [CHARGE | {"amount_refunded": 800}], 800),
        ({"payment_intent": {"id": "pi_1", "latest_charge": "ch_1"}}, [{**REFUND, "id": "re_1", "amount": 300}], 300),
    ],
)  # fmt: skip
async def test_charges_and_refunds_that_come_by_themselves_belong_to_their_invoice(importing, more, records, back):
    done = await importing.records(*records, exports.customer(), exports.invoice(**more))
    (invoice,) = (await importing.account()).invoices
    assert invoice.refunded == Money(back, "EUR")
    assert [each.method for each in invoice.payments] == ["visa 4242" if CHARGE["id"] in str(records[0]["id"]) else ""]
    assert NOT_KNOWN not in said(done)
    assert "Not used" not in said(done)


async def test_a_charge_that_comes_later_counts_with_its_invoice_beside_it_and_stays(importing):
    invoice, charge = exports.invoice(**PAID_BY_PI), CHARGE | {"amount_refunded": 800}
    done = await importing.records(exports.customer(), invoice)
    assert f"invoice.payments: 1 ({NOT_KNOWN}: import the charges, too, or expand them; first: records:2: $)" in said(
        done
    )
    alone = await importing.records(charge)
    assert "charge: 1 (gives money back, and no invoice in these files names it" in said(alone)
    assert (await importing.account()).invoices[0].refunded == Money(0, "EUR")
    for records in ((invoice, charge), (invoice,), (exports.invoice(description="Again"),)):
        await importing.records(*records)
        assert (await importing.account()).invoices[0].refunded == Money(800, "EUR")


async def test_a_charge_of_something_else_is_not_used(importing):
    done = await importing.records(exports.customer(), CHARGE)
    assert "Not used: 1 of charge" in said(done)
    assert "gives money back" not in said(done)


@pytest.mark.parametrize("field", [{"amount_refunded": -1}, {"amount_refunded": "8"}, {"payment_intent": 7}])
async def test_a_charge_that_gives_back_no_amount_is_refused(importing, field):
    with pytest.raises(ImportRefused, match=r"records:2: \$\.(amount_refunded|payment_intent): expected `"):
        await importing.records(exports.customer(), CHARGE | field)


async def test_what_was_paid_elsewhere_gives_nothing_back_here(importing):
    for more in ({"paid_out_of_band": True}, {"amount_paid": 0}):
        assert NOT_KNOWN not in said(await importing.records(exports.customer(), exports.invoice(**more)))


async def test_an_invoice_of_the_time_before_amount_paid_is_read(importing):
    plan = {"id": "gold", "object": "plan", "amount": 2000, "currency": "eur", "interval": "month", "name": "Gold"}
    line = {"id": "sub_1", "object": "line_item", "amount": 2000, "currency": "eur", "plan": plan, "description": None}
    old = {
        "id": "in_1", "object": "invoice", "customer": "cus_1", "date": SECONDS - 3000 * DAY, "currency": "eur",
        "subtotal": 2000, "total": 2380, "tax": 380, "tax_percent": 19.0, "amount_due": 2380, "charge": "ch_1",
        "paid": True, "closed": True, "forgiven": False, "lines": {"object": "list", "data": [line]},
    }  # fmt: skip
    await importing.records(exports.customer(), old)
    (invoice,) = (await importing.account()).invoices
    assert (invoice.status, invoice.amount_paid, invoice.gap) == ("paid", Money(2380, "EUR"), "")
    assert [(each.status, each.amount) for each in invoice.payments] == [("paid", Money(2380, "EUR"))]
    assert [each.description for each in invoice.lines] == ["Gold"]


# What stands inside another object is not lost.


async def test_a_card_of_the_customers_sources_is_a_payment_method(importing):  # case import 7
    await importing.case("07")
    account = await importing.account("cus_Sol")
    (card,) = account.payment_methods
    assert (card.id, card.kind, card.brand, card.last4, card.exp_year) == ("card_Sol", "card", "visa", "4242", 2029)
    assert account.customer.default_payment_method == account.subscriptions[0].default_payment_method == "card_Sol"


async def test_subscriptions_inside_a_customer_and_a_bank_account_are_read(importing):
    inside = {"object": "list", "data": [running()], "has_more": False}
    bank = {"id": "ba_1", "object": "bank_account", "country": "US", "bank_name": "Bank", "last4": "6789"}
    customer = exports.customer(subscriptions=inside, sources={"object": "list", "data": [bank]})
    await importing.records(exports.product(), customer)
    account = await importing.account()
    assert [each.id for each in account.subscriptions] == ["sub_1"]
    assert [(each.kind, each.brand, each.last4) for each in account.payment_methods] == [
        ("us_bank_account", "Bank", "6789")
    ]


def card(identity="card_1", **more):
    return {"id": identity, "object": "card", "last4": "4242", "exp_month": 8, "exp_year": 2040, **more}


SOURCES = {
    "an array of sources": {"sources": [card(brand="Visa")], "default_source": "card_1"},
    "an expanded default": {"default_source": card(brand="Visa", customer="cus_1")},
    "cards, whose type was their brand": {"cards": {"object": "list", "data": [card(type="Visa")]}, "default_card": "card_1"},
}  # fmt: skip


@pytest.mark.parametrize("kind", SOURCES)
async def test_a_card_is_found_wherever_the_customer_has_it(importing, kind):
    await importing.records(exports.customer(**SOURCES[kind]))
    account = await importing.account()
    assert [(each.id, each.kind, each.brand) for each in account.payment_methods] == [("card_1", "card", "visa")]
    assert account.customer.default_payment_method == "card_1"


async def test_whole_objects_are_read_in_whichever_field_they_are(importing):
    mine = {**exports.invoice(), "subscription": running(default_source=card(brand="Visa", customer="cus_1"))}
    await importing.records(exports.product(), exports.customer(invoices={"object": "list", "data": [mine]}))
    account = await importing.account()
    assert ([each.id for each in account.invoices], [each.id for each in account.subscriptions]) == (
        ["in_1"],
        ["sub_1"],
    )
    assert [each.id for each in account.payment_methods] == ["card_1"]


async def test_a_subscription_of_today_is_not_called_old_for_having_no_items(importing):
    with pytest.raises(ImportRefused) as refused:
        await importing.records(exports.product(), exports.customer(), exports.subscription(items=[]))
    assert "old API version" not in str(refused.value)


async def test_a_reference_is_looked_for_in_the_object_itself(importing):  # case import 10
    await importing.case("10")
    assert await importing.next_total("cus_Dov") == Money(1800, "USD")


async def test_pages_in_an_array_and_objects_one_after_the_other_are_all_read(importing):  # cases import 9, 18
    assert (await importing.case("09")).new == 2
    assert (await importing.case("18")).new == 2


async def test_a_page_inside_an_array_inside_a_line(importing, tmp_path):
    file = tmp_path / "a.jsonl"
    pages = [[{"object": "list", "data": [exports.customer(f"cus_{number}")]}] for number in range(3)]
    file.write_text(json.dumps([pages]) + " " + json.dumps(exports.customer("cus_9")))
    assert (await import_files(importing.store, "plain", [file], live=None, now=NOW)).new == 4


# Old API versions are said as such.


async def test_an_export_of_an_old_version_is_read_and_said_as_such(importing):  # case import 19
    done = await importing.case("19")
    assert await importing.next_total("cus_Nic") == Money(2000, "USD")
    assert "subscription: 1 (of an old API version, read as far as it says; export it again with" in said(done)


async def test_a_refusal_of_an_old_object_says_that_it_is_old(importing):
    old = running()
    del old["currency"]
    old["items"]["data"][0]["price"] = {"id": "price_1"}
    with pytest.raises(ImportRefused, match="an export of an old API version: export it again"):
        await importing.records(exports.customer(), old)


# What a minor unit counts.


@pytest.mark.parametrize(("case", "amount"), [("01", "1200.00 RSD"), ("27", "12.340 KWD")])
async def test_amounts_are_counted_as_stripe_counts_them(importing, case, amount):  # cases import 1, 27
    await importing.case(case)
    ((customer,),) = await importing.store.read("SELECT customer_id FROM account")
    total = (await importing.account(customer)).invoices[0].total
    assert f"{in_units(total.amount, total.currency):f} {total.currency}" == amount


async def test_a_dry_run_counts_in_the_same_units(importing):
    assert "Tea Box, 1200.00 RSD, no payment method" in said(await importing.case("01", is_dry=True))


# What is right today stays so.


async def test_items_of_mixed_intervals_each_have_their_own_period(importing):  # case import 24
    await importing.case("24")
    account, _ = bring_up_to_date(await importing.account("cus_Fay"), NOW + timedelta(days=25))
    ends = sorted(each.current_period_end_at for each in account.subscriptions[0].items)
    assert ends[1] - ends[0] > timedelta(days=300)


async def test_kinds_of_payment_methods_are_all_kept(importing):  # case import 23
    assert (await importing.case("23")).kinds["payment_method"].new == 14


# The report.


async def test_every_problem_is_named_and_broken_records_may_be_left_out(importing):  # case import 11
    with pytest.raises(ImportRefused) as refused:
        await importing.case("11")
    assert re.findall(r"\d+: (\$\[\d\])\.customer: customer (\w+)", str(refused.value)) == [
        ("$[2]", "cus_Gone"), ("$[3]", "cus_Gone2")]  # fmt: skip
    assert await importing.kept() == [(0,)]
    done = await importing.case("11", leave_out=True)
    assert (done.new, len(done.broken), done.kinds["invoice"].left_out) == (1, 2, {"wrong": 2})
    assert "cus_Gone2 is neither" in done.broken[1]


async def test_problems_of_every_kind_are_told_in_one_run(importing, tmp_path):
    file, other = tmp_path / "a.jsonl", tmp_path / "b.json"
    lines = [exports.customer(), exports.customer("cus_2", created="soon"), exports.subscription(items=[]), [5]]
    file.write_text(
        "\n".join(json.dumps(each) for each in lines) + '\n{"a": 1\n' + json.dumps(exports.invoice(customer="cus_9"))
    )
    other.write_text("not json")
    with pytest.raises(ImportRefused) as refused:
        await import_files(importing.store, "plain", [file, other], live=None, now=NOW)
    places = sorted(re.findall(r"(a\.jsonl|b\.json):(\d)", str(refused.value)))
    assert places == [
        ("a.jsonl", "2"),
        ("a.jsonl", "3"),
        ("a.jsonl", "4"),
        ("a.jsonl", "5"),
        ("a.jsonl", "6"),
        ("b.json", "1"),
    ]
    with pytest.raises(ImportRefused, match=r"b\.json:1"):  # nobody knows what a file that is no JSON would hold
        await import_files(importing.store, "plain", [file, other], live=None, now=NOW, options=Options(leave_out=True))


async def test_test_and_live_data_are_not_mixed_by_leaving_out(importing):
    with pytest.raises(ImportRefused, match="the two are never mixed"):
        await importing.records(exports.customer(), exports.customer("cus_2", livemode=True), leave_out=True)


async def test_an_invoice_is_kept_whatever_its_coupon_and_its_rates_say(importing):
    odd = exports.discount(source={"type": "coupon", "coupon": exports.coupon(duration="thrice")})
    rate = {"id": "txr_1", "object": "tax_rate", "display_name": "Delivery fee", "percentage": 0.0, "inclusive": False}
    fee = {"amount": 50, "tax_behavior": "exclusive", "taxability_reason": "standard_rated",
           "tax_rate_details": {"tax_rate": {**rate, "rate_type": "flat_amount"}}}  # fmt: skip
    less = {"discounts": [odd], "total_discount_amounts": [{"amount": 310, "discount": odd}], "total_taxes": [fee]}
    done = await importing.records(exports.product(), exports.customer(), exports.invoice(**less, total=2840))
    (invoice,) = (await importing.account()).invoices
    assert (invoice.total, invoice.discounts[0].label, invoice.gap) == (Money(2840, "EUR"), "Ten off", "")
    assert [each.label for each in invoice.taxes] == ["Delivery fee"]
    assert "coupon.duration: 1 (expected one of forever, once, repeating; got 'thrice'; first: " in said(done)


async def test_a_payment_method_that_was_detached_is_charged_no_more(importing):
    default = {"invoice_settings": {"default_payment_method": "pm_1"}}
    whole = (exports.product(), exports.customer(**default), running(default_payment_method="pm_1"))
    await importing.records(*whole, exports.method(), exports.method("pm_2"))
    gone = exports.method(customer=None)
    done = await importing.records(gone, exports.method("pm_3", customer=None))
    account = await importing.account()
    assert [each.id for each in account.payment_methods] == ["pm_2"]
    assert {account.customer.default_payment_method, account.subscriptions[0].default_payment_method} == {""}
    assert "payment_method: 1 (was detached: nothing is charged to it any more; first: records:1: $.customer)" in said(
        done
    )
    assert "Not used: 1 of payment_method of nobody" in said(done)
    assert "payment_method: 0 new, 0 changed, 1 the same" in said(await importing.records(gone))
    assert "removed here by now" in said(await importing.records(exports.method(), gone))
    await importing.records(exports.method("pm_4"), exports.method("pm_4", customer=None))
    assert [each.id for each in (await importing.account()).payment_methods] == ["pm_4", "pm_2"]


async def test_a_payment_method_that_is_nowhere_is_left_out_of_what_is_charged(importing):
    broken = running(default_payment_method="pm_9")
    await importing.records(exports.product(), exports.customer(), broken, leave_out=True)
    assert (await importing.account()).subscriptions[0].default_payment_method == ""


async def test_drafts_are_counted_with_what_was_brought(importing):  # case import 30
    done = await importing.case("30")
    assert (done.kinds["invoice"].new, done.kinds["invoice"].left_out) == (1, {"draft": 1})
    assert "invoice: 1 new, 0 changed, 0 the same, 1 left out (draft)" in said(done)


async def test_who_cannot_be_reached_is_named(importing):  # case import 26
    done = await importing.case("26")
    assert set(done.unreachable_ids) == {"cus_Abe", "cus_Zed"}
    assert "cus_Abe" in said(done)


async def test_the_same_again_is_counted_as_the_same(importing):
    await importing.case("01")
    done = await importing.case("01")
    assert {kind: (each.new, each.changed, each.same) for kind, each in done.kinds.items()} == {
        "customer": (0, 0, 1), "product": (0, 0, 1), "price": (0, 0, 1), "subscription": (0, 0, 1), "invoice": (0, 0, 1),
    }  # fmt: skip


async def test_the_report_is_json_too(importing):
    told = json.loads(report.as_json(await importing.case("30")))
    assert told["kinds"]["invoice"]["left_out"] == {"draft": 1}


# The moment of handing over.


async def everything_happened(importing, until=NOW):
    mails = await importing.store.read("SELECT count(*) FROM outbox")
    invoices = await importing.store.read("SELECT count(*) FROM invoice")
    return mails[0][0], invoices[0][0]


async def test_what_fell_due_before_is_not_billed_again(importing):  # case import 31
    done = await importing.case("31")
    account = await importing.ledger.account("cus_Old", NOW + timedelta(days=1))
    item = account.subscriptions[0].items[0]
    assert (item.current_period_start_at, account.invoices) == (datetime(2026, 11, 25, 12, tzinfo=UTC), ())
    assert account.subscriptions[0].status == "active"
    assert await everything_happened(importing) == (0, 0)
    assert done.carried == 1
    assert "counts as billed elsewhere" in said(done)


async def test_an_export_of_three_years_ago_makes_no_invoice_no_mail_and_no_try(importing):
    then = SECONDS - 3 * 365 * DAY
    period = {"current_period_start": then - 10 * DAY, "current_period_end": then + 20 * DAY}
    mine = {"items": [exports.item(**period)], "created": then - 100 * DAY, "billing_cycle_anchor": then - 10 * DAY}
    found = [
        exports.product(), exports.method(), exports.customer("cus_2", email="b@example.com"),
        exports.customer(invoice_settings={"default_payment_method": "pm_1"}),
        exports.subscription("sub_1", **mine, default_payment_method="pm_1"),
        exports.subscription("sub_2", **mine, status="trialing", trial_end=then + 5 * DAY),
        exports.subscription("sub_3", **mine, status="past_due"),
        exports.subscription("sub_4", **mine, cancel_at=then + 20 * DAY, cancel_at_period_end=True),
        exports.subscription("sub_5", **mine, status="incomplete"),
        exports.subscription("sub_6", **mine, pause_collection={"behavior": "void", "resumes_at": then + 50 * DAY}),
        exports.subscription("sub_7", **mine, collection_method="send_invoice", days_until_due=14, latest_invoice="in_7"),
        exports.invoice("in_3", status="open", created=then, amount_paid=0, amount_remaining=3100, subscription="sub_3",
                        next_payment_attempt=then + DAY),
        exports.invoice("in_7", status="open", created=then, amount_paid=0, amount_remaining=3100, subscription="sub_7",
                        due_date=then + 14 * DAY, number="A-7"),
    ]  # fmt: skip
    await importing.records(*found)
    account = await importing.ledger.account("cus_1", NOW + timedelta(hours=1))
    assert {each.id: each.status for each in account.subscriptions} == {
        "sub_1": "active", "sub_2": "active", "sub_3": "past_due", "sub_4": "canceled", "sub_5": "incomplete_expired",
        "sub_6": "active", "sub_7": "past_due",
    }  # fmt: skip
    assert await everything_happened(importing) == (0, 2)
    assert all(each.payments == () and each.next_attempt_at is None for each in account.invoices)
    running_now = [each for each in account.subscriptions if each.status in ("active", "past_due")]
    assert all(
        item.current_period_start_at <= NOW < item.current_period_end_at for each in running_now for item in each.items
    )


def owed(**more):
    due = {"status": "open", "amount_paid": 0, "amount_remaining": 3100, "next_payment_attempt": SECONDS + DAY}
    return exports.invoice(subscription="sub_1", created=SECONDS - 10 * DAY, **{**due, **more})


async def test_an_invoice_that_was_paid_here_is_not_charged_again_when_it_comes_again(importing):
    late = running(status="past_due", latest_invoice="in_1", default_payment_method="pm_1")
    await importing.records(exports.product(), exports.customer(), exports.method(), late, owed())
    later = NOW + timedelta(days=2)
    paid = (await importing.ledger.account("cus_1", later)).invoices
    assert [(each.status, len(each.payments)) for each in paid] == [("paid", 1)]
    for status in ("open", "uncollectible"):
        done = await importing.records(owed(description="again", status=status), now=later)
        assert "invoice.status: 1 (is paid here by now, and stays so; first: records:1: $.status)" in said(done)
        assert (await importing.ledger.account("cus_1", later + timedelta(days=9))).invoices == paid
    await importing.records({**late, "description": "again"}, now=later)
    assert (await importing.ledger.account("cus_1", later)).subscriptions[0].status == "active"


async def test_what_was_tried_and_set_off_here_stays_when_the_invoice_comes_again(importing):
    declined = exports.method(metadata={"portal_behavior": "lost_card"})
    late = running(status="past_due", latest_invoice="in_1", default_payment_method="pm_1")
    credit = {"id": "ii_1", "object": "invoiceitem", "customer": "cus_1", "subscription": "sub_1", "currency": "eur",
              "date": SECONDS, "amount": -1000}  # fmt: skip
    await importing.records(exports.product(), exports.customer(), declined, late, owed(), credit)
    later = NOW + timedelta(days=10)  # tried in vain, canceled for it, and the credit that waited came off
    (_, before) = (await importing.ledger.account("cus_1", later)).invoices
    assert (before.amount_due, len(before.payments)) == (Money(2100, "EUR"), 1)
    await importing.records(owed(description="again"), now=later)
    (_, after) = (await importing.ledger.account("cus_1", later)).invoices
    assert (after.amount_due, after.payments, after.gap) == (before.amount_due, before.payments, "")
    assert after.memo == "again"


async def test_what_never_began_elsewhere_owes_nothing_here(importing):
    """At Stripe its first invoice is void by now; the export is older than that."""
    begun = SECONDS - 2 * DAY
    first = exports.invoice(status="open", subscription="sub_1", created=begun, amount_paid=0, amount_due=2100,
                            amount_remaining=2100, starting_balance=-1000, ending_balance=0)  # fmt: skip
    unpaid = running(status="incomplete", created=begun, latest_invoice="in_1")
    await importing.records(exports.product(), exports.customer(currency="eur", balance=0), unpaid, first)
    account = await importing.account()
    assert (account.subscriptions[0].status, account.invoices[0].status) == ("incomplete_expired", "void")
    assert (account.invoices[0].amount_due, account.balance) == (Money(0, "EUR"), Money(-1000, "EUR"))


async def test_a_period_that_an_invoice_covers_is_done(importing):
    """The next period was billed early, or the export of the subscription is older than that of its invoices."""
    start, end = SECONDS + 20 * DAY, SECONDS + 50 * DAY
    line = exports.line(period={"start": start, "end": end}, price="price_1", subscription="sub_1")
    covering = exports.invoice(subscription="sub_1", lines={"object": "list", "data": [line]})
    await importing.records(exports.product(), exports.customer(), exports.method(), running(), covering)
    item = (await importing.account()).subscriptions[0].items[0]
    assert item.current_period_start_at == datetime.fromtimestamp(start, UTC)
    _, invoices = bring_up_to_date(await importing.account(), NOW + timedelta(days=30))
    assert invoices == ()


@pytest.mark.parametrize("status", ["void", "draft"])
async def test_an_invoice_that_asks_for_nothing_covers_nothing(importing, status):
    line = exports.line(period={"start": SECONDS + 20 * DAY, "end": SECONDS + 50 * DAY}, subscription="sub_1")
    covering = exports.invoice(subscription="sub_1", status=status, lines={"object": "list", "data": [line]})
    await importing.records(exports.product(), exports.customer(), running(), covering)
    assert (await importing.account()).subscriptions[0].items[0].current_period_end_at == NOW + timedelta(days=20)


async def test_others_may_bill_until_another_moment(importing):
    await importing.case("31", billed_until=NOW - timedelta(days=10))
    account = await importing.ledger.account("cus_Old", NOW)
    assert [each.created_at for each in account.invoices] == [datetime(2026, 11, 25, 12, tzinfo=UTC)]


async def test_others_may_go_on_to_bill_for_a_while(importing):
    later = NOW + timedelta(days=40)
    await importing.case("31", billed_until=later)
    account = await importing.ledger.account("cus_Old", later)
    assert account.invoices == ()
    assert account.upcoming[0].at > later


async def test_a_dry_run_keeps_nothing_and_says_what_comes_next(importing):
    done = await importing.case("31", is_dry=True)
    assert (await importing.kept(), await importing.store.read("SELECT count(*) FROM imported")) == ([(0,)], [(0,)])
    assert "2026-12-25 12:00 cus_Old Old Sample: Tea Box, 20.00 USD, no payment method" in said(done)
    far = await importing.records(
        exports.product(), exports.customer(), running(trial_end=SECONDS + 40 * DAY, status="trialing"), is_dry=True
    )
    assert "Nobody is charged within 31 days." in said(far)


async def test_a_dry_run_says_what_comes_from_the_balance_and_what_is_free(importing):
    free = running("sub_2", items=[exports.item("si_2", quantity=0)])
    credit = exports.customer(balance=-700, currency="eur")
    done = await importing.records(exports.product(), credit, running(), free, is_dry=True)
    assert sorted(each.partition("Coffee, ")[2] for each in said(done).splitlines() if "Coffee" in each) == [
        "0.00 EUR, no payment method", "31.00 EUR (-7.00 EUR from the balance), no payment method",
    ]  # fmt: skip


# A debt that others had begun to collect.


def owed_since(days, **more):
    """A subscription that is behind, with an invoice of so many days ago whose charge failed."""
    failed = exports.invoice(
        "in_1", status="open", created=SECONDS - days * DAY, amount_paid=0, amount_remaining=3100, number="A-1",
        subscription="sub_1", attempt_count=3, **more,
    )  # fmt: skip
    card = {"invoice_settings": {"default_payment_method": "pm_1"}}
    behind = running(status="past_due", latest_invoice="in_1")
    return exports.product(), exports.customer(**card), exports.method(), behind, failed


@pytest.mark.parametrize(
    ("told", "then"),
    [(2, 2), (-1, 1)],  # four days after the charge: tries on days 5, 7, 9, …
    ids=["the try that was told", "one of the time before: the next of the schedule"],
)
async def test_an_imported_debt_is_tried_on_where_it_was(importing, told, then):
    records = owed_since(4, next_payment_attempt=SECONDS + told * DAY)
    dry = await import_records(importing.store, "plain", records, now=NOW, options=Options(is_dry=True))
    (coming,) = [each for each in dry.coming if each.subscription == "invoice A-1 again"]
    assert (coming.at, coming.total) == (NOW + timedelta(days=then), Money(3100, "EUR"))
    await importing.records(*records)
    assert (await importing.account()).invoices[0].next_attempt_at == NOW + timedelta(days=then)
    after = await importing.ledger.account("cus_1", NOW + timedelta(days=then))
    assert (after.invoices[0].status, after.subscriptions[0].status) == ("paid", "active")


async def test_after_a_told_try_the_next_is_at_least_a_day_later(importing):
    """Told for half an hour before a try of the schedule: with both, the customer would be charged and told twice."""
    card = exports.method(metadata={"portal_behavior": "insufficient_funds"})
    told = SECONDS + DAY - 1800  # four days ago it was charged, so the schedule has tries on days 5 and 7
    records = [each if each["id"] != "pm_1" else card for each in owed_since(4, next_payment_attempt=told)]
    await importing.records(*records)
    after = await importing.ledger.account("cus_1", NOW + timedelta(days=1, hours=1))
    (invoice,) = after.invoices
    assert [each.at for each in invoice.payments if each.at > NOW] == [NOW + timedelta(hours=23, minutes=30)]
    assert invoice.next_attempt_at == NOW + timedelta(days=3)


@pytest.mark.parametrize("status", ["canceled", None])
async def test_a_try_that_nobody_makes_is_not_promised(importing, status):
    product, customer, card, behind, failed = owed_since(4, next_payment_attempt=SECONDS + DAY)
    mine = [{**behind, "status": status}] if status else []
    done = await importing.records(product, customer, card, *mine, failed)
    assert (await importing.account()).invoices[0].next_attempt_at is None
    assert "invoice.next_payment_attempt: 1 (nothing charges it by itself here" in said(done)
    assert done.coming == ()


async def test_a_debt_whose_tries_are_over_is_left_as_it_is(importing):
    """No try, no mail and no end for the past, also where the schedule here would have ended it."""
    await importing.records(*owed_since(40, next_payment_attempt=SECONDS - DAY))
    account = await importing.ledger.account("cus_1", NOW + timedelta(days=15))
    assert (account.invoices[0].next_attempt_at, account.subscriptions[0].status) == (None, "past_due")
    assert await everything_happened(importing) == (0, 1)


# A credit note is a document of its own, at its invoice.


def credit_note(**more):
    head = {
        "id": "cn_1",
        "object": "credit_note",
        "customer": "cus_1",
        "invoice": "in_1",
        "number": "CN-1",
        "currency": "eur",
    }
    line = {
        "id": "cnli_1",
        "object": "credit_note_line_item",
        "amount": 420,
        "description": "Half a bag",
        "quantity": 1,
    }
    sums = {"amount": 500, "total": 500, "subtotal": 420, "status": "issued", "created": SECONDS, "livemode": False}
    taxes = {"total_taxes": [{"amount": 80, "tax_behavior": "exclusive", "taxable_amount": 420}]}
    return {**head, **sums, **taxes, "lines": {"data": [line], "has_more": False}, "type": "post_payment", **more}


async def test_a_credit_note_comes_with_its_parts_and_its_number(importing):
    back = {"refunds": [{"amount_refunded": 300}], "post_payment_amount": 500, "reason": "order_change"}
    await importing.records(exports.customer(), exports.invoice(), credit_note(**back))
    (note,) = (await importing.account()).invoices[0].credit_notes
    assert (note.number, note.total, note.subtotal, note.gap) == ("CN-1", Money(500, "EUR"), Money(420, "EUR"), "")
    assert [(each.description, each.amount.amount) for each in note.lines] == [("Half a bag", 420)]
    assert [(each.amount.amount, each.taxable.amount) for each in note.taxes] == [(80, 420)]
    assert (note.refunded, note.to_balance, note.reason) == (Money(300, "EUR"), Money(200, "EUR"), "order_change")


async def test_a_credit_note_may_come_after_its_invoice_and_stays_when_the_invoice_comes_again(importing):
    alone = await importing.records(exports.customer(), credit_note())
    assert "its invoice is neither in these files nor in the ledger" in said(alone)
    await importing.records(exports.invoice())
    await importing.records(credit_note())
    await importing.records(exports.invoice(description="Thank you."))
    stored = await importing.ledger.invoice("cus_1", "in_1")
    assert (stored.memo, [each.id for each in stored.credit_notes]) == ("Thank you.", ["cn_1"])
    assert stored.credited == Money(500, "EUR")
    assert (await importing.account()).invoices[0] == stored


async def test_a_credit_note_whose_parts_make_no_total_says_so(importing):
    done = await importing.records(exports.customer(), exports.invoice(), credit_note(total=600))
    (note,) = (await importing.account()).invoices[0].credit_notes
    assert note.gap == "total"
    assert "credit_note: 1 (its parts do not make its total: no document of it" in said(done)


async def test_what_the_customer_wants_to_read_is_on_its_invoices(importing):
    settings = {"custom_fields": [{"name": "PO", "value": "118"}], "footer": "Own footer"}
    shipping = {"name": "Jenny, Office", "address": {"line1": "Quay 1", "city": "Hamburg", "country": "DE"}}
    await importing.records(
        exports.customer(invoice_settings=settings, shipping=shipping), exports.product(), running(), exports.invoice()
    )
    _, (made, *_) = bring_up_to_date(await importing.account(), NOW + timedelta(days=30))
    assert [(each.name, each.value) for each in made.custom_fields] == [("PO", "118")]
    assert (made.footer, made.ship_to_name, made.ship_to.line1) == ("Own footer", "Jenny, Office", "Quay 1")


CANCELING = {
    mode: Features(subscription_cancel=SubscriptionCancel(mode=mode)) for mode in ("at_period_end", "immediately")
}
REPLACED = "takes the place of what the ledger had, which may have changed since; first: records:1: $"


async def canceled_here(importing, mode, **record):
    mine = running(default_payment_method="pm_1", **record)
    await importing.records(exports.product(), exports.customer(), exports.method(), mine)
    ledger = ledger_of(importing.store, "plain", CANCELING[mode])
    return mine, await canceling.cancel(ledger, "cus_1", "sub_1", key="k1", now=NOW, browser="Firefox")


async def test_what_was_canceled_here_is_not_billed_again_when_it_comes_again(importing):
    mine, _ = await canceled_here(importing, "immediately")
    done = await importing.records({**mine, "description": "again"}, now=NOW + timedelta(hours=1))
    assert "subscription.status: 1 (ended here by now, and stays so; first: records:1: $.status)" in said(done)
    later = await importing.ledger.account("cus_1", NOW + timedelta(days=90))
    assert ([each.status for each in later.subscriptions], later.invoices) == (["canceled"], ())


async def test_what_lived_on_elsewhere_after_its_end_here_is_billed(importing):
    """An export from before the cancellation was taken back there, and then one from after."""
    end = SECONDS - 5 * DAY
    old = [exports.item(current_period_start=end - 30 * DAY, current_period_end=end)]
    mine = exports.subscription("sub_1", items=old, cancel_at=end, cancel_at_period_end=True, billing_cycle_anchor=end)
    await importing.records(exports.product(), exports.customer(), mine)
    assert [each.status for each in (await importing.account()).subscriptions] == ["canceled"]
    new = [exports.item(current_period_start=end, current_period_end=end + 30 * DAY)]
    done = await importing.records({**mine, "items": {"data": new}, "cancel_at": None, "cancel_at_period_end": False})
    assert "stays so" not in said(done)
    assert [each.status for each in (await importing.account()).subscriptions] == ["active"]


async def test_a_cancellation_of_here_that_a_record_takes_back_is_named(importing):
    mine, _ = await canceled_here(importing, "at_period_end")
    done = await importing.records({**mine, "description": "again"})
    assert f"subscription.cancel_at: 1 ({REPLACED})" in said(done)
    assert (await importing.account()).subscriptions[0].cancel_at is None


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("items", {"items": {"data": [exports.item(quantity=3)]}}),
        ("default_payment_method", {"default_payment_method": None}),
        ("discounts", {"discounts": []}),
    ],
)
async def test_what_may_have_been_chosen_here_and_is_another_one_is_named(importing, field, more):
    coupon = {"id": "ten", "object": "coupon", "percent_off": 10, "duration": "forever", "applies_to": None}
    discount = {"id": "di_1", "object": "discount", "coupon": coupon, "start": SECONDS - DAY}
    mine = running(default_payment_method="pm_1", discounts=[discount])
    await importing.records(exports.product(), exports.customer(), exports.method(), mine)
    assert REPLACED not in said(await importing.records({**mine, "description": "again"}))
    assert f"subscription.{field}: 1 ({REPLACED})" in said(await importing.records({**mine, **more}))


async def test_what_a_customer_may_have_changed_here_is_named(importing):
    await importing.records(exports.customer())
    done = await importing.records(exports.customer(email="b@example.com"))
    assert f"customer.email: 1 ({REPLACED})" in said(done)
    assert REPLACED not in said(await importing.records(exports.customer(email="b@example.com", description="again")))


async def test_what_a_customer_removed_here_does_not_come_back(importing):
    def customer(**more):
        return exports.customer(invoice_settings={"default_payment_method": "pm_2"}, **more)

    mine = running(default_payment_method="pm_2")
    await importing.records(exports.product(), customer(), exports.method(), exports.method("pm_2"), mine)
    ledger = ledger_of(importing.store)
    await ledger.remove_payment_method(ledger.by(key="k1", now=NOW), "pm_2")
    before = await importing.account()
    assert before.customer.default_payment_method == "pm_1"
    again = {"description": "again"}
    done = await importing.records(customer(**again), exports.method("pm_2", metadata=again), {**mine, **again})
    assert "payment_method: 0 new, 0 changed, 0 the same, 1 left out (removed here by now)" in said(done)
    for kind in ("customer", "subscription"):
        assert f"{kind}.default_payment_method: 1 (was removed here by now: what is charged instead stays;" in said(
            done
        )
    after = await importing.account()
    assert [each.id for each in after.payment_methods] == ["pm_1"]
    assert after.customer.default_payment_method == "pm_1"
    assert after.subscriptions[0].default_payment_method == before.subscriptions[0].default_payment_method
