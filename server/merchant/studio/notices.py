"""What operators are told by mail of each other: rows of the outbox, in the transaction of what they tell of."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import msgspec

from server.merchant.studio import operators
from server.merchant.studio.place import NAME
from server.store import Transaction, micros, posting

PASSKEY_ADDED = "passkey_added"
_TOLD_WITHIN = timedelta(days=1)


class PasskeyAdded(msgspec.Struct, frozen=True):
    operator: str
    name: str
    browser: str


def passkey_added(transaction: Transaction, address: str, name: str, browser: str, now: datetime) -> None:
    """To everybody who works on a brand of this operator's: a stolen mailbox is noticed by the others."""
    data = msgspec.msgpack.encode(PasskeyAdded(address, name, browser))
    for each in operators.fellows(transaction, address):
        row = {
            "id": secrets.token_hex(16),
            "brand": NAME,
            "kind": PASSKEY_ADDED,
            "address": each,
            "data": data,
            "now": micros(now),
            "not_before": micros(now),
            "expires_at": micros(now + _TOLD_WITHIN),
        }
        transaction.count(posting.TO_ADDRESS, row)
