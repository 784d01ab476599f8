"""What stands at an item, at the customer or in a schedule counts in every sum: rates, discounts, exemption, phases."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from server.billing import Money
from server.billing.ledger.events.renewals import bring_up_to_date, settled
from server.billing.ledger.sums.bills import bill
from server.billing.ledger.sums.proration import charge_for, credit_for
from server.billing.model.account import Account, Customer, Item, PaymentMethod, Phase, PhaseItem, Subscription
from server.billing.model.catalog import Coupon, Discount, Price, Recurring, TaxRate
from tests.support.ledger_accounts import day

MARCH, APRIL, MAY = day(2026, 3, 1), day(2026, 4, 1), day(2026, 5, 1)
MONTHLY = Recurring("month")
PRICE = Price("price_1", "prod_1", "Coffee", "EUR", "3100", MONTHLY)
DEAR = replace(PRICE, id="price_2", unit_amount="6200")
CALLS = replace(PRICE, id="price_3", unit_amount="2", recurring=Recurring("month", usage="metered"))
NINETEEN, SEVEN = TaxRate("txr_19", "19", "VAT"), TaxRate("txr_7", "7", "VAT")
HALF = Discount("di_half", Coupon("HALF", percent_off="50", duration="forever"))
ONCE = Discount("di_once", Coupon("ONCE", percent_off="50"))
FIVE = Discount("di_five", Coupon("FIVE", amount_off=Money(500, "EUR"), duration="forever"))
CARD = PaymentMethod("pm_1", "card", MARCH, "visa", "4242", 1, 2040)


def item(identity="si_1", price=PRICE, **more):
    return Item(identity, price, MARCH, APRIL, **more)


def subscription(*items, **more):
    return Subscription("sub_1", "active", "EUR", items or (item(),), MARCH, MARCH, **more)


def account(*subscriptions, methods=(CARD,)):
    customer = Customer("cus_1", "a@example.com", MARCH, default_payment_method="pm_1" if methods else "")
    return settled(Account(customer, MARCH, subscriptions, methods))


@dataclass
class Sum:
    total: int
    taxes: list


def total(it):
    made = bill(it, it.items, MARCH)
    parts = [each.amount.amount for line in made.lines for each in line.taxes]
    assert sum(parts) == sum(each.amount.amount for each in made.taxes)
    return Sum(made.total.amount, [each.amount.amount for each in made.taxes])


@pytest.mark.parametrize(
    ("made", "expected", "taxes"),
    [
        (subscription(default_tax_rates=(NINETEEN,)), 3689, [589]),
        (subscription(item(tax_rates=(NINETEEN,))), 3689, [589]),
        (subscription(item(tax_rates=(SEVEN,)), default_tax_rates=(NINETEEN,)), 3317, [217]),
        (subscription(item(tax_rates=(SEVEN,)), item("si_2"), default_tax_rates=(NINETEEN,)), 7006, [217, 589]),
        (subscription(item(tax_rates=(NINETEEN,)), item("si_2"), default_tax_rates=(NINETEEN,)), 7378, [1178]),
        (subscription(default_tax_rates=(NINETEEN,), tax_exempt="reverse"), 3100, []),
        (subscription(item(tax_rates=(NINETEEN,)), tax_exempt="exempt"), 3100, []),
    ],
)
def test_an_items_rates_take_the_place_of_the_defaults_and_an_exempt_customer_pays_none(made, expected, taxes):
    # cases money 1, 2
    assert (total(made).total, total(made).taxes) == (expected, taxes)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (subscription(item(discounts=(HALF,))), 1550),
        (subscription(item(discounts=(HALF,)), item("si_2")), 4650),
        # The item's come first, in their order: (31.00 / 2 - 5.00) / 2, and (31.00 - 5.00) / 2.
        (subscription(item(discounts=(HALF, FIVE)), discounts=(HALF,)), 525),
        (subscription(item(discounts=(FIVE, HALF))), 1300),
        (subscription(item(discounts=(HALF,)), discounts=(FIVE,)), 1050),
    ],
)
def test_the_discounts_of_an_item_come_first_and_off_that_item_alone(made, expected):
    assert total(made).total == expected


def test_a_discount_of_an_item_that_counts_once_is_gone_after_its_invoice():
    after, invoices = bring_up_to_date(account(subscription(item(discounts=(ONCE, HALF)))), MAY)
    assert [each.total.amount for each in invoices] == [775, 1550]
    assert after.subscriptions[0].items[0].discounts == (HALF,)


def test_prorations_heed_what_stands_at_the_item():
    it = subscription(item(tax_rates=(NINETEEN,), discounts=(HALF,)))
    middle = MARCH + (APRIL - MARCH) / 2
    charge, credit = charge_for(it, it.items[0], middle), credit_for(account(it), it, it.items[0], middle)
    assert (charge.line.amount.amount, [each.amount.amount for each in charge.taxes]) == (775, [147])
    # The charge says what was taken off it; the credit gives back what was paid, which needs no more words.
    assert (charge.line.included_discount, credit.line.included_discount) == (Money(775, "EUR"), None)
    assert (credit.line.amount.amount, [each.amount.amount for each in credit.taxes]) == (-775, [-148])  # half of 2.95
    exempt = replace(it, tax_exempt="reverse")
    assert (
        charge_for(exempt, exempt.items[0], middle).taxes
        == credit_for(account(exempt), exempt, exempt.items[0], middle).taxes
        == ()
    )


def test_a_phase_of_a_schedule_changes_what_the_next_period_costs():
    phases = (Phase(APRIL, (PhaseItem(DEAR, 2),)), Phase(MAY, (PhaseItem(DEAR), PhaseItem(PRICE, tax_rates=(SEVEN,)))))
    before = account(subscription(phases=phases, schedule="sub_sched_1", discounts=(HALF,)))
    assert before.upcoming[0].total == Money(12400, "EUR")
    after, invoices = bring_up_to_date(before, MAY)
    assert [each.total.amount for each in invoices] == [12400, 6200 + 3317]
    assert after.subscriptions[0].phases == ()


def test_a_phase_that_is_not_prorated_counts_from_the_next_period_and_stays_worth_what_was_paid():
    phase = Phase(day(2026, 3, 10), (PhaseItem(DEAR),), proration_behavior="none")
    after, invoices = bring_up_to_date(account(subscription(phases=(phase,))), day(2026, 3, 20))
    changed = after.subscriptions[0]
    assert (invoices, changed.items[0].price, after.upcoming[0].total.amount) == ((), DEAR, 6200)
    # Twelve of March's 31 days are left of the 31.00 that were paid, not of the 62.00.
    assert credit_for(after, changed, changed.items[0], day(2026, 3, 20)).line.amount == Money(-1200, "EUR")


@pytest.mark.parametrize(
    ("chosen", "methods", "status", "billed", "coming"),
    [
        ("cancel", (), "canceled", 0, 0),
        ("pause", (), "paused", 0, 0),
        ("", (), "past_due", 1, 1),
        ("cancel", (CARD,), "active", 1, 1),
    ],
)
def test_the_end_of_a_trial_without_a_payment_method(chosen, methods, status, billed, coming):
    trial = subscription(trial_start_at=MARCH, trial_end_at=APRIL, trial_without_method=chosen)
    before = account(replace(trial, status="trialing"), methods=methods)
    after, invoices = bring_up_to_date(before, APRIL)
    assert (after.subscriptions[0].status, len(invoices), len(before.upcoming)) == (status, billed, coming)


def test_the_next_charge_says_what_comes_on_top():
    plain, metered = subscription(), subscription(item(price=CALLS))
    taxed = replace(plain, automatic_tax=True)
    found = [account(each).upcoming[0] for each in (plain, metered, taxed)]
    assert [(each.plus_usage, each.plus_tax) for each in found] == [(False, False), (True, False), (False, True)]
