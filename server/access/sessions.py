"""Who is logged in: the rows of sessions. `server.web.cookies` holds what a browser keeps of one.

A session is a row; its key is the SHA-256 of the 256-bit token in the cookie, so a stolen database opens nothing. Only a
log-in makes one, always under a new token. It ends by itself after a while without a request (`session_idle_minutes`)
and for good after `session_hours`, which nothing extends. Both are judged in SQL, like the customer being switched off.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from server.access import portal_sessions
from server.access.portal_sessions import InForce
from server.billing import Account, NotFound, rows
from server.billing.model.documents import decode_account, is_due
from server.brands import Features
from server.portal import Portal
from server.store import Row, StoreUnavailable, Transaction, micros, moment

SEEN_EVERY = timedelta(minutes=1)
"""`last_seen_at` is written no more often than this, so that reading stays reading."""

REMEMBERED = timedelta(days=1)
"""How long an ended session's row is kept, to fill in the address at the next log-in."""

LIVE = "s.expires_at > :now AND s.last_seen_at > :idle_since"
"""With the parameters of `live_at`: the session `s` is open."""

_OTHERS = """
  (SELECT COUNT(*) FROM customer o
    WHERE o.brand = s.brand AND o.address = s.address AND o.disabled = 0 AND o.id <> s.customer_id)"""
_FINDING = f"""
SELECT s.customer_id, s.address, s.kind, s.browser, s.created_at, s.last_seen_at, a.document, a.version, a.due_at,
       s.portal_session, %s
  FROM session s
  JOIN customer c ON c.brand = s.brand AND c.id = s.customer_id AND c.disabled = 0
  LEFT JOIN account a ON a.brand = s.brand AND a.customer_id = s.customer_id
 WHERE s.id_hash = :id_hash AND s.brand = :brand AND {LIVE}"""
_FIND, _FIND_AND_OTHERS = _FINDING % "0", _FINDING % _OTHERS
# Whether the other customer has the address that was proved is asked in the statement that opens it. When the session
# began and when it ends stay: a switch proves nothing new.
_SWITCH = f"""
UPDATE session AS s SET id_hash = :new, customer_id = :other, last_seen_at = :now
 WHERE s.id_hash = :id_hash AND s.brand = :brand AND s.customer_id = :customer_id AND {LIVE} AND s.portal_session = ''
   AND EXISTS (SELECT 1 FROM customer c
                WHERE c.brand = s.brand AND c.id = :other AND c.address = s.address AND c.disabled = 0)"""
_ADDRESS = "SELECT address FROM session WHERE id_hash = :id_hash AND brand = :brand"
_SEEN = "UPDATE session SET last_seen_at = :now WHERE id_hash = :id_hash AND last_seen_at <= :before"
_START = """
INSERT INTO session
  (id_hash, brand, customer_id, address, kind, browser, created_at, last_seen_at, expires_at, portal_session)
VALUES (:id_hash, :brand, :customer_id, :address, :kind, :browser, :now, :now, :expires_at, :portal_session)"""
_END = "DELETE FROM session WHERE id_hash = :id_hash AND brand = :brand"
_KNOWN = """
SELECT kind, address, browser, created_at, last_seen_at, expires_at FROM session
 WHERE brand = :brand AND customer_id = :customer_id ORDER BY created_at"""

_OPEN_OF = f"""
SELECT s.id_hash, s.browser, s.kind, s.created_at, s.last_seen_at FROM session s
 WHERE s.brand = :brand AND s.customer_id = :customer_id AND {LIVE} ORDER BY s.last_seen_at DESC, s.id_hash"""
_HASHES = "SELECT id_hash FROM session WHERE brand = :brand AND customer_id = :customer_id"
_END_ONE = "DELETE FROM session WHERE id_hash = :id_hash AND brand = :brand AND customer_id = :customer_id"
_END_OTHERS = "DELETE FROM session WHERE brand = :brand AND customer_id = :customer_id AND id_hash <> :id_hash"
_END_EVERY = "DELETE FROM session"


class LoggedIn(msgspec.Struct, frozen=True):
    """The customer of this request."""

    customer_id: str
    address: str
    """Canonical, as proved at log-in."""
    kind: str
    """`link`: the session began at the brand's link, so the address cannot be changed in it; `api`: at a URL that the
    merchant's back end made, so no address was proved."""
    id_hash: bytes
    created_at: datetime
    browser: str
    account: Account
    """Brought up to date: whatever was due until now has happened to it."""
    version: int
    has_others: bool = False
    """Other customers have the address, and the brand lets it open each of them."""
    portal_session: InForce | None = None
    """What holds in a session of the API."""

    def features(self, portal: Portal) -> Features:
        """What this session's configuration allows: its own, else the brand's."""
        return self.portal_session.features if self.portal_session else portal.brand.config.features


