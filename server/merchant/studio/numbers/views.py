"""What customers do, as figures and as what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import ClassVar

import msgspec

from server.merchant.studio.numbers.days import NAMES, YEAR, Period
from server.merchant.studio.numbers.plots import Bars, bars
from server.merchant.studio.numbers.sums import Groups, Sums
from server.merchant.studio.pages.wording import MEANINGS
from server.rendering.views import View

SHOWN = ("log_ins", "cancellations", "plan_changes", "retained", "failed_payments")
"""Those with a plot; the others are said beside them."""
_REASONS = MEANINGS["features.subscription_cancel.cancellation_reason.options"]


class Plot(msgspec.Struct, frozen=True):
    """One figure over time."""

    name: str
    total: int
    before: int
    """In the days before."""
    customers: int
    """How many did it."""
    bars: Bars
    rows: tuple[tuple[str, int], ...]
    """Day or month, and number; those without any are left out."""
    most: tuple[str, int]
    """The day or month with the most."""


class Group(msgspec.Struct, frozen=True):
    label: str
    number: int
    share: int
    """In percent of all."""


class Split(msgspec.Struct, frozen=True):
    """Customers by what they said or did."""

    groups: tuple[Group, ...]
    rest: int
    """How many there are in groups that are too small to be shown."""

    @property
    def total(self) -> int:
        return self.rest + sum(each.number for each in self.groups)


class Words(msgspec.Struct, frozen=True):
    """Why one customer canceled."""

    at: datetime
    """In the brand's time zone."""
    reason: str
    words: str
    customer: str
    """The id."""
    name: str
    """Or the address, or the id where neither is known."""


class Numbers(View, frozen=True):
    layout: ClassVar[str] = "brand"

    period: str
    periods: tuple[str, ...]
    first: date
    last: date
    zone: str
    is_monthly: bool
    ends: tuple[str, str]
    """The first and the last day or month of a plot."""
    plots: tuple[Plot, ...]
    totals: dict[str, int]
    """Of every figure."""
    reasons: Split
    moves: Split
    """From which plan to which."""
    words: tuple[Words, ...] = ()
    """The newest."""
    may_read_words: bool = False
    is_copied: bool = False
    """What happens by itself is known of the accounts that the portal has a copy of, not of all."""

    @property
    def is_empty(self) -> bool:
        return not (any(self.totals.values()) or any(each.before for each in self.plots) or self.reasons.total)


def numbers(
    period: Period,
    zone: str,
    *,
    sums: Sums,
    customers: dict[str, int],
    why: Groups,
    moves: Groups,
    words: Iterable[Words] | None,
) -> Numbers:
    """`words`: None where they are none of the operator's business."""
    is_monthly = period.name == YEAR
    buckets = list(dict.fromkeys(_bucket(day, is_monthly=is_monthly) for day in period.days))
    return Numbers(
        period=period.name,
        periods=NAMES,
        first=period.first,
        last=period.last,
        zone=zone,
        is_monthly=is_monthly,
        ends=(_label(buckets[0], is_monthly=is_monthly), _label(buckets[-1], is_monthly=is_monthly)),
        plots=tuple(_plot(name, sums, customers[name], buckets, is_monthly=is_monthly) for name in SHOWN),
        totals={name: sums.total(name) for name in sums.by_day},
        reasons=_split(why, label),
        moves=_split(moves, str),
        words=tuple(words or ()),
        may_read_words=words is not None,
    )


def _plot(name: str, sums: Sums, customers: int, buckets: list[date], *, is_monthly: bool) -> Plot:
    found = dict.fromkeys(buckets, 0)
    for day, number in sums.by_day[name].items():
        found[_bucket(day, is_monthly=is_monthly)] += number
    rows = [(_label(bucket, is_monthly=is_monthly), number) for bucket, number in found.items() if number]
    most = max(rows, key=lambda row: row[1], default=("", 0))
    drawn = bars(list(found.values()))
    return Plot(name, sums.total(name), sums.before[name], customers, drawn, tuple(rows), most)


def _split(found: Groups, label: Callable[[str], str]) -> Split:
    groups = (Group(label(name), number, round(100 * number / found.total)) for name, number in found.shown)
    return Split(tuple(groups), found.rest)


def _bucket(day: date, *, is_monthly: bool) -> date:
    return day.replace(day=1) if is_monthly else day


def _label(day: date, *, is_monthly: bool) -> str:
    return f"{day:%B %Y}" if is_monthly else f"{day:%a} {day.day} {day:%B}"


def label(reason: str) -> str:
    """The reason as customers choose it; one that is not known here is said as it is."""
    return _REASONS[reason][0] if reason in _REASONS else reason
