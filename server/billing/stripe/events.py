"""Stripe's events: each says that something changed, and is never believed what. What it touches is read again.

Events come at least once, in any order, several in one second, by the poller and by the webhook: an event's id is written
first, in the transaction that marks what it touches, and the second of the same id does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from server.store import Store, Transaction, micros

LEASE = timedelta(seconds=60)
"""How long one process has what it took to read again; where it fails, the next one tries after this."""
PAUSE = timedelta(seconds=1)
"""Between two readings of the same thing."""
KEPT = timedelta(days=31)
"""Stripe lists its events for 30 days: an older one never comes again."""

BROWSER_FIRST = timedelta(seconds=30)
"""How long a customer's browser has to come back from Stripe's page, before what was added there is taken in without it."""
OF_BRAND = "postern_brand"
"""The metadata of a Checkout session that the portal made, with the brand's name: others are none of ours."""

_SEEN = """
INSERT INTO stripe_event (brand, id, created_at) VALUES (:brand, :id, :created_at) ON CONFLICT DO NOTHING"""
_MARK = """
INSERT INTO stripe_dirty (brand, kind, id, marked_at, not_before) VALUES (:brand, :kind, :id, 1, :now)
ON CONFLICT (brand, kind, id) DO UPDATE SET marked_at = stripe_dirty.marked_at + 1"""
_DUE = """
SELECT kind, id, marked_at FROM stripe_dirty WHERE brand = :brand AND not_before <= :now
 ORDER BY not_before, kind, id LIMIT :limit"""
_TAKE = """
UPDATE stripe_dirty SET not_before = :until
 WHERE brand = :brand AND kind = :kind AND id = :id AND not_before <= :now"""
_DONE = "DELETE FROM stripe_dirty WHERE brand = :brand AND kind = :kind AND id = :id AND marked_at = :marked"
_AGAIN = "UPDATE stripe_dirty SET not_before = :soon WHERE brand = :brand AND kind = :kind AND id = :id"
_WAITING = "SELECT COUNT(*), MIN(not_before) FROM stripe_dirty WHERE brand = :brand"
_OLD = """
DELETE FROM stripe_event WHERE created_at < :before AND (brand, id) IN
 (SELECT brand, id FROM stripe_event WHERE created_at < :before LIMIT 2000)"""

PAYMENTS = "payments"
"""The kind of touch that has a customer's payments read, beside the account."""
REFUND = "refund"
"""The kind of touch by a refund that does not say whose it is: that is asked first."""
_OF_PAYMENTS = ("charge.", "refund.")
_CATALOG = frozenset({"product", "price", "coupon", "tax_rate"})


class Event(msgspec.Struct, frozen=True):
    """What is read of an event; the rest is ignored."""

    id: str
    created: int
    livemode: bool
    type: str
    data: dict[str, Any] = {}
    account: str | None = None
    """Of another account, where the merchant's is a platform."""


class Touch(msgspec.Struct, frozen=True):
    """What is to be read again."""

    kind: str
    """`customer`, `product`, `price`, `coupon`, `tax_rate`, `payments` (of a customer), `refund`, or `setup`: a finished
    Checkout session."""
    id: str


class Taken(msgspec.Struct, frozen=True):
    """A touch that this process reads now."""

    touch: Touch
    marked: int
    """How often it was marked until then."""


def touches(event: Event) -> Touch | None:
    """What the event touches: the object itself, or the customer it belongs to, whatever kind of event it is; or whom it
    belonged to, such as a payment method that was taken away."""
    found, before = event.data.get("object"), event.data.get("previous_attributes")
    if not isinstance(found, dict):
        return None
    kind, owner = found.get("object"), found.get("customer_account") or found.get("customer")
    if owner is None and isinstance(before, dict):
        owner = before.get("customer_account") or before.get("customer")
    if kind in _CATALOG:
        return _touch(str(kind), found.get("id"))
    if kind == "customer":
        owner = found.get("customer_account") or found.get("id")
    if kind == REFUND and owner is None:
        return _touch(REFUND, found.get("id"))
    return _touch("customer", owner.get("id") if isinstance(owner, dict) else owner)


def setup_of(event: Event, brand: str) -> Touch | None:
    """The session of this brand's in which a customer added a payment method on Stripe's page."""
    found = event.data.get("object")
    if not isinstance(found, dict) or event.type != "checkout.session.completed":
        return None
    said = found.get("metadata")
    return _touch("setup", found.get("id")) if isinstance(said, dict) and said.get(OF_BRAND) == brand else None


def _touch(kind: str, id_: object) -> Touch | None:
    return Touch(kind, id_) if isinstance(id_, str) and 0 < len(id_) <= 255 else None


async def take_in(store: Store, brand: str, events: Iterable[Event], *, is_live: bool, now: datetime) -> int:
    """Write the events down and mark what they touch; how many were new. One of the other mode, or of another account, is
    written down and touches nothing."""
    found = list(events)

    def work(transaction: Transaction) -> int:
        new = 0
        for event in found:
            values = {"brand": brand, "id": event.id, "created_at": event.created * 1_000_000}
            if transaction.count(_SEEN, values) != 1:
                continue
            new += 1
            if event.livemode is not is_live or event.account:
                continue
            touched = touches(event)
            if touched and touched.kind == "customer" and event.type.startswith(_OF_PAYMENTS):
                mark_payments(transaction, brand, touched.id, now)
            elif touched:
                mark(transaction, brand, touched, now)
            if added := setup_of(event, brand):
                mark(transaction, brand, added, now + BROWSER_FIRST)
        return new

    return await store.write(work)


def mark(transaction: Transaction, brand: str, touch: Touch, now: datetime) -> None:
    """To be read again soon."""
    transaction.count(_MARK, {"brand": brand, "kind": touch.kind, "id": touch.id, "now": micros(now)})


def mark_payments(transaction: Transaction, brand: str, customer: str, now: datetime) -> None:
    """The account, and how its invoices were paid."""
    for kind in ("customer", PAYMENTS):
        mark(transaction, brand, Touch(kind, customer), now)


async def take(store: Store, brand: str, now: datetime, limit: int) -> list[Taken]:
    """What this process reads again now; no other does in the meantime."""

    def work(transaction: Transaction) -> list[Taken]:
        found = transaction.run(_DUE, {"brand": brand, "now": micros(now), "limit": limit})
        return [
            Taken(Touch(kind, id_), marked)
            for kind, id_, marked in found
            if transaction.count(
                _TAKE,
                {"brand": brand, "kind": kind, "id": id_, "now": micros(now), "until": micros(now + LEASE)},
            )
            == 1
        ]

    return await store.write(work)


async def done(store: Store, brand: str, taken: Taken, now: datetime) -> None:
    """It was read. Marked again meanwhile, it is read once more."""
    what = {"brand": brand, "kind": taken.touch.kind, "id": taken.touch.id}

    def work(transaction: Transaction) -> None:
        if transaction.count(_DONE, {**what, "marked": taken.marked}) != 1:
            transaction.count(_AGAIN, {**what, "soon": micros(now + PAUSE)})

    await store.write(work)


async def waiting(store: Store, brand: str) -> tuple[int, int | None]:
    """How much is to be read again, and since when (microseconds)."""
    count, since = (await store.read(_WAITING, {"brand": brand}))[0]
    return int(count), since


async def forget_old(store: Store, now: datetime) -> None:
    await store.write(lambda transaction: transaction.count(_OLD, {"before": micros(now - KEPT)}))
