"""One thing that `doctor` and the studio's health page say, and where a look at other machines ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import msgspec

PATIENCE = 8.0
"""Seconds that one look at another machine gets."""


class Finding(msgspec.Struct, frozen=True):
    what: str
    is_fine: bool
    words: str
    remedy: str = ""
    """What to do about it."""


async def in_time(what: str, look: Awaitable[Finding], seconds: float = PATIENCE) -> Finding:
    """The finding, or the one that the look took too long."""
    try:
        async with asyncio.timeout(seconds):
            return await look
    except TimeoutError:
        remedy = "Look again in a minute; if it stays so, look at the network between the two machines."
        return Finding(what, False, f"no answer within {seconds:g} seconds", remedy)
