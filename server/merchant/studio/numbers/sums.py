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

Reasons, and plans from which to which, are split by how many customers there are of each. A group of fewer than `SMALLEST`
is not shown alone, nor can it be worked out from the others (`split`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from server.billing.model.documents import decode_texts
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


class Groups(msgspec.Struct, frozen=True):
    """Customers by what they said or did."""

    shown: tuple[tuple[str, int], ...] = ()
    """What it is, and how many customers; the largest first."""
    rest: int = 0
    """How many there are in all the others."""

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


async def why(store: Store, brand: str, period: Period, zone: ZoneInfo) -> Groups:
    """The reasons for which customers canceled."""
    return await _groups(store, span_of(brand, (WHY,), period, zone), _reason)


async def moves(store: Store, brand: str, period: Period, zone: ZoneInfo) -> Groups:
    """From which plan to which customers changed."""
    return await _groups(store, span_of(brand, FIGURES["plan_changes"], period, zone), _move)


async def _groups(store: Store, span: Span, name: Callable[[dict[str, str]], str]) -> Groups:
    found = {(customer, name(decode_texts(data))) for customer, data in await activities.said(store, span)}
    return split(Counter(group for _, group in found))


def _reason(texts: dict[str, str]) -> str:
    return texts.get("reason", "")


def _move(texts: dict[str, str]) -> str:
    before, after = texts.get("before", ""), texts.get("after", "")
    if before != after:
        return f"{before} → {after}"
    same = texts.get("price_before") == texts.get("price_after")
    return f"{after}, another quantity" if same else f"{after}, another price"


def span_of(brand: str, kinds: Iterable[str], period: Period, zone: ZoneInfo) -> Span:
    return Span(brand, tuple(kinds), start(period.first, zone), start(period.last + timedelta(days=1), zone))


def said(data: bytes) -> tuple[str, str]:
    """The reason, and what the customer wrote."""
    texts = decode_texts(data)
    return _reason(texts), texts.get("comment", "")


def split(found: Counter[str]) -> Groups:
    """The groups that are large enough, and the others as one number. That number is large enough too: a smaller one takes
    the smallest of the shown groups in, so that nobody works out a single group from the total."""
    shown = sorted(((name, number) for name, number in found.items() if number >= SMALLEST), key=_by_size)
    rest = found.total() - sum(number for _, number in shown)
    while shown and 0 < rest < SMALLEST:
        rest += shown.pop()[1]
    return Groups(tuple(shown), rest)


def _by_size(group: tuple[str, int]) -> tuple[int, str]:
    name, number = group
    return -number, name
