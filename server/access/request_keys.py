"""The request key of an address: what its newest mail says when strangers have asked for as many codes as they get.

Who enters it on the log-in page can read the mailbox, and gets a code from the owner's share. It logs nobody in, it is
made from the server's secrets and kept nowhere, and nobody can use it up. It changes every day and works for one to two.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

from server.access import sealing
from server.settings import Settings

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: no words; 12 of these 20 are 52 bits, and unlike a code's 15
_LENGTH = 12


def request_key(settings: Settings, address: str, now: datetime) -> str:
    """Today's, as the mail shows it: `XXXX-XXXX-XXXX`."""
    made = _made(sealing.keys(settings.secrets, "request key")[0], address, now)
    return "-".join((made[:4], made[4:8], made[8:]))


def shown(typed: str) -> str:
    """The key in what came with a link, for its field; empty where it has not the form of one."""
    text = typed.strip().upper()
    return text if re.fullmatch(f"(?:[{LETTERS}]{{4}}-?){{3}}", text) and not text.endswith("-") else ""


def is_key(settings: Settings, address: str, typed: str, now: datetime) -> bool:
    """Whether it is today's or yesterday's, however it was typed."""
    text = unicodedata.normalize("NFKC", typed[:64]).upper()
    letters = "".join(each for each in text if each in LETTERS).encode()
    keys = sealing.keys(settings.secrets, "request key")
    return sealing.same(
        letters, [_made(key, address, now - timedelta(days=ago)).encode() for key in keys for ago in (0, 1)]
    )


def _made(key: bytes, address: str, at: datetime) -> str:
    number = int.from_bytes(sealing.mac(key, address.encode(), at.date().isoformat().encode()))
    return "".join(LETTERS[number // 20**place % 20] for place in range(_LENGTH))
