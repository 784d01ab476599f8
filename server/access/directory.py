"""Which customer an address opens, and why.

Among the customers of the brand with that address who may log in: one with an active subscription before the others,
then the one created last. Log-in, the mail and `customers search` all ask here.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from server.billing import Account
from server.billing.model.documents import decode_account
from server.store import Row, Store, Transaction, moment

# Among equals the larger id, so that the answer is the same every time.
_RANKED = """
SELECT id, email, name, created_at, active, disabled FROM customer
 WHERE brand = :brand AND address = :address
 ORDER BY disabled, active DESC, created_at DESC, id DESC LIMIT :limit"""
_ONE = """
SELECT c.id, c.email, c.name, c.created_at, c.active, c.disabled,
       (SELECT COUNT(*) FROM customer o
         WHERE o.brand = c.brand AND o.address = c.address AND o.disabled = 0 AND o.id <> c.id)
  FROM customer c WHERE c.brand = :brand AND c.id = :id"""

_NAMES = "SELECT id, name, email FROM customer WHERE brand = :brand AND id IN ({ids})"
_OPENABLE = """
SELECT c.id, c.name, a.document FROM customer c
  LEFT JOIN account a ON a.brand = c.brand AND a.customer_id = c.id
 WHERE c.brand = :brand AND c.address = :address AND c.disabled = 0
 ORDER BY c.active DESC, c.created_at DESC, c.id DESC LIMIT :limit"""
_MOST_ACCOUNTS = 50


class Candidate(msgspec.Struct, frozen=True):
    """A customer who has the address."""

    id: str
    email: str
    """As the billing side stores it: mail goes here."""
    name: str
    created_at: datetime
    active: bool
    """Has a subscription that is active, trialing or past due."""
    disabled: bool
    is_alone: bool = True
    """Nobody else who may log in has the address; known where one customer was asked for by id."""


class Explained(msgspec.Struct, frozen=True):
    candidate: Candidate
    opens: bool
    reason: str
    """`only`, `active`, `newest_active` or `newest` for the one that opens; `disabled`, `inactive` or `older` for the rest."""


def choose(transaction: Transaction, brand: str, address: str) -> list[Candidate]:
    """The customer that the address (canonical) opens now, and the next that it may open: none, one or two."""
    ranked = transaction.run(_RANKED, {"brand": brand, "address": address, "limit": 2})
    return [each for each in map(candidate_of, ranked) if not each.disabled]


async def customer_for(store: Store, brand: str, address: str) -> Candidate | None:
    """The first of `choose`, outside a transaction: for the mail."""
    return _first(await store.read(_RANKED, {"brand": brand, "address": address, "limit": 1}))


async def by_id(store: Store, brand: str, customer_id: str) -> Candidate | None:
    """The customer of that id who may log in: for mails that are about one customer."""
    return _first(await store.read(_ONE, {"brand": brand, "id": customer_id}))


async def names_of(store: Store, brand: str, ids: Collection[str]) -> dict[str, str]:
    """By id, the names of these customers, or their addresses where they have no name; also of those who may not log in."""
    marks = ", ".join(f":id{place}" for place in range(len(ids)))
    wanted = {f"id{place}": each for place, each in enumerate(ids)}
    rows = await store.read(_NAMES.format(ids=marks), {"brand": brand, **wanted}) if ids else []
    return {id_: name or email for id_, name, email in rows}


# The bits of `disabled`: 1, the billing side says so; 2, an operator does, whatever the billing side says.
_DISABLE = "UPDATE customer SET disabled = disabled | 2 WHERE brand = :brand AND id = :id AND disabled < 2"
_ENABLE = "UPDATE customer SET disabled = disabled - 2 WHERE brand = :brand AND id = :id AND disabled > 1"
_HELD = "SELECT disabled FROM customer WHERE brand = :brand AND id = :id"
_DOCUMENT = """
SELECT a.document FROM account a JOIN customer c ON c.brand = a.brand AND c.id = a.customer_id
 WHERE c.brand = :brand AND c.id = :id"""


async def find(store: Store, brand: str, customer_id: str) -> Candidate | None:
    """The customer of that id, whether or not they may log in: for the merchant."""
    rows = await store.read(_ONE, {"brand": brand, "id": customer_id})
    return candidate_of(rows[0]) if rows else None


async def account_of(store: Store, brand: str, customer_id: str) -> Account | None:
    """The account as it was written last. Nothing is brought up to date, and the billing side is not asked."""
    rows = await store.read(_DOCUMENT, {"brand": brand, "id": customer_id})
    return decode_account(rows[0][0]) if rows else None


async def disabled_by(store: Store, brand: str, customer_id: str) -> tuple[bool, bool]:
    """Whether the billing side says that the customer may not log in, and whether an operator does."""
    rows = await store.read(_HELD, {"brand": brand, "id": customer_id})
    disabled = int(rows[0][0]) if rows else 0
    return bool(disabled & 1), bool(disabled & 2)


def set_disabled(transaction: Transaction, brand: str, customer_id: str, *, disabled: bool) -> bool:
    """An operator says whether the customer may log in; False: it was said already."""
    whose = {"brand": brand, "id": customer_id}
    return transaction.count(_DISABLE if disabled else _ENABLE, whose) == 1


_MAY_LOG_IN = "SELECT address FROM customer WHERE brand = :brand AND id = :id AND disabled = 0"
_IS_OF = "SELECT 1 FROM customer WHERE brand = :brand AND id = :id AND address = :address AND disabled = 0"


def one(transaction: Transaction, brand: str, customer_id: str) -> str | None:
    """The address (canonical, or empty) of a customer who may log in; None: there is no such customer."""
    rows = transaction.run(_MAY_LOG_IN, {"brand": brand, "id": customer_id})
    return str(rows[0][0]) if rows else None


def is_of(transaction: Transaction, brand: str, customer_id: str, address: str) -> bool:
    """Whether the customer has this address and may log in."""
    return bool(transaction.run(_IS_OF, {"brand": brand, "id": customer_id, "address": address}))


async def explain(store: Store, brand: str, address: str, limit: int = 100) -> list[Explained]:
    """Every customer with the address, the one that it opens first, each with the reason."""
    rows = await store.read(_RANKED, {"brand": brand, "address": address, "limit": limit})
    return explained([candidate_of(row) for row in rows])


class Openable(msgspec.Struct, frozen=True):
    """A customer whom the address may open, after it was proved."""

    id: str
    name: str
    account: Account | None
    """None: the billing side has not told anything yet."""


async def openable(store: Store, brand: str, address: str) -> list[Openable]:
    """Everybody with the address who may log in, the one that the rule opens first."""
    rows = await store.read(_OPENABLE, {"brand": brand, "address": address, "limit": _MOST_ACCOUNTS})
    return [Openable(id_, name, decode_account(document) if document else None) for id_, name, document in rows]


def explained(ranked: list[Candidate]) -> list[Explained]:
    """The reasons; `ranked` as the rule orders them."""
    allowed = [each for each in ranked if not each.disabled]
    return [Explained(each, each in allowed[:1], _reason(each, allowed)) for each in ranked]


def _reason(candidate: Candidate, allowed: list[Candidate]) -> str:
    if candidate.disabled:
        return "disabled"
    if candidate != allowed[0]:
        return "inactive" if allowed[0].active and not candidate.active else "older"
    if len(allowed) == 1:
        return "only"
    if not candidate.active:
        return "newest"
    return "newest_active" if allowed[1].active else "active"


def _first(rows: list[Row]) -> Candidate | None:
    found = candidate_of(rows[0]) if rows else None
    return found if found and not found.disabled else None


def candidate_of(row: Row) -> Candidate:
    """Of the columns of a struct, in its order."""
    return Candidate(row[0], row[1], row[2], moment(row[3]), bool(row[4]), bool(row[5]), not any(row[6:]))
