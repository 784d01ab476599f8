"""What waits at a subscription because its customer asked for it -> the change. Pure.

`with_schedule`    a schedule that the portal made: the change comes at the period's end
`with_pending`     a pending update: the change comes when its invoice is paid

Ours carry the metadata `postern: "1"`, and have one phase after the running one. Any other is the business' own: its id
stays in `Subscription.schedule`, with the phases that are to come, and the portal leaves it alone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing.model.account import Awaiting, Discount, Scheduled, Subscription
from server.billing.rules.discounts import discount_of
from server.billing.stripe import mapping_waiting, wire
from server.billing.stripe.catalog import Copy
from server.billing.stripe.reading import MappingError, at, ident, part


def with_what_waits(raw: dict[str, Any], found: Subscription, known: Copy) -> Subscription:
    """Raises `MappingError` where it is of another shape."""
    try:
        return with_pending(raw, with_schedule(raw, found, known), known)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise MappingError(f"what waits at it is of another shape: {error!r}", "$.schedule") from error


def with_schedule(raw: dict[str, Any], found: Subscription, known: Copy) -> Subscription:
    """With the change that waits, where the portal made the schedule. `raw`: the subscription, its schedule expanded."""
    schedule = raw.get("schedule")
    if not isinstance(schedule, dict):
        return found
    if (schedule.get("metadata") or {}).get("postern") != "1":
        with suppress(MappingError):  # that there is one, the subscription says
            return replace(found, phases=mapping_waiting.schedule(schedule, known, found).phases)
        return found
    begun = (schedule.get("current_phase") or {}).get("start_date") or 0
    coming = [each for each in schedule.get("phases") or () if each["start_date"] > begun]
    if not coming:
        return replace(found, schedule="")
    phase, item = coming[0], coming[0]["items"][0]
    price = known.price(price_of(item))
    if price is None:
        return found
    scheduled = Scheduled(
        id=ident(schedule, "$.schedule"),
        at=at(phase["start_date"]),
        price=price,
        quantity=_quantity(item),
        asked_at=at(schedule["created"]),
        discount=_new_discount(phase, known),
    )
    return replace(found, schedule="", scheduled=scheduled)


def with_pending(raw: dict[str, Any], found: Subscription, known: Copy) -> Subscription:
    """With the change that waits for its payment: an item of one subscription, as the portal asks for it."""
    pending, latest = raw.get("pending_update") or {}, raw.get("latest_invoice")
    items: list[dict[str, Any]] = pending.get("subscription_items") or []
    invoice = ident(latest, "$.latest_invoice")
    price = known.price(price_of(items[0])) if len(items) == 1 else None
    if price is None or not invoice:
        return found
    return replace(found, awaiting=Awaiting(price, _quantity(items[0]), invoice, at(pending["expires_at"])))


def _quantity(item: dict[str, Any]) -> int:
    found = item.get("quantity")
    return 1 if found is None else msgspec.convert(found, wire.Quantity)


def price_of(item: dict[str, Any]) -> str:
    """The id of an item's price; empty where it says none."""
    price = item.get("price")
    return price if isinstance(price, str) else str(part(price).get("id", ""))


def _new_discount(phase: dict[str, Any], known: Copy) -> Discount | None:
    """The coupon that begins with the phase; one that is there already is named as a discount."""
    coupons = [each["coupon"] for each in phase.get("discounts") or () if each.get("coupon")]
    coupon = known.coupon(coupons[0]) if coupons else None
    return discount_of(coupon, at(phase["start_date"])) if coupon else None
