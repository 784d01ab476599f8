"""Telephone numbers: kept as E.164, shown as their country writes them for abroad. The data is Google's
(`phonenumbers`).

A number is taken when its country has numbers of that length, four digits at the least. Whether the number is assigned is not asked: the data
of assigned ranges is always a little behind, and nobody's number is refused for that.
"""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

LONGEST_PHONE = 40
"""Characters that may be typed; E.164 itself has 15 digits."""

_SHORTEST = 4
"""Digits without the country code, as on Saint Helena. Some countries' data allows for a single digit."""


def read(typed: str, country: str) -> str:
    """As E.164; a number without `+` is one of `country` (two letters, or empty). Empty text where it is none, or has
    an extension, which E.164 has no place for."""
    try:
        number = phonenumbers.parse(typed, country or None)
    except phonenumbers.NumberParseException:
        return ""
    national = phonenumbers.national_significant_number(number)
    if number.extension or len(national) < _SHORTEST or not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=2_000)
def shown(stored: str) -> str:
    """With its blanks. What is not E.164 is shown as it is: a merchant's own data may be anything."""
    if not stored:
        return ""
    try:
        number = phonenumbers.parse(stored)
    except phonenumbers.NumberParseException:
        return stored
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != stored:
        return stored
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def example(country: str) -> str:
    """The data's example for the country in its international form, or empty. Somebody may have that number."""
    number = phonenumbers.example_number(country) if country else None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL) if number else ""
