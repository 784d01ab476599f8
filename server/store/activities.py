"""A line in a customer's history that no change of the account brings with it: who logged in or out, from where."""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec

from server.store import Transaction, micros

_ADD = """
INSERT INTO activity (id, brand, customer_id, at, kind, subject, data, browser)
VALUES (:id, :brand, :customer, :at, :kind, '', :data, :browser)"""


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
