"""How a view becomes an answer: the only file that knows the HX headers.

One URL, one fragment, two wrappings: htmx gets the fragment, everybody else the same fragment inside its layout.

    what happened                         how it travels            what the customer sees
    something odd was typed               a value                   the same form, 422, their words kept
    a rule says no                        a value                   the reason and a way forward
    the billing side says no              billing.Refused           our sentence for it, 409
    a form of another account             forms.OfAnother           "This page is of another account", 409
    it is away, nothing was sent          billing.Unavailable       "Nothing was changed", 503
    asked and heard nothing               billing.Uncertain         "We do not know yet", 503, a safe repeat
    not theirs, or not there              billing.NotFound          404, the same bytes for both
    nobody is logged in                   cookies.NoSession         log-in, see `features.login.pages`
    too often                             limits.TooMany            429 with when to try again
    the database is away                  store.StoreUnavailable    503, Retry-After
    it went away while it was committing  store.StoreUncertain      as Uncertain
    another site's form, no such host     guard.Refusal             the brand's page or `small_page`, 400 or 403
    we were wrong                         anything else             500, a reference number, one full log line
"""

from __future__ import annotations

import html
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, NotFoundException
from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send
from msgspec.structs import asdict, replace

from server import telemetry
from server.access.configurations import DEFAULT
from server.access.limits import TooMany
from server.access.sessions import LoggedIn
from server.billing import Account, NotFound, Refused, Unavailable, Uncertain
from server.portal import Portal
from server.rendering.renderer import Renderer
from server.rendering.views import Frame, Language, View, template_of
from server.store import StoreUnavailable, StoreUncertain
from server.web import languages
from server.web.forms import OfAnother
from server.web.guard import asks_head, broken, is_exact
from server.web.problems import views as problems
from server.web.small_page import small_page

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]

RETRY_AFTER = "5"
"""Seconds: how soon to ask again when the database or the billing side is away."""

_REASONS = {408: "too_slow", 413: "too_large"}
_NO_PAGE = "The address may have a typo, or the page has moved."
_WITHOUT_BRAND = {
    404: _NO_PAGE,
    405: _NO_PAGE,
    500: "Please try again in a moment.",
}

_PATH, _QUERY = re.compile(r"[A-Za-z0-9/_.~-]*"), re.compile(r"[A-Za-z0-9_.=&%~+-]*")

_log = logging.getLogger(__name__)


class Html(Response[str]):
    """A page or a fragment. Litestar's own way from an answer to bytes serves any kind, each header through three
    objects: here it is known what is sent."""

    def __init__(self, body: str, status: int, headers: dict[str, str] | None = None) -> None:
        self.content, self.status_code, self.headers, self.cookies = body, status, headers or {}, []
        self.media_type, self.encoding, self.background, self.response_type_encoders = MediaType.HTML, "utf-8", None, {}

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        """Without what a route could add: no route of ours sets headers or cookies."""
        return _Sent(self)


