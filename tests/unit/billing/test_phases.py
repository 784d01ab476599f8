"""A phase of a schedule that begins within a running period: prorated, or begun again, as the schedule says. By hand.

31.00 for March, paid. On 16 March at noon half of it is left: 15.50 of the small plan, 31.00 of the large one.
"""

import pytest
from msgspec.structs import replace

from server.billing import Coupon, Discount, Money, TaxRate
from server.billing.ledger.changes.canceling import cancel
from server.billing.ledger.events.renewals import bring_up_to_date, due_at, settled
from server.billing.model.account import Phase, PhaseItem
from server.brands.dunning import Dunning
from tests.support.ledger_accounts import APRIL, CARD, NOW, WITH_CREDIT, account, day, eur, item, price, subscription
from tests.support.plans import bought, lines, only, paid

SMALL, LARGE = price(), price("6200", id="price_2", product="prod_2")
YEARLY = price("36500", "year", id="price_y")


def phase(*items, at=NOW, **more):
    return Phase(at, tuple(each if isinstance(each, PhaseItem) else PhaseItem(each) for each in items), **more)


def with_phases(*phases, it=None):
    it = it or bought(SMALL)
    return settled(replace(it, subscriptions=(replace(only(it), phases=phases),)))


def test_an_upgrade_within_a_period_is_prorated_onto_the_next_invoice():
    it = with_phases(phase(LARGE))
    it, made = bring_up_to_date(it, NOW)
    assert (made, [each.line.amount for each in only(it).pending]) == ((), [eur(-1550), eur(3100)])
    assert it.upcoming[0].total == eur(6200 + 1550)
    it, (april,) = bring_up_to_date(it, APRIL)
    assert (sorted(lines(april)), april.amount_paid) == ([-1550, 3100, 6200], eur(7750))


def test_what_comes_next_says_it_before_the_phase_has_begun():
    it, _ = bring_up_to_date(with_phases(phase(LARGE)), day(2026, 3, 10))
    assert (it.upcoming[0].at, it.upcoming[0].total) == (APRIL, eur(7750))


def test_a_downgrade_within_a_period_gives_credit_on_the_next_invoice():
    _, (april,) = bring_up_to_date(with_phases(phase(SMALL), it=bought(LARGE)), APRIL)
    assert (sorted(lines(april)), april.amount_paid) == ([-3100, 1550, 3100], eur(1550))


def test_one_that_is_invoiced_at_once_is_charged_when_it_begins():
    it = with_phases(phase(LARGE, proration_behavior="always_invoice"))
    early, _ = bring_up_to_date(it, day(2026, 3, 10))
    assert (early.upcoming[0].at, early.upcoming[0].total) == (NOW, eur(1550))
    it, (now,) = bring_up_to_date(it, NOW)
    assert (lines(now), now.amount_paid, now.created_at) == ([-1550, 3100], eur(1550), NOW)
    assert (only(it).pending, only(it).latest_invoice, it.upcoming[0].total) == ((), now.id, eur(6200))
    # All that was paid for March is 46.50; half of the large plan is 31.00.
    assert cancel(it, "sub_1", WITH_CREDIT, NOW).balance == eur(-3100)


def test_what_a_phase_charges_before_the_end_is_said_before():
    it = with_phases(phase(LARGE, proration_behavior="always_invoice"))
    it = settled(replace(it, subscriptions=(replace(only(it), cancel_at=APRIL, cancel_at_period_end=True),)))
    assert [(each.at, each.total) for each in it.upcoming] == [(NOW, eur(1550))]
    it, (now,) = bring_up_to_date(it, NOW)
    assert (now.amount_paid, it.upcoming) == (eur(1550), ())


def test_a_charge_at_once_that_fails_is_retried_as_any_other():
    it = with_phases(phase(LARGE, proration_behavior="always_invoice"))
    it = replace(it, payment_methods=(replace(CARD, behavior="insufficient_funds"),))
    it, _ = bring_up_to_date(it, NOW, Dunning(retry_days=(3,)))
    assert (only(it).status, due_at(it)) == ("past_due", day(2026, 3, 19, 12))
    it, _ = bring_up_to_date(it, day(2026, 3, 19, 12), Dunning(retry_days=(3,)))
    assert only(it).status == "canceled"


