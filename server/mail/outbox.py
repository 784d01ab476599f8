"""The outbox: mail that is to be sent, as rows that a request writes and a worker takes.

A row is about an address that somebody typed (a passcode), or about a customer (`server.store.posting`).

A request puts its row in the transaction of everything else it does, so there is never a code without its mail. Any
number of processes may work on the same rows. Taking a row is one UPDATE that also moves `not_before` ahead, the lease:
nobody else takes it meanwhile, and if the process dies the row is due again once the lease is over. So a mail is sent
at least once, and a second time only when a process died between the server's "accepted" and our note of it.

    waiting ── sent       the mail server took it
            ── nobody     there is no customer who may log in that it could go to
            ── unwanted   the customer has switched off mails of this kind
            ── expired    not sent: it came too late, or the server refused it for good; `detail` says which

Mails that somebody waits for leave before the others, and the others never take the last `SPARE` places: a night of a
thousand receipts holds up no passcode.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from server.brands.mail_switches import OPTIONAL
from server.mail import reminder_choices
from server.store import Row, Store, Transaction, micros, moment

LEASE = timedelta(seconds=60)
"""Longer than sending one mail may take (`SmtpMailer`: 40 s)."""

BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 30, 60))
"""How long to wait after the first, second, … failure; the last one from then on."""

LONG_BACKOFF = (*BACKOFF, *(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60)))
"""The same for a mail that may wait for longer than an hour: an outage of a day costs some thirty tries, not a thousand."""

SPARE = 2
"""How many of the places asked for are kept for mails that somebody waits for."""

_IS_DUE = "state = 'waiting' AND later = :later AND not_before <= :now"
_ANY_DUE = "SELECT " + ", ".join(
    f"EXISTS (SELECT 1 FROM outbox WHERE {_IS_DUE})".replace(":later", later) for later in ("0", "1")
)
_CLAIM = f"""
UPDATE outbox SET not_before = :lease, attempts = attempts + 1
 WHERE id IN (SELECT id FROM outbox WHERE {_IS_DUE} ORDER BY not_before LIMIT :limit) AND {_IS_DUE}
