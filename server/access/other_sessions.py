"""Where else a customer is logged in: the list, and ending one, the others, or all.

A form names a session by `name_of`: two MACs with a key of their own, the first over the session's row, the second over
the first and the customer. It opens nothing and tells nothing of the row; and because the second part says whose it is,
a name of another customer or another brand is refused without being looked for, while one of the customer's own that is
gone in the meantime is merely gone.
"""

from __future__ import annotations

import base64
from datetime import datetime

import msgspec

from server.access import known_browsers, sealing, sessions
from server.access.sessions import LoggedIn
from server.billing import NotFound
from server.portal import Portal
from server.store import Row, Transaction, activities, moment

_ROW, _TAG = 12, 16  # bytes of the two parts, which are whole numbers of base64 letters and MACs nobody guesses


class Open(msgspec.Struct, frozen=True):
    """One session that is open now."""

    name: str
    """What forms call it: opaque, and no secret."""
    browser: str
    """The family, such as `Firefox on Linux`, or empty."""
    kind: str
    """How it began: `link` or `login`."""
    began_at: datetime
    seen_at: datetime
    """The last request, to the minute."""
    is_this: bool = False


class Before(msgspec.Struct, frozen=True):
    """The log-in before the one of this session."""

    at: datetime
    browser: str


async def opened(portal: Portal, customer: LoggedIn, now: datetime) -> list[Open]:
    """Every session of the customer that is open now, the one seen last first."""
    return [_open(portal, customer, row) for row in await sessions.open_of(portal, customer.customer_id, now)]


async def before(portal: Portal, customer: LoggedIn) -> Before | None:
    found = await activities.last_log_in(portal.store, portal.name, customer.customer_id, before=customer.created_at)
    return Before(moment(found[0]), found[1]) if found else None


async def end_one(portal: Portal, customer: LoggedIn, name: str, now: datetime) -> bool:
    """End the customer's session of that name; False: it had ended. Raises `NotFound` for what is no name of theirs."""
    if not _is_theirs(portal, customer.customer_id, name):
        raise NotFound

    def work(transaction: Transaction) -> bool:
        ended = end_named(transaction, portal, customer.customer_id, name)
        if ended:
            _note(transaction, portal, customer, "session.ended", now)
        return ended

    return await portal.store.write(work)


def end_named(transaction: Transaction, portal: Portal, customer_id: str, name: str) -> bool:
    """End the customer's session of that name; False: there is none."""
    for id_hash in sessions.hashes_of(transaction, portal.name, customer_id):
        if name in _names(portal, customer_id, id_hash):
            return sessions.end_one(transaction, portal.name, customer_id, id_hash)
    return False


async def end_others(portal: Portal, customer: LoggedIn, now: datetime, *, mark: str = "") -> bool:
    """End every session of the customer but this one; False: there was no other. Only this browser, by its mark, stays
    a known one."""

    def work(transaction: Transaction) -> bool:
        ended = sessions.end_all(transaction, portal.name, customer.customer_id, but=customer.id_hash) > 0
        known_browsers.forget(transaction, portal, customer.customer_id, but=mark)
        if ended:
            _note(transaction, portal, customer, "session.others_ended", now)
        return ended

    return await portal.store.write(work)


async def end_all(portal: Portal, customer: LoggedIn, now: datetime) -> None:
    """Log the customer out everywhere, this browser included. The next log-in is told by mail, from whichever browser."""

    def work(transaction: Transaction) -> None:
        sessions.end_all(transaction, portal.name, customer.customer_id)
        known_browsers.forget(transaction, portal, customer.customer_id)
        _note(transaction, portal, customer, "logout.everywhere", now)

    await portal.store.write(work)


def name_of(portal: Portal, customer_id: str, id_hash: bytes) -> str:
    """What forms call the session of this row."""
    return _names(portal, customer_id, id_hash)[0]


def _names(portal: Portal, customer_id: str, id_hash: bytes) -> list[str]:
    """With the newest secret first, and with each older one: a page may be older than the change of secrets."""
    rows = ((key, sealing.mac(key, b"row", id_hash)[:_ROW]) for key in _keys(portal))
    return [base64.urlsafe_b64encode(row + _tag(portal, key, customer_id, row)).decode()[:38] for key, row in rows]


def _is_theirs(portal: Portal, customer_id: str, name: str) -> bool:
    try:
        told = base64.b64decode(f"{name}==", altchars=b"-_", validate=True)
    except ValueError:
        return False
    row, tag = told[:_ROW], told[_ROW:]
    return sealing.same(tag, [_tag(portal, key, customer_id, row) for key in _keys(portal)])


def _tag(portal: Portal, key: bytes, customer_id: str, row: bytes) -> bytes:
    return sealing.mac(key, b"whose", portal.name.encode(), customer_id.encode(), row)[:_TAG]


def _keys(portal: Portal) -> tuple[bytes, ...]:
    return sealing.keys(portal.settings.secrets, "session names")


def _open(portal: Portal, customer: LoggedIn, row: Row) -> Open:
    id_hash, browser, kind, created_at, last_seen_at = row
    return Open(
        name=name_of(portal, customer.customer_id, bytes(id_hash)),
        browser=browser,
        kind=kind,
        began_at=moment(created_at),
        seen_at=moment(last_seen_at),
        is_this=bytes(id_hash) == customer.id_hash,
    )


def _note(transaction: Transaction, portal: Portal, customer: LoggedIn, kind: str, now: datetime) -> None:
    activities.note(transaction, portal.name, customer.customer_id, kind, now=now, browser=customer.browser)
