"""What a page showed, as a token that goes back with its form: what is done is what was seen, or nothing is. Pure.

The token holds the moment of the page and a digest of everything that its numbers came from. Within `SHOWN_FOR` the
numbers of that moment are made true; later only what the passing of time has not changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec

from server.store import micros, moment

SHOWN_FOR = timedelta(minutes=30)
"""So long the numbers of a page stand."""

SHOWN_OTHERWISE = "shown_otherwise"
"""The refusal of what would not be what the page said."""


def token_of(at: datetime, *seen: object) -> str:
    return f"{micros(at)}.{blake2b(msgspec.msgpack.encode(seen), digest_size=16).hexdigest()}"


def moment_of(token: str, now: datetime) -> datetime | None:
    """When the page was made, where its numbers still stand."""
    written = token.partition(".")[0]
    if not (written.isascii() and written.isdecimal() and len(written) < 18):
        return None
    at = moment(int(written))
    return at if at <= now <= at + SHOWN_FOR else None


def are_alike(one: str, other: str) -> bool:
    """Both showed the same, at whatever moments."""
    return one.partition(".")[2] == other.partition(".")[2]
