"""Which browsers a customer has logged in from, so that a log-in from another one is told by mail, and so that nobody
else can use up the codes that such a browser may ask for (`limits`).

A browser is known by a random mark in its own cookie, given at log-in and kept when the session ends: nothing is
measured of the browser or of its client address. A browser family would not do, since half the world shares one, and the
thief of a mailbox often has the same one. The store keeps a hash over the mark and the customer, and one
over the mark and the address that was proved. The mark opens nothing: a log-in with it causes no mail, and its browser
may ask for codes.

No mail tells of a customer's very first log-in: there is nothing that it could differ from. A private window, or cookies
that were deleted, make a browser new.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

import msgspec

from server.access import sealing
from server.access.entrances import Entrance
from server.portal import Portal
from server.store import Transaction, activities, micros, moment, posting

KEPT = timedelta(days=400)
"""As long as browsers keep a cookie; each log-in begins it again."""
KIND = "new_login"
_TOLD_WITHIN = timedelta(days=1)

_MARK = re.compile(r"[A-Za-z0-9_-]{43}")
_SEEN = """
UPDATE known_browser SET seen_at = :now, asker_hash = :asker
 WHERE brand = :brand AND customer_id = :customer AND mark_hash = :mark_hash"""
_NEW = """
INSERT INTO known_browser (brand, customer_id, mark_hash, seen_at, asker_hash)
VALUES (:brand, :customer, :mark_hash, :now, :asker) ON CONFLICT DO NOTHING"""
_PROVED = "SELECT 1 FROM known_browser WHERE asker_hash = :asker LIMIT 1"
_LAST_LOG_INS = "SELECT seen_at FROM known_browser WHERE brand = :brand AND customer_id = :customer ORDER BY seen_at"
_FORGET = "DELETE FROM known_browser WHERE brand = :brand AND customer_id = :customer AND mark_hash <> :mark_hash"


class NewBrowser(msgspec.Struct, frozen=True):
    """What the row of the mail says beside when."""

    browser: str
    """The family, or empty."""


def mark(shown: str) -> str:
    """The browser's mark: the one that its cookie shows, or a new one."""
    return shown if _MARK.fullmatch(shown) else secrets.token_urlsafe(32)


def has_proved(transaction: Transaction, portal: Entrance, address: str, shown: str) -> bool:
    """Whether this address (canonical) has logged in from the browser. The same statement for every address."""
    is_mark = _MARK.fullmatch(shown) is not None
    return is_mark and bool(transaction.run(_PROVED, {"asker": _asker(portal, address, shown)}))


def note(
    transaction: Transaction, portal: Entrance, customer_id: str, shown: str, *, address: str, now: datetime
) -> bool:
    """Remember the browser, in which the customer's address was proved; whether it was known."""
    marks = {"mark_hash": _hash(portal, customer_id, shown), "asker": _asker(portal, address, shown)}
    row = {**_whose(portal, customer_id), **marks, "now": micros(now)}
    transaction.later(_SEEN, row)
    return transaction.count(_NEW, row) == 0


def note_and_tell(
    transaction: Transaction, portal: Portal, customer_id: str, shown: str, *, address: str, browser: str, now: datetime
) -> None:
    """As `note`; and mail the customer about a log-in from a browser that is not known, which is not in the history yet."""
    has_logged_in = None
    if portal.brand.config.mail.wants(KIND):
        has_logged_in = activities.has_logged_in(transaction, portal.name, customer_id)  # it travels with the note
    is_known = note(transaction, portal, customer_id, shown, address=address, now=now)
    if is_known or not has_logged_in or not has_logged_in():
        return
    posting.enqueue(
        transaction,
        brand=portal.name,
        customer_id=customer_id,
        kind=KIND,
        data=msgspec.msgpack.encode(NewBrowser(browser)),
        now=now,
        expires_at=now + _TOLD_WITHIN,
        waited_for=True,
    )


def forget(transaction: Transaction, portal: Portal, customer_id: str, *, but: str = "") -> None:
    """From now on each of the customer's browsers is new; `but`: the mark of one that stays known."""
    kept = {"mark_hash": _hash(portal, customer_id, but)}
    transaction.count(_FORGET, {**_whose(portal, customer_id), **kept})


async def all_of(portal: Portal, customer_id: str) -> list[dict[str, datetime]]:
    """Of the browsers that are known, when each logged in last: that is all that is kept, besides what tells them apart."""
    rows = await portal.store.read(_LAST_LOG_INS, _whose(portal, customer_id))
    return [{"logged_in_at": moment(row[0])} for row in rows]


def _hash(portal: Entrance, customer_id: str, shown: str) -> bytes:
    # No key: the mark has 256 random bits. `mac` keeps the parts apart.
    return sealing.mac(b"known browser", portal.name.encode(), customer_id.encode(), shown.encode())


def _asker(portal: Entrance, address: str, shown: str) -> bytes:
    return sealing.mac(b"known asker", portal.name.encode(), address.encode(), shown.encode())


def _whose(portal: Entrance, customer_id: str) -> dict[str, object]:
    return {"brand": portal.name, "customer": customer_id}
