"""What is given back and asked for when a subscription changes within a period, by the second.

A flexible subscription gives back what was billed: each item remembers its debits of the running period (`_debits`). A
classic one gives back what the item costs by its present price and discounts. What was never billed, as in a trial, is
not given back.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.stripe.money.discounts import net_of
from tests.stripe.money.pricing import amount_of, rounded
from tests.stripe.world import Json, World


@dataclass(frozen=True)
class Debit:
    """What an item was billed for a time."""

    amount: int
    start: int
    end: int


def part(amount: int, start: int, end: int, at: int) -> int:
    """The share of the amount that is for the time from `at` to the end."""
    if not start <= at < end:
        return 0
    return rounded(Decimal(amount) * (end - at) / (end - start))


def full(world: World, item: Json, discounts: list[str]) -> int:
    """What the item costs for a period, net of percentages."""
    price = world.get("price", item["price"])
    return net_of(world, discounts, price["product"], amount_of(price, item.get("quantity") or 0))


def credit(world: World, subscription: Json, item: Json, at: int) -> int:
    """What is given back for the item's unused time: a positive number."""
    start, end = item["current_period_start"], item["current_period_end"]
    debits = [Debit(full(world, item, subscription["discounts"]), start, end)]
    if subscription["status"] == "trialing":
        debits = []
    elif subscription["billing_mode"]["type"] == "flexible":
        debits = [Debit(*each) for each in item.get("_debits", [])] if "_debits" in item else debits
    return sum(part(each.amount, each.start, each.end, at) for each in debits)


def charge(world: World, item: Json, discounts: list[str], at: int) -> int:
    """What the item costs for the rest of its period."""
    return part(full(world, item, discounts), item["current_period_start"], item["current_period_end"], at)
