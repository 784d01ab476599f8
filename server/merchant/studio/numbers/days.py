"""Which days a period has, and the moments that they are made of where the brand is.

A day begins at midnight of the brand's time zone. The database knows no time zones, so it is asked for one stretch after
the other in which the clocks there are not changed, with how far they are ahead of UTC.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

_DAY, _MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
LENGTHS = {"7": 7, "30": 30, "90": 90}
YEAR = "12m"
NAMES = (*LENGTHS, YEAR)


class Period(msgspec.Struct, frozen=True):
    """Whole days, today among them."""

    name: str
    first: date
    last: date
    first_before: date
    """The first of as many days before, with which the period is compared."""

    @property
    def last_before(self) -> date:
        """A year ago where the period is a year: then days that are still to come count in neither."""
        return _year_before(self.last) if self.name == YEAR else self.first - _DAY

    @property
    def days(self) -> list[date]:
        return [self.first + number * _DAY for number in range((self.last - self.first).days + 1)]


class Stretch(msgspec.Struct, frozen=True):
    """From `since` on, before `until`, the clocks are `offset` ahead of UTC."""

    since: datetime
    until: datetime
    offset: timedelta


def period(name: str, today: date) -> Period:
    """The days of that name, up to today. A year begins with the month after the one that it is a year ago."""
    if name != YEAR:
        length = LENGTHS.get(name, LENGTHS["30"]) * _DAY
        first = today - length + _DAY
        return Period(name if name in LENGTHS else "30", first, today, first - length)
    last_year = _year_before(today.replace(day=1))
    first = (last_year + 31 * _DAY).replace(day=1)
    return Period(YEAR, first, today, _year_before(first))


def _year_before(day: date) -> date:
    year = day.year - 1
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def start(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which the day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def stretches(first: date, last: date, zone: ZoneInfo) -> Iterator[Stretch]:
    """What these days are made of, in order."""
    since, until = start(first, zone), start(last + _DAY, zone)
    while since < until:
        change = _next_change(since, until, zone)
        yield Stretch(since, change, _ahead(since, zone))
        since = change


def _next_change(since: datetime, until: datetime, zone: ZoneInfo) -> datetime:
    """When the clocks are changed next, or `until`."""
    same, offset = since, _ahead(since, zone)
    while same < until - _MICROSECOND:
        later = min(same + _DAY, until - _MICROSECOND)
        if _ahead(later, zone) != offset:
            return _change(same, later, zone)
        same = later
    return until


def _ahead(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two from which on the clocks are as they are at the second."""
    while after - before > _MICROSECOND:
        middle = before + (after - before) // 2
        if _ahead(middle, zone) == _ahead(after, zone):
            after = middle
        else:
            before = middle
    return after
