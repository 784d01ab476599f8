"""The lines of a customer's history: what was done, when, to what, from which browser."""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec

from server.store import Row, Store, Transaction, micros

_ADD = """
INSERT INTO activity (id, brand, customer_id, at, kind, subject, data, browser)
VALUES (:id, :brand, :customer, :at, :kind, :subject, :data, :browser)"""

_LATEST = """
SELECT at, kind, subject, data, browser FROM activity WHERE brand = :brand AND customer_id = :customer
 ORDER BY at DESC, id DESC LIMIT :limit OFFSET :skip"""

_HAS_LOGGED_IN = """
SELECT 1 FROM activity WHERE brand = :brand AND customer_id = :customer AND kind = 'login' LIMIT 1"""
_LAST_LOG_IN = """
SELECT at, browser FROM activity
 WHERE brand = :brand AND customer_id = :customer AND kind = 'login' AND at < :before ORDER BY at DESC LIMIT 1"""


def note(
    transaction: Transaction,
    brand: str,
    customer_id: str,
    kind: str,
    *,
    now: datetime,
    browser: str,
    subject: str = "",
    data: dict[str, str] | None = None,
) -> None:
    """`browser` is the one that asked; `kind` has its words in `components/subscriptions/activity.html`; `subject`: the id of
    what it was done to."""
    row = {"id": secrets.token_hex(16), "brand": brand, "customer": customer_id, "at": micros(now), "kind": kind}
    values = {**row, "subject": subject, "data": msgspec.msgpack.encode(data or {}), "browser": browser}
    transaction.count(_ADD, values)


async def latest(store: Store, brand: str, customer_id: str, *, limit: int, skip: int = 0) -> list[Row]:
    """Moment (in microseconds), kind, subject, data (as `note` wrote it) and browser of the newest lines, newest first."""
    return await store.read(_LATEST, {"brand": brand, "customer": customer_id, "limit": limit, "skip": skip})


def has_logged_in(transaction: Transaction, brand: str, customer_id: str) -> bool:
    """Whether a log-in of the customer is in the history."""
    return bool(transaction.run(_HAS_LOGGED_IN, {"brand": brand, "customer": customer_id}))


async def last_log_in(store: Store, brand: str, customer_id: str, *, before: datetime) -> Row | None:
    """When and from which browser the customer logged in last before that moment."""
    found = await store.read(_LAST_LOG_IN, {"brand": brand, "customer": customer_id, "before": micros(before)})
    return found[0] if found else None
