"""A change of interval that was put off begins the new plan's months at its own day, whoever put it off."""

import pytest
from msgspec.structs import replace

from server.billing import Move
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.ledger.sums.upcoming import settled
from server.billing.model.account import Phase, PhaseItem, Scheduled
from server.brands.features import Schedule
from tests.support.ledger_accounts import account, day, item, price, subscription
from tests.support.pages import apply, preview
from tests.support.plans import bought, only, terms

WEEKLY, MONTHLY = price("800", "week"), price(id="price_2")
YEARLY = price("36500", "year", id="price_3")


def ends(it, *moments):
    """When the period ends that runs at each of these moments."""
    return [only(bring_up_to_date(it, at)[0]).current_period_end_at for at in moments]


def weekly(**more):
    """Weeks since 31 January, a Saturday, as 30 May is; this one ends on 30 May."""
    week = item(day(2026, 5, 23), day(2026, 5, 30), price=WEEKLY)
    return settled(account(subscription(week, billing_cycle_anchor_at=day(2026, 1, 31), **more)))


JUNE_AND_JULY = [day(2026, 6, 30), day(2026, 7, 30), day(2026, 8, 30)]
WITHIN = (day(2026, 6, 1), day(2026, 7, 1), day(2026, 8, 1))


def test_weeks_that_become_months_are_counted_from_the_change():  # case money 8
    later = Scheduled(day(2026, 5, 30), MONTHLY, 1, day(2026, 5, 25))
    assert ends(weekly(scheduled=later), *WITHIN) == JUNE_AND_JULY


def test_a_phase_of_another_interval_is_counted_from_its_beginning():
    phase = Phase(day(2026, 5, 30), (PhaseItem(MONTHLY),))
    assert ends(weekly(phases=(phase,)), *WITHIN) == JUNE_AND_JULY


def test_a_phase_of_another_interval_within_a_week_begins_its_months_at_once():
    phase = Phase(day(2026, 5, 27), (PhaseItem(MONTHLY),))
    assert ends(weekly(phases=(phase,)), *WITHIN) == [day(2026, 6, 27), day(2026, 7, 27), day(2026, 8, 27)]


def test_a_change_of_the_price_alone_keeps_the_day():
    # Bought on the 31st; a dearer month from 28 February on still ends on the 31st.
    it, dear = bought(price(), at=day(2026, 1, 31)), price("6200", id="price_2")
    later = Scheduled(day(2026, 2, 28), dear, 1, day(2026, 2, 1))
    it = settled(replace(it, subscriptions=(replace(only(it), scheduled=later),)))
    assert ends(it, day(2026, 3, 1), day(2026, 4, 1)) == [day(2026, 3, 31), day(2026, 4, 30)]


@pytest.mark.parametrize("months", [1, 3])
def test_a_year_that_becomes_months_by_the_customers_wish(months):
    # A year from 29 February 2028 ends on 28 February 2029; from then on it is the 28th, not the 29th.
    shorter = price(count=months, id="price_2")
    put_off = Schedule(("shortening_interval",))
    it, sold = bought(YEARLY, at=day(2028, 2, 29)), terms(YEARLY, shorter, schedule_at_period_end=put_off)
    now = day(2028, 6, 1)
    it, _ = bring_up_to_date(it, now)
    shown = preview(it, "sub_1", Move("price_2"), sold, now)
    it = apply(it, "sub_1", Move("price_2"), sold, token=shown.fingerprint, now=now).account
    month, after = (3, 4) if months == 1 else (5, 8)
    assert ends(it, day(2029, 3, 1), day(2029, month, 28)) == [day(2029, month, 28), day(2029, after, 28)]


def test_a_trial_that_ends_on_a_31st_is_followed_by_last_days():
    # A trial of two weeks from 17 January; whatever the anchor was, months are counted from the trial's end.
    end = day(2026, 1, 31)
    trial = subscription(
        item(day(2026, 1, 17), end), status="trialing", trial_end_at=end, billing_cycle_anchor_at=day(2026, 1, 17)
    )
    assert ends(account(trial), end, day(2026, 3, 1), day(2026, 4, 1), day(2026, 5, 1)) == [
        day(2026, 2, 28), day(2026, 3, 31), day(2026, 4, 30), day(2026, 5, 31),
    ]  # fmt: skip
