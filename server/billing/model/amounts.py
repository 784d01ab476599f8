"""What a quantity of a price costs, and how an amount is rounded and shared out. Pure.

Half a minor unit is rounded away from zero, as Stripe does. Of a currency whose last digits are always zero (two of `ISK`,
one of `KWD`), half of a hundred or of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from server.billing.model.account import Price
from server.formats.minor_units import smallest


def is_metered(price: Price) -> bool:
    return price.recurring is not None and price.recurring.usage == "metered"


def has_amount(price: Price) -> bool:
    """Whether it says what it costs: an export may leave out tiers, and who buys may choose an amount at Stripe."""
    return bool(price.tiers if price.billing_scheme == "tiered" else price.unit_amount)


def amount_of(price: Price, quantity: int) -> int:
    """Minor units for this quantity of the price."""
    return rounded(exact_amount(price, quantity), price.currency)


def exact_amount(price: Price, quantity: int) -> Fraction:
    """The same before it is rounded."""
    if price.billing_scheme == "tiered" and price.tiers:
        return _in_tiers(price, quantity)
    packages, rest = divmod(quantity, price.package_size)
    started = packages + (1 if rest and price.package_round == "up" else 0)
    return Fraction(price.unit_amount or 0) * started


def _in_tiers(price: Price, quantity: int) -> Fraction:
    """`volume`: the tier of the whole quantity counts for all of it; `graduated`: each tier for the units inside it."""
    total, below = Fraction(0), 0
    for tier in price.tiers:
        last = quantity if tier.up_to is None else min(tier.up_to, quantity)
        unit, flat = Fraction(tier.unit_amount or 0), Fraction(tier.flat_amount or 0)
        if price.tiers_mode == "volume":
            total = unit * quantity + flat
        elif last > below or quantity == 0:
            total += unit * (last - below) + flat
        if last == quantity:
            break
        below = last
    return total


def rounded(value: Fraction, currency: str = "") -> int:
    """Minor units, half away from zero."""
    step = smallest(currency)
    whole = (2 * abs(value.numerator) + value.denominator * step) // (2 * value.denominator * step) * step
    return whole if value >= 0 else -whole


def shares(whole: int, weights: Sequence[int], currency: str = "") -> list[int]:
    """The whole split by these weights; the parts add up to it exactly."""
    total, seen, given, parts = sum(weights), 0, 0, []
    for weight in weights:
        seen += weight
        upto = rounded(Fraction(whole * seen, total), currency) if total else 0
        parts.append(upto - given)
        given = upto
    return parts