async def find(portal: Portal, token: str, now: datetime) -> LoggedIn | str:
    """Who the token logs in, by one SELECT; else the address that an ended session of it had, or empty text."""
    id_hash = hash_of(token)
    by_token = {"id_hash": id_hash, "brand": portal.name}
    finding = _FIND_AND_OTHERS if portal.account_choice else _FIND
    rows = await portal.store.read(finding, {**by_token, **live_at(portal, now)}) if token else []
    if not rows:
        ended = await portal.store.read(_ADDRESS, by_token) if token else []
        return str(ended[0][0]) if ended else ""
    customer_id, address, kind, browser, created_at, last_seen_at, document, version, due_at, api, others = rows[0]
    terms = await portal_sessions.in_force(portal, api) if api else None
    if api and terms is None:
        return str(address)
    if document is None or is_due(due_at, now):
        try:
            account = await portal.billing.account(customer_id, now)
        except NotFound:
            return str(address)
    else:
        account = decode_account(document)
    if last_seen_at <= micros(now - SEEN_EVERY):
        await _seen(portal, id_hash, now)
    began = moment(created_at)
    has_others = bool(others) and not api  # whoever comes from the back end has proved no address
    return LoggedIn(customer_id, address, kind, id_hash, began, browser, account, version or 0, has_others, terms)


async def _seen(portal: Portal, id_hash: bytes, now: datetime) -> None:
    parameters = {"id_hash": id_hash, "now": micros(now), "before": micros(now - SEEN_EVERY)}
    # The page can be read without this note; the session merely ends a little earlier.
    with suppress(StoreUnavailable):
        await portal.store.write(lambda transaction: transaction.later(_SEEN, parameters))


def start(
    transaction: Transaction,
    portal: Portal,
    *,
    customer_id: str,
    address: str,
    browser: str,
    now: datetime,
    replaced: str,
    portal_session: str = "",
    kind: str = "link",
) -> str:
    """Begin a session and end the one whose token the browser showed; the new token. `entry` alone calls this.
    `portal_session`: the id of the one whose terms hold in it; `kind` as in `LoggedIn`."""
    token = secrets.token_urlsafe(32)
    if replaced:
        transaction.later(_END, {"id_hash": hash_of(replaced), "brand": portal.name})
    row = {
        "id_hash": hash_of(token),
        "brand": portal.name,
        "customer_id": customer_id,
        "address": address,
        "kind": kind,
        "portal_session": portal_session,
        "browser": browser,
        "now": micros(now),
        "expires_at": micros(now + timedelta(hours=portal.settings.session_hours)),
    }
    transaction.later(_START, row)
    return token


def switch(transaction: Transaction, portal: Portal, customer: LoggedIn, other: str, now: datetime) -> str:
    """Let the session go on as another customer of the same address, under a new token, which is answered; empty: it is
    none of theirs, or the session is not what it was. The old token opens nothing any more."""
    token = secrets.token_urlsafe(32)
    row = {"id_hash": customer.id_hash, "brand": portal.name, "customer_id": customer.customer_id}
    changed = transaction.count(_SWITCH, {**row, **live_at(portal, now), "new": hash_of(token), "other": other})
    return token if changed == 1 else ""


async def end(portal: Portal, token: str) -> None:
    """Log this browser out; a token that is nothing is no mistake."""
    by_token = {"id_hash": hash_of(token), "brand": portal.name}
    await portal.store.write(lambda transaction: transaction.count(_END, by_token))


async def open_of(portal: Portal, customer_id: str, now: datetime) -> list[Row]:
    """Of every session of the customer that is open: hash, browser, kind, when it began and was seen; seen last first."""
    whose = {"brand": portal.name, "customer_id": customer_id}
    return await portal.store.read(_OPEN_OF, {**whose, **live_at(portal, now)})


def hashes_of(transaction: Transaction, brand: str, customer_id: str) -> list[bytes]:
    return [bytes(row[0]) for row in transaction.run(_HASHES, {"brand": brand, "customer_id": customer_id})]


def end_one(transaction: Transaction, brand: str, customer_id: str, id_hash: bytes) -> bool:
    """End this session of the customer; False: it had ended."""
    row = {"brand": brand, "customer_id": customer_id, "id_hash": id_hash}
    return transaction.count(_END_ONE, row) == 1


def end_all(transaction: Transaction, brand: str, customer_id: str, *, but: bytes = b"") -> int:
    """End every session of the customer but that of this hash; how many there were."""
    return transaction.count(_END_OTHERS, {"brand": brand, "customer_id": customer_id, "id_hash": but})


def end_of_old_address(transaction: Transaction, brand: str, customer_id: str, address: str) -> None:
    """End what another address than the customer's now has opened."""
    rows.end_old_address(transaction, {"brand": brand, "customer_id": customer_id, "address": address})


def end_every(transaction: Transaction) -> int:
    """End every session of every brand; how many there were."""
    return transaction.count(_END_EVERY)


def live_at(portal: Portal, now: datetime) -> dict[str, int]:
    """The parameters of `LIVE`."""
    idle = timedelta(minutes=portal.settings.session_idle_minutes)
    return {"now": micros(now), "idle_since": micros(now - idle)}


async def known(portal: Portal, customer_id: str) -> list[dict[str, Any]]:
    """Every session of the customer that is still remembered, oldest first, without what would open one."""
    rows = await portal.store.read(_KNOWN, {"brand": portal.name, "customer_id": customer_id})
    names = ("kind", "address", "browser", "created_at", "last_seen_at", "expires_at")
    return [dict(zip(names, (*row[:3], *map(moment, row[3:])), strict=True)) for row in rows]


def hash_of(token: str) -> bytes:
    """The key under which the store keeps what belongs to this token."""
    return hashlib.sha256(token.encode()).digest()
