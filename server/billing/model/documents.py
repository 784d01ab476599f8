"""How accounts and invoices lie in the store: MessagePack, one document a row."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing.model.account import Account, Invoice
from server.store import micros


class InvoiceHead(msgspec.Struct, frozen=True):
    """What is read of an invoice to see whether it is wanted."""

    id: str
    status: str


_encoder = msgspec.msgpack.Encoder()
_accounts = msgspec.msgpack.Decoder(Account)
_invoices = msgspec.msgpack.Decoder(Invoice)
_heads = msgspec.msgpack.Decoder(InvoiceHead)
_texts = msgspec.msgpack.Decoder(dict[str, str])


def encode_account(account: Account) -> bytes:
    return _encoder.encode(account)


def decode_account(document: bytes) -> Account:
    return _accounts.decode(document)


def encode_invoice(invoice: Invoice) -> bytes:
    return _encoder.encode(invoice)


def decode_invoice(document: bytes) -> Invoice:
    return _invoices.decode(document)


def invoice_head(document: bytes) -> InvoiceHead:
    """Much faster than the whole invoice."""
    return _heads.decode(document)


def encode_texts(texts: dict[str, str]) -> bytes:
    """The `data` of an activity."""
    return _encoder.encode(texts)


def decode_texts(document: bytes) -> dict[str, str]:
    return _texts.decode(document)


def is_due(due_at: int | None, now: datetime) -> bool:
    """Whether something of the account should have happened by now. `due_at` is the row's: UTC microseconds."""
    return due_at is not None and due_at <= micros(now)
