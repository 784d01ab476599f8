"""What operators did: a chain of rows, each written in the transaction of its act.

The hash of a row is made of the row and the hash before it, so a row that was changed, dropped or put in is found. Rows
cut off the end, with the stored head set back, leave a chain that is whole: only a `Head` kept outside the database
shows that. The worker logs it at its start and once a day, `python -m server operators list` prints it, and `doctor
--history` compares.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from server.store import Row, Store, Transaction, micros, moment

_log = logging.getLogger(__name__)

# Makes the row where there is none, and keeps it to this transaction until its end: of two acts, the second waits.
_TAKE = """
INSERT INTO studio_head (id, n, hash) VALUES (1, 0, :nothing)
ON CONFLICT (id) DO UPDATE SET id = 1 RETURNING n, hash"""
_MOVE = "UPDATE studio_head SET n = :n, hash = :hash WHERE id = 1"
_ADD = """
INSERT INTO studio_act (n, at, operator, brand, what, data, hash)
VALUES (:n, :at, :operator, :brand, :what, :data, :hash)"""
# One statement, so that an act between two reads is no fault. The head comes with each act, and alone where there is none.
_EVERY = """
SELECT a.n, a.at, a.operator, a.brand, a.what, a.data, a.hash, h.n, h.hash
  FROM studio_head h LEFT JOIN studio_act a ON 1 = 1 ORDER BY a.n"""
_ONE = "SELECT n, at, operator, brand, what, data, hash FROM studio_act WHERE n = :n"
_OF_BRAND = """
SELECT n, at, operator, brand, what, data, hash FROM studio_act WHERE brand = :brand AND what IN ({}) ORDER BY n DESC"""
_ABOUT_CUSTOMERS = ("looked_as", "session_ended", "sessions_ended", "customer_disabled", "customer_enabled")
_HEAD = re.compile(r"([0-9]{1,18})-([0-9a-f]{64})")


class Broken(Exception):
    """The history is not what was written; the message names the act."""


class Head(msgspec.Struct, frozen=True):
    """Where the chain ended at some time. As text: `7-` and 64 hexadecimal digits."""

    n: int = 0
    hash: bytes = b""

    def __str__(self) -> str:
        return f"{self.n}-{self.hash.hex()}"

    @classmethod
    def read(cls, text: str) -> Head | None:
        """None: this is no head."""
        found = _HEAD.fullmatch(text)
        return cls(int(found[1]), bytes.fromhex(found[2])) if found else None


class Act(msgspec.Struct, frozen=True):
    n: int
    at: datetime
    operator: str
    """Empty: the command line."""
    brand: str
    """Empty: every brand."""
    what: str
    data: str
    hash: bytes

    def hash_after(self, before: bytes) -> bytes:
        parts = (self.n, micros(self.at), self.operator, self.brand, self.what, self.data, before)
        return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()


class Told(msgspec.Struct, frozen=True):
    acts: tuple[Act, ...]
    head: Head


def lock(transaction: Transaction) -> Head:
    """From here on this transaction is the only one that acts."""
    ((n, hash_),) = transaction.run(_TAKE, {"nothing": b""})
    return Head(n, bytes(hash_))


def note(
    transaction: Transaction, what: str, data: Mapping[str, object], *, operator: str, brand: str = "", now: datetime
) -> Head:
    """Add what an operator did, in the transaction of the act; the head of the chain after it. `operator` empty: the
    command line; `brand` empty: every brand."""
    head = lock(transaction)
    act = Act(head.n + 1, now, operator, brand, what, msgspec.json.encode(data).decode(), b"")
    hash_ = act.hash_after(head.hash)
    transaction.count(_ADD, {**msgspec.structs.asdict(act), "at": micros(now), "hash": hash_})
    transaction.count(_MOVE, {"n": act.n, "hash": hash_})
    return Head(act.n, hash_)


async def read(store: Store, kept: Head | None = None) -> Told:
    """The whole history. `kept` is a head of an earlier day. Raises `Broken`."""
    acts, head = await _rows(store)
    _check(acts, head)
    if kept and kept.n and (kept.n > len(acts) or acts[kept.n - 1].hash != kept.hash):
        raise Broken(f"act {kept.n} of the history is missing or is not the one that {kept} was made of")
    return Told(acts, head)


def logging_of(store: Store) -> Callable[[], Awaitable[None]]:
    """What logs the head of the history: outside the database, so that a tail that is cut off is noticed."""

    async def note_head() -> None:
        try:
            told = await read(store)
        except Broken as error:
            _log.error("the history of the studio is not what was written", extra={"why": str(error)})
        else:
            _log.info("head of the studio's history", extra={"head": str(told.head)})

    return note_head


async def look(store: Store) -> tuple[tuple[Act, ...], Head, str]:
    """What there is, for a page, and why it is not what was written; empty: it is."""
    acts, head = await _rows(store)
    try:
        _check(acts, head)
    except Broken as error:
        return acts, head, str(error)
    return acts, head, ""


async def one(store: Store, n: int) -> Act | None:
    """The act of that number; whether the chain is whole is not looked at."""
    rows = await store.read(_ONE, {"n": n})
    return _act(rows[0]) if rows else None


async def about_customer(store: Store, brand: str, customer_id: str, limit: int = 20) -> list[Act]:
    """The last acts that name this customer, newest first."""
    whats = {f"what{place}": what for place, what in enumerate(_ABOUT_CUSTOMERS)}
    rows = await store.read(_OF_BRAND.format(", ".join(f":{each}" for each in whats)), {"brand": brand, **whats})
    named = b'"customer":' + msgspec.json.encode(customer_id)
    return [act for act in map(_act, rows) if named in act.data.encode()][:limit]


async def _rows(store: Store) -> tuple[tuple[Act, ...], Head]:
    rows = await store.read(_EVERY)
    head = Head(rows[0][7], bytes(rows[0][8])) if rows else Head()
    return tuple(_act(row) for row in rows if row[0] is not None), head


def _check(acts: Iterable[Act], head: Head) -> None:
    last = Head()
    for act in acts:
        if act.n != last.n + 1 or act.hash != act.hash_after(last.hash):
            raise Broken(f"act {last.n + 1} of the history was changed, or is missing")
        last = Head(act.n, act.hash)
    if last != head:
        raise Broken(f"the history ends with act {last.n}, and act {head.n} was the last one written")


def _act(row: Row) -> Act:
    n, at, operator, brand, what, data, hash_ = row[:7]
    return Act(n, moment(at), operator, brand, what, data, bytes(hash_))
