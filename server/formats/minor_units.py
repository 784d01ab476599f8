"""How many of the minor units that the payment side counts make one unit of a currency: 100 cents, 1 yen, 1000 fils.

An amount that Stripe sends is counted as its page of currencies says (https://docs.stripe.com/currencies#zero-decimal,
read in November 2026): in hundredths, unless the currency is in one of the two lists below. Neither ISO 4217 nor how a
locale prints a currency decides it. CLDR prints no decimals of a Serbian dinar, Stripe counts its hundredths all the same.

Special cases of that page:

    ISK, UGX    have no decimals any more, and are still counted in hundredths; the last two digits are always zero.
    HUF, TWD    are paid out to the merchant in whole units; a customer is charged in hundredths.
    BHD, JOD, KWD, OMR, TND    are counted in thousandths; nothing can be charged whose last digit is not zero.
"""

from __future__ import annotations

from decimal import Decimal

WITHOUT = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
"""Counted in whole units."""
THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
ALWAYS_WHOLE = frozenset({"ISK", "UGX"})
"""Counted in hundredths, and nobody knows decimals of them: a page shows none."""


def digits(currency: str) -> int:
    """How many decimals the minor unit is away from the currency's own unit: 2 unless Stripe's lists say otherwise."""
    code = currency.upper()
    return 0 if code in WITHOUT else 3 if code in THOUSANDTHS else 2


def smallest(currency: str) -> int:
    """The least amount that can be paid, in minor units: what is worked out is rounded to a multiple of it."""
    code = currency.upper()
    return 100 if code in ALWAYS_WHOLE else 10 if code in THOUSANDTHS else 1


def in_units(minor_units: int | str | Decimal, currency: str) -> Decimal:
    """An amount of minor units in the currency's own unit, with all its decimals: 1450 -> 14.50."""
    return Decimal(minor_units).scaleb(-digits(currency))


def shown_digits(amount: Decimal, currency: str) -> int:
    """How many decimals of this amount (in the currency's unit) a page shows at least."""
    if currency.upper() in ALWAYS_WHOLE and amount == amount.to_integral_value():
        return 0
    return digits(currency)
