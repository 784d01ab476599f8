"""Tax numbers by type: which types a country has, whether a number fits its type, and how it is written.

Forms and check digits are `python-stdnum`'s; `tax_types` names its module for each type, or a shape where it has none.
Nothing is asked of a tax office here: that a number fits says that it was not mistyped, not whose it is.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any

from server.formats.tax_types import BY_CODE, KINDS, TaxType
from server.formats.texts import plain

MOST_TAX_NUMBERS = 5
"""At most this many for one customer, as at Stripe."""
LONGEST_TAX_NUMBER = 50
"""Characters that may be typed."""
VERIFIED = frozenset({"eu_vat", "gb_vat", "au_abn"})
"""The types that are looked up at an office after they were added, as Stripe does. The others cannot be."""

EUROPEAN = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
_PREFIXES = {"GR": "EL"}
"""Where the prefix of a VAT number is not the country's code. Northern Ireland's is XI, of the country GB."""


def offered(country: str) -> tuple[tuple[TaxType, ...], tuple[TaxType, ...]]:
    """The types of the country, the usual one first; and all others."""
    own = [each for each in KINDS if country and each.country == country]
    if country in EUROPEAN or country in ("MC", "IM"):
        own.insert(0, BY_CODE["eu_vat"])
    elif country == "GB":
        own.append(BY_CODE["eu_vat"])
    return tuple(own), tuple(each for each in KINDS if each not in own)


def example(code: str, country: str = "") -> str:
    """What a number of the type looks like, in this country where the type is of several."""
    if code == "eu_vat" and country in _EXAMPLES:
        return _EXAMPLES[country]
    return BY_CODE[code].example


def read(code: str, typed: str, country: str = "") -> str:
    """The number as it is kept; empty where it is none of this type. `country` of the address: it gives a European
    VAT number the prefix that was left out."""
    kind = BY_CODE.get(code)
    written = plain(typed)
    bare = _bare(written)
    if kind is None or len(typed) > LONGEST_TAX_NUMBER or not re.fullmatch("[0-9A-ZÑ&+*]*[1-9][0-9A-ZÑ&+*]*", bare):
        return ""
    if code in ("eu_vat", "eu_oss_vat"):
        return _european(code, bare, country)
    if code == "hu_tin":
        return (
            f"{bare[:8]}-{bare[8]}-{bare[9:]}" if re.fullmatch("[0-9]{11}", bare) and _fits("hu.anum", bare[:8]) else ""
        )
    if code == "no_vat":
        written = bare = re.sub("^NO", "", bare).removesuffix("MVA") + "MVA"
    if code == "ca_gst_hst" and bare[9:11] != "RT":
        return ""
    for name in kind.modules.split():
        if _fits(name, written):
            return _written(kind, name, written)
    return written if kind.shape and re.fullmatch(kind.shape, bare) else ""


def same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two (type, number) are the same one, however they are written."""
    return one[0] == other[0] and _bare(plain(one[1])) == _bare(plain(other[1]))


def _european(code: str, bare: str, country: str) -> str:
    if code == "eu_oss_vat":
        return bare if bare.startswith("EU") and _fits("eu.oss", bare) else ""
    if bare.startswith("GR"):
        bare = "EL" + bare[2:]
    known = {_PREFIXES.get(each, each) for each in EUROPEAN} | {"XI"}
    own = _PREFIXES.get(country, country)
    for each in (bare, own + bare):
        if each[:2] in known and _fits("eu.vat", each):
            found: str = _module("eu.vat").validate(each)
            return found
    return ""


def _written(kind: TaxType, name: str, number: str) -> str:
    """In the form of the type's example: with its punctuation, and with its prefix."""
    module = _module(name)
    punctuated = hasattr(module, "format") and re.search("[ ./-]", kind.example)
    found: str = module.format(number) if punctuated else module.compact(number)
    prefix = kind.country if kind.example.startswith(kind.country) else ""
    return found if found.startswith(prefix) else prefix + found


def _fits(name: str, number: str) -> bool:
    try:
        _module(name).validate(number)
    except ValueError:  # python-stdnum's own class would bring all of it, and every process would wait
        return False
    return True


@cache
def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")


def _bare(number: str) -> str:
    return re.sub("[ ./-]", "", number)


_EXAMPLES = {
    "AT": "ATU12345678", "BE": "BE0123456789", "BG": "BG0123456789", "CY": "CY12345678Z", "CZ": "CZ1234567890",
    "DE": "DE123456789", "DK": "DK12345678", "EE": "EE123456789", "ES": "ESA1234567Z", "FI": "FI12345678",
    "FR": "FRAB123456789", "GB": "XI123456789", "GR": "EL123456789", "HR": "HR12345678912", "HU": "HU12345678",
    "IE": "IE1234567AB", "IT": "IT12345678912", "LT": "LT123456789123", "LU": "LU12345678", "LV": "LV12345678912",
    "MC": "FRAB123456789", "MT": "MT12345678", "NL": "NL123456789B12", "PL": "PL1234567890", "PT": "PT123456789",
    "RO": "RO1234567891", "SE": "SE123456789123", "SI": "SI12345678", "SK": "SK1234567891",
}  # fmt: skip
"""Of Stripe's documentation, like those of the types."""
