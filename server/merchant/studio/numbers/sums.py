"""What the customers of a brand did, counted: read from the lines of their histories, which ledger and Stripe brands have alike.

| figure | counts | kinds of lines |
|---|---|---|
| `log_ins` | log-ins, by a code or by a URL of the business | `login` |
| `cancellations` | each time that a customer canceled | `subscription.canceled` |
| `resumed` | cancellations that were taken back | `subscription.resumed` |
| `retained` | offers that were accepted before a cancellation | `subscription.retained` |
| `plan_changes` | changes of plan or quantity, when they take effect | `subscription.changed`, `subscription.change_applied` |
| `failed_payments` | each try that failed | `invoice.charge_failed`, `invoice.payment_failed` |
| `paid_later` | open invoices that were paid after all, by a later charge or by the customer | `invoice.charge_paid`, `invoice.paid` |
| `stopped` | subscriptions that are billed no more since they were not paid | `subscription.unpaid` |

A reason that fewer than `SMALLEST` customers gave is not shown alone, nor can it be worked out from the others (`split`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from server.merchant.studio.numbers.days import Period, start, stretches
from server.store import Store, activities
from server.store.activities import Span

FIGURES: dict[str, tuple[str, ...]] = {
    "log_ins": ("login",),
    "cancellations": ("subscription.canceled",),
    "resumed": ("subscription.resumed",),
    "retained": ("subscription.retained",),
    "plan_changes": ("subscription.changed", "subscription.change_applied"),
    "failed_payments": ("invoice.charge_failed", "invoice.payment_failed"),
    "paid_later": ("invoice.charge_paid", "invoice.paid"),
    "stopped": ("subscription.unpaid",),
}
WHY = "subscription.feedback"
SMALLEST = 3
"""Customers of a group that is shown by itself."""
_EPOCH = date(1970, 1, 1)
_FIGURE_OF = {kind: figure for figure, kinds in FIGURES.items() for kind in kinds}


class Sums(msgspec.Struct, frozen=True):
    """Of one brand and one period."""

    by_day: dict[str, dict[date, int]]
    """Figure, day and number; days without any are left out."""
    before: dict[str, int]
    """Figure and number in the days before, with which the period is compared."""

    def total(self, figure: str) -> int:
        return sum(self.by_day[figure].values())


class Reasons(msgspec.Struct, frozen=True):
    """Why customers canceled."""

    shown: tuple[tuple[str, int], ...] = ()
    """Reason and how many customers gave it, the most frequent first."""
    rest: int = 0
    """How many gave one of the others."""

    @property
    def total(self) -> int:
        return sum(number for _, number in self.shown) + self.rest


async def count(store: Store, brand: str, period: Period, zone: ZoneInfo) -> Sums:
    now = await _by_day(store, brand, period.first, period.last, zone)
    before = await _by_day(store, brand, period.first_before, period.last_before, zone)
    return Sums(now, {figure: sum(days.values()) for figure, days in before.items()})


async def _by_day(store: Store, brand: str, first: date, last: date, zone: ZoneInfo) -> dict[str, dict[date, int]]:
    found: dict[str, Counter[date]] = {figure: Counter() for figure in FIGURES}
    for each in stretches(first, last, zone):
        span = Span(brand, tuple(_FIGURE_OF), each.since, each.until)
        for day, kind, number in await activities.by_day(store, span, each.offset):
            found[_FIGURE_OF[kind]][_EPOCH + timedelta(days=day)] += number
    return {figure: dict(days) for figure, days in found.items()}


async def how_many_customers(store: Store, brand: str, figure: str, period: Period, zone: ZoneInfo) -> int:
    return await activities.how_many_customers(store, span_of(brand, FIGURES[figure], period, zone))


async def why(store: Store, brand: str, period: Period, zone: ZoneInfo) -> Reasons:
    found = await activities.said(store, span_of(brand, (WHY,), period, zone))
    return split(Counter(reason for _, reason in {(customer, said(data)[0]) for customer, data in found}))


def span_of(brand: str, kinds: Iterable[str], period: Period, zone: ZoneInfo) -> Span:
    return Span(brand, tuple(kinds), start(period.first, zone), start(period.last + timedelta(days=1), zone))


def said(data: bytes) -> tuple[str, str]:
    """The reason, and what the customer wrote."""
    texts = msgspec.msgpack.decode(data, type=dict[str, str])
    return texts.get("reason", ""), texts.get("comment", "")


def split(found: Counter[str]) -> Reasons:
    """The reasons that enough customers gave, and the others as one number. That number is large enough too: a smaller one
    takes the rarest of the shown reasons in, so that nobody works out a single reason from the total."""
    shown = sorted(((reason, number) for reason, number in found.items() if number >= SMALLEST), key=_by_frequency)
    rest = found.total() - sum(number for _, number in shown)
    while shown and 0 < rest < SMALLEST:
        rest += shown.pop()[1]
    return Reasons(tuple(shown), rest)


def _by_frequency(counted: tuple[str, int]) -> tuple[int, str]:
    reason, number = counted
    return -number, reason
