"""The one place where a session begins: a code is tried, and if it is right everything that follows from it happens in
the same transaction. A process that dies half-way has counted nothing and let nobody in; one that answered has both.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.access import directory, known_browsers, passcodes, sessions
from server.access.limits import Limits
from server.portal import Portal
from server.store import Transaction, activities


class Entered(msgspec.Struct, frozen=True):
    """The code was right. `token` is the new session's."""

    token: str
    mark: str
    """By which the browser is known from now on."""
    customer_id: str
    has_choice: bool = False
    """The brand lets the customer choose among several of the same address; this is the one that the rule opens."""


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
) -> Entered | passcodes.Tried:
    """Try the code of the browser's challenge; `session` is the token of the session that it showed, which ends, and `mark`
    by which it may be a known browser. Raises `TooMany`. A right code with no customer to open is answered like a wrong
    one: only who has the mail could tell."""
    tried = passcodes.attempt(transaction, portal, limits, token=challenge, code=code, client=client, now=now)
    if not tried.is_right:
        return tried
    customer = directory.choose(transaction, portal.name, tried.address)
    if customer is None:
        return msgspec.structs.replace(tried, is_right=False)
    if not passcodes.consume(transaction, portal, limits, token=challenge, address=tried.address, now=now):
        return passcodes.Tried(is_right=False, address=tried.address, tries_left=0)
    token = sessions.start(
        transaction, portal, customer_id=customer.id, address=tried.address, browser=browser, now=now, replaced=session
    )
    mark = known_browsers.mark(mark)
    if not known_browsers.note(transaction, portal, customer.id, mark, address=tried.address, now=now):
        known_browsers.tell(transaction, portal, customer.id, browser=browser, now=now)
    activities.note(transaction, portal.name, customer.id, "login", now=now, browser=browser)
    has_choice = portal.account_choice and directory.has_several(transaction, portal.name, tried.address)
    return Entered(token, mark, customer.id, has_choice)
