"""The portal as one customer sees it: inert, with a reason, written down.

| URL | right | does |
|---|---|---|
| `POST /_studio/b/<brand>/customers/<id>/look` | `customers` | writes down who looks at whom, and why |
| `GET /_studio/b/<brand>/customers/<id>/look/<n>` | `customers` | the pages in a frame, for half an hour |
| `GET /_studio/preview/as/<token>/<brand>/<n>/<path>` | the token | a page, a picture or a font |

The last route reads no cookie. It asks `app.looking`, which has a few GET routes and no other: a form of such a page has
nowhere to go, and the frame that shows it sends none.
"""

from __future__ import annotations

import re

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from server.merchant.studio import looks, previews
from server.merchant.studio.computing import TooOften
from server.merchant.studio.customers import views
from server.merchant.studio.customers.routes import found
from server.merchant.studio.looks import Look
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.preview.routes import answered, asset, note, too_often
from server.merchant.studio.previews import NotThere, Previews
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.portal import Portal
from server.web.looking import CUSTOMER
from server.web.responding import AnyRequest, go

LONGEST_REASON = 200
PAGES = (
    ("my/overview", "Overview"),
    ("my/subscriptions", "Subscriptions"),
    ("my/invoices", "Invoices"),
    ("my/payment-methods", "Payment methods"),
    ("my/details", "Details"),
    ("my/mails", "Mails"),
    ("my/history", "History"),
    ("my/sessions", "Sessions"),
)
_NOT_SHOWN = "This page is not shown when you look as a customer. Choose one of the pages above."


@post("/b/{brand_name:str}/customers/{customer_id:str}/look", status_code=200, right="customers")
async def begin(request: AnyRequest, studio: Studio, operator: Operator, customer_id: str) -> Answer:
    form = await posted(request)
    portal, candidate = await found(studio, operator, customer_id)
    reason = " ".join(form.get("reason").split())
    if not reason or len(reason) > LONGEST_REASON:
        mistake = "long" if reason else "empty"
        return show(request, views.Reason(candidate.id, candidate.name, mistake, reason), status=422)
    n = await looks.begin(studio, operator.address, portal.name, candidate.id, reason)
    return go(request, f"{start_of(operator.brand)}/customers/{candidate.id}/look/{n}")


@get("/b/{brand_name:str}/customers/{customer_id:str}/look/{act:str}", right="customers")
async def look(request: AnyRequest, studio: Studio, operator: Operator, customer_id: str, act: str) -> Answer:
    n = _number(act)
    _, candidate = await found(studio, operator, customer_id)
    try:
        it = await looks.find(studio, n, operator.address, operator.brand)
    except NotThere:
        raise NotFoundException from None
    if it.customer != candidate.id:
        raise NotFoundException
    asked = request.query_params.get("page")
    page = asked if asked in dict(PAGES) else PAGES[0][0]
    prefix = looks.prefix_of(looks.token_of(studio, operator.session.id_hash, it.brand, n), it.brand, n)
    view = views.Look(candidate.id, candidate.name or candidate.email, n, it.reason, page, f"{prefix}/{page}", PAGES)
    return show(request, view)


@get("/preview/as/{token:str}/{of:str}/{act:str}/{rest:path}", right="anyone")
async def shown(request: AnyRequest, studio: Studio, token: str, of: str, act: str) -> Response[bytes]:
    n = _number(act)
    try:
        it = await looks.opened(studio, token, of, n)
    except NotThere:
        raise NotFoundException from None
    portal, prefix = studio.portals().get(of), looks.prefix_of(token, of, n)
    if portal is None:
        raise NotFoundException
    path = request.scope["raw_path"].decode("latin-1").removeprefix(f"{prefix}/")
    if path.startswith("static/"):
        name = path.removeprefix("static/")
        return asset(portal.renderer.assets.files.get(name), name)
    made: Previews = request.app.state.previews
    try:
        async with made.turn(token, token):
            page = await _page(studio, portal, it, path, request.scope["query_string"].decode("latin-1"))
    except TooOften:
        return too_often()
    if page.status == 404 or not page.media_type.startswith("text/html"):
        return note(studio, _NOT_SHOWN, status=404)
    return answered(studio, page, portal.brand.base, prefix, f"{prefix}/{path}")


def _number(act: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,17}", act):
        raise NotFoundException
    return int(act)


async def _page(studio: Studio, portal: Portal, it: Look, path: str, query: str) -> previews.Answer:
    """What the customer would see there; `?fresh` would ask the billing side, and is left out."""
    assert studio.as_customer  # noqa: S101 (app.py gives it to every studio)
    status, headers, body = await previews.get(
        studio.as_customer,
        portal.origin,
        f"/{portal.name}/{path}",
        "" if "fresh" in query else query,
        {},
        state={CUSTOMER: it.customer},
    )
    location, kind = headers.get("location", ""), headers.get("content-type", "text/html")
    return previews.Answer(status, body, kind, portal.renderer.assets.style_hashes, location=location)


handlers = (begin, look, shown)
