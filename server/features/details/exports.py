"""Everything that the portal knows about a customer as one JSON document, made while it is sent. Pure.

    {"exported_at", "brand", "customer", "subscriptions", "payment_methods", "upcoming", "balance",
     "sessions", "known_browsers", "reminders_off", "mails", "declarations", "invoices", "activity"}

Names are those of the portal's own types. An amount is an integer of minor units and a currency; a moment is ISO 8601 in
UTC. Every field of a thing is written, also an empty one. Of a session and of a mail it says when, where and what kind,
never a token, a code or their hashes: those open doors.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from server.billing import Account, Money

Pages = AsyncIterator[Iterable[Any]]


async def as_json(head: Mapping[str, Any], lists: Mapping[str, Pages]) -> AsyncIterator[bytes]:
    """The entries of `head` as they are, then each list page by page."""
    begun = b",\n".join(_name(name) + _encoded(value) for name, value in head.items())
    yield b"{\n" + begun
    for name, pages in lists.items():
        yield b",\n" + _name(name) + b"["
        between = b"\n"
        async for page in pages:
            entries = [_encoded(each) for each in page]
            if entries:
                yield between + b",\n".join(entries)
                between = b",\n"
        yield b"]"
    yield b"\n}\n"


def of_account(account: Account) -> dict[str, Any]:
    """The parts of an account, without the invoices: the export has all of them, and this only the latest."""
    parts = plain(account)
    left_out = ("invoices", "has_older_invoices", "as_of")
    return {name: value for name, value in parts.items() if name not in left_out}


def plain(value: Any) -> Any:
    """The value as what JSON knows, every field by its name."""
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def _name(name: str) -> bytes:
    return msgspec.json.encode(name) + b": "


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(plain(value))
