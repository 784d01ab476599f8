"""The filters that templates have for amounts, dates, times, numbers and countries, in the words of one locale."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, date, datetime
from datetime import time as clock_time
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from unicodedata import combining, normalize
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers

from server.formats.address_lines import for_readers
from server.formats.minor_units import in_units, shown_digits
from server.formats.money import Money
from server.formats.tax_names import TaxName, name_of, type_of

_LETTER_BEFORE_DIGIT = re.compile(r"[^\W\d_](?=\d)")
"""Where CLDR puts a space between a currency's code and the number, which Babel leaves out."""
_SIGN_AFTER_LETTER = re.compile(r"(?<=[A-Z])[^\w\s]$")
"""The sign of a currency such as `US$`, at the end of an amount."""


# Babel takes 6 to 20 µs for a date or an amount, and a page shows dozens: what recurs is kept, once for all brands that
# write alike. `home`: the country from which an address abroad is seen.
@lru_cache(maxsize=100)
def filters_of(locale: Locale, zone: ZoneInfo, home: str) -> Mapping[str, Callable[..., Any]]:
    @lru_cache(maxsize=20_000)
    def money(value: Money) -> str:
        """An amount with its currency."""
        return _currency(in_units(value.amount, value.currency), value.currency, locale)

    @lru_cache(maxsize=5_000)
    def unit_price(minor_units: str, currency: str) -> str:
        """A unit price given as a decimal of minor units: fractions of a cent are kept."""
        return _currency(in_units(minor_units, currency), currency, locale)

    @lru_cache(maxsize=20_000)
    def of_day(value: date, style: str) -> str:
        return dates.format_date(value, style, locale=locale)

    def day(value: datetime | date, style: str = "long") -> str:
        return of_day(value.astimezone(zone).date() if isinstance(value, datetime) else value, style)

    def time(value: datetime) -> str:
        local = value.astimezone(zone)
        return _of_minute(local.hour, local.minute, locale)

    def moment(value: datetime) -> str:
        return _joined(day(value, "medium"), time(value), locale)

    def number(value: int | str | Decimal) -> str:
        return numbers.format_decimal(Decimal(value), locale=locale)

    def tax_name(number: str, kind: str) -> TaxName:
        """What a tax number of this type is called."""
        return name_of(kind, number, locale.language)

    def country(code: str) -> str:
        return str(locale.territories.get(code.upper(), code))

    named_so = (money, unit_price, time, moment, number, _iso, country, tax_name)
    named: dict[str, Callable[..., Any]] = {each.__name__.lstrip("_"): each for each in named_so}
    return {
        **named,
        "tax_type": type_of,
        "date": day,
        "by_name": _by_name(country),
        "address_lines": for_readers(country, home),
    }


def _currency(amount: Decimal, currency: str, locale: Locale) -> str:
    """As the locale writes money, with the decimals that the payment side counts: CLDR has its own idea of those."""
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (shown_digits(amount, currency),) * 2
    written: str = pattern.apply(amount, locale, currency=currency, currency_digits=False, decimal_quantization=False)
    written = _LETTER_BEFORE_DIGIT.sub("\\g<0>\u00a0", written)
    # From right to left the sign would leave its letters and be shown as `$US`: a mark (LRM) behind it keeps them together.
    return written if locale.text_direction == "ltr" else _SIGN_AFTER_LETTER.sub("\\g<0>\u200e", written)


def _joined(day: str, time: str, locale: Locale) -> str:
    """A day and a minute, as the language puts them together: nobody reads seconds."""
    pattern = str(dates.get_datetime_format("medium", locale=locale)).replace("'", "")
    return pattern.replace("{0}", time).replace("{1}", day)


@lru_cache(maxsize=10_000)
def _of_minute(hour: int, minute: int, locale: Locale) -> str:
    return dates.format_time(clock_time(hour, minute), "short", locale=locale)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _by_name(country: Callable[[str], str]) -> Callable[[tuple[str, ...]], list[tuple[str, str]]]:
    def key(named: tuple[str, str]) -> list[str]:
        return [each for each in normalize("NFKD", named[1].casefold()) if not combining(each)]

    @lru_cache(maxsize=8)
    def by_name(codes: tuple[str, ...]) -> list[tuple[str, str]]:
        """Countries with their names, in the order of the names; an accent decides nothing."""
        return sorted(((code, country(code)) for code in codes), key=key)

    return by_name


@cache
def babel_locale(tag: str) -> Locale:
    """The locale of a tag such as `en`, `pt-BR`, `ar`. Raises `ValueError` for one that Babel does not know."""
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"{tag}: not a locale") from error
