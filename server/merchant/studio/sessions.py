"""Who is logged in to the studio: rows of its own, which no customer's cookie finds, nor the reverse.

The key of a row is a hash over a label and the 256-bit token in the cookie. A log-in by passcode begins a session; showing
a passkey goes on under a new token, so a token that somebody planted, or saw before, is worth nothing after either.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from server.merchant.studio.place import Studio
from server.store import StoreUnavailable, Transaction, micros, moment

SEEN_EVERY = timedelta(minutes=1)
"""`last_seen_at` is written no more often than this."""

_LIVE = "expires_at > :now AND last_seen_at > :idle_since"
_FIND = f"""
SELECT address, browser, created_at, last_seen_at, verified_at FROM studio_session
 WHERE id_hash = :id_hash AND {_LIVE}"""
_EVERY = f"SELECT id_hash, address, browser, created_at, verified_at FROM studio_session WHERE {_LIVE}"
_START = """
INSERT INTO studio_session (id_hash, address, browser, created_at, last_seen_at, expires_at, verified_at)
VALUES (:id_hash, :address, :browser, :now, :now, :expires_at, NULL)"""
_SEEN = "UPDATE studio_session SET last_seen_at = :now WHERE id_hash = :id_hash AND last_seen_at <= :before"
_VERIFIED = f"UPDATE studio_session SET id_hash = :new, verified_at = :now WHERE id_hash = :id_hash AND {_LIVE}"
_IS_FRESH = f"SELECT 1 FROM studio_session WHERE id_hash = :id_hash AND verified_at > :since AND {_LIVE}"
_END = "DELETE FROM studio_session WHERE id_hash = :id_hash"
_END_EVERY = "DELETE FROM studio_session"
_END_ALL = "DELETE FROM studio_session WHERE address = :address"


FRESH = timedelta(minutes=5)
"""So long after a passkey was shown, what needs one may be done."""


class NeedsPasskey(Exception):
    """What was asked for needs a passkey shown within `FRESH`. Nothing was changed."""


class Session(msgspec.Struct, frozen=True):
    address: str
    """Canonical, proved by a passcode."""
    id_hash: bytes
    browser: str
    created_at: datetime
    verified_at: datetime | None
    """When a passkey was shown last; None: none was."""

    def is_fresh(self, now: datetime) -> bool:
        """For what is shown or asked next; what needs a passkey asks `require_passkey`."""
        return self.verified_at is not None and now - self.verified_at < FRESH


async def find(studio: Studio, token: str) -> Session | None:
    """The session that the token opens, if it lives."""
    if not token:
        return None
    now, id_hash = studio.clock(), hash_of(token)
    rows = await studio.store.read(_FIND, {"id_hash": id_hash, **_live_at(studio, now)})
    if not rows:
        return None
    address, browser, created_at, last_seen_at, verified_at = rows[0]
    before = micros(now - SEEN_EVERY)
    if last_seen_at <= before:
        row = {"id_hash": id_hash, "now": micros(now), "before": before}
        # The page can be shown without this note; the session merely ends a little earlier.
        with suppress(StoreUnavailable):
            await studio.store.write(lambda transaction: transaction.count(_SEEN, row))
    verified = None if verified_at is None else moment(verified_at)
    return Session(address, id_hash, browser, moment(created_at), verified)


async def every(studio: Studio) -> tuple[Session, ...]:
    """Those that live."""
    rows = await studio.store.read(_EVERY, _live_at(studio, studio.clock()))
    return tuple(
        Session(address, bytes(id_hash), browser, moment(created_at), None if verified is None else moment(verified))
        for id_hash, address, browser, created_at, verified in rows
    )


def start(transaction: Transaction, studio: Studio, *, address: str, browser: str, now: datetime, replaced: str) -> str:
    """Begin a session and end the one whose token the browser showed; the new token."""
    token = secrets.token_urlsafe(32)
    transaction.count(_END, {"id_hash": hash_of(replaced)})
    row = {
        "id_hash": hash_of(token),
        "address": address,
        "browser": browser,
        "now": micros(now),
        "expires_at": micros(now + timedelta(hours=studio.settings.session_hours)),
    }
    transaction.count(_START, row)
    return token


def verified(transaction: Transaction, studio: Studio, session: Session, now: datetime) -> str:
    """A passkey was shown: the session goes on under a new token, which is answered; empty: it has ended."""
    token = secrets.token_urlsafe(32)
    row = {"id_hash": session.id_hash, "new": hash_of(token), **_live_at(studio, now)}
    return token if transaction.count(_VERIFIED, row) == 1 else ""


def require_passkey(transaction: Transaction, studio: Studio, session: Session, now: datetime) -> None:
    """Asked in the transaction of what needs it: a second tab, or a form that was kept, is no way around. Raises
    `NeedsPasskey`."""
    row = {"id_hash": session.id_hash, "since": micros(now - FRESH), **_live_at(studio, now)}
    if not transaction.run(_IS_FRESH, row):
        raise NeedsPasskey


async def end(studio: Studio, token: str) -> None:
    """Log this browser out; a token that is nothing is no mistake."""
    await studio.store.write(lambda transaction: transaction.count(_END, {"id_hash": hash_of(token)}))


def end_all(transaction: Transaction, address: str) -> int:
    """End every session of the operator; how many there were."""
    return transaction.count(_END_ALL, {"address": address})


def end_every(transaction: Transaction) -> int:
    """End every session of the studio; how many there were."""
    return transaction.count(_END_EVERY)


def hash_of(token: str) -> bytes:
    return hashlib.sha256(b"studio session " + token.encode()).digest()


def _live_at(studio: Studio, now: datetime) -> dict[str, int]:
    idle = timedelta(minutes=studio.settings.session_idle_minutes)
    return {"now": micros(now), "idle_since": micros(now - idle)}
