"""The events that wait for a merchant's endpoints: taken in order, each customer's by itself, and what became of them.

An event is taken by moving its `not_before` ahead, as a lease: of many workers one sends it, and one that dies is followed by
another. While an event of a customer waits, a later one of the same customer at the same endpoint does too. An
event that was not taken for three days is given up, and the next one goes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from server.store import Row, Store, Transaction, micros, moment

LEASE = timedelta(seconds=60)
KEPT = timedelta(days=3)
"""How long an endpoint may be away."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=6)

_DUE = """
SELECT id, brand, endpoint FROM event e
 WHERE state = 'waiting' AND not_before <= :now
   AND NOT EXISTS (SELECT 1 FROM event o
                    WHERE o.brand = e.brand AND o.endpoint = e.endpoint AND o.customer_id = e.customer_id
                      AND o.state = 'waiting' AND o.position < e.position)
 ORDER BY not_before, position LIMIT :limit"""
_TAKE = """
UPDATE event SET not_before = :lease, attempts = attempts + 1
 WHERE id = :id AND endpoint = :endpoint AND state = 'waiting' AND not_before <= :now
RETURNING id, brand, endpoint, type, document, attempts, created_at"""
_SENT = "UPDATE event SET state = 'sent', detail = :detail WHERE id = :id AND endpoint = :endpoint"
_LATER = """
UPDATE event SET not_before = :later, state = :state, detail = :detail
 WHERE id = :id AND endpoint = :endpoint AND state = 'waiting'"""
# Every endpoint is meant: with it, SQLite reads this event and not all of the brand.
_AGAIN = """
UPDATE event SET state = 'waiting', attempts = 0, not_before = :now, created_at = :now
 WHERE id = :id AND endpoint > '' AND brand = :brand"""
_LATEST = """
SELECT id, type, customer_id, endpoint, state, attempts, detail, created_at FROM event
 WHERE brand = :brand ORDER BY created_at DESC, position DESC LIMIT :limit"""

_ONE = """
SELECT type, customer_id, endpoint, state, attempts, detail, created_at, not_before, document FROM event
 WHERE id = :id AND endpoint > '' AND brand = :brand ORDER BY endpoint"""


class Taken(msgspec.Struct, frozen=True):
    id: str
    brand: str
    endpoint: str
    type: str
    body: bytes
    attempts: int
    created_at: datetime


async def take(store: Store, now: datetime, limit: int) -> list[Taken]:
    """What is due, at most so many; nobody else sends it for a minute."""
    due = await store.read(_DUE, {"now": micros(now), "limit": limit})
    if not due:
        return []

    times = {"now": micros(now), "lease": micros(now + LEASE)}
    taken = await store.write(
        lambda transaction: [
            transaction.later(_TAKE, {"id": id_, "endpoint": endpoint, **times}) for id_, _, endpoint in due
        ]
    )
    return [
        Taken(id_, brand, endpoint, type_, bytes(document), attempts, moment(created_at))
        for each in taken
        for id_, brand, endpoint, type_, document, attempts, created_at in each()
    ]


async def sent(store: Store, it: Taken, detail: str) -> None:
    row = {"id": it.id, "endpoint": it.endpoint, "detail": detail}
    await store.write(lambda transaction: transaction.count(_SENT, row))


async def later(store: Store, it: Taken, now: datetime, detail: str) -> None:
    """It was not taken: again after a pause, twice as long each time, or never."""
    pause = min(FIRST_PAUSE * 2 ** min(it.attempts - 1, 16), LONGEST_PAUSE)
    state = "failed" if now + pause >= it.created_at + KEPT else "waiting"
    row = {"id": it.id, "endpoint": it.endpoint, "later": micros(now + pause), "state": state, "detail": detail}
    await store.write(lambda transaction: transaction.count(_LATER, row))


def again(transaction: Transaction, brand: str, event_id: str, now: datetime) -> int:
    """Send it once more to each of its endpoints, whatever became of it; to how many."""
    return transaction.count(_AGAIN, {"brand": brand, "id": event_id, "now": micros(now)})


async def latest(store: Store, brand: str, limit: int) -> list[Row]:
    """Id, type, customer, endpoint, state, attempts, detail and moment (in microseconds) of the newest, newest first."""
    return await store.read(_LATEST, {"brand": brand, "limit": limit})


async def one(store: Store, brand: str, event_id: str) -> list[Row]:
    """An event, a row for each endpoint: type, customer, endpoint, state, attempts, detail, moment, when it is sent next (both
    in microseconds) and the JSON that is sent. Nothing: there is no such event."""
    return await store.read(_ONE, {"brand": brand, "id": event_id})
