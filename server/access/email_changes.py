"""Proving the address that a customer wants to change to, by a code to that address.

Only a session that the merchant's back end made may do this: whoever came in by the log-in link has proved the old address
and nothing else, and a thief of that mailbox must not keep the account. The challenge belongs to the session, to its customer and to
the one address; everything else about codes is in `passcodes`. Whether some customer has the address already is not asked.

Once proved it stays proved for this session while the code would have lived, so that a change which the billing side did not take can be asked
for again. `Proved.key` is the same each time: however often it is asked for, the address changes once.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.access import passcodes, portal_sessions
from server.access.limits import Limits
from server.access.passcodes import Change, OfSession, Tried
from server.access.sessions import LoggedIn
from server.billing.rules.details import may_update
from server.portal import Portal
from server.store import Transaction


class Proved(msgspec.Struct, frozen=True):
    address: str
    """Canonical, which is as the code was sent to it."""
    key: str
    """The idempotency key of the change."""


def may_change(portal: Portal, customer: LoggedIn) -> bool:
    """Whether the address may be changed in this session."""
    is_api = customer.kind == portal_sessions.KIND and customer.portal_session is not None
    return is_api and may_update(customer.features(portal).customer_update, "email")


def change_of(customer: LoggedIn) -> Change:
    return Change(customer.customer_id, customer.id_hash)


async def waiting(portal: Portal, customer: LoggedIn, now: datetime) -> OfSession | None:
    """The newest challenge of the session."""
    rows = await portal.store.read(*passcodes.finding_of_session(portal, change_of(customer)))
    return passcodes.of_session(rows, now)


def prove(
    transaction: Transaction, portal: Portal, limits: Limits, change: Change, *, code: str, client: str, now: datetime
) -> Proved | Tried:
    """Try the code of the session's newest challenge, or find it proved already. Raises `TooMany`."""
    found = _newest(transaction, portal, change, now)
    if found is None:
        return Tried(is_right=False, address="", tries_left=0)
    if found.is_proved:
        return _proved(found)
    id_hash, purpose = found.id_hash, change.purpose
    tried = passcodes.attempt(
        transaction, portal, limits, id_hash=id_hash, code=code, client=client, now=now, purpose=purpose
    )
    if tried.is_right and passcodes.use_up(transaction, limits, id_hash=id_hash, address=tried.address, now=now):
        return _proved(found)
    again = _newest(transaction, portal, change, now)  # of two clicks at once, the second comes here
    if again and again.id_hash == id_hash and again.is_proved:
        return _proved(again)
    return msgspec.structs.replace(tried, is_right=False)


def _newest(transaction: Transaction, portal: Portal, change: Change, now: datetime) -> OfSession | None:
    return passcodes.of_session(transaction.run(*passcodes.finding_of_session(portal, change)), now)


def _proved(found: OfSession) -> Proved:
    return Proved(found.challenge.address, f"email-{found.id_hash.hex()}")
