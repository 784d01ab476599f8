"""Whether a webhook was signed by Stripe, just now, with the secret that the merchant and Stripe share. Pure.

The header is `t=<seconds>,v1=<hex>[,v1=<hex>…]`; the signature is over `<seconds>.<body>` byte by byte, as it came.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=300)
"""On both sides: neither an old body nor one from the future counts."""
_PART = re.compile(r"(t|v1)=([0-9a-f]{1,64})")
_MOST = 10


def is_genuine(header: str, body: bytes, secret: str, now: datetime) -> bool:
    if not secret:
        return False
    parts = [match.groups() for each in header.split(",", _MOST)[:_MOST] if (match := _PART.fullmatch(each.strip()))]
    moments = [value for name, value in parts if name == "t"]
    if len(moments) != 1 or not moments[0].isdecimal() or len(moments[0]) > 12:
        return False
    if abs(now.timestamp() - int(moments[0])) > TOLERANCE.total_seconds():
        return False
    wanted = hmac.new(secret.encode(), f"{moments[0]}.".encode() + body, "sha256").hexdigest()
    return any(hmac.compare_digest(value, wanted) for name, value in parts if name == "v1")
