"""Billing periods in Stripe's seconds: counted from the anchor, on the month's last day where the anchor's is missing."""

from __future__ import annotations

from datetime import UTC, datetime

from server.billing.model import periods
from tests.stripe.world import Json

_SECONDS = {"day": 86_400, "week": 7 * 86_400}
_MONTHS = {"month": 1, "year": 12}


def add_months(moment: int, months: int) -> int:
    return int(periods.add_months(datetime.fromtimestamp(moment, UTC), months).timestamp())


def next_end(anchor: int, recurring: Json, start: int) -> int:
    """The first moment of the anchor's grid after `start`."""
    count = recurring.get("interval_count", 1)
    if recurring["interval"] in _SECONDS:
        step = _SECONDS[recurring["interval"]] * count
        return start + step - (start - anchor) % step
    step, passed = _MONTHS[recurring["interval"]] * count, 0
    while add_months(anchor, passed) > start:
        passed -= step
    while add_months(anchor, passed) <= start:
        passed += step
    return add_months(anchor, passed)
