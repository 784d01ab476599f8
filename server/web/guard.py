"""`Guard` is around the whole application, so that no route can opt out of it by accident.

Every request passes, in this order:

| step | refuses |
|---|---|
| one `Host`, that of a brand's origin or one of `PORTAL_HOSTS` | 400 |
| a path: `GET *` has none, and Litestar 2.25 would fail over it | 400 |
| no zero byte in the path or the query: no text of ours has one, and PostgreSQL takes none | 400 |
| an unsafe method comes from our own pages: `Sec-Fetch-Site: same-origin`, or where a browser sends none, the brand's `Origin`; but for the one POST by which a mail provider stops a reminder, see `features.mails.routes`, for Stripe's signed events, see `features.webhooks.routes`, and for the API, see `features.api.routes` | 403 |
| a script of another site does not read: its requests without navigation | 403 |

and every answer, an error too, leaves with the security headers and `no-store`. A person sees a refusal as a page of the brand
that the path names (`Guard._refusing`), or as `small_page`. What fails on the way to an answer, such as a brand's template, is a
500 with a reference (`answer`). HEAD is answered as GET is, without the body: only what may be read knows either. What is
costly to make is not made for it (`asks_head`).
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Request
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from server import telemetry
from server.paths import API, STOPS_MAIL, WEBHOOK
from server.portal import Portal
from server.rendering.views import Frame, View
from server.settings import Settings
from server.web import languages, policy
from server.web.client_address import FORWARDING, Headers, is_trusting
from server.web.problems import views as problems
from server.web.small_page import opens_pages, small_page

_log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD"})
Refusal = tuple[int, str, Headers]
"""Status, a sentence, and headers besides ours."""
NO_HOST: Refusal = (400, "This server does not know that host.", ())
NO_READER: Refusal = (403, "Another site may not read this.", ())
NO_FORM: Refusal = (
    403, "This form was not sent by our own page. Nothing was changed. Open our page, and send the form from there.", (),
)  # fmt: skip
_NO_ADDRESS: Refusal = (400, "There is nothing at such an address.", ())
_VIEWS: dict[Refusal, View] = {NO_FORM: problems.OtherSite(), _NO_ADDRESS: problems.NotFound()}
"""What a brand shows in place of the sentence. A host that is not ours gets no brand's page."""
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
        refused = self._refused(scope, name)
        app = self._refusing(refused, name) if refused else self._app
        await answer(app, scope, receive, send, answered=partial(self._answered, name))

    def _refusing(self, refused: Refusal, name: str) -> ASGIApp:
        """As `refusing`; where the path names a brand, with the brand's page for a person."""
        view, portal = _VIEWS.get(refused), self._portals.get(name)
        if view is None or portal is None:
            return refusing(refused)

        async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
            if not opens_pages(scope["headers"]):
                await refusing(refused)(scope, receive, send)
                return
            locale = languages.locale_for(Request(scope), portal)
            page = portal.renderer.page(view, Frame(), locale, "visitor")
            await _send(send, refused[0], b"text/html; charset=utf-8", page.encode())

        return refuse

    def _refused(self, scope: HTTPScope, name: str) -> Refusal | None:
        headers = scope["headers"]
        hosts = all_of(headers, b"host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            named = b", ".join(hosts)[:100].decode("latin-1")
            telemetry.refused(_log, "unknown_host", "a request named no host of ours", host=named)
            return NO_HOST
        if not scope["path"].startswith("/") or "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return _NO_ADDRESS
        method = scope.get("method", "")
        if method in SAFE:
            if reads_from_elsewhere(headers):
                return NO_READER
        elif not is_same_origin(headers, self._origins.get(name, "")) and not _comes_from_no_page(scope):
            return NO_FORM
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
    answered: Callable[[Headers], list[tuple[bytes, bytes]]],
) -> None:
    """What the application says; counted, with the headers that `answered` makes of its own. A HEAD is a GET to the
    application, and nothing of the body leaves. Where the application fails before it says anything, its answer is a 500:
    the server outside would send one without a header of ours."""
    is_head, has_begun = scope["method"] == "HEAD", False

    async def send_guarded(message: Message) -> None:
        nonlocal has_begun
        has_begun = True
        if message["type"] == "http.response.start":
            telemetry.count("answers", f"{message['status'] // 100}xx")
            message["headers"] = answered(message["headers"])
        elif message["type"] == "http.response.body" and is_head:
            message["body"] = b""
        await send(message)

    if is_head:
        scope["method"] = HttpMethod.GET
        cast("dict[str, Any]", scope)[_IS_HEAD] = True
    try:
        await app(scope, receive, send_guarded)
    except Exception as error:
        if has_begun:
            raise
        reference = broken(scope, error)
        sentence = f"Please try again. If this keeps happening, contact us and quote {reference}."
        await refusing((500, sentence, ()))(scope, receive, send_guarded)


def broken(scope: HTTPScope, error: Exception) -> str:
    """Our own mistake: one log line has everything, and the customer gets its reference, which is answered."""
    reference = secrets.token_hex(4)
    where = {"reference": reference, "method": scope["method"], "path": scope["path"]}
    _log.error("an unexpected error", extra=where, exc_info=error)
    return reference


def refusing(refused: Refusal) -> ASGIApp:
    """What answers every request with this refusal."""
    status, sentence, more = refused

    async def refuse(scope: Scope, _: Receive, send: Send) -> None:
        await _send(send, status, *small_page(scope["headers"], status, sentence), more)

    return refuse


async def _send(send: Send, status: int, media_type: bytes, body: bytes, more: Headers = ()) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def is_same_origin(headers: Headers, origin: str) -> bool:
    """Whether a browser says that the request comes from a page of this origin. `origin` empty: nobody's."""
    sites = all_of(headers, b"sec-fetch-site")
    if sites:
        return bool(origin) and sites == [b"same-origin"]
    return bool(origin) and all_of(headers, b"origin") == [origin.encode()]


def _comes_from_no_page(scope: HTTPScope) -> bool:
    """Whether it is RFC 8058's POST, an event that Stripe signed, or a request to the API with a key. Its token, its
    signature or its key is its right, and it has no other: its cookies are not looked at. The path is what routes go by, and all of it must fit: no other route can come to lie below it by accident."""
    method, path = scope["method"], scope["path"]
    if method in ("POST", "DELETE") and API.fullmatch(path):
        return bool(all_of(scope["headers"], b"authorization"))
    is_signed = bool(all_of(scope["headers"], b"stripe-signature"))
    return method == "POST" and bool(STOPS_MAIL.fullmatch(path) or (is_signed and WEBHOOK.fullmatch(path)))


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
