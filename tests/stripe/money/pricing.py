"""The amount of a price for a quantity: per unit, packages, tiers, and fractions of a minor unit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tests.stripe.world import Json

_ONE = Decimal(1)


def rounded(amount: Decimal) -> int:
    return int(amount.quantize(_ONE, ROUND_HALF_UP))


def as_decimal(amount: int | Decimal) -> str:
    return format(Decimal(amount).normalize(), "f")


def amount_of(price: Json, quantity: int) -> int:
    """What so many cost in one period; a metered price costs what was used, here nothing."""
    if (price.get("recurring") or {}).get("usage_type") == "metered":
        return 0
    if package := price.get("transform_quantity"):
        whole, rest = divmod(quantity, package["divide_by"])
        quantity = whole + (1 if rest and package["round"] == "up" else 0)
    if price.get("billing_scheme") != "tiered":
        return rounded(_unit(price) * quantity)
    if price["tiers_mode"] == "volume":
        return rounded(_in_volume(price["tiers"], quantity))
    return rounded(_graduated(price["tiers"], quantity))


def unit_decimal(price: Json, quantity: int) -> str:
    """What a line says of its unit: the price's, or the average of the tiers."""
    if price.get("billing_scheme") != "tiered":
        return as_decimal(_unit(price))
    return as_decimal((Decimal(amount_of(price, quantity)) / (quantity or 1)).quantize(Decimal("1.000000000000")))


def _unit(row: Json, key: str = "unit_amount") -> Decimal:
    exact = row.get(f"{key}_decimal")
    return Decimal(exact if exact is not None else row.get(key) or 0)


def _in_volume(tiers: list[Json], quantity: int) -> Decimal:
    tier = next(tier for tier in tiers if tier["up_to"] is None or quantity <= tier["up_to"])
    return _unit(tier) * quantity + _unit(tier, "flat_amount")


def _graduated(tiers: list[Json], quantity: int) -> Decimal:
    total, below = Decimal(0), 0
    for tier in tiers:
        if quantity <= below and below:
            break
        upper = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        total += _unit(tier) * (upper - below) + _unit(tier, "flat_amount")
        below = upper if tier["up_to"] is None else tier["up_to"]
    return total


def with_decimals(row: Json) -> None:
    """Say the amount of a price or tier in both of Stripe's ways."""
    if row.get("unit_amount") is not None:
        row["unit_amount_decimal"] = as_decimal(row["unit_amount"])
