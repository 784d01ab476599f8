"""Billing periods: when the next one ends. Pure; UTC throughout.

A subscription that began on the 31st is billed on the last day of shorter months and on the 31st again after them:
every end is counted from the anchor, never from the end before it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from fractions import Fraction

from msgspec.structs import replace

from server.billing.model.account import Item, Recurring, Subscription

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
INTERVALS = (*_DAYS, *_MONTHS)
"""Those that we know: any other never ends by itself."""
_YEARS = 8
"""At most this far apart are two years with a 29 February: about 1900 and 2100."""
_MICROSECOND = timedelta(microseconds=1)
RENEWING = frozenset({"active", "trialing", "past_due", "unpaid"})


def next_end(anchor: datetime, recurring: Recurring | None, start: datetime) -> datetime | None:
    """The end of the period that begins at `start`; None for an interval that we do not know: it never ends by itself.

    A start that is not on the anchor's grid (an export of mixed intervals) is its own anchor: no short period is made.
    """
    if recurring is None:
        return None
    if recurring.interval in _DAYS:
        return start + timedelta(days=recurring.count * _DAYS[recurring.interval])
    if recurring.interval not in _MONTHS:
        return None
    step = recurring.count * _MONTHS[recurring.interval]
    passed = months_between(anchor, start)
    if passed is not None and passed % step == 0:
        return add_months(anchor, passed + step)
    return add_months(start, step)


def months_between(anchor: datetime, moment: datetime) -> int | None:
    """How many whole months lead from one to the other; None: there is a rest."""
    passed = (moment.year - anchor.year) * 12 + moment.month - anchor.month
    return passed if add_months(anchor, passed) == moment else None


def add_months(moment: datetime, months: int) -> datetime:
    """This many months later (or earlier), on the same day or on the month's last one."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def on_day(anchor: datetime, day: int, recurring: Recurring | None) -> datetime:
    """An anchor of the same grid that is on this day of its month: one at the end of a shorter month would keep every
    later period from it. The anchor itself where there is none."""
    step = recurring.count * _MONTHS.get(recurring.interval, 0) if recurring else 0
    is_cut = anchor.day < day and anchor.day == monthrange(anchor.year, anchor.month)[1]
    for months in range(step, 12 * _YEARS + 1, step) if step and is_cut else ():
        before = add_months(anchor, -months)
        if monthrange(before.year, before.month)[1] >= day:
            return before.replace(day=day)
    return anchor


def renews_at(subscription: Subscription) -> datetime | None:
    """When its next period begins: a trial's end, or the first end of an item whose interval we know."""
    if subscription.status not in RENEWING:
        return None
    if subscription.status == "trialing" and subscription.trial_end_at:
        return subscription.trial_end_at
    ends = [each.current_period_end_at for each in subscription.items if end_after(subscription, each)]
    return min(ends, default=None)


def end_after(subscription: Subscription, item: Item, start: datetime | None = None) -> datetime | None:
    start = start or item.current_period_end_at
    return next_end(subscription.billing_cycle_anchor_at, item.price.recurring, start)


def begun(subscription: Subscription, item: Item, start: datetime, end: datetime) -> Item:
    """The item with this period, cut short where the subscription ends within it."""
    if subscription.cancel_at and subscription.cancel_at > start:
        end = min(end, subscription.cancel_at)
    return replace(item, current_period_start_at=start, current_period_end_at=end, basis=None)


def part_of(subscription: Subscription, item: Item) -> Fraction:
    """How much of a whole period the item's is: less than 1 where the subscription's end cuts it short."""
    start, end = item.current_period_start_at, item.current_period_end_at
    whole = end_after(subscription, item, start)
    if end != subscription.cancel_at or whole is None or not start < end < whole:
        return Fraction(1)
    return Fraction((end - start) // _MICROSECOND, (whole - start) // _MICROSECOND)
