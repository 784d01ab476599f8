"""Sessions that a merchant's back end makes for a customer who is known to it: a URL that opens the portal once.

The URL holds a 256-bit token, of which the store keeps the SHA-256. It opens within five minutes, in one browser; what that
browser then has is a session like any other (`sessions`), with the terms that the back end gave: a configuration, a flow, where to
return to. The terms are read with every request, so a configuration that is changed counts at once.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from server.access import configurations
from server.access.configurations import DEFAULT, Texts
from server.brands import Features
from server.portal import Portal
from server.store import Row, Transaction, micros

OPENS = timedelta(minutes=5)
KIND = "api"
"""Of the sessions that such a URL opened."""

_ADD = """
INSERT INTO portal_session (id, brand, customer_id, token_hash, document, created_at, expires_at, opened_at, flow_done_at)
VALUES (:id, :brand, :customer, :token_hash, :document, :now, :expires_at, :opened_at, NULL)"""
_OPEN = """
UPDATE portal_session SET opened_at = :now
 WHERE token_hash = :token_hash AND brand = :brand AND opened_at IS NULL AND expires_at > :now
RETURNING id, customer_id, document"""
_OF_URL = "SELECT id, customer_id, document FROM portal_session WHERE token_hash = :token_hash AND brand = :brand"
_BY_ID = "SELECT id, customer_id, document FROM portal_session WHERE id = :id AND brand = :brand"
_TERMS = """
SELECT p.document, p.flow_done_at FROM portal_session p WHERE p.id = :id AND p.brand = :brand"""
_DONE = "UPDATE portal_session SET flow_done_at = :now WHERE id = :id AND brand = :brand AND flow_done_at IS NULL"


class Flow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that the customer is led through. The names are Stripe's."""

    type: str
    subscription: str = ""
    item: str = ""
    price: str = ""
    quantity: int | None = None
    promotion_code: str = ""
    """Its id."""
    code: str = ""
    """The same as customers type it."""
    coupon: str = ""
    """Offered before the cancellation."""
    after: str = "hosted_confirmation"
    """`hosted_confirmation`, `redirect` or `portal_homepage`."""
    message: str = ""
    return_url: str = ""
    """Where `redirect` leads to."""


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the back end gave."""

    is_live: bool
    configuration: str = DEFAULT
    return_url: str = ""
    locale: str = ""
    flow: Flow | None = None
    recovers: bool = False
    """Whoever proves the address gets a session with these terms after this one is over."""
    recovers_until: datetime | None = None


class InForce(msgspec.Struct, frozen=True):
    """What holds in the session of a request."""

    id: str
    terms: Terms
    features: Features
    texts: Texts
    flow_done: bool = False

    @property
    def flow(self) -> Flow | None:
        """The flow that the customer is in; None: there is none, or it led on to the whole portal."""
        flow = self.terms.flow
        return None if flow and self.flow_done and flow.after == "portal_homepage" else flow

    @property
    def return_url(self) -> str:
        return self.terms.return_url or self.texts.default_return_url


class Made(msgspec.Struct, frozen=True):
    id: str
    token: str
    customer_id: str
    terms: Terms
    created_at: datetime


class Found(msgspec.Struct, frozen=True):
    id: str
    customer_id: str
    terms: Terms


def create(transaction: Transaction, brand: str, customer_id: str, terms: Terms, now: datetime) -> Made:
    token = ("live_" if terms.is_live else "test_") + secrets.token_urlsafe(32)
    made = Made(f"bps_{secrets.token_hex(12)}", token, customer_id, terms, now)
    _add(transaction, brand, made, expires_at=now + OPENS, opened_at=None)
    return made


def again(transaction: Transaction, brand: str, before: Found, now: datetime) -> str:
    """A session with the same terms for the customer who has just proved the address, open already; its id."""
    made = Made(f"bps_{secrets.token_hex(12)}", secrets.token_urlsafe(32), before.customer_id, before.terms, now)
    _add(transaction, brand, made, expires_at=now, opened_at=now)
    return made.id


def open_(transaction: Transaction, brand: str, token: str, now: datetime) -> Found | None:
    """Use up the URL. None: it was used, it is too old, or there is none. Of many at once, one gets the session."""
    rows = transaction.run(_OPEN, {"token_hash": _hashed(token), "brand": brand, "now": micros(now)})
    return _found(rows)


async def behind(portal: Portal, token: str) -> Found | None:
    """The session of a URL, whether it opens or not."""
    return _found(await portal.store.read(_OF_URL, {"token_hash": _hashed(token), "brand": portal.name}))


def by_id(transaction: Transaction, brand: str, id_: str) -> Found | None:
    return _found(transaction.run(_BY_ID, {"id": id_, "brand": brand}))


def recovers(found: Found | None, now: datetime) -> bool:
    """Whether the customer may have another session with its terms, after proving the address."""
    until = found.terms.recovers_until if found else None
    return bool(found and found.terms.recovers and (until is None or until > now))


async def in_force(portal: Portal, id_: str) -> InForce | None:
    """The terms of a session, with the configuration as it is now. None: it is gone."""
    rows = await portal.store.read(_TERMS, {"id": id_, "brand": portal.name})
    if not rows:
        return None
    terms = msgspec.msgpack.decode(rows[0][0], type=Terms)
    kept = await configurations.find(portal, terms.configuration, live=terms.is_live)
    if kept is None:
        return None
    flow, features = terms.flow, kept.it.features
    if flow and flow.coupon:
        cancel = replace(
            features.subscription_cancel, retention=replace(features.subscription_cancel.retention, coupon=flow.coupon)
        )
        features = replace(features, subscription_cancel=cancel)
    return InForce(id_, terms, features, kept.it.texts, rows[0][1] is not None)


def flow_done(transaction: Transaction, brand: str, id_: str, now: datetime) -> None:
    transaction.count(_DONE, {"id": id_, "brand": brand, "now": micros(now)})


def _add(transaction: Transaction, brand: str, made: Made, *, expires_at: datetime, opened_at: datetime | None) -> None:
    row = {
        "id": made.id,
        "brand": brand,
        "customer": made.customer_id,
        "token_hash": _hashed(made.token),
        "document": msgspec.msgpack.encode(made.terms),
        "now": micros(made.created_at),
        "expires_at": micros(expires_at),
        "opened_at": None if opened_at is None else micros(opened_at),
    }
    transaction.count(_ADD, row)


def _found(rows: list[Row]) -> Found | None:
    if not rows:
        return None
    id_, customer_id, document = rows[0]
    return Found(id_, customer_id, msgspec.msgpack.decode(document, type=Terms))


def _hashed(token: str) -> bytes:
    return hashlib.sha256(b"portal session " + token.encode()).digest()