def test_one_that_is_not_prorated_costs_nothing_within_the_period():
    _, (april,) = bring_up_to_date(with_phases(phase(LARGE, proration_behavior="none")), APRIL)
    assert (lines(april), april.amount_paid) == ([6200], eur(6200))


def test_the_same_items_with_another_discount_are_no_change_of_the_period():
    it, (april,) = bring_up_to_date(with_phases(phase(SMALL)), APRIL)
    assert (lines(april), only(it).items[0].price) == ([3100], SMALL)
    half, _ = bring_up_to_date(with_phases(phase(SMALL)), NOW)
    assert cancel(half, "sub_1", WITH_CREDIT, NOW).balance == eur(-1550)


@pytest.mark.parametrize("behavior", ["create_prorations", "always_invoice"])
def test_another_quantity_is_prorated_too(behavior):
    three = phase(PhaseItem(SMALL, 3), proration_behavior=behavior)
    _, made = bring_up_to_date(with_phases(three), APRIL)
    assert sum(each.amount_paid.amount for each in made) == 9300 + 3100


def test_an_item_that_is_added_is_charged_and_one_that_goes_is_credited():
    added, (april,) = bring_up_to_date(with_phases(phase(SMALL, LARGE)), APRIL)
    assert (sorted(lines(april)), len(only(added).items)) == ([3100, 3100, 6200], 2)
    both = paid(account(), subscription(item(), item(price=LARGE)), day(2026, 3, 1))
    gone, (april,) = bring_up_to_date(with_phases(phase(SMALL), it=both), APRIL)
    assert (sorted(lines(april)), len(only(gone).items)) == ([-3100, 3100], 1)


@pytest.mark.parametrize(
    ("change", "end"),
    [
        (phase(YEARLY), day(2027, 3, 16, 12)),
        (phase(LARGE, is_new_anchor=True), day(2026, 4, 16, 12)),
    ],
    ids=["another interval", "phase_start"],
)
def test_a_new_period_begins_with_the_phase_and_is_invoiced_then(change, end):
    it, (now,) = bring_up_to_date(with_phases(change), NOW)
    whole = int(change.items[0].price.unit_amount)
    assert (lines(now), now.amount_paid) == ([-1550, whole], eur(whole - 1550))
    begun = only(it).items[0]
    assert (begun.current_period_start_at, begun.current_period_end_at) == (NOW, end)
    assert (only(it).billing_cycle_anchor_at, it.upcoming[0].at, it.upcoming[0].total) == (NOW, end, eur(whole))
    assert cancel(it, "sub_1", WITH_CREDIT, NOW).balance == eur(-whole)


@pytest.mark.parametrize("status", ["trialing", "unpaid"])
def test_nothing_is_prorated_where_nothing_is_billed(status):
    trial = {"trial_start_at": day(2026, 3, 1), "trial_end_at": APRIL} if status == "trialing" else {}
    it = with_phases(phase(LARGE))
    it = replace(it, subscriptions=(replace(only(it), status=status, **trial),))
    it, made = bring_up_to_date(it, NOW)
    assert (made, only(it).pending, only(it).items[0].price) == ((), (), LARGE)


def test_nothing_is_prorated_in_a_pause():
    it = with_phases(phase(LARGE))
    it = replace(it, subscriptions=(replace(only(it), pause_behavior="void"),))
    it, made = bring_up_to_date(it, NOW)
    assert (made, only(it).pending) == ((), ())


def test_the_same_time_is_not_charged_twice_while_it_is_still_owed():
    """March is open and past due: its credit comes off the change, and March is still owed."""
    it = bought(SMALL)
    debt = replace(it.invoices[0], status="open", paid_at=None, amount_due=eur(3100), amount_paid=eur(0), payments=())
    it = replace(it, invoices=(debt,), subscriptions=(replace(only(it), status="past_due"),))
    it, _ = bring_up_to_date(with_phases(phase(LARGE), it=it), NOW)
    assert [each.line.amount for each in only(it).pending] == [eur(-1550), eur(3100)]


