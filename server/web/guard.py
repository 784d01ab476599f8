"""`Guard` is around the whole application, so that no route can opt out of it by accident.

Every request passes, in this order:

| step | refuses |
|---|---|
| one `Host`, that of a brand's origin or one of `PORTAL_HOSTS` | 400 |
| a path: `GET *` has none, and Litestar 2.25 would fail over it | 400 |
| no zero byte in the path or the query: no text of ours has one, and PostgreSQL takes none | 400 |
| an unsafe method comes from our own pages: `Sec-Fetch-Site: same-origin`, or where a browser sends none, the brand's `Origin`; but for the one POST by which a mail provider stops a reminder, see `features.mails.routes`, for Stripe's signed events, see `features.webhooks.routes`, and for the API, see `features.api.routes` | 403 |
| a script of another site does not read: its requests without navigation | 403 |

and every answer, an error too, leaves with the security headers and `no-store`. HEAD is answered as GET is, without the body: only what may be read knows either. What is
costly to make is not made for it (`asks_head`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from server import telemetry
from server.paths import API, STOPS_MAIL, WEBHOOK
from server.portal import Portal
from server.settings import Settings
from server.web import policy
from server.web.client_address import FORWARDING, Headers, is_trusting

_log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD"})
Refusal = tuple[int, bytes, Headers]
"""Status, words, and headers besides ours."""
FRAGMENT = b"x-portal-fragment"
_IS_HEAD = "portal.is_head"
_NO_REFERRER = (b"referrer-policy", b"no-referrer")
"""What an answer may say in place of our own: it only ever tells less."""
_HTMX_ANSWERS = frozenset({b"hx-redirect"})
_NOT_EXACT = re.compile(rb"//|/$|\\|%2f|%5c", re.IGNORECASE)
_OWN_PATH = re.compile(rb"/(?!/)[A-Za-z0-9/_.?=&%~:-]*")

_UNTRUSTED = (
    "requests arrive with X-Forwarded-For or Forwarded, and no proxy is trusted: everybody behind a proxy shares the limits "
    "of one client address. Set PORTAL_TRUSTED_PROXIES to the number of proxies in front of this server"
)


class Guard:
    """The application behind these checks. `portals` by the name that the path begins with."""

    def __init__(self, app: ASGIApp, *, portals: Mapping[str, Portal], settings: Settings) -> None:
        self._app = app
        self._origins = {name: portal.origin for name, portal in portals.items()}
        origins = {*self._origins.values(), *filter(None, [settings.origin])}
        named = {urlsplit(origin).netloc.lower() for origin in origins} | {*settings.hosts}
        self._hosts = {each.encode() for each in named}
        self._portals, self._pages = portals, dict[str, Ours]()
        both = {secure: Ours(policy.bare(secure=secure)) for secure in (True, False)}
        self._others = {name: both[portal.is_secure] for name, portal in portals.items()}
        self._bare = both[all(portal.is_secure for portal in portals.values())]
        self._asks_for_proxies = not is_trusting(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            if scope["type"] == ScopeType.WEBSOCKET:
                await send({"type": "websocket.close", "code": 1000, "reason": None})
                return
            await self._app(scope, receive, send)
            return
        if self._asks_for_proxies and any(key.lower() in FORWARDING for key, _ in scope["headers"]):
            self._asks_for_proxies = False
            _log.warning(_UNTRUSTED)
        name = scope["path"].lstrip("/").partition("/")[0]
        await answer(
            self._app, scope, receive, send, refused=self._refused(scope, name), answered=partial(self._answered, name)
        )

    def _refused(self, scope: HTTPScope, name: str) -> Refusal | None:
        headers = scope["headers"]
        hosts = all_of(headers, b"host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            named = b", ".join(hosts)[:100].decode("latin-1")
            telemetry.refused(_log, "unknown_host", "a request named no host of ours", host=named)
            return 400, b"This server does not know that host.\n", ()
        if not scope["path"].startswith("/") or "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return 400, b"There is nothing at such an address.\n", ()
        method = scope.get("method", "")
        if method in SAFE:
            if reads_from_elsewhere(headers):
                return 403, b"Another site may not read this.\n", ()
        elif not is_same_origin(headers, self._origins.get(name, "")) and not _comes_from_no_page(scope):
            return 403, b"This form was not sent by our own page.\n", ()
        return None

    def _page_of(self, name: str) -> Ours:
        """Made for a brand's first page: its policy lists the hashes of files that are not read before."""
        if name not in self._pages:
            portal = self._portals[name]
            self._pages[name] = Ours(policy.page(portal.renderer.assets, secure=portal.is_secure))
        return self._pages[name]

    def _answered(self, name: str, headers: Headers) -> list[tuple[bytes, bytes]]:
        """The headers of the answer with ours in place of any of the same name."""
        kept = [(key.lower(), value) for key, value in headers]
        values = dict(kept)
        is_page = values.get(b"content-type", b"").startswith(b"text/html") and FRAGMENT not in values
        ours = self._page_of(name) if is_page and name in self._portals else self._others.get(name, self._bare)
        answered = [each for each in kept if each[0] not in ours.names and is_ours_to_send(*each)]
        if _NO_REFERRER in kept:
            return [*answered, _NO_REFERRER, *(each for each in ours.headers if each[0] != _NO_REFERRER[0])]
        return answered + ours.headers


