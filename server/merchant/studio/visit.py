"""One request to the studio: who it is, what they may do there, and how a view becomes the answer.

Each route names its right: `@get("/b/{brand_name:str}/look", right="look")`. `admit` stands before every route and finds
out whether it is given; a route without a right answers nobody. Then a handler takes `studio` and `operator`.

| right | who gets in |
|---|---|
| `anyone` | everybody: log-in, scripts, and previews, whose token is the right |
| `operator` | whoever is logged in and has a role for some brand |
| another, in a route of a brand | whose role there, or for every brand, has it |
| another, elsewhere | whose role for every brand has it |

A brand that an operator has no role for is not there: the same answer as for a name that no brand has.
"""

from __future__ import annotations

import html
import logging
import math
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import BaseRouteHandler

from server import telemetry
from server.access.limits import TooMany
from server.billing import NotFound
from server.brands import ThemeError
from server.merchant.studio import operators, previews, sessions
from server.merchant.studio.computing import TooOften
from server.merchant.studio.operators import NotAllowed
from server.merchant.studio.place import PLACES, Studio, start_of
from server.merchant.studio.problems.views import Confirm, LoggedOut, Problem
from server.merchant.studio.publish import pending
from server.merchant.studio.rights import rights_in
from server.merchant.studio.sessions import NeedsPasskey, Session
from server.rendering.views import View
from server.store import StoreUnavailable
from server.web import cookies
from server.web.forms import Form, Posted, read_form, read_posted
from server.web.responding import RETRY_AFTER, AnyRequest, Html, go, wants_fragment
from server.web.studio_guard import BASE, PREVIEW

Answer = Response[str] | Response[bytes]
LOGIN = f"{BASE}login"
_NEXT = re.compile(rf"{BASE}[A-Za-z0-9/_.-]*")
_MOST_LISTED = 20
_log = logging.getLogger(__name__)


class Operator(msgspec.Struct, frozen=True):
    """Who asks, and what they may do: with the brand of the path, or with every brand where the path has none."""

    session: Session
    rights: frozenset[str]
    brand: str = ""
    brands: tuple[str, ...] = ()
    """Those that the operator has a role for, the path's included."""
    everywhere: frozenset[str] = frozenset()
    """What the operator may do with every brand."""
    unpublished: int | None = None
    """How many saved changes of the brand are not published; None: the brand was never published."""

    @property
    def address(self) -> str:
        """By which drafts and the history know the operator."""
        return self.session.address

    def may(self, right: str) -> bool:
        return right in self.rights


class NobodyLoggedIn(Exception):
    """There is no session, or it has ended."""

    def __init__(self, entered: Posted | None = None) -> None:
        super().__init__("no session")
        self.entered = entered
        """The form, where it may be shown again: no right to `edit` goes with a secret."""


async def posted(request: AnyRequest) -> Form:
    """The form, kept to be sent again after a passkey was shown, where it needs one."""
    request.state.form = form = await read_form(request)
    return form


def send_again(request: AnyRequest, fields: dict[str, str], *, is_whole: bool = True) -> None:
    """What is sent after a passkey was shown, where it needs one. `is_whole`: it is all that was entered; a secret is
    never in a page, so it is entered again."""
    request.state.form, request.state.form_is_whole = Form(fields), is_whole


