"""The one place where an operator's session begins: a code is tried, and if it is right everything that follows from it
happens in the same transaction, as for customers (`access.entry`).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.access import known_browsers, passcodes
from server.merchant.studio import operators, sessions
from server.merchant.studio.place import Studio
from server.store import Transaction

PURPOSE = b"studio login"
"""A code of a customer is made for another one."""


class Trying(msgspec.Struct, frozen=True, kw_only=True):
    challenge: str
    """The token of the browser's challenge."""
    code: str
    session: str
    """The token of the session that the browser showed, which ends."""
    mark: str
    """By which it may be a known browser."""
    client: str
    browser: str


class Entered(msgspec.Struct, frozen=True):
    """The code was right. `token` is the new session's."""

    token: str
    mark: str
    """By which the browser is known from now on: strangers cannot use up the codes that it may ask for."""


def enter(transaction: Transaction, studio: Studio, it: Trying, now: datetime) -> Entered | passcodes.Tried:
    """Raises `TooMany`. A right code of somebody without a role is answered like a wrong one."""
    limits, id_hash = studio.limits, passcodes.hash_of(it.challenge)
    tried = passcodes.attempt(
        transaction, studio, limits, id_hash=id_hash, code=it.code, client=it.client, now=now, purpose=PURPOSE
    )
    if not tried.is_right:
        return tried
    if not operators.roles_in(transaction, tried.address):
        return msgspec.structs.replace(tried, is_right=False)
    if not passcodes.consume(transaction, studio, limits, id_hash=id_hash, address=tried.address, now=now):
        return passcodes.Tried(is_right=False, address=tried.address, tries_left=0)
    token = sessions.start(transaction, studio, address=tried.address, browser=it.browser, now=now, replaced=it.session)
    mark = known_browsers.mark(it.mark)
    known_browsers.note(transaction, studio, tried.address, mark, address=tried.address, now=now)
    return Entered(token, mark)
