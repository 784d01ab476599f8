"""The lines of a customer's history: what was done, when, to what, from which browser; and what all customers of a brand
did, counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from server.store import Row, Store, Transaction, micros, new_id

_ADD = """
INSERT INTO activity (id, brand, customer_id, at, kind, subject, data, browser)
VALUES (:id, :brand, :customer, :at, :kind, :subject, :data, :browser)"""

_LATEST = """
SELECT at, kind, subject, data, browser FROM activity WHERE brand = :brand AND customer_id = :customer
 ORDER BY at DESC, id DESC LIMIT :limit OFFSET :skip"""

# `|| ''` and the order say to SQLite to begin at the customer: else it reads the log-ins of all customers for those of one.
_HAS_LOGGED_IN = """
SELECT 1 FROM activity
 WHERE brand = :brand AND customer_id = :customer AND kind || '' = 'login' ORDER BY at DESC LIMIT 1"""
_LAST_LOG_IN = """
SELECT at, browser FROM activity
 WHERE brand = :brand AND customer_id = :customer AND kind || '' = 'login' AND at < :before ORDER BY at DESC LIMIT 1"""

# Days are counted from 1970-01-01 on, by a clock that is `offset` ahead of UTC.
_BY_DAY = """
SELECT (at + :offset) / 86400000000, kind, COUNT(*) FROM activity
 WHERE brand = :brand AND kind IN ({kinds}) AND at >= :since AND at < :until GROUP BY 1, 2"""
_HOW_MANY = """
SELECT COUNT(DISTINCT customer_id) FROM activity
 WHERE brand = :brand AND kind IN ({kinds}) AND at >= :since AND at < :until"""
_SAID = """
SELECT DISTINCT customer_id, data FROM activity
 WHERE brand = :brand AND kind IN ({kinds}) AND at >= :since AND at < :until"""
_NEWEST = """
SELECT id, at, customer_id, data FROM activity
 WHERE brand = :brand AND kind IN ({kinds}) AND at >= :since AND at < :until AND (at < :before_at OR (at = :before_at AND id < :before_id))
 ORDER BY at DESC, id DESC LIMIT :limit"""


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
    row = {"id": new_id(now), "brand": brand, "customer": customer_id, "at": micros(now), "kind": kind}
    values = {**row, "subject": subject, "data": msgspec.msgpack.encode(data or {}), "browser": browser}
    transaction.later(_ADD, values)


async def latest(store: Store, brand: str, customer_id: str, *, limit: int, skip: int = 0) -> list[Row]:
    """Moment (in microseconds), kind, subject, data (as `note` wrote it) and browser of the newest lines, newest first."""
    return await store.read(_LATEST, {"brand": brand, "customer": customer_id, "limit": limit, "skip": skip})


def has_logged_in(transaction: Transaction, brand: str, customer_id: str) -> Callable[[], bool]:
    """Asked now, answered when it is called: whether a log-in of the customer is in the history."""
    asked = transaction.later(_HAS_LOGGED_IN, {"brand": brand, "customer": customer_id})
    return lambda: bool(asked())


async def last_log_in(store: Store, brand: str, customer_id: str, *, before: datetime) -> Row | None:
    """When and from which browser the customer logged in last before that moment."""
    found = await store.read(_LAST_LOG_IN, {"brand": brand, "customer": customer_id, "before": micros(before)})
    return found[0] if found else None


class Span(msgspec.Struct, frozen=True):
    """Which lines of a brand are counted: of these kinds, from `since` on, before `until`."""

    brand: str
    kinds: tuple[str, ...]
    since: datetime
    until: datetime


async def by_day(store: Store, span: Span, offset: timedelta) -> list[Row]:
    """Day, kind, and how many lines of it there are: of each day that has any. Days count from 1970-01-01 on, by a clock
    that is `offset` ahead of UTC."""
    return await _read(store, _BY_DAY, span, offset=offset // timedelta(microseconds=1))


async def how_many_customers(store: Store, span: Span) -> int:
    """Of how many customers the lines are."""
    found: int = (await _read(store, _HOW_MANY, span))[0][0]
    return found


async def said(store: Store, span: Span) -> list[Row]:
    """Customer, and what a line of theirs says (as `note` wrote it); what a customer says twice is there once."""
    return await _read(store, _SAID, span)


async def newest(store: Store, span: Span, *, limit: int, before: tuple[datetime, str] | None = None) -> list[Row]:
    """Id, moment (in microseconds), customer and data of the newest lines, newest first. `before`: moment and id of the
    line from which to go on."""
    at, id_ = before or (span.until, "")
    return await _read(store, _NEWEST, span, before_at=micros(at), before_id=id_, limit=limit)


async def _read(store: Store, sql: str, span: Span, **more: object) -> list[Row]:
    kinds = {f"kind_{number}": kind for number, kind in enumerate(span.kinds)}
    asked = {"brand": span.brand, "since": micros(span.since), "until": micros(span.until), **kinds, **more}
    return await store.read(sql.format(kinds=", ".join(f":{name}" for name in kinds)), asked)