RETURNING id, brand, kind, address, data, created_at, expires_at, attempts, detail, customer_id"""
_FINISH = """
UPDATE outbox SET state = :state, detail = :detail, data = CASE WHEN :kept = 1 THEN data END
 WHERE id = :id AND state = 'waiting'"""
# Only while the lease is still ours: the process that took the row after us decides about it now.
_PUT_BACK = """
UPDATE outbox SET not_before = :not_before, detail = :detail
 WHERE id = :id AND state = 'waiting' AND attempts = :attempts"""
_STUCK = "SELECT COUNT(*) FROM outbox WHERE state = 'waiting' AND created_at < :before"
_END_EVERY = "UPDATE outbox SET state = 'expired', data = NULL, detail = :detail WHERE state = 'waiting'"
# Each half stops at the limit by itself, so that it reads no more of its index.
_ABOUT = """
SELECT created_at, kind, state, attempts, detail FROM (
  SELECT * FROM (SELECT created_at, kind, state, attempts, detail FROM outbox
                  WHERE brand = :brand AND address = :address ORDER BY created_at DESC LIMIT :limit) AS asked_for
  UNION ALL
  SELECT * FROM (SELECT created_at, kind, state, attempts, detail FROM outbox
                  WHERE brand = :brand AND customer_id IN ({whose}) ORDER BY created_at DESC LIMIT :limit) AS about
) AS mails ORDER BY created_at DESC LIMIT :limit"""
_BACKLOG = """
SELECT customer_id = '' AS is_passcode, COUNT(*), MIN(created_at) FROM outbox
 WHERE state = 'waiting' AND (customer_id <> '' OR attempts = 0) GROUP BY 1"""
# No index is asked for the brand, so that SQLite reads what is in these states and not all that the brand has.
_UNSENT = """
SELECT id, kind, state, customer_id, address, created_at, not_before, attempts, detail, data IS NOT NULL
  FROM outbox WHERE brand || '' = :brand AND state IN ('waiting', 'expired')
 ORDER BY state DESC, created_at DESC, id LIMIT :limit"""
# One row changes once: of two who press the button, the second finds it waiting.
_AGAIN = """
UPDATE outbox SET state = 'waiting', not_before = :now, expires_at = :now + (expires_at - created_at), detail = ''
 WHERE id = :id AND brand = :brand AND state = 'expired' AND data IS NOT NULL RETURNING kind"""
# Not at once: whoever took it a moment ago may be sending it until the lease is over.
_SOONER = """
UPDATE outbox SET not_before = :lease
 WHERE id = :id AND brand = :brand AND state = 'waiting' AND not_before > :lease RETURNING kind"""
CODES = frozenset({"passcode", "email_code"})
"""Kinds whose rows hold a code: it is forgotten whatever became of the mail, and never sent later."""
_OF_ALL = _ABOUT.format(whose="SELECT id FROM customer WHERE brand = :brand AND address = :address")
_OF_ONE = _ABOUT.format(whose=":customer")


class Job(msgspec.Struct, frozen=True):
    """One row, taken by this process."""

    id: str
    brand: str
    kind: str
    address: str
    """Canonical: for finding the customer, never for sending to. Empty where `customer_id` is not."""
    data: bytes
    created_at: datetime
    expires_at: datetime
    attempts: int
    """How often it was taken, this time included."""
    detail: str
    """Why the last try failed."""
    customer_id: str = ""
    """Whom it is about; empty: the customer that `address` opens."""
    is_unwanted: bool = False
    """The customer had switched off mails of this kind when it was taken."""

    @property
    def is_asked_for(self) -> bool:
        """A stranger caused it by typing an address: what becomes of it must show nowhere."""
        return not self.customer_id


class Record(msgspec.Struct, frozen=True):
    """What became of a mail, for the merchant."""

    created_at: datetime
    kind: str
    state: str
    attempts: int
    detail: str


class Unsent(msgspec.Struct, frozen=True):
    """A mail that waits or was given up, for the merchant."""

    id: str
    kind: str
    state: str
    """`waiting` or `expired`."""
    customer_id: str
    """Empty: `address` was typed by whoever asked for a code."""
    address: str
    created_at: datetime
    next_at: datetime
    """When it is tried next, where it waits."""
    attempts: int
    detail: str
    has_data: bool
    """What it says is still there."""

    @property
    def may_go_again(self) -> bool:
        return self.state == "expired" and self.has_data


class Backlog(msgspec.Struct, frozen=True):
    count: int
    since: datetime | None
    """When the oldest of them was put into the outbox."""


async def claim(store: Store, now: datetime, limit: int) -> list[Job]:
    """Take up to `limit` rows that are due, those first that somebody waits for. An empty outbox is not written to."""
    if limit < 1:
        return []
    ((is_waited_for, is_any),) = await store.read(_ANY_DUE, {"now": micros(now)})
    taken = await _claim(store, now, limit, later=0) if is_waited_for else []
    left = limit - SPARE - len(taken)
    return taken + (await _claim(store, now, left, later=1) if is_any and left > 0 else [])


async def _claim(store: Store, now: datetime, limit: int, *, later: int) -> list[Job]:
    parameters = {"now": micros(now), "later": later, "lease": micros(now + LEASE), "limit": limit}
    taken = await store.write(lambda transaction: transaction.later(_CLAIM, parameters))
    jobs = [_job(row) for row in taken()]
    return [await _with_choice(store, each) if each.kind in OPTIONAL else each for each in jobs]


async def _with_choice(store: Store, job: Job) -> Job:
    """Asked once the row is taken: a choice counts until then."""
    return replace(job, is_unwanted=await reminder_choices.is_off(store, job.brand, job.customer_id, job.kind))


def _job(row: Row) -> Job:
    id_, brand, kind, address, data, created_at, expires_at, attempts, detail, customer_id = row
    return Job(
        id_,
        brand,
        kind,
        address,
        bytes(data or b""),
        moment(created_at),
        moment(expires_at),
        attempts,
        detail,
        customer_id,
    )


async def finish(store: Store, job: Job, state: str, detail: str = "") -> None:
    """Note what became of the mail and forget what it held; of one that failed and held no code, it stays for `again`."""
    kept = state == "expired" and not job.is_asked_for and job.kind not in CODES
    parameters = {"id": job.id, "state": state, "detail": detail, "kept": int(kept)}
    await store.write(lambda transaction: transaction.later(_FINISH, parameters))


async def put_back(store: Store, job: Job, now: datetime, detail: str) -> None:
    """Try again later; the next taker drops it if it has expired by then."""
    steps = LONG_BACKOFF if job.expires_at - job.created_at > timedelta(hours=1) else BACKOFF
    not_before = micros(min(now + steps[min(job.attempts, len(steps)) - 1], max(job.expires_at, now)))
    parameters = {"id": job.id, "not_before": not_before, "detail": detail, "attempts": job.attempts}
    await store.write(lambda transaction: transaction.later(_PUT_BACK, parameters))


async def backlog(store: Store) -> dict[str, Backlog]:
    """What waits, over all brands: passcodes that no worker took up yet, and other mails not decided. A passcode on its
    way counts no more: how long that takes depends on whether the address is a customer's."""
    found = {"passcodes": Backlog(0, None), "others": Backlog(0, None)}
    for is_passcode, count, since in await store.read(_BACKLOG):
        found["passcodes" if is_passcode else "others"] = Backlog(count, moment(since))
    return found


async def waiting_since(store: Store, before: datetime) -> int:
    """How many mails of before that moment are not decided yet, over all brands."""
    return int((await store.read(_STUCK, {"before": micros(before)}))[0][0])


def end_every(transaction: Transaction, detail: str) -> int:
    """Decide of every mail that waits that it is not sent; how many there were."""
    return transaction.count(_END_EVERY, {"detail": detail})


async def unsent(store: Store, brand: str, limit: int = 100) -> list[Unsent]:
    """What waits, and what was given up in the last 30 days, newest first."""
    rows = await store.read(_UNSENT, {"brand": brand, "limit": limit})
    return [
        Unsent(id_, kind, state, customer, address, moment(created), moment(next_), attempts, detail, bool(has_data))
        for id_, kind, state, customer, address, created, next_, attempts, detail, has_data in rows
    ]


def again(transaction: Transaction, brand: str, id_: str, now: datetime) -> str:
    """Send a mail that was given up, or one that waits for longer than a minute within one; its kind. Empty: it is neither."""
    whose = {"brand": brand, "id": id_}
    rows = transaction.run(_AGAIN, {**whose, "now": micros(now)})
    rows = rows or transaction.run(_SOONER, {**whose, "lease": micros(now + LEASE)})
    return str(rows[0][0]) if rows else ""


async def about(store: Store, brand: str, address: str, limit: int = 5, customer: str = "") -> list[Record]:
    """The last mails, newest first: codes asked for with an address (canonical), and those about its customers, or
    about this one of them alone."""
    parameters = {"brand": brand, "address": address, "limit": limit}
    if customer:
        rows = await store.read(_OF_ONE, {**parameters, "customer": customer})
    else:
        rows = await store.read(_OF_ALL, parameters)
    return [Record(moment(row[0]), row[1], row[2], row[3], row[4]) for row in rows]