class Frame(msgspec.Struct, frozen=True):
    """What a layout shows around a page."""

    address: str = ""
    brand: str = ""
    brands: tuple[tuple[str, str], ...] = ()
    """Name and path of each that may be gone to, or of the first of many."""
    places: tuple[tuple[str, str, str], ...] = ()
    """Name, label and path of each page in the navigation."""
    here: str = ""
    rights: frozenset[str] = frozenset()
    unpublished: int | None = None
    """How many saved changes are not published; None: the brand was never published."""
    preview: str = ""
    """What the addresses of the brand's preview begin with, for this session; how it is shown, and the page, follow."""


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard of every route. Raises what `exception_handlers` answers."""
    right = handler.opt["right"]
    if right == "anyone":
        return
    studio: Studio = connection.app.state.studio
    token = cookies.token_named(connection, cookies.studio_name("studio", secure=studio.is_secure))
    session = await sessions.find(studio, token)
    if session is None:
        if right == "edit" and token and isinstance(connection, Request) and connection.method == "POST":
            raise NobodyLoggedIn(await read_posted(connection))
        raise NobodyLoggedIn
    if studio.limits.on:
        studio.pace.use(session.address, session.id_hash)
    operator = await _operator(studio, session, connection.path_params.get("brand_name"))
    if operator.brand and not wants_fragment(connection):  # what a layout shows
        operator = msgspec.structs.replace(operator, unpublished=await pending.count(studio, operator.brand))
    connection.state.operator = operator
    if right != "operator" and right not in operator.rights:
        raise NotAllowed


async def _operator(studio: Studio, session: Session, brand: str | None) -> Operator:
    roles = await operators.roles_of(studio.store, session.address)
    if not roles:
        raise NobodyLoggedIn
    brands = tuple(each for each in studio.brands() if "" in roles or each in roles)
    if brand is not None and brand not in brands:
        raise NotFoundException
    return Operator(session, rights_in(roles, brand or ""), brand or "", brands, rights_in(roles, ""))


def studio_of(request: AnyRequest) -> Studio:
    """The dependency `studio`."""
    studio: Studio = request.app.state.studio
    return studio


def operator_of(request: AnyRequest) -> Operator:
    """The dependency `operator`; `admit` has found who it is."""
    operator: Operator = request.state.operator
    return operator


def show(request: AnyRequest, view: View, *, status: int = 200, headers: dict[str, str] | None = None) -> Html:
    """The view as a fragment, where htmx asks, or inside its layout."""
    studio, operator = studio_of(request), getattr(request.state, "operator", None)
    context = {"operator": operator, "frame": _frame(studio, operator, view)}
    if not wants_fragment(request):
        return Html(studio.renderer.page(view, **context), status, headers)
    title, body = studio.renderer.titled(view, **context)
    mark = {"X-Portal-Fragment": "1", "X-Portal-Title": quote(html.unescape(title))}
    return Html(body, status, {**(headers or {}), **mark})


def _frame(studio: Studio, operator: Operator | None, view: View) -> Frame:
    if operator is None:
        return Frame()
    brands = tuple((each, start_of(each)) for each in operator.brands[:_MOST_LISTED])
    start = start_of(operator.brand)
    known = [each for each in PLACES if operator.brand and operator.may(each.right)]
    places = tuple((each.name, each.label, start + each.path) for each in known)
    here = getattr(view, "place", "") or view.here or type(view).__module__.split(".")[-2]
    token = previews.token_of(studio, operator.session.id_hash, operator.brand)
    preview = f"{PREVIEW}{token}/{operator.brand}" if operator.brand else ""
    return Frame(
        operator.address, operator.brand, brands, places, here, operator.rights, operator.unpublished, preview
    )  # fmt: skip


def known_next(path: str) -> str:
    """The path of a page of the studio, as log-in may lead to it; empty: it is none."""
    return path if _NEXT.fullmatch(path) and ".." not in path and not path.startswith(LOGIN) else ""


def _log_in(request: AnyRequest, error: NobodyLoggedIn) -> Answer:
    if error.entered and not wants_fragment(request):
        fields = tuple((name, text) for name, texts in error.entered.texts.items() for text in texts)
        return show(request, LoggedOut(request.url.path, fields, bool(error.entered.files)), status=401)
    page = known_next(request.url.path) if request.method == "GET" or error.entered else ""  # each such form has a page
    return go(request, f"{LOGIN}?{urlencode({'next': page})}" if page and page != BASE else LOGIN)


def _needs_passkey(request: AnyRequest, _: NeedsPasskey) -> Answer:
    form: Form | None = getattr(request.state, "form", None)
    is_whole = getattr(request.state, "form_is_whole", True)
    view = Confirm(request.url.path if form else BASE, form.whole if form else {}, is_whole)
    return show(request, view, status=403)


def _not_allowed(request: AnyRequest, _: NotAllowed) -> Answer:
    return show(request, Problem("not_allowed"), status=403)


def _not_found(request: AnyRequest, _: NotFound | NotFoundException) -> Answer:
    return show(request, Problem("not_found"), status=404)


def _too_many(request: AnyRequest, error: TooMany) -> Answer:
    wait = (error.retry_at - studio_of(request).clock()).total_seconds()
    seconds = max(1, math.ceil(wait))
    view = Problem("too_many", minutes=math.ceil(seconds / 60))
    return show(request, view, status=429, headers={"Retry-After": str(seconds)})


def _too_often(request: AnyRequest, _: TooOften) -> Answer:
    return show(request, Problem("too_often"), status=429, headers={"Retry-After": "1"})


def _unavailable(request: AnyRequest, error: StoreUnavailable) -> Answer:
    telemetry.refused(_log, error.kind, "the database is away", why=str(error))
    return show(request, Problem("unavailable"), status=503, headers={"Retry-After": RETRY_AFTER})


def _http(request: AnyRequest, error: HTTPException) -> Answer:
    if error.status_code >= 500:
        return _broken(request, error)
    what = "too_large" if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else "not_understood"
    return show(request, Problem(what), status=error.status_code, headers=error.headers)


def _unreadable(request: AnyRequest, error: ThemeError) -> Answer:
    """Not our fault, and not the operator's in the browser: somebody left the files so."""
    why = tuple(f"{each.file.name}: found {each.found}; allowed: {each.allowed}" for each in error.mistakes)
    return show(request, Problem("unreadable", why=why), status=409)


def _broken(request: AnyRequest, error: Exception) -> Answer:
    reference = secrets.token_hex(4)
    where = {"reference": reference, "method": request.method, "path": request.url.path}
    _log.error("an unexpected error in the studio", extra=where, exc_info=error)
    return show(request, Problem("broken", reference=reference), status=500)


exception_handlers: dict[int | type[Exception], Callable[[AnyRequest, Any], Response[Any]]] = {
    NobodyLoggedIn: _log_in,
    NeedsPasskey: _needs_passkey,
    NotAllowed: _not_allowed,
    NotFound: _not_found,
    NotFoundException: _not_found,
    TooMany: _too_many,
    TooOften: _too_often,
    StoreUnavailable: _unavailable,
    ThemeError: _unreadable,
    HTTPException: _http,
    Exception: _broken,
}
