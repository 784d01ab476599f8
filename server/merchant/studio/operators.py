"""Who may use the studio, and what each may do there: rights come in sets, and a set is given for one brand or for all.

Each change is an act of the history (`history`), in the same transaction. The last owner of every brand can be neither
removed nor given less.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.merchant.studio import history, passkeys, sessions
from server.merchant.studio.rights import rights_in
from server.store import Store, Transaction, micros, moment

_PUT = """
INSERT INTO studio_operator (address, brand, role, added_at) VALUES (:address, :brand, :role, :now)
ON CONFLICT (address, brand) DO UPDATE SET role = :role"""
_REMOVE = "DELETE FROM studio_operator WHERE address = :address AND brand = :brand"
_ROLES_OF = "SELECT brand, role FROM studio_operator WHERE address = :address ORDER BY brand"
_EVERY = "SELECT address, brand, role, added_at FROM studio_operator ORDER BY address, brand"
_OTHER_OWNERS = "SELECT COUNT(*) FROM studio_operator WHERE brand = '' AND role = 'owner' AND address <> :address"


class LastOwner(Exception):
    """The change would leave the studio without an owner of every brand. Nothing was changed."""


class NotAllowed(Exception):
    """The operator who asks lacks the right. Nothing was changed."""


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
    """As `change_in`, alone."""
    return await store.write(lambda transaction: change_in(transaction, it, now))


def change_in(transaction: Transaction, it: Change, now: datetime) -> bool:
    """Do it and write it into the history. Whose role it is must log in again; with the last role the passkeys go too.
    False: it was so already, and nothing was written. Raises `LastOwner`, and `NotAllowed` where `by` may not do it now."""
    history.lock(transaction)  # first: of two owners who remove each other, the second sees that it is the last
    if it.by and "people" not in rights_in(roles_in(transaction, it.by), it.brand):
        raise NotAllowed
    about, roles = {"address": it.address, "brand": it.brand}, roles_in(transaction, it.address)
    had = roles.get(it.brand, "")
    if had == it.role:
        return False
    if had == "owner" and not it.brand and not _other_owners(transaction, it.address):
        raise LastOwner
    if it.role:
        transaction.count(_PUT, {**about, "role": it.role, "now": micros(now)})
    else:
        transaction.count(_REMOVE, about)
    if not it.role and set(roles) == {it.brand}:
        passkeys.forget(transaction, it.address)
    sessions.end_all(transaction, it.address)
    data = {"address": it.address, "before": had, "role": it.role}
    history.note(transaction, "role", data, operator=it.by, brand=it.brand, now=now)
    return True


def word_for(transaction: Transaction, address: str, now: datetime, by: str = "") -> str:
    """A new word for the first passkey; empty: there is one, or the operator `by` may not give all the roles that
    whoever has the passkey has."""
    mine, theirs = roles_in(transaction, by), roles_in(transaction, address)
    if by and not all("people" in rights_in(mine, brand) for brand in theirs):
        return ""
    return "" if passkeys.of_in(transaction, address) else passkeys.new_word(transaction, address, now)


def forget_passkeys(transaction: Transaction, address: str, now: datetime) -> None:
    """For somebody who has lost them: they log in again, and need a new word for another one."""
    if passkeys.forget(transaction, address):
        history.note(transaction, "passkeys_lost", {"address": address}, operator="", now=now)
    sessions.end_all(transaction, address)


def _other_owners(transaction: Transaction, address: str) -> int:
    ((count,),) = transaction.run(_OTHER_OWNERS, {"address": address})
    return int(count)


async def roles_of(store: Store, address: str) -> dict[str, str]:
    """The operator's role by brand; the empty name: for every brand."""
    return {str(brand): str(role) for brand, role in await store.read(_ROLES_OF, {"address": address})}


def roles_in(transaction: Transaction, address: str) -> dict[str, str]:
    """The same in a transaction."""
    return {str(brand): str(role) for brand, role in transaction.run(_ROLES_OF, {"address": address})}


def fellows(transaction: Transaction, address: str) -> list[str]:
    """Everybody who has a role for a brand that this operator has one for, this one too."""
    rows = [(str(whose), str(brand)) for whose, brand, *_ in transaction.run(_EVERY)]
    brands = {brand for whose, brand in rows if whose == address}
    near = {whose for whose, brand in rows if "" in brands or brand == "" or brand in brands}
    return sorted(near)


async def of_brand(store: Store, brand: str) -> list[tuple[Role, bool]]:
    """Everybody who may do something with the brand, and whether they have a passkey."""
    rows = [each for each in await every(store) if each.brand in ("", brand)]
    return [(each, bool(await passkeys.of(store, each.address))) for each in rows]


async def every(store: Store) -> list[Role]:
    return [Role(address, brand, role, moment(at)) for address, brand, role, at in await store.read(_EVERY)]
