"""A sync that an operator asked for: one row a brand, which a worker takes up. Asking again while one waits or runs changes
nothing; any sync that ends, by whoever, is the one that was asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from server.store import Store, Transaction, micros, moment

PAUSE = timedelta(seconds=30)
"""Between a try that failed and the next one."""
_ASK = """
INSERT INTO stripe_sync (brand, operator, asked_at, not_before, trouble, ended_at, customers, changed, odd)
VALUES (:brand, :operator, :now, :now, '', NULL, 0, 0, 0)
ON CONFLICT (brand) DO UPDATE SET operator = :operator, asked_at = :now, not_before = :now, trouble = '', ended_at = NULL
 WHERE stripe_sync.ended_at IS NOT NULL"""
_FIND = """
SELECT operator, asked_at, not_before, trouble, ended_at, customers, changed, odd FROM stripe_sync
 WHERE brand = :brand"""
_FAILED = """
UPDATE stripe_sync SET trouble = :trouble, not_before = :not_before WHERE brand = :brand AND ended_at IS NULL"""
_END = """
UPDATE stripe_sync SET ended_at = :now, trouble = '', customers = :customers, changed = :changed, odd = :odd
 WHERE brand = :brand AND ended_at IS NULL"""


class AskedSync(msgspec.Struct, frozen=True):
    operator: str
    asked_at: datetime
    not_before: datetime
    trouble: str
    """Why the last try failed: `away` (Stripe does not answer) or `key` (it does not take the key); empty: it did not."""
    ended_at: datetime | None
    customers: int
    """That were read, once it has ended."""
    changed: int
    odd: int


def ask(transaction: Transaction, brand: str, operator: str, now: datetime) -> bool:
    """Whether it is a new one: False, where one waits or runs."""
    return transaction.count(_ASK, {"brand": brand, "operator": operator, "now": micros(now)}) == 1


async def find(store: Store, brand: str) -> AskedSync | None:
    rows = await store.read(_FIND, {"brand": brand})
    if not rows:
        return None
    operator, asked_at, not_before, trouble, ended_at, *counts = rows[0]
    ended = None if ended_at is None else moment(ended_at)
    return AskedSync(operator, moment(asked_at), moment(not_before), trouble, ended, *counts)


async def is_due(store: Store, brand: str, now: datetime) -> bool:
    """Whether one waits that may be tried now."""
    found = await find(store, brand)
    return found is not None and found.ended_at is None and found.not_before <= now


async def failed(store: Store, brand: str, trouble: str, now: datetime) -> None:
    row = {"brand": brand, "trouble": trouble, "not_before": micros(now + PAUSE)}
    await store.write(lambda transaction: transaction.count(_FAILED, row))


async def end(store: Store, brand: str, *, customers: int, changed: int, odd: int, now: datetime) -> None:
    row = {"brand": brand, "customers": customers, "changed": changed, "odd": odd, "now": micros(now)}
    await store.write(lambda transaction: transaction.count(_END, row))
