"""The one place where a session begins: a code is tried, or the URL of a portal session is opened, and if it is right
everything that follows from it happens in the same transaction. A process that dies half-way has counted nothing and let nobody in; one that answered has both.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.access import directory, known_browsers, passcodes, portal_sessions, sessions
from server.access.limits import Limits
from server.portal import Portal
from server.store import Transaction, activities


class Entered(msgspec.Struct, frozen=True):
    """The code was right. `token` is the new session's."""

    token: str
    mark: str
    """By which the browser is known from now on."""
    customer_id: str
    terms: portal_sessions.Terms | None = None
    """Those that hold in it, where a session of the merchant's back end is recovered."""
    has_choice: bool = False
    """The brand lets the customer choose among several of the same address; this is the one that the rule opens."""


class Admitted(msgspec.Struct, frozen=True):
    """The URL opened. `token` is the new session's."""

    token: str
    terms: portal_sessions.Terms


def admit(
    transaction: Transaction, portal: Portal, *, token: str, session: str, browser: str, now: datetime
) -> Admitted | None:
    """Open the URL of a portal session, once; `session` is the token of the session that the browser showed, which ends.
    None: the URL opens nothing, or its customer may not log in."""
    opened = portal_sessions.open_(transaction, portal.name, token, now)
    address = directory.one(transaction, portal.name, opened.customer_id) if opened else None
    if opened is None or address is None:
        return None
    begun = sessions.start(
        transaction, portal, customer_id=opened.customer_id, address=address, browser=browser, now=now,
        replaced=session, portal_session=opened.id, kind=portal_sessions.KIND,
    )  # fmt: skip
    activities.note(transaction, portal.name, opened.customer_id, "login", now=now, browser=browser)
    return Admitted(begun, opened.terms)


def enter(
    transaction: Transaction,
    portal: Portal,
    limits: Limits,
    *,
    challenge: str,
    code: str,
    session: str,
    mark: str,
    client: str,
    browser: str,
    now: datetime,
    recovered: str = "",
) -> Entered | passcodes.Tried:
    """Try the code of the browser's challenge; `session` is the token of the session that it showed, which ends, and `mark`
    by which it may be a known browser. Raises `TooMany`. A right code with no customer to open is answered like a wrong
    one: only somebody who has the mail could tell the two apart. `recovered`: the id of a portal session whose terms are to
    hold again, where the address is its customer's."""
    id_hash = passcodes.hash_of(challenge)
    tried = passcodes.attempt(transaction, portal, limits, id_hash=id_hash, code=code, client=client, now=now)
    if not tried.is_right:
        return tried
    customers = directory.choose(transaction, portal.name, tried.address)
    if not customers:
        return msgspec.structs.replace(tried, is_right=False)
    if not passcodes.consume(transaction, portal, limits, id_hash=id_hash, address=tried.address, now=now):
        return passcodes.Tried(is_right=False, address=tried.address, tries_left=0)
    found = _recoverable(transaction, portal, recovered, tried.address, now) if recovered else None
    id_, terms = (found.customer_id, found.terms) if found else (customers[0].id, None)
    again = portal_sessions.again(transaction, portal.name, found, now) if found else ""
    token = sessions.start(
        transaction, portal, customer_id=id_, address=tried.address, browser=browser, now=now, replaced=session,
        portal_session=again,
    )  # fmt: skip
    mark = known_browsers.mark(mark)
    known_browsers.note_and_tell(transaction, portal, id_, mark, address=tried.address, browser=browser, now=now)
    activities.note(transaction, portal.name, id_, "login", now=now, browser=browser)
    return Entered(token, mark, id_, terms, portal.account_choice and len(customers) > 1)


def _recoverable(
    transaction: Transaction, portal: Portal, id_: str, address: str, now: datetime
) -> portal_sessions.Found | None:
    found = portal_sessions.by_id(transaction, portal.name, id_)
    if found is None or not portal_sessions.recovers(found, now):
        return None
    return found if directory.is_of(transaction, portal.name, found.customer_id, address) else None