class _Sent(ASGIResponse):
    def __init__(self, answer: Html) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        answer = self._answer
        body = answer.content.encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()),
            *(each.to_encoded_header() for each in answer.cookies),
        ]
        await send({"type": "http.response.start", "status": answer.status_code or 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def wants_fragment(request: AnyConnection) -> bool:
    """Whether htmx asks: a navigation is never answered with a bare fragment, whatever headers it brings."""
    headers = dict(request.scope["headers"])
    return headers.get(b"hx-request") == b"true" and headers.get(b"sec-fetch-dest", b"empty") == b"empty"


def show(
    request: AnyRequest,
    portal: Portal,
    view: View,
    *,
    account: Account | None = None,
    address: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
    offered: tuple[Language, ...] = (),
    beside: View | None = None,
) -> Response[str]:
    """The view as a fragment or inside its layout, as the browser needs it. `offered`: the languages of the page. `beside`:
    what comes along with a fragment for other parts of the page that it is swapped into."""
    locale = languages.locale_for(request, portal, account)
    customer: LoggedIn | None = request.scope.get("state", {}).get("customer")
    if wants_fragment(request):
        renderer = _renderer(portal, customer)
        title, body = renderer.titled(view, locale)
        body += renderer.fragment(beside, locale) if beside else ""
        # portal.js swaps nothing without it: a proxy's error page or a captive portal is not ours.
        headers = {**(headers or {}), "X-Portal-Fragment": "1", "X-Portal-Title": quote(html.unescape(title))}
    else:
        name = account.customer.name if account else ""
        here = view.here or template_of(type(view)).split("/")[1]
        as_of = account.as_of if account and here != "home" and not portal.is_the_billing else None
        frame = Frame(address, name, here, bool(customer and customer.has_others), offered, as_of=as_of)
        body = _renderer(portal, customer).page(
            view, _within(frame, customer), locale, _layout(view, address, customer)
        )
    response = Html(body, status, headers)
    if request.query_params.get("language") == locale:
        languages.remember(response, portal, locale)
    return response


def _layout(view: View, address: str, customer: LoggedIn | None) -> str:
    """Where nobody is logged in: no navigation that would lead nowhere. Nor in a flow."""
    if customer and customer.portal_session and customer.portal_session.flow and view.layout == "account":
        return "flow"
    return view.layout if address or (customer and customer.portal_session) else "visitor"


def _within(frame: Frame, customer: LoggedIn | None) -> Frame:
    it = customer.portal_session if customer else None
    return replace(frame, from_business=True, return_url=it.return_url) if it else frame


def _renderer(portal: Portal, customer: LoggedIn | None) -> Renderer:
    """Of the brand as the configuration of this session has it."""
    it = customer.portal_session if customer else None
    if it is None or (it.terms.configuration == DEFAULT and it.features == portal.brand.config.features):
        return portal.renderer
    business = portal.brand.config.business
    texts = {name: text for name, text in asdict(it.texts).items() if text}
    own = {
        tag: {name: text for name, text in each.items() if name not in texts}
        for tag, each in business.own_texts.items()
    }
    config = replace(portal.brand.config, features=it.features, business=replace(business, **texts, own_texts=own))
    return portal.renderer.having(replace(portal.brand, config=config))


async def save(
    request: AnyRequest, body: Callable[[], Awaitable[bytes]] | AsyncIterator[bytes], name: str, media_type: str
) -> Response[bytes] | Stream:
    """A file to keep, whole or as it is made. `name` holds letters, digits, dashes and dots: it goes into a header.
    For a HEAD nothing is made, so that answer says no length."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if asks_head(request.scope):
        return Stream(_nothing(), media_type=media_type, headers=headers)
    if isinstance(body, AsyncIterator):
        return Stream(body, media_type=media_type, headers=headers)
    return Response(await body(), media_type=media_type, headers=headers)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def go(request: AnyRequest, path: str) -> Response[bytes]:
    """Send the browser to one of our own pages as a whole page: `path` comes from `Paths`, never from a visitor. To another
    site's page leads `Visit.leave`: the policy lets no form lead there, and the browser would do nothing and say nothing."""
    if not path.startswith("/"):
        raise Refused("not_supported")
    if wants_fragment(request):
        return _empty(200, "HX-Redirect", path)
    return lead_to(path)


def go_in_place(path: str) -> Response[bytes]:
    """Show another fragment where this one was asked for: `fetch` follows, and htmx swaps what comes."""
    return lead_to(path)


def lead_to(url: str, *, with_form: bool = False) -> Response[bytes]:
    """Whoever asked goes on there; `with_form`: with what was posted."""
    return _empty(307 if with_form else 303, "Location", url)


def _empty(status: int, header: str, value: str) -> Response[bytes]:
    """Litestar would write `null`, as JSON, where there is no content."""
    return Response(b"", status_code=status, media_type=MediaType.TEXT, headers={header: value})


def repeatable(request: AnyRequest, repeat: problems.Repeat) -> None:
    """From here on, a failure offers to ask for this again with the same key."""
    request.state.repeat = repeat


def _refused(request: AnyRequest, error: Refused) -> Response[Any]:
    repeat = _repeat(request)
    view = problems.Refused(error.reason, detail=error.detail)
    if repeat:
        view = problems.Refused(error.reason, repeat.subject, error.detail, repeat.see)
    return _problem(request, view, 409)


def _of_another(request: AnyRequest, _: OfAnother) -> Response[Any]:
    return _problem(request, problems.OtherCustomer(), 409)


def _unavailable(request: AnyRequest, error: Unavailable | StoreUnavailable) -> Response[Any]:
    if isinstance(error, StoreUnavailable):
        telemetry.refused(_log, error.kind, "the database is away", why=str(error))
    return _problem(request, problems.Unavailable(_repeat(request), _again(request)), 503, {"Retry-After": RETRY_AFTER})


def _uncertain(request: AnyRequest, error: Uncertain | StoreUncertain) -> Response[Any]:
    if isinstance(error, StoreUncertain):
        telemetry.refused(_log, error.kind, "the database is away", why=str(error))
    return _problem(request, problems.Uncertain(_repeat(request), _again(request)), 503)


def _not_found(request: AnyRequest, _: NotFound | NotFoundException) -> Response[Any]:
    return _problem(request, problems.NotFound(), 404)


def _too_many(request: AnyRequest, error: TooMany) -> Response[Any]:
    telemetry.refused(_log, "limit_reached", "somebody asks too often", path=request.url.path)
    portal = portal_of(request)
    seconds = max(1, math.ceil((error.retry_at - portal.clock()).total_seconds())) if portal else 60
    return _problem(request, problems.TooMany(math.ceil(seconds / 60)), 429, {"Retry-After": str(seconds)})


def _http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """What Litestar or `forms` refused before a handler saw it."""
    if error.status_code >= 500:
        return _broken(request, error)
    view: View = problems.NotUnderstood(_REASONS.get(error.status_code, ""))
    if error.status_code == 405 and request.method == "GET":
        view = problems.NotFound()  # where only forms go: somebody typed or kept its URL
    return _problem(request, view, error.status_code, error.headers)


def _broken(request: AnyRequest, error: Exception) -> Response[Any]:
    """Our own mistake: the customer gets the reference of its line in the log."""
    reference, is_form = broken(request.scope, error), request.method != "GET"
    view = problems.Broken(reference, _repeat(request), _again(request), is_form=is_form)
    return _problem(request, view, 500)


def _problem(request: AnyRequest, view: View, status: int, headers: dict[str, str] | None = None) -> Response[Any]:
    portal = portal_of(request)
    if portal is None:
        return no_brand(request, status, headers)
    customer = getattr(request.state, "customer", None)
    account, address = (customer.account, customer.address) if customer else (None, "")
    return show(request, portal, view, account=account, address=address, status=status, headers=headers)


def no_brand(request: AnyRequest, status: int, headers: dict[str, str] | None = None) -> Response[bytes]:
    """The path names no brand, so the page is nobody's."""
    sentence = _WITHOUT_BRAND.get(status, "Nothing was changed. Go back and try again.")
    media_type, body = small_page(request.scope["headers"], status, sentence)
    sent = {**(headers or {}), "Content-Type": media_type.decode()}
    return Response(body, status_code=status, media_type=media_type.decode(), headers=sent)


def portal_of(request: AnyRequest) -> Portal | None:
    """The brand that the path begins with; `app.py` puts them into the application's state."""
    portal: Portal | None = request.app.state.portals.get(request.scope["path"].split("/", 2)[1])
    return portal


def _repeat(request: AnyRequest) -> problems.Repeat | None:
    repeat: problems.Repeat | None = getattr(request.state, "repeat", None)
    return repeat


def _again(request: AnyRequest) -> str:
    """The path below the brand, and the query, that ask for the same page again; empty where it was a form, or where it is
    none of the URLs that our links have: the page of a problem repeats no visitor's text. An exact path has no second slash
    at its start, which would lead to another site."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    if (
        request.method != "GET"
        or not is_exact(request.scope)
        or not _PATH.fullmatch(path)
        or not _QUERY.fullmatch(query)
    ):
        return ""
    below = path.removeprefix("/").partition("/")[2]
    return f"/{below}?{query}" if query else f"/{below}"


exception_handlers: dict[int | type[Exception], Callable[[AnyRequest, Any], Response[Any]]] = {
    Refused: _refused,
    OfAnother: _of_another,
    Unavailable: _unavailable,
    StoreUnavailable: _unavailable,
    Uncertain: _uncertain,
    StoreUncertain: _uncertain,
    NotFound: _not_found,
    NotFoundException: _not_found,
    TooMany: _too_many,
    HTTPException: _http,
    Exception: _broken,
}
"""The table above, for `app.py`; log-in answers `NoSession`."""
