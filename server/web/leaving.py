"""The way out: from a form of ours to a page of the billing side's, such as Stripe's Checkout.

The policy lets a form lead to our own origin only, and a browser blocks a redirect to another one after it. So the form
leads to a page of ours, `/my/leave/<token>`, and that page leads on by itself. The token holds the URL, sealed for one
customer and for a minute: such a URL is a right to pay or to add a card, and nobody reads it off a log or a history.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from server.access.sealing import Sealer
from server.billing import Refused
from server.portal import Portal
from server.store import micros

LIFE = timedelta(minutes=1)
_URL = re.compile(r"[!#-;=?-_a-z~]{1,4000}")
"""It goes into a header: no space, no quote, no bracket, nothing that is not ASCII."""


class Way(msgspec.Struct, frozen=True, array_like=True):
    url: str
    """Empty: its time is over."""
    back: str
    """Our page that the customer came from."""
    until: int = 0


def sealed(portal: Portal, customer_id: str, url: str, back: str, now: datetime) -> str:
    """The token. Raises `Refused` for a URL that is neither Stripe's by https nor that of a stand-in which the settings name."""
    parts = urlsplit(url)
    is_standins = f"{parts.scheme}://{parts.netloc}" == portal.settings.stripe_api_base
    if not _URL.fullmatch(url) or not ((parts.scheme == "https" and parts.hostname) or is_standins):
        raise Refused("not_supported")
    plain = msgspec.msgpack.encode(Way(url, back, micros(now + LIFE)))
    sealed_ = Sealer(portal.settings.secrets).seal(plain, _context(portal, customer_id))
    return base64.urlsafe_b64encode(sealed_).rstrip(b"=").decode()


def opened(portal: Portal, customer_id: str, token: str, now: datetime) -> Way | None:
    """Where the token leads; None: it is none of ours, or another customer's."""
    try:
        sealed_ = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    plain = Sealer(portal.settings.secrets).open(sealed_, _context(portal, customer_id))
    if plain is None:
        return None
    way = msgspec.msgpack.decode(plain, type=Way)
    return way if micros(now) < way.until else Way("", way.back)


def _context(portal: Portal, customer_id: str) -> bytes:
    return f"leave {portal.name} {customer_id}".encode()
