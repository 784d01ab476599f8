"""What coupons take off an invoice's lines, and how long a discount lasts.

A percentage takes from each line; an amount is spread over the lines in proportion, so that the parts add up. A
proration is never discounted on the invoice: its amount was worked out net of the percentages (`net_of`). An amount that
a coupon takes off is not part of a proration: `python -m tests.stripe.check` asks Stripe whether that is so.
"""

from __future__ import annotations

from decimal import Decimal

from tests.stripe.errors import invalid
from tests.stripe.money.periods import add_months
from tests.stripe.money.pricing import rounded
from tests.stripe.world import Json, World, belongs_to


def coupon_of(world: World, discount: Json) -> Json:
    return world.get("coupon", discount["source"]["coupon"])


def _applies(coupon: Json, product: str) -> bool:
    only = (coupon.get("applies_to") or {}).get("products")
    return not only or product in only


def running(world: World, discounts: list[str]) -> list[str]:
    """Those that are not over yet."""
    return [each for each in discounts if (world.get("discount", each).get("end") or world.now + 1) > world.now]


def net_of(world: World, discounts: list[str], product: str, amount: int) -> int:
    """The amount after the percentages of these discounts."""
    for identity in running(world, discounts):
        coupon = coupon_of(world, world.get("discount", identity))
        if coupon.get("percent_off") and _applies(coupon, product):
            amount -= rounded(Decimal(amount) * Decimal(str(coupon["percent_off"])) / 100)
    return amount


def take_off(world: World, discounts: list[str], lines: list[Json]) -> list[Json]:
    """Write into each line what is taken off it; returns the sum of each discount."""
    totals = []
    for identity in discounts:
        coupon = coupon_of(world, world.get("discount", identity))
        meant = [line for line in lines if line["discountable"] and _applies(coupon, product_of(line))]
        parts = _parts(coupon, [_left(line) for line in meant])
        for line, part in zip(meant, parts, strict=True):
            line["discount_amounts"].append({"amount": part, "discount": identity})
        totals.append({"amount": sum(parts), "discount": identity})
    return totals


def _left(line: Json) -> int:
    return int(line["amount"]) - sum(each["amount"] for each in line["discount_amounts"])


def _parts(coupon: Json, amounts: list[int]) -> list[int]:
    if coupon.get("percent_off"):
        return [rounded(Decimal(amount) * Decimal(str(coupon["percent_off"])) / 100) for amount in amounts]
    return spread(min(coupon["amount_off"], max(sum(amounts), 0)), amounts)


def spread(amount: int, weights: list[int]) -> list[int]:
    """The amount in parts of these proportions, which add up to it: what rounding leaves goes to the largest remainders."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [Decimal(amount) * weight / whole for weight in weights]
    parts = [int(each) for each in exact]
    for index in sorted(range(len(parts)), key=lambda each: parts[each] - exact[each])[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def product_of(line: Json) -> str:
    return str(((line.get("pricing") or {}).get("price_details") or {}).get("product", ""))


def made(world: World, asked: list[Json] | str | None, owner: Json, subscription: Json | None) -> list[str]:
    """The ids of the discounts that a request asks for: kept ones, or new ones of a coupon or a promotion code."""
    return [] if not asked else [_made(world, each, owner, subscription) for each in asked if isinstance(each, dict)]


def _made(world: World, asked: Json, owner: Json, subscription: Json | None) -> str:
    if "discount" in asked:
        return str(world.get("discount", asked["discount"], param="discounts[discount]")["id"])
    code = None
    if "promotion_code" in asked:
        code = world.get("promotion_code", asked["promotion_code"], param="discounts[promotion_code]")
        _check_code(world, code, owner)
        code["times_redeemed"] += 1
    coupon = world.get("coupon", code["promotion"]["coupon"] if code else asked["coupon"], param="discounts[coupon]")
    _check_coupon(world, coupon)
    coupon["times_redeemed"] += 1
    end = add_months(world.now, coupon["duration_in_months"]) if coupon["duration"] == "repeating" else None
    return str(
        world.add(
            "discount", **belongs_to(owner["id"]), source={"type": "coupon", "coupon": coupon["id"]}, start=world.now, end=end,
            promotion_code=code["id"] if code else None, subscription=subscription["id"] if subscription else None,
        )["id"]
    )  # fmt: skip


def _check_coupon(world: World, coupon: Json) -> None:
    most = coupon.get("max_redemptions")
    if not coupon["valid"] or (coupon.get("redeem_by") or world.now + 1) <= world.now:
        raise invalid(f"Coupon expired: {coupon['id']}", param="coupon", code="coupon_expired")
    if most is not None and coupon["times_redeemed"] >= most:
        raise invalid(f"Coupon {coupon['id']} is used up and cannot be applied.", param="coupon", code="coupon_expired")


def _check_code(world: World, code: Json, owner: Json) -> None:
    most, ends = code.get("max_redemptions"), code.get("expires_at")
    used_up = most is not None and code["times_redeemed"] >= most
    if not code["active"] or used_up or (ends is not None and ends <= world.now):
        raise invalid("This promotion code cannot be redeemed because it is expired or inactive.",
                      param="discounts[promotion_code]", code="promotion_code_expired")  # fmt: skip
    if code.get("customer") not in (None, owner["id"]):
        raise invalid("This promotion code cannot be redeemed because it belongs to another customer.",
                      param="discounts[promotion_code]", code="promotion_code_wrong_customer")  # fmt: skip
    paid = any(row["status"] == "paid" and row["amount_paid"] > 0 for row in world.of(owner["id"], "invoice"))
    if code["restrictions"]["first_time_transaction"] and paid:
        raise invalid("This promotion code cannot be redeemed because the associated customer has prior transactions.",
                      param="discounts[promotion_code]", code="promotion_code_customer_not_first_time")  # fmt: skip


def check_minimum(world: World, discounts: list[str], subtotal: int) -> None:
    """Raises Stripe's refusal of a promotion code that wants a larger invoice."""
    for identity in discounts:
        code = world.get("discount", identity).get("promotion_code")
        least = world.get("promotion_code", code)["restrictions"].get("minimum_amount") if code else None
        if least is not None and subtotal < least:
            raise invalid("This promotion code cannot be redeemed because the minimum amount was not met.",
                          param="discounts[promotion_code]", code="promotion_code_minimum_amount_not_met")  # fmt: skip


def outlasting(world: World, discounts: list[str], at: int) -> list[str]:
    """Those that go on after an invoice of this moment: a coupon for once was for that one."""
    kept = []
    for identity in discounts:
        discount = world.get("discount", identity)
        if coupon_of(world, discount)["duration"] == "once":
            discount["end"] = at
        elif discount.get("end") is None or discount["end"] > at:
            kept.append(identity)
    return kept
