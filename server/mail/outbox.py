"""The outbox: mail that is to be sent, as rows that a request writes and a worker takes.

A request puts its row in the transaction of everything else it does, so there is never a code without its mail. Any
number of processes may work on the same rows. Taking a row is one UPDATE that also moves `not_before` ahead, the lease:
nobody else takes it meanwhile, and if the process dies the row is due again once the lease is over. So a mail is sent
at least once, and a second time only when a process died between the server's "accepted" and our note of it.

    waiting ── sent       the mail server took it
            ── nobody     the address belongs to no customer who may log in
            ── expired    not sent: its code lapsed, or the server refused it for good; `detail` says which
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from server.store import Store, micros, moment

LEASE = timedelta(seconds=60)
"""Longer than sending one mail may take (`SmtpMailer`: 40 s)."""

BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 30, 60))
"""How long to wait after the first, second, … failure; the last one from then on."""

_IS_DUE = "state = 'waiting' AND not_before <= :now"
_ANY_DUE = f"SELECT 1 FROM outbox WHERE {_IS_DUE} LIMIT 1"
_CLAIM = f"""
UPDATE outbox SET not_before = :lease, attempts = attempts + 1
 WHERE id IN (SELECT id FROM outbox WHERE {_IS_DUE} ORDER BY not_before LIMIT :limit) AND {_IS_DUE}
RETURNING id, brand, kind, address, data, created_at, expires_at, attempts, detail"""
_FINISH = "UPDATE outbox SET state = :state, detail = :detail, data = NULL WHERE id = :id AND state = 'waiting'"
# Only while the lease is still ours: whoever took the row after us decides about it now.
_PUT_BACK = """
UPDATE outbox SET not_before = :not_before, detail = :detail
 WHERE id = :id AND state = 'waiting' AND attempts = :attempts"""
_BY_ADDRESS = """
SELECT created_at, kind, state, attempts, detail FROM outbox
 WHERE brand = :brand AND address = :address ORDER BY created_at DESC LIMIT :limit"""


class Job(msgspec.Struct, frozen=True):
    """One row, taken by this process."""

    id: str
    brand: str
    kind: str
    address: str
    """Canonical: for finding the customer, never for sending to."""
    data: bytes
    created_at: datetime
    expires_at: datetime
    attempts: int
    """How often it was taken, this time included."""
    detail: str
    """Why the last try failed."""


class Record(msgspec.Struct, frozen=True):
    """What became of a mail, for the merchant."""

    created_at: datetime
    kind: str
    state: str
    attempts: int
    detail: str


async def claim(store: Store, now: datetime, limit: int) -> list[Job]:
    """Take up to `limit` rows that are due. An empty outbox costs one read and no write."""
    if limit < 1 or not await store.read(_ANY_DUE, {"now": micros(now)}):
        return []
    parameters = {"now": micros(now), "lease": micros(now + LEASE), "limit": limit}
    rows = await store.write(lambda transaction: transaction.run(_CLAIM, parameters))
    return [
        Job(row[0], row[1], row[2], row[3], bytes(row[4] or b""), moment(row[5]), moment(row[6]), row[7], row[8])
        for row in rows
    ]


async def finish(store: Store, job: Job, state: str, detail: str = "") -> None:
    """Note what became of the mail and forget the code that it held."""
    parameters = {"id": job.id, "state": state, "detail": detail}
    await store.write(lambda transaction: transaction.count(_FINISH, parameters))


async def put_back(store: Store, job: Job, now: datetime, detail: str) -> None:
    """Try again later; the next taker drops it if it has expired by then."""
    not_before = micros(min(now + BACKOFF[min(job.attempts, len(BACKOFF)) - 1], max(job.expires_at, now)))
    parameters = {"id": job.id, "not_before": not_before, "detail": detail, "attempts": job.attempts}
    await store.write(lambda transaction: transaction.count(_PUT_BACK, parameters))


async def waiting(store: Store) -> int:
    """How many mails are not decided yet, over all brands."""
    return int((await store.read("SELECT COUNT(*) FROM outbox WHERE state = 'waiting'"))[0][0])


async def about(store: Store, brand: str, address: str, limit: int = 5) -> list[Record]:
    """The last mails of an address (canonical), newest first."""
    rows = await store.read(_BY_ADDRESS, {"brand": brand, "address": address, "limit": limit})
    return [Record(moment(row[0]), row[1], row[2], row[3], row[4]) for row in rows]