def test_one_that_begins_with_a_period_is_charged_in_full_as_before():
    _, (april,) = bring_up_to_date(with_phases(phase(LARGE, at=APRIL)), APRIL)
    assert (lines(april), april.total) == ([6200], eur(6200))


def test_each_of_several_phases_in_one_period_counts():
    """31.00 to 62.00 on the 16th at noon, to 93.00 on 24 March at 6:00: a quarter of March is left."""
    third = phase(PhaseItem(SMALL, 3), at=day(2026, 3, 24, 6))
    it, (april,) = bring_up_to_date(with_phases(phase(LARGE), third), APRIL)
    assert sorted(lines(april)) == [-1550, -1550, 2325, 3100, 9300]
    assert april.total == Money(9300 + 2325, "EUR")
    assert only(it).items[0].current_period_end_at == day(2026, 5, 1)


def test_an_item_that_goes_is_credited_with_what_its_own_discount_left():
    """62.00, and 31.00 with half off: 62.00 and 15.50 were paid. The second goes at half of March: 7.75 come back."""
    half = Discount("di", Coupon("half", percent_off="50", duration="forever"))
    both = paid(account(), subscription(item(price=LARGE), replace(item(), discounts=(half,))), day(2026, 3, 1))
    _, (april,) = bring_up_to_date(with_phases(phase(LARGE), it=both), APRIL)
    assert sorted(lines(april)) == [-775, 6200]


@pytest.mark.parametrize("kind", ["none", "create_prorations"])
def test_a_rate_that_changes_within_a_period_does_not_change_what_was_billed_with_the_old_one(kind):
    """March was billed with 19 % on top, 36.89. From the 10th on the rate is 7 %; half of March comes back with 19 %."""
    nineteen, seven = TaxRate("t19", "19", "VAT"), TaxRate("t7", "7", "VAT")
    it = bought(SMALL, default_tax_rates=(nineteen,))
    change = phase(
        LARGE if kind == "none" else SMALL, at=day(2026, 3, 10), proration_behavior=kind, default_tax_rates=(seven,)
    )
    it, _ = bring_up_to_date(with_phases(change, it=it), NOW)
    last = cancel(it, "sub_1", WITH_CREDIT, NOW).invoices[0]
    assert (lines(last), [(each.percentage, each.amount) for each in last.taxes]) == ([-1550], [("19", eur(-295))])


def test_a_coupon_that_counts_once_counts_for_the_period_that_begins_with_its_phase():
    """From the 16th at noon a month of 62.00 with half off, which the invoice says; the next one costs the whole."""
    once = Discount("di", Coupon("once", percent_off="50", duration="once"))
    it, (now,) = bring_up_to_date(with_phases(phase(LARGE, is_new_anchor=True, discounts=(once,))), NOW)
    assert (lines(now), now.discounts[0].amount, now.total) == ([-1550, 6200], eur(3100), eur(1550))
    assert [each.proration for each in now.lines] == [True, False]
    assert it.upcoming[0].total == eur(6200)


def test_a_period_that_begins_with_a_phase_is_cut_short_by_the_end():
    """A month of 62.00 from 16 March, noon, to 16 April; on 1 April, when half of it is over, the subscription ends."""
    it = with_phases(phase(LARGE, is_new_anchor=True))
    it = replace(it, subscriptions=(replace(only(it), cancel_at=day(2026, 4, 1)),))
    it, (now,) = bring_up_to_date(it, NOW)
    assert (lines(now), only(it).current_period_end_at) == ([-1550, 3100], day(2026, 4, 1))


def test_a_phase_that_is_paid_brings_a_subscription_back():
    """Decision 17: the newest invoice decides. March is still owed; the month that begins now is paid."""
    it = bought(SMALL)
    debt = replace(it.invoices[0], status="open", paid_at=None, amount_due=eur(3100), amount_paid=eur(0), payments=())
    it = replace(it, invoices=(debt,), subscriptions=(replace(only(it), status="past_due"),))
    it, (now,) = bring_up_to_date(with_phases(phase(LARGE, is_new_anchor=True), it=it), NOW)
    assert (now.status, now.amount_paid, only(it).status) == ("paid", eur(4650), "active")
