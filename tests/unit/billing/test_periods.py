"""When a period ends."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.billing import Recurring
from server.billing.model.periods import add_months, next_end, on_day
from tests.support.ledger_accounts import day


def test_the_last_day_of_a_month_comes_back_after_a_short_one():
    anchor, ends = day(2026, 1, 31), []
    start = anchor
    for _ in range(4):
        start = next_end(anchor, Recurring("month"), start)
        ends.append(start)
    assert ends == [day(2026, 2, 28), day(2026, 3, 31), day(2026, 4, 30), day(2026, 5, 31)]


def test_a_leap_day_is_billed_on_the_28th_in_other_years():
    anchor = day(2024, 2, 29)
    assert next_end(anchor, Recurring("year"), anchor) == day(2025, 2, 28)
    assert next_end(anchor, Recurring("year"), day(2027, 2, 28)) == day(2028, 2, 29)


@pytest.mark.parametrize(
    ("recurring", "end"),
    [
        (Recurring("day", 10), day(2026, 3, 11)),
        (Recurring("week", 2), day(2026, 3, 15)),
        (Recurring("month", 3), day(2026, 6, 1)),
    ],
)
def test_intervals_are_counted_from_the_start(recurring, end):
    assert next_end(day(2026, 3, 1), recurring, day(2026, 3, 1)) == end


def test_a_start_that_the_anchor_does_not_know_makes_no_short_period():
    assert next_end(day(2026, 1, 1), Recurring("month"), day(2026, 3, 15)) == day(2026, 4, 15)


@pytest.mark.parametrize("recurring", [None, Recurring("lunation")])
def test_an_interval_that_we_do_not_know_never_ends(recurring):
    assert next_end(day(2026, 1, 1), recurring, day(2026, 1, 1)) is None


@given(st.datetimes(), st.integers(1, 36), st.integers(0, 30))
def test_periods_follow_each_other_without_a_gap(anchor, count, steps):
    anchor = anchor.replace(year=2000 + anchor.year % 100)
    start = anchor
    for _ in range(steps):
        end = next_end(anchor, Recurring("month", count), start)
        assert end > start
        start = end
    assert start == add_months(anchor, steps * count)


@pytest.mark.parametrize(
    ("recurring", "days"),
    [(Recurring("day"), 1), (Recurring("week"), 7), (Recurring("day", 30), 30)],
)
def test_years_of_days_and_weeks_are_all_equally_long_across_every_change_of_clocks(recurring, days):
    """UTC has no summer time: no hour is billed twice or left out when a customer's clocks change."""
    start = day(2024, 2, 29).replace(hour=2, minute=30)
    at, ends = start, []
    while at < day(2028, 3, 31):
        following = next_end(start, recurring, at)
        ends.append(following - at)
        at = following
    assert set(ends) == {timedelta(days=days)}
    assert (at - start) % timedelta(days=days) == timedelta(0)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_years_of_months_keep_their_day_and_hour_whatever_a_customers_clocks_do(zone):
    """Ten years from a 31st at an hour that the zone skips or repeats once a year: the same UTC hour each time."""
    begun = datetime(2024, 3, 31, 2, 30, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    at = begun
    for month in range(1, 121):
        at = next_end(begun, Recurring("month"), at)
        assert at == add_months(begun, month)
        assert (at.hour, at.minute) == (begun.hour, begun.minute)
        assert at.day == min(begun.day, monthrange(at.year, at.month)[1])


def test_years_from_a_leap_day_come_back_to_it():
    begun, at, found = day(2024, 2, 29), day(2024, 2, 29), []
    for _ in range(12):
        at = next_end(begun, Recurring("year"), at)
        found.append((at.year, at.day))
    assert found == [(2025 + n, 29 if (2025 + n) % 4 == 0 else 28) for n in range(12)]


@pytest.mark.parametrize(
    ("anchor", "recurring", "wanted", "found"),
    [
        (day(2027, 2, 28), Recurring("month"), 31, day(2027, 1, 31)),
        (day(2027, 2, 28), Recurring("month"), 30, day(2027, 1, 30)),
        (day(2028, 2, 29), Recurring("month"), 30, day(2028, 1, 30)),
        (day(2027, 4, 30), Recurring("month", 3), 31, day(2027, 1, 31)),
        (day(2027, 2, 28), Recurring("month", 3), 31, day(2026, 8, 31)),
        (day(2027, 2, 28), Recurring("year"), 29, day(2024, 2, 29)),
        # Nothing to do, or nowhere to go.
        (day(2027, 1, 31), Recurring("month"), 31, day(2027, 1, 31)),
        (day(2027, 2, 27), Recurring("month"), 31, day(2027, 2, 27)),
        (day(2027, 2, 28), Recurring("year"), 31, day(2027, 2, 28)),
        (day(2027, 2, 28), Recurring("week"), 31, day(2027, 2, 28)),
        (day(2027, 2, 28), None, 31, day(2027, 2, 28)),
    ],
)
def test_an_anchor_that_a_short_month_cut_is_moved_to_its_own_day(anchor, recurring, wanted, found):
    assert on_day(anchor, wanted, recurring) == found
    if recurring and found != anchor:
        at = found
        while at < anchor:
            at = next_end(found, recurring, at)
        assert at == anchor
