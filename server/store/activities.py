"""A line in a customer's history that no change of the account brings with it: who logged in or out, from where."""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec

from server.store import Row, Store, Transaction, micros

_ADD = """
INSERT INTO activity (id, brand, customer_id, at, kind, subject, data, browser)
VALUES (:id, :brand, :customer, :at, :kind, '', :data, :browser)"""

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
    data: dict[str, str] | None = None,
) -> None:
    """`browser` is the one that asked; `kind` has its words in `components/subscriptions/activity.html`."""
    row = {"id": secrets.token_hex(16), "brand": brand, "customer": customer_id, "at": micros(now), "kind": kind}
    transaction.count(_ADD, {**row, "data": msgspec.msgpack.encode(data or {}), "browser": browser})


def has_logged_in(transaction: Transaction, brand: str, customer_id: str) -> bool:
    """Whether a log-in of the customer is in the history."""
    return bool(transaction.run(_HAS_LOGGED_IN, {"brand": brand, "customer": customer_id}))


async def last_log_in(store: Store, brand: str, customer_id: str, *, before: datetime) -> Row | None:
    """When and from which browser the customer logged in last before that moment."""
    found = await store.read(_LAST_LOG_IN, {"brand": brand, "customer": customer_id, "before": micros(before)})
    return found[0] if found else None
