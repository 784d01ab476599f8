"""What anybody declares without logging in, a cancellation or a withdrawal: written down first, with its moment, and never
changed.

The row is the declaration; whether its address was proved, what it was applied to and what the merchant answered stand
beside it. Its hash leaves at once, in the mail to the declarant: who changes the document later cannot change that.

A declaration has two tokens, both made of its id: one for the page of whoever declared it, one for the mail, which proves the
address. Neither opens the other's page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import date, datetime, timedelta

import msgspec

from server.access import sealing
from server.access.limits import Limits
from server.access.passcodes import lock
from server.settings import Settings
from server.store import Row, Store, Transaction, micros, moment, new_id, posting

PAGE, PROOF = "declaration page", "declaration proof"
"""What a token is for."""
TWICE = timedelta(minutes=10)
"""The same once more within this time is a second click."""
_MAC = 16
"""Bytes of it in a token: 128 bits."""

_COLUMNS = "document, hash, due_at, state, proved_at, subscription, ends_at, decided_at, operator, answer"
_SAME = f"""
SELECT {_COLUMNS} FROM declaration WHERE brand = :brand AND address = :address AND declared_at > :since
 ORDER BY declared_at DESC LIMIT 20"""
_ADD = """
INSERT INTO declaration (id, brand, address, declared_at, document, hash, due_at, state)
VALUES (:id, :brand, :address, :now, :document, :hash, :due, 'open')"""
_FIND = f"SELECT {_COLUMNS} FROM declaration WHERE id = :id AND brand = :brand"
_WAITING = "SELECT COUNT(*) FROM declaration WHERE brand = :brand AND state = 'open'"
_OF_ADDRESS = f"""
SELECT {_COLUMNS} FROM declaration WHERE brand = :brand AND address = :address ORDER BY declared_at, id LIMIT :limit"""
_PROVE = "UPDATE declaration SET proved_at = :now WHERE id = :id AND brand = :brand AND proved_at IS NULL"
_APPLY = """
UPDATE declaration SET state = 'applied', decided_at = :now, subscription = :subscription, ends_at = :ends
 WHERE id = :id AND brand = :brand AND state = 'open'"""
_ANSWER = """
UPDATE declaration SET state = 'answered', decided_at = :now, operator = :operator, answer = :answer
 WHERE id = :id AND brand = :brand AND state = 'open'"""
_OPEN = f"""
SELECT {_COLUMNS} FROM declaration WHERE brand = :brand AND state = 'open' ORDER BY due_at, id LIMIT :limit"""
# Each half stops at the limit by itself, so that it reads no more of its index.
_DECIDED = f"""
SELECT {_COLUMNS} FROM (
  SELECT * FROM (SELECT {_COLUMNS} FROM declaration WHERE brand = :brand AND state = 'answered'
                  ORDER BY due_at DESC LIMIT :limit) AS answered
  UNION ALL
  SELECT * FROM (SELECT {_COLUMNS} FROM declaration WHERE brand = :brand AND state = 'applied'
                  ORDER BY due_at DESC LIMIT :limit) AS applied
) AS decided ORDER BY due_at DESC LIMIT :limit"""


class Content(msgspec.Struct, frozen=True):
    """What was declared, as it was typed."""

    kind: str
    """`cancel` or `withdraw`."""
    name: str
    email: str
    """Canonical: where the confirmation goes."""
    contract: str
    """Which one, in the declarant's words."""
    how: str = ""
    """Of a cancellation: `ordinary` or `cause`."""
    reason: str = ""
    """The cause."""
    on: date | None = None
    """When the contract is to end; None: as soon as it can."""
    locale: str = ""
    """The language of the page."""


class Declaration(msgspec.Struct, frozen=True):
    """The document: who reads it later sees what was declared, where and when."""

    id: str
    brand: str
    at: datetime
    said: Content


class Case(msgspec.Struct, frozen=True):
    """A declaration, and what became of it."""

    declaration: Declaration
    hash: str
    """SHA-256 of the document, in hex."""
    due_at: datetime
    """Until when the merchant decides."""
    state: str
    """`open`, `applied` (the address was proved, and it was done), `answered`."""
    document: bytes = b""
    proved_at: datetime | None = None
    subscription: str = ""
    """What it was applied to."""
    ends_at: datetime | None = None
    """When that ends, or ended."""
    decided_at: datetime | None = None
    operator: str = ""
    answer: str = ""

    @property
    def id(self) -> str:
        return self.declaration.id

    @property
    def said(self) -> Content:
        return self.declaration.said

    @property
    def is_whole(self) -> bool:
        """Whether the document is the one that was written down."""
        return hashlib.sha256(self.document).hexdigest() == self.hash


class ToldOfDeclaration(msgspec.Struct, frozen=True):
    """What waits in the outbox for a mail about a declaration."""

    id: str
    at: datetime
    said: Content
    hash: str
    due_at: datetime
    answer: str = ""
    """Of the mail with the merchant's answer."""


