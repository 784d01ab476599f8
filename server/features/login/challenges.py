"""The challenges of one browser. Each tab may ask for an address of its own, so its forms and its URL say which challenge they
are of: by a mark, from which nobody learns the token. The cookie holds the tokens, the newest first."""

from __future__ import annotations

import hashlib
from datetime import datetime

from server.access import passcodes
from server.access.passcodes import Challenge
from server.portal import Portal
from server.web import cookies
from server.web.responding import AnyRequest
from server.web.visit import Answer

MOST = 4
"""At most this many per browser; the oldest is forgotten, and ends by time. As long as their tokens is all that is read of
a cookie."""


def mark_of(token: str) -> str:
    """What forms and URLs call the challenge of this token; empty where there is none."""
    return hashlib.sha256(b"mark of " + token.encode()).hexdigest()[:12] if token else ""


def token_of(request: AnyRequest, portal: Portal, mark: str) -> str:
    """The token of the challenge with this mark, or the newest one where no mark is given; empty: this browser has none."""
    return next((each for each in _held(request, portal) if not mark or mark_of(each) == mark), "")


async def find(portal: Portal, token: str, now: datetime) -> Challenge | None:
    return passcodes.find(await portal.store.read(*passcodes.finding(portal, token)), now) if token else None


async def of_address(request: AnyRequest, portal: Portal, address: str, now: datetime) -> tuple[str, Challenge | None]:
    """This browser's challenge for the address, over or not, and its token; empty: there is none."""
    for token in _held(request, portal):
        challenge = await find(portal, token, now)
        if challenge and challenge.address == address:
            return token, challenge
    return "", None


def keep(response: Answer, request: AnyRequest, portal: Portal, token: str, *, gone: str) -> None:
    """The cookie holds this one besides the others from now on, and `gone` no more; an empty token adds nothing."""
    others = [each for each in _held(request, portal) if each not in (token, gone)]
    held = [each for each in (token, *others) if each][:MOST]
    minutes = portal.settings.code_minutes if held else 0
    cookies.put(response, portal, "challenge", ".".join(held), max_age=minutes * 60)


def _held(request: AnyRequest, portal: Portal) -> list[str]:
    return [each for each in cookies.token_of(request, portal, "challenge").split(".") if each][:MOST]
