"""Schedules that the portal made -> the change that waits. Pure.

Ours carry the metadata `postern: "1"`, and have one phase after the running one. Any other is the business' own: its id
stays in `Subscription.schedule`, and the portal leaves it alone.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from server.billing.model.account import Discount, Scheduled, Subscription
from server.billing.rules.discounts import discount_of
from server.billing.stripe.catalog import Copy
from server.billing.stripe.reading import at


def with_schedule(raw: dict[str, Any], found: Subscription, known: Copy) -> Subscription:
    """With the change that waits, where the portal made the schedule. `raw`: the subscription, its schedule expanded."""
    schedule = raw.get("schedule")
    if not isinstance(schedule, dict) or (schedule.get("metadata") or {}).get("postern") != "1":
        return found
    begun = (schedule.get("current_phase") or {}).get("start_date") or 0
    coming = [each for each in schedule.get("phases") or () if each["start_date"] > begun]
    if not coming:
        return replace(found, schedule="")
    phase, item = coming[0], coming[0]["items"][0]
    price = known.price(item["price"] if isinstance(item["price"], str) else item["price"]["id"])
    if price is None:
        return found
    scheduled = Scheduled(
        id=schedule["id"],
        at=at(phase["start_date"]),
        price=price,
        quantity=1 if item.get("quantity") is None else item["quantity"],
        asked_at=at(schedule["created"]),
        discount=_new_discount(phase, known),
    )
    return replace(found, schedule="", scheduled=scheduled)


def _new_discount(phase: dict[str, Any], known: Copy) -> Discount | None:
    """The coupon that begins with the phase; one that is there already is named as a discount."""
    coupons = [each["coupon"] for each in phase.get("discounts") or () if each.get("coupon")]
    coupon = known.coupon(coupons[0]) if coupons else None
    return discount_of(coupon, at(phase["start_date"])) if coupon else None
