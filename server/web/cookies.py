"""What a browser keeps for us, and the `customer` that every handler below ``/my/`` is given.

Cookies carry the prefix ``__Host-`` and the brand's name: no sibling host can plant one, and a session of one brand is
nothing to another. Without https, on the demo's loopback alone, they have no prefix and are not Secure.
"""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from server.access.sessions import LoggedIn, find
from server.portal import Portal
from server.web.client_address import Headers
from server.web.forms import Form, read_form


class NoSession(Exception):
    """Nobody is logged in, or not any more."""

    def __init__(self, address: str = "", form: Form | None = None) -> None:
        super().__init__("no session")
        self.address = address
        """Who was, where the browser still shows an ended session's cookie."""
        self.form = form
        """What was posted, when it was a form that was refused."""


async def current(request: Request[Any, Any, Any], portal: Portal) -> LoggedIn:
    """The dependency `customer`. Raises `NoSession`."""
    found = await find(portal, token_of(request, portal), portal.clock())
    if isinstance(found, LoggedIn):
        # For pages about problems, which are shown after the handler is gone.
        request.scope["state"]["customer"] = found
        return found
    raise NoSession(found, await read_form(request) if request.method == "POST" else None)


def token_of(request: Request[Any, Any, Any], portal: Portal, name: str = "session") -> str:
    """The last cookie of that name."""
    return token_named(request, cookie_name(portal, name))


def token_named(request: ASGIConnection[Any, Any, Any, Any], wanted: str) -> str:
    """The same by the whole name."""
    return token_in(request.scope["headers"], wanted)


def token_in(headers: Headers, wanted: str) -> str:
    """The same of a request with these headers (names in small letters). Our tokens are never quoted, and of all else that a
    browser sends nothing is read."""
    token, some = "", wanted.encode()
    for header, value in headers:
        if header == b"cookie" and some in value:
            for each in value.decode("latin-1").split(";"):
                key, _, said = each.partition("=")
                if key.strip() == wanted:
                    token = said.strip()
    return token[:200]


def cookie_name(portal: Portal, name: str) -> str:
    """Of `session`, `challenge`, `browser`, the mark of a known one, `language`, the tag that was chosen on the way in,
    `own_language`, the one that was chosen while logged in, or `typed`, what was no address.
    None has a dash, which names of brands have: no brand's cookie is another's."""
    return f"{'__Host-' if portal.is_secure else ''}{portal.name}-{name}"


def put(response: Response[Any], portal: Portal, name: str, token: str, *, max_age: int | None = None) -> None:
    """Give the browser a cookie that ends with it, or after `max_age` seconds; 0 takes the cookie away."""
    _put(response, cookie_name(portal, name), token, secure=portal.is_secure, samesite="lax", max_age=max_age)


def studio_name(name: str, *, secure: bool) -> str:
    """Of `studio`, the session of an operator, or `studio-challenge`: no brand's cookie has such a name."""
    return f"{'__Host-' if secure else ''}{name}"


def put_studio(response: Response[Any], name: str, token: str, *, secure: bool, max_age: int | None = None) -> None:
    """As `put`, for the studio: no page of another site leads there with the session."""
    _put(response, studio_name(name, secure=secure), token, secure=secure, samesite="strict", max_age=max_age)


def _put(
    response: Response[Any],
    key: str,
    token: str,
    *,
    secure: bool,
    samesite: Literal["lax", "strict"],
    max_age: int | None,
) -> None:
    cookie = Cookie(key=key, value=token, max_age=max_age, path="/", secure=secure, httponly=True, samesite=samesite)
    response.cookies.append(cookie)