class Declared(msgspec.Struct, frozen=True):
    case: Case
    is_new: bool
    """False: the same was declared a moment ago, by a second click."""
    is_mailed: bool
    """A confirmation leaves; False: the address had as many as it gets for now."""


def told(case: Case, answer: str = "") -> bytes:
    """What a mail about it is made of."""
    it = case.declaration
    return msgspec.msgpack.encode(ToldOfDeclaration(it.id, it.at, it.said, case.hash, case.due_at, answer))


def declare(
    transaction: Transaction, brand: str, limits: Limits, said: Content, *, client: str, days: int, now: datetime
) -> Declared:
    """Write it down. `days`: within how many the merchant decides. Raises `TooMany`; then nothing was written."""
    lock(transaction, said.email, now)
    whose = {"brand": brand, "address": said.email, "since": micros(now - TWICE)}
    for case in map(_case, transaction.run(_SAME, whose)):
        if case.said == said:
            return Declared(case, is_new=False, is_mailed=True)
    limits.use_client(transaction, brand, "declare", client, now)
    it = Declaration(f"dec_{new_id(now)}", brand, now, said)
    document, due = msgspec.json.encode(it), now + timedelta(days=days)
    hashed = hashlib.sha256(document).hexdigest()
    row = {"id": it.id, "brand": brand, "address": said.email, "now": micros(now), "due": micros(due)}
    transaction.count(_ADD, {**row, "document": document, "hash": hashed})
    is_mailed = limits.may_confirm(transaction, said.email, now)
    return Declared(Case(it, hashed, due, "open", document), is_new=True, is_mailed=is_mailed)


async def find(store: Store, brand: str, id_: str) -> Case | None:
    rows = await store.read(_FIND, {"id": id_, "brand": brand})
    return _case(rows[0]) if rows else None


async def of_brand(store: Store, brand: str, limit: int = 100) -> tuple[list[Case], list[Case]]:
    """Those that wait for the merchant, the most urgent first; and those that are decided, newest first."""
    asked = {"brand": brand, "limit": limit}
    return [_case(row) for row in await store.read(_OPEN, asked)], [
        _case(row) for row in await store.read(_DECIDED, asked)
    ]


async def of_address(store: Store, brand: str, address: str, limit: int = 100) -> list[Case]:
    """What was declared with this address (canonical), oldest first."""
    rows = await store.read(_OF_ADDRESS, {"brand": brand, "address": address, "limit": limit})
    return [_case(row) for row in rows]


async def waiting(store: Store, brand: str) -> int:
    """How many wait for the merchant."""
    return int((await store.read(_WAITING, {"brand": brand}))[0][0])


def prove(transaction: Transaction, brand: str, id_: str, now: datetime) -> None:
    """The address is the declarant's; the first time counts."""
    transaction.count(_PROVE, {"id": id_, "brand": brand, "now": micros(now)})


def apply(
    transaction: Transaction, brand: str, id_: str, *, subscription: str, ends_at: datetime | None, now: datetime
) -> None:
    """It was done: the merchant need not decide, and is not told any more that it waits."""
    ends = micros(ends_at) if ends_at else None
    row = {"id": id_, "brand": brand, "subscription": subscription, "ends": ends, "now": micros(now)}
    if transaction.count(_APPLY, row):
        posting.take_back(transaction, brand=brand, event=event_of(id_))


def answer(transaction: Transaction, brand: str, id_: str, *, operator: str, words: str, now: datetime) -> bool:
    """False: it is decided already."""
    row = {"id": id_, "brand": brand, "operator": operator, "answer": words, "now": micros(now)}
    if not transaction.count(_ANSWER, row):
        return False
    posting.take_back(transaction, brand=brand, event=event_of(id_))
    return True


def event_of(id_: str) -> str:
    """What the mail that tells the merchant is about."""
    return f"declaration {id_}"


def token(settings: Settings, brand: str, id_: str, purpose: str) -> str:
    made = _macs(settings, brand, id_, purpose)[0] + id_.encode()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def id_in(settings: Settings, brand: str, token: str, purpose: str) -> str:
    """Whose token it is; empty: it is none of ours for this purpose."""
    try:
        made = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        id_ = made[_MAC:].decode()
    except (binascii.Error, ValueError):
        return ""
    return id_ if sealing.same(made[:_MAC], _macs(settings, brand, id_, purpose)) else ""


def _macs(settings: Settings, brand: str, id_: str, purpose: str) -> list[bytes]:
    return [sealing.mac(key, brand.encode(), id_.encode())[:_MAC] for key in sealing.keys(settings.secrets, purpose)]


def _case(row: Row) -> Case:
    document, hashed, due, state, proved, subscription, ends, decided, operator, words = row
    read = bytes(document)
    return Case(
        declaration=msgspec.json.decode(read, type=Declaration),
        hash=hashed,
        due_at=moment(due),
        state=state,
        document=read,
        proved_at=moment(proved) if proved is not None else None,
        subscription=subscription,
        ends_at=moment(ends) if ends is not None else None,
        decided_at=moment(decided) if decided is not None else None,
        operator=operator,
        answer=words,
    )
