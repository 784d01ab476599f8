"""What customers do, counted over generated histories and compared with a count of what was generated."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.merchant.studio.numbers import days, sums
from server.store import activities, moment

pytestmark = pytest.mark.anyio
COUNTED = {
    "login": "log_ins",
    "subscription.canceled": "cancellations",
    "subscription.resumed": "resumed",
    "subscription.retained": "retained",
    "subscription.changed": "plan_changes",
    "subscription.change_applied": "plan_changes",
    "invoice.charge_failed": "failed_payments",
    "invoice.payment_failed": "failed_payments",
    "invoice.charge_paid": "paid_later",
    "invoice.paid": "paid_later",
    "subscription.unpaid": "stopped",
}
OTHERS = ("logout", "subscription.feedback", "subscription.change_scheduled", "customer.updated", "a kind of tomorrow")
REASONS = ("unused", "too_expensive", "other", "low_quality")
CHANGES = (
    ("UTC", date(2026, 3, 1)),
    ("Europe/Berlin", date(2026, 3, 29)),  # an hour less
    ("Europe/Berlin", date(2025, 10, 26)),  # an hour more
    ("America/New_York", date(2026, 3, 8)),
    ("Asia/Kathmandu", date(2026, 1, 1)),  # 5:45 ahead
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ("Africa/Cairo", date(2026, 4, 24)),  # at midnight: the day begins at one
    ("Asia/Beirut", date(2025, 10, 26)),  # at midnight: the hour before is there twice
    ("America/Santiago", date(2026, 9, 6)),
    ("Atlantic/Azores", date(2026, 10, 25)),  # one to midnight: the first hour is there twice
    ("Africa/Casablanca", date(2026, 3, 22)),  # four changes a year
    ("Pacific/Apia", date(2011, 12, 30)),  # this day was left out
    ("Pacific/Kiritimati", date(2026, 1, 1)),  # 14 hours ahead
    ("Pacific/Pago_Pago", date(2026, 1, 1)),  # 11 behind
)


def moments(rng, zone, around):
    """Over two years, and close to where days and hours begin: the microsecond before, and the one that it is."""
    edges = [datetime(each.year, each.month, each.day, tzinfo=zone).astimezone(UTC) for each in around]
    hours = [edge + timedelta(hours=rng.randrange(-26, 27)) for edge in edges]
    close = [each + timedelta(microseconds=rng.randrange(-1, 1)) for each in (*edges, *hours)]
    last = max(edges)
    return close + [last - timedelta(seconds=rng.randrange(740 * 86_400)) for _ in range(160)]


async def test_the_numbers_are_those_of_generated_histories_in_every_time_zone(store):
    rng = random.Random(15)
    lines = []
    for place, (name, day) in enumerate(CHANGES):
        zone = ZoneInfo(name)
        around = [day + timedelta(days=step) for step in (-380, -366, -90, -31, -30, -29, -7, -6, -1, 0, 1, 2, 3)]
        lines += [
            (f"brand-{place}", f"cus_{rng.randrange(9)}", rng.choice((*COUNTED, *OTHERS)), at)
            for at in moments(rng, zone, around)
        ]
    said = [(*line, {"reason": rng.choice(REASONS), "comment": rng.choice(("", "=1"))}) for line in lines]

    def write(transaction):
        for brand, customer, kind, at, data in said:
            activities.note(transaction, brand, customer, kind, now=at, browser="", data=data)

    await store.write(write)
    for place, (name, day) in enumerate(CHANGES):
        zone, brand = ZoneInfo(name), f"brand-{place}"
        own = [
            (customer, kind, at.astimezone(zone).date(), data) for of, customer, kind, at, data in said if of == brand
        ]
        for wanted, today in zip(days.NAMES, (day, day + timedelta(days=1), day + timedelta(days=2), day), strict=True):
            period = days.period(wanted, today)
            counted = await sums.count(store, brand, period, zone)
            assert counted.by_day == expected(own, period.first, period.last), (name, wanted)
            before = expected(own, period.first_before, period.last_before)
            assert counted.before == {figure: sum(found.values()) for figure, found in before.items()}
            now = [each for each in own if period.first <= each[2] <= period.last]
            for figure in ("log_ins", "failed_payments"):
                who = {customer for customer, kind, _, _ in now if COUNTED.get(kind) == figure}
                assert await sums.how_many_customers(store, brand, figure, period, zone) == len(who)
            gave = {(customer, data["reason"]) for customer, kind, _, data in now if kind == "subscription.feedback"}
            why = await sums.why(store, brand, period, zone)
            assert why.total == len(gave)
            assert set(why.shown) <= set(Counter(reason for _, reason in gave).items())


def expected(own, first, last):
    found = {figure: Counter() for figure in sums.FIGURES}
    for _, kind, on, _ in own:
        if kind in COUNTED and first <= on <= last:
            found[COUNTED[kind]][on] += 1
    return found


async def test_what_customers_wrote_is_read_newest_first_and_each_once(store, clock):
    """Also where several wrote at the same moment."""
    at = [clock() - timedelta(hours=number // 3) for number in range(20)]

    def write(transaction):
        for number, each in enumerate(at):
            activities.note(transaction, "harbour", f"cus_{number}", sums.WHY, now=each, browser="")
        activities.note(transaction, "orbit", "cus_of_orbit", sums.WHY, now=clock(), browser="")

    await store.write(write)
    span = activities.Span("harbour", (sums.WHY,), clock() - timedelta(days=1), clock() + timedelta(seconds=1))
    read, before = [], None
    while found := await activities.newest(store, span, limit=7, before=before):
        read += found
        before = moment(found[-1][1]), found[-1][0]
    assert [each[1] for each in read] == sorted((each[1] for each in read), reverse=True)
    assert sorted(each[2] for each in read) == sorted(f"cus_{number}" for number in range(20))
