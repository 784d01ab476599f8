"""Mails to operators, but for codes: what they are told of each other, in the transaction of what it tells of, and the mail
that somebody sends to themselves to see it."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from server.merchant.studio import operators
from server.merchant.studio.place import NAME
from server.store import Transaction, micros, new_id, posting

PASSKEY_ADDED, TEST_MAIL = "passkey_added", "test_mail"
_TOLD_WITHIN = timedelta(days=1)


class PasskeyAdded(msgspec.Struct, frozen=True):
    operator: str
    name: str
    browser: str


class TestMail(msgspec.Struct, frozen=True):
    """A mail of a brand with the words of an example."""

    business: str
    locale: str
    subject: str
    text: str
    html: str


def test_mail(transaction: Transaction, address: str, mail: TestMail, now: datetime) -> None:
    """To the operator who asked for it, at the address of their session."""
    _enqueue(transaction, TEST_MAIL, address, msgspec.msgpack.encode(mail), now)


def passkey_added(transaction: Transaction, address: str, name: str, browser: str, now: datetime) -> None:
    """To everybody who works on a brand of this operator's: a stolen mailbox is noticed by the others."""
    data = msgspec.msgpack.encode(PasskeyAdded(address, name, browser))
    for each in operators.fellows(transaction, address):
        _enqueue(transaction, PASSKEY_ADDED, each, data, now)


def _enqueue(transaction: Transaction, kind: str, address: str, data: bytes, now: datetime) -> None:
    row = {
        "id": new_id(now),
        "brand": NAME,
        "kind": kind,
        "address": address,
        "data": data,
        "now": micros(now),
        "not_before": micros(now),
        "expires_at": micros(now + _TOLD_WITHIN),
    }
    transaction.count(posting.TO_ADDRESS, row)
