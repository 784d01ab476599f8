"""Billing periods: when the next one ends. Pure; UTC throughout.

A subscription that began on the 31st is billed on the last day of shorter months and on the 31st again after them:
every end is counted from the anchor, never from the end before it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta

from server.billing.model.account import Recurring

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


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
    passed = (start.year - anchor.year) * 12 + start.month - anchor.month
    if passed % step == 0 and add_months(anchor, passed) == start:
        return add_months(anchor, passed + step)
    return add_months(start, step)


def add_months(moment: datetime, months: int) -> datetime:
    """So many months later (or earlier), on the same day or on the month's last one."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
