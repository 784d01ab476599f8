"""Who may use the studio, and what each may do there: rights come in sets, and a set is given for one brand or for all.

Each change is an act of the history (`history`), in the same transaction. The last owner of every brand can be neither
removed nor given less.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from server.merchant.studio import history
from server.merchant.studio.history import Act
from server.store import Store, Transaction, micros, moment

RIGHTS: dict[str, frozenset[str]] = {
    "viewer": frozenset({"look"}),
    "support": frozenset({"look", "customers"}),
    "editor": frozenset({"look", "edit"}),
    "publisher": frozenset({"look", "edit", "publish"}),
    "owner": frozenset({"look", "customers", "edit", "publish", "keys", "people"}),
}

_PUT = """
INSERT INTO studio_operator (address, brand, role, added_at) VALUES (:address, :brand, :role, :now)
ON CONFLICT (address, brand) DO UPDATE SET role = :role"""
_REMOVE = "DELETE FROM studio_operator WHERE address = :address AND brand = :brand"
_ROLES_OF = "SELECT brand, role FROM studio_operator WHERE address = :address ORDER BY brand"
_EVERY = "SELECT address, brand, role, added_at FROM studio_operator ORDER BY address, brand"
_OTHER_OWNERS = "SELECT COUNT(*) FROM studio_operator WHERE brand = '' AND role = 'owner' AND address <> :address"


class LastOwner(Exception):
    """The change would leave the studio without an owner of every brand. Nothing was changed."""


class Role(msgspec.Struct, frozen=True):
    address: str
    """Canonical."""
    brand: str
    """Empty: every brand, those to come too."""
    role: str
    added_at: datetime


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of somebody's role."""

    address: str
    """Canonical."""
    brand: str = ""
    """Empty: every brand."""
    role: str = ""
    """Empty: none any more."""
    by: str = ""
    """The operator who does it; empty: the command line."""


async def change(store: Store, it: Change, now: datetime) -> bool:
    """Do it and write it into the history. False: it was so already, and nothing was written. Raises `LastOwner`."""
    return await store.write(lambda transaction: _change(transaction, it, now))


def _change(transaction: Transaction, it: Change, now: datetime) -> bool:
    head = history.lock(transaction)  # first: of two owners who remove each other, the second sees that it is the last
    about = {"address": it.address, "brand": it.brand}
    roles = {str(brand): str(role) for brand, role in transaction.run(_ROLES_OF, {"address": it.address})}
    had = roles.get(it.brand, "")
    if had == it.role:
        return False
    if had == "owner" and not it.brand and not _other_owners(transaction, it.address):
        raise LastOwner
    if it.role:
        transaction.count(_PUT, {**about, "role": it.role, "now": micros(now)})
    else:
        transaction.count(_REMOVE, about)
    data = msgspec.json.encode({"address": it.address, "before": had, "role": it.role}).decode()
    history.write(transaction, head, Act(0, now, it.by, it.brand, "role", data, b""))
    return True


def _other_owners(transaction: Transaction, address: str) -> int:
    ((count,),) = transaction.run(_OTHER_OWNERS, {"address": address})
    return int(count)


async def roles_of(store: Store, address: str) -> dict[str, str]:
    """The operator's role by brand; the empty name: for every brand."""
    return {str(brand): str(role) for brand, role in await store.read(_ROLES_OF, {"address": address})}


def has_role(transaction: Transaction, address: str) -> bool:
    return bool(transaction.run(_ROLES_OF, {"address": address}))


def rights_in(roles: Mapping[str, str], brand: str) -> frozenset[str]:
    """What these roles allow with the brand: what the role there gives, and what the role for every brand gives."""
    return frozenset().union(*(RIGHTS[role] for whose, role in roles.items() if whose in ("", brand)))


async def every(store: Store) -> list[Role]:
    return [Role(address, brand, role, moment(at)) for address, brand, role, at in await store.read(_EVERY)]
