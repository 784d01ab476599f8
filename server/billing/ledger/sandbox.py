"""One visit to the provider's page: begun by the ledger, answered by its sandbox page.

`setup` adds a payment method, `payment` confirms a payment with the bank. The token in the page's address is 256 random
bits, kept as its hash; it belongs to one customer of one brand, ends after an hour, and is used once: `move` goes from
the state that was seen to another one and tells the second one so.

    open ──> confirming ──> done | failed
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec

from server.billing.model.documents import decode_texts, encode_texts
from server.store import Store, Transaction, micros

LIFE = timedelta(hours=1)
KEEPS = "keeps_default"
"""In the data of a `setup`: the default stays what it is. It outlives every state."""
LIVE = frozenset({"open", "confirming"})

_BEGIN = """
INSERT INTO provider_session
 (id_hash, brand, customer_id, kind, subject, return_to, state, data, created_at, expires_at)
VALUES (:id_hash, :brand, :customer, :kind, :subject, :return_to, 'open', :data, :now, :expires_at)"""
_FIND = """
SELECT kind, subject, return_to, state, data FROM provider_session
 WHERE id_hash = :id_hash AND brand = :brand AND customer_id = :customer AND expires_at > :now"""
_MOVE = """
UPDATE provider_session SET state = :state, data = :data
 WHERE id_hash = :id_hash AND brand = :brand AND state = :seen AND expires_at > :now"""


class ProviderSession(msgspec.Struct, frozen=True):
    kind: str
    """`setup` or `payment`."""
    subject: str
    """Of a `setup` the id of the method that is replaced, or empty; of a `payment` the id of the invoice."""
    return_to: str
    """The page of ours that going back leads to: from `Paths`, never from a visitor."""
    state: str = "open"
    data: dict[str, str] = {}


def begin(transaction: Transaction, brand: str, customer_id: str, wanted: ProviderSession, now: datetime) -> str:
    """The token of a new session, for `Paths.sandbox`."""
    token = secrets.token_urlsafe(32)
    row = {
        "id_hash": hash_of(token),
        "brand": brand,
        "customer": customer_id,
        "kind": wanted.kind,
        "subject": wanted.subject,
        "return_to": wanted.return_to,
        "data": encode_texts(wanted.data),
        "now": micros(now),
        "expires_at": micros(now + LIFE),
    }
    transaction.count(_BEGIN, row)
    return token


async def find(store: Store, brand: str, customer_id: str, token: str, now: datetime) -> ProviderSession | None:
    """The customer's session of that token, also one that is used; None: it is over, or somebody else's."""
    values = {"id_hash": hash_of(token), "brand": brand, "customer": customer_id, "now": micros(now)}
    rows = await store.read(_FIND, values)
    if not rows:
        return None
    kind, subject, return_to, state, data = rows[0]
    return ProviderSession(kind, subject, return_to, state, decode_texts(data))


def move(
    transaction: Transaction, brand: str, token: str, seen: ProviderSession, *, state: str, now: datetime, **data: str
) -> bool:
    """From the state that was seen to another; False: somebody was quicker. `data` takes the place of the old."""
    data = {**{name: seen.data[name] for name in (KEEPS,) if name in seen.data}, **data}
    values = {"id_hash": hash_of(token), "brand": brand, "seen": seen.state, "state": state}
    return transaction.count(_MOVE, {**values, "data": encode_texts(data), "now": micros(now)}) == 1


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