async def answer(
    app: ASGIApp,
    scope: HTTPScope,
    receive: Receive,
    send: Send,
    *,
    refused: Refusal | None,
    answered: Callable[[Headers], list[tuple[bytes, bytes]]],
) -> None:
    """The refusal, or what the application says; counted, with the headers that `answered` makes of its own. A HEAD is a GET to the
    application, and nothing of the body leaves."""
    is_head = scope["method"] == "HEAD"

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            telemetry.count("answers", f"{message['status'] // 100}xx")
            message["headers"] = answered(message["headers"])
        elif message["type"] == "http.response.body" and is_head:
            message["body"] = b""
        await send(message)

    if refused:
        await _refuse(send_guarded, *refused)
    else:
        if is_head:
            scope["method"] = HttpMethod.GET
            cast("dict[str, Any]", scope)[_IS_HEAD] = True
        await app(scope, receive, send_guarded)


def is_same_origin(headers: Headers, origin: str) -> bool:
    """Whether a browser says that the request comes from a page of this origin. `origin` empty: nobody's."""
    sites = all_of(headers, b"sec-fetch-site")
    if sites:
        return bool(origin) and sites == [b"same-origin"]
    return bool(origin) and all_of(headers, b"origin") == [origin.encode()]


def _comes_from_no_page(scope: HTTPScope) -> bool:
    """Whether it is RFC 8058's POST, an event that Stripe signed, or a request to the API with a key. Its token, its
    signature or its key is its right, and it has no other: its cookies are not looked at. The path is what routes go by, and all of it must fit: no other route can come to lie below it by accident."""
    if scope["method"] != "POST":
        return False
    is_signed = bool(all_of(scope["headers"], b"stripe-signature"))
    has_key = bool(all_of(scope["headers"], b"authorization"))
    path = scope["path"]
    return bool(
        STOPS_MAIL.fullmatch(path) or (is_signed and WEBHOOK.fullmatch(path)) or (has_key and API.fullmatch(path))
    )


def asks_head(scope: Scope) -> bool:
    """Whether the request was a HEAD, which the application sees as a GET: nothing of the body will leave."""
    return _IS_HEAD in scope


def is_exact(scope: Scope) -> bool:
    """Whether the path is as our links write it. Litestar also takes one with a slash at the end, with two for one,
    or with one that hides in an escape, and a cache in between may take those for a file that it may keep."""
    return not _NOT_EXACT.search(scope["raw_path"])


def reads_from_elsewhere(headers: Headers) -> bool:
    sites = all_of(headers, b"sec-fetch-site")
    if not sites or sites[0] in (b"same-origin", b"none"):
        return False
    return all_of(headers, b"sec-fetch-mode") != [b"navigate"]


def is_ours_to_send(name: bytes, value: bytes) -> bool:
    """No visitor's text in what htmx obeys: HX-Redirect to one of our own paths, and no other. `name` in small letters."""
    if not name.startswith(b"hx-"):
        return True
    if name in _HTMX_ANSWERS and _OWN_PATH.fullmatch(value):
        return True
    _log.error("an answer's HX header was dropped", extra={"header": name.decode("latin-1")})
    return False


def all_of(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


class Ours:
    """The headers of a policy as they are sent, and their names."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        self.names = frozenset(key for key, _ in self.headers)


async def _refuse(send: Send, status: int, words: bytes, more: Headers) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(words)).encode()), *more,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words, "more_body": False})
