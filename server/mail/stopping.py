"""The link by which a mail can be stopped without logging in, as `List-Unsubscribe` (RFC 8058) and as one to click.

`<origin>/<brand>/mails/<kind>/<token>`. The token names the customer and holds a MAC over the brand, the customer and
the kind: nobody can make one, and one that was passed on stops this kind of mail of this customer and does nothing else,
at no other brand. It does not age, since people search old mails for it; it is nothing any more once the secret that
made it has left `PORTAL_SECRETS`.
"""

from __future__ import annotations

import base64
import binascii

from server.access import sealing
from server.portal import Portal

PURPOSE = "stop mails"
_MAC = 16
"""Bytes of it in a token: 128 bits, which nobody guesses over a network."""


def link(portal: Portal, customer_id: str, kind: str) -> str:
    """What stops this kind of mail; empty where the brand lets nobody choose."""
    if not portal.brand.config.mail.may_stop(kind):
        return ""
    return f"{portal.origin}{portal.paths.mail_stop(kind, token_for(portal, customer_id, kind))}"


def token_for(portal: Portal, customer_id: str, kind: str) -> str:
    made = _macs(portal, customer_id, kind)[0] + customer_id.encode()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def customer_of(portal: Portal, kind: str, token: str) -> str:
    """Whose mails of this kind the token stops; empty: it is none of ours."""
    try:
        made = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        customer_id = made[_MAC:].decode()
    except (binascii.Error, ValueError):
        return ""
    return customer_id if sealing.same(made[:_MAC], _macs(portal, customer_id, kind)) else ""


def _macs(portal: Portal, customer_id: str, kind: str) -> list[bytes]:
    parts = [each.encode() for each in (portal.name, customer_id, kind)]
    return [sealing.mac(key, *parts)[:_MAC] for key in sealing.keys(portal.settings.secrets, PURPOSE)]
