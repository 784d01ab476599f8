"""A subscription that ends within a period pays for that period up to its end and no further."""

import pytest
from msgspec.structs import replace

from server.billing import Coupon, Discount, TaxRate
from server.billing.ledger.changes.canceling import resume
from server.billing.ledger.changes.pausing import unpause
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.ledger.sums.proration import credit_for
from server.billing.ledger.sums.upcoming import settled
from server.billing.model.account import Phase, PhaseItem, Tier
from server.brands.features import Features, SubscriptionPause
from tests.support.ledger_accounts import AT_PERIOD_END, account, day, eur, item, price, subscription
from tests.support.plans import lines, only

MAY_MIDDLE = day(2026, 5, 16, 12)
"""15.5 of the 31 days of May are over."""


def ending(*items, at=MAY_MIDDLE, **more):
    return settled(account(subscription(*items, cancel_at=at, **more)))


def in_may(it):
    it, invoices = bring_up_to_date(it, day(2026, 5, 1))
    return it, invoices[-1]


def test_half_a_last_month_costs_half():  # case money 6
    april, _ = bring_up_to_date(ending(), day(2026, 4, 10))
    assert [(each.at, each.total) for each in april.upcoming] == [(day(2026, 5, 1), eur(1550))]
    it, may = in_may(april)
    assert (lines(may), may.total, may.period_end_at) == ([1550], eur(1550), MAY_MIDDLE)
    assert it.upcoming == ()
    it, more = bring_up_to_date(it, day(2026, 9, 1))
    assert (only(it).status, only(it).ended_at, more) == ("canceled", MAY_MIDDLE, ())


def test_the_months_before_it_cost_the_whole():
    _, invoices = bring_up_to_date(ending(), day(2026, 6, 1))
    assert [each.total for each in invoices] == [eur(3100), eur(1550)]


def test_an_end_on_a_periods_last_moment_takes_nothing_off():
    _, invoices = bring_up_to_date(ending(at=day(2026, 5, 1)), day(2026, 9, 1))
    assert [each.total for each in invoices] == [eur(3100)]


def test_an_end_within_the_period_that_was_paid_gives_nothing_back():
    it, invoices = bring_up_to_date(ending(at=day(2026, 3, 20)), day(2026, 9, 1))
    assert (invoices, it.balance) == ((), None)


@pytest.mark.parametrize(
    ("items", "more", "total"),
    [
        ((item(quantity=3),), {}, 4650),
        ((item(unit_amount="1001"),), {}, 501),  # 500.5, away from zero
        ((item(unit_amount="0.7", quantity=499),), {}, 175),  # 349.3 / 2 = 174.65, rounded once
        ((item(), item(id="price_2", unit_amount="1000")), {}, 2050),
        ((item(billing_scheme="tiered", tiers_mode="graduated", tiers=(Tier(None, "100", "900"),), unit_amount=""),), {}, 500),
        ((item(usage="metered"),), {}, 0),
        ((item(),), {"default_tax_rates": (TaxRate("t", "19", "VAT"),)}, 1845),  # 15.50 and 2.945
        ((item(),), {"discounts": (Discount("d", Coupon("c", percent_off="50", duration="forever")),)}, 775),
        ((item(),), {"discounts": (Discount("d", Coupon("c", amount_off=eur(2000), duration="forever")),)}, 0),
    ],
)  # fmt: skip
def test_every_part_of_a_short_period_is_short(items, more, total):
    _, may = in_may(ending(*items, **more))
    assert may.total == eur(total)


def test_only_the_item_whose_period_is_cut_costs_less():
    # The week from 10 May ends before the 16th; the one from 14 May 00:00 is cut after 2.5 of 7 days.
    week = price("700", "week", id="price_w")
    it = ending(item(day(2026, 4, 30), day(2026, 5, 7), price=week), billing_cycle_anchor_at=day(2026, 4, 30))
    _, invoices = bring_up_to_date(it, day(2026, 9, 1))
    assert [each.total for each in invoices] == [eur(700), eur(250)]


def test_a_trial_into_a_short_period():
    trial = item(day(2026, 4, 1), day(2026, 5, 1))
    more = {"status": "trialing", "trial_end_at": day(2026, 5, 1), "billing_cycle_anchor_at": day(2026, 5, 1)}
    _, may = in_may(ending(trial, **more))
    assert may.total == eur(1550)


def test_a_schedules_last_phase_ends_within_a_period():
    phase = Phase(day(2026, 5, 1), (PhaseItem(price("6200", id="price_2"), 2),))
    _, may = in_may(ending(phases=(phase,)))
    assert may.total == eur(6200)


def test_the_credit_for_a_short_period_is_of_what_was_paid_for_it():
    # 8 May, 18:00: half of the half month is left, half of 15.50 comes back.
    it, _ = in_may(ending())
    credit = credit_for(it, only(it), only(it).items[0], day(2026, 5, 8, 18))
    assert credit.line.amount == eur(-775)


def test_the_credit_does_not_depend_on_the_invoice_at_hand():
    it, _ = in_may(ending())
    it = replace(it, invoices=())
    credit = credit_for(it, only(it), only(it).items[0], day(2026, 5, 8, 18))
    assert credit.line.amount == eur(-775)


def test_an_end_that_is_taken_back_in_the_short_period_begins_a_whole_one_after_it():
    it, _ = in_may(ending())
    it = resume(it, "sub_1", AT_PERIOD_END, day(2026, 5, 10))
    assert [(each.at, each.total) for each in it.upcoming] == [(MAY_MIDDLE, eur(3100))]
    it, (whole,) = bring_up_to_date(it, day(2026, 5, 20))
    assert (whole.total, only(it).current_period_end_at) == (eur(3100), day(2026, 6, 16, 12))


def test_what_follows_an_end_that_was_taken_back_keeps_its_day():
    # May was paid up to the 31st at noon. June has no such day, July has it again.
    it, _ = in_may(ending(at=day(2026, 5, 31, 12)))
    it = resume(it, "sub_1", AT_PERIOD_END, day(2026, 5, 10))
    found = [
        only(bring_up_to_date(it, at)[0]).current_period_end_at
        for at in (day(2026, 6, 1), day(2026, 7, 1), day(2026, 8, 1))
    ]
    assert found == [day(2026, 6, 30, 12), day(2026, 7, 31, 12), day(2026, 8, 31, 12)]


def test_a_pause_that_is_ended_before_the_subscription_is_charges_up_to_its_end():
    # April is void. Canceled to 1 May, the pause ends on 16 April: half of a month of 30 days is left.
    features = Features(subscription_pause=SubscriptionPause(enabled=True, max_cycles=3))
    more = {"pause_behavior": "void", "pause_resumes_at": day(2026, 6, 1), "paused_at": day(2026, 3, 5)}
    it, _ = bring_up_to_date(ending(at=day(2026, 5, 1), **more), day(2026, 4, 16))
    it = unpause(it, "sub_1", features, day(2026, 4, 16))
    assert (it.invoices[0].total, only(it).current_period_end_at) == (eur(1550), day(2026, 5, 1))
