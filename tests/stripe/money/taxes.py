"""Tax of a line by its rates: inside the amount or on top of it, rounded for each line and rate."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from tests.stripe.money.pricing import rounded
from tests.stripe.world import Json, World


def tax(world: World, lines: list[Json], rates: list[str], exempt: str) -> list[Json]:
    """Write each line's taxes into it; returns the sum of each rate. `exempt` is the customer's `tax_exempt`."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        net = line["amount"] - sum(each["amount"] for each in line["discount_amounts"])
        line["taxes"] = [
            _on(world.get("tax_rate", rate), net, exempt) for rate in line.pop("_tax_rates", None) or rates
        ]
        for each in line["taxes"]:
            of = sums[each["tax_rate_details"]["tax_rate"]]
            of[0] += each["amount"]
            of[1] += each["taxable_amount"]
    return [
        {**_head(world.get("tax_rate", rate), exempt), "amount": amount, "taxable_amount": taxable}
        for rate, (amount, taxable) in sums.items()
    ]


def _on(rate: Json, net: int, exempt: str) -> Json:
    percentage = Decimal(str(rate["percentage"]))
    inside = rounded(Decimal(net) * percentage / (100 + percentage))
    amount = inside if rate["inclusive"] else rounded(Decimal(net) * percentage / 100)
    if exempt != "none":
        amount = 0
    return {**_head(rate, exempt), "amount": amount, "taxable_amount": net - amount if rate["inclusive"] else net}


def _head(rate: Json, exempt: str) -> Json:
    return {
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": {"exempt": "customer_exempt", "reverse": "reverse_charge"}.get(exempt, "standard_rated"),
        "type": "tax_rate_details",
    }
