"""The filters that templates have for amounts, dates, times, numbers and countries, in the words of one locale."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from datetime import time as clock_time
from decimal import Decimal
from functools import lru_cache
from typing import Any
from unicodedata import combining, normalize
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers

from server.formats.address_lines import for_readers
from server.formats.money import Money


def filters_of(locale: Locale, zone: ZoneInfo, home: str) -> dict[str, Callable[..., Any]]:
    # Babel takes 6 to 20 µs for a date or an amount, and a page shows dozens: what recurs is kept.
    @lru_cache(maxsize=20_000)
    def money(value: Money) -> str:
        """An amount with its currency: minor units become the currency's decimals."""
        digits = numbers.get_currency_precision(value.currency)
        return numbers.format_currency(Decimal(value.amount).scaleb(-digits), value.currency, locale=locale)

    @lru_cache(maxsize=5_000)
    def unit_price(minor_units: str, currency: str) -> str:
        """A unit price given as a decimal of minor units: fractions of a cent are kept."""
        digits = numbers.get_currency_precision(currency)
        amount = Decimal(minor_units).scaleb(-digits)
        if amount == amount.quantize(Decimal(1).scaleb(-digits)):
            return numbers.format_currency(amount, currency, locale=locale)
        return numbers.format_currency(
            amount, currency, locale=locale, currency_digits=False, decimal_quantization=False
        )

    @lru_cache(maxsize=20_000)
    def of_day(value: date, style: str) -> str:
        return dates.format_date(value, style, locale=locale)

    def day(value: datetime | date, style: str = "long") -> str:
        return of_day(value.astimezone(zone).date() if isinstance(value, datetime) else value, style)

    def time(value: datetime) -> str:
        local = value.astimezone(zone)
        return _of_minute(local.hour, local.minute, locale)

    def moment(value: datetime) -> str:
        return dates.format_datetime(value, "medium", tzinfo=zone, locale=locale)

    def number(value: int | str | Decimal) -> str:
        return numbers.format_decimal(Decimal(value), locale=locale)

    def country(code: str) -> str:
        return str(locale.territories.get(code.upper(), code))

    named_so = (money, unit_price, time, moment, number, _iso, country)
    named: dict[str, Callable[..., Any]] = {each.__name__.lstrip("_"): each for each in named_so}
    return {**named, "date": day, "by_name": _by_name(country), "address_lines": for_readers(country, home)}


@lru_cache(maxsize=10_000)
def _of_minute(hour: int, minute: int, locale: Locale) -> str:
    return dates.format_time(clock_time(hour, minute), "short", locale=locale)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _by_name(country: Callable[[str], str]) -> Callable[[tuple[str, ...]], list[tuple[str, str]]]:
    def key(named: tuple[str, str]) -> list[str]:
        return [each for each in normalize("NFKD", named[1].casefold()) if not combining(each)]

    @lru_cache(maxsize=8)
    def by_name(codes: tuple[str, ...]) -> list[tuple[str, str]]:
        """Countries with their names, in the order of the names; an accent decides nothing."""
        return sorted(((code, country(code)) for code in codes), key=key)

    return by_name


def babel_locale(tag: str) -> Locale:
    """The locale of a tag such as `en`, `pt-BR`, `ar`. Raises `ValueError` for one that Babel does not know."""
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"{tag}: not a locale") from error
