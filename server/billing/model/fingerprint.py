"""What a page showed, as a word that goes back with its form: what was seen is done, or nothing is. Pure.

A fingerprint is the moment of the page and a MAC, keyed with the server's secret, over the brand, the customer, the
action, that moment and everything that the page's numbers came from. So a customer can neither make one nor carry one
over to another subscription, another action, another account or another moment.

For `SHOWN_FOR` the numbers of the page's moment hold, although time went on: the action is worked out again for that
moment. After that only numbers that the passing of time did not change still fit.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from server.store import micros, moment

SHOWN_FOR = timedelta(minutes=30)
"""How long the numbers of a page hold."""
_DIGITS = 17
_SIZE = 16


class Fingerprint(msgspec.Struct, frozen=True):
    """The fingerprints of pages about one action of one customer."""

    keys: tuple[bytes, ...]
    """The first makes, every one is accepted."""
    about: bytes
    """The brand, the customer, the subscription and the action."""
    shown: str = ""
    """The one that came back with the form; it may be anything."""

    @classmethod
    def about_action(cls, keys: Sequence[bytes], *about: object, shown: str = "") -> Fingerprint:
        return cls(tuple(keys), msgspec.msgpack.encode(about), shown)

    def of(self, at: datetime, *seen: object) -> str:
        """For a page of this moment that shows this."""
        return self._made(self.keys[0], micros(at), seen)

    def fits(self, *seen: object) -> bool:
        """Whether the page that it came from, whenever that was, showed just this."""
        at = self.shown.partition(".")[0]
        if not (at.isascii() and at.isdecimal() and len(at) <= _DIGITS):
            return False
        shown = self.shown.encode("utf-8", "replace")
        # Every key is tried: the time tells not which of them it was.
        matches = [hmac.compare_digest(shown, self._made(key, int(at), seen).encode()) for key in self.keys]
        return any(matches)

    def shown_at(self, now: datetime) -> datetime | None:
        """When the page was made, where its numbers still hold; believe it only once `fits` has said so."""
        at = self.shown.partition(".")[0]
        if not (at.isascii() and at.isdecimal() and len(at) <= _DIGITS):
            return None
        shown_at = moment(int(at))
        return shown_at if shown_at <= now <= shown_at + SHOWN_FOR else None

    def _made(self, key: bytes, at: int, seen: tuple[object, ...]) -> str:
        text = msgspec.msgpack.encode((self.about, at, seen))
        return f"{at}.{hmac.digest(key, text, hashlib.sha256)[:_SIZE].hex()}"
