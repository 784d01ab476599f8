"""Every route of the studio, and how it is put together: an application of its own, at a host of its own.

A folder is a place; its `routes.py` has `handlers`, which are listed here. `StudioGuard` stands before all of them, then
`visit.admit`, which asks for the right that each route names.
"""

from __future__ import annotations

import copy
from functools import cache, partial
from urllib.parse import urlsplit

from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.types import ASGIApp, HTTPScope

from server.merchant.studio import sessions, visit
from server.merchant.studio.cases import routes as cases
from server.merchant.studio.customers import look_routes
from server.merchant.studio.customers import routes as customers
from server.merchant.studio.link import routes as link
from server.merchant.studio.login import routes as login
from server.merchant.studio.new import routes as new
from server.merchant.studio.numbers import routes as numbers
from server.merchant.studio.outbox import routes as outbox
from server.merchant.studio.pages import routes as pages
from server.merchant.studio.passkey import routes as passkey
from server.merchant.studio.place import Studio
from server.merchant.studio.preview import routes as preview
from server.merchant.studio.previews import Previews
from server.merchant.studio.publish import routes as publish
from server.merchant.studio.settings import (
    event_routes,
    health_routes,
    history_routes,
    people_routes,
    publishing_routes,
    stripe_routes,
)
from server.merchant.studio.start import routes as start
from server.web import cookies
from server.web.studio_guard import BASE, PREVIEW, STATIC, AtHost, StudioGuard

LARGEST = 1024 * 1024
"""Bytes of a request, pictures included."""


@get("/static/{name:str}", right="anyone")
async def script(studio: Studio, name: str) -> Response[bytes]:
    """A script, under a name that changes with its bytes."""
    if name not in studio.renderer.files:
        raise NotFoundException
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(studio.renderer.files[name], media_type="text/javascript; charset=utf-8", headers=kept)


PLACES = (
    *(login, passkey, start, new, link, preview, pages, publish, customers, cases, look_routes, outbox, numbers),
    *(people_routes, history_routes, health_routes, stripe_routes, publishing_routes, event_routes),
)
HANDLERS = (script, *(handler for place in PLACES for handler in place.handlers))


@cache
def wired() -> Litestar:
    """The routes: registering them takes longer than all else, so it is done once in a process."""
    return Litestar(
        route_handlers=[Router(BASE, route_handlers=HANDLERS)],
        guards=[visit.admit],
        dependencies={
            "studio": Provide(visit.studio_of, sync_to_thread=False),
            "operator": Provide(visit.operator_of, sync_to_thread=False),
        },
        exception_handlers=visit.exception_handlers,
        openapi_config=None,
        request_max_body_size=LARGEST,
        pdb_on_exception=False,
        logging_config=None,
    )


def beside(app: ASGIApp, studio: Studio, previews: Previews) -> ASGIApp:
    """`app` with the studio beside it, at the studio's host."""
    own, renderer = copy.copy(wired()), studio.renderer
    own.state = State({"studio": studio, "previews": previews})
    guarded = StudioGuard(
        own,
        origin=studio.origin,
        scripts=renderer.scripts,
        style=renderer.style,
        is_spent=partial(_is_spent, studio, previews),
    )
    return AtHost(app, guarded, urlsplit(studio.origin).netloc)


def _is_spent(studio: Studio, previews: Previews, scope: HTTPScope) -> bool:
    """Whether who asks has spent a second's requests; scripts, and what is in a preview's page, are not counted."""
    path = scope["path"]
    if path.startswith(STATIC):
        return False
    if path.startswith(PREVIEW):
        token, *rest = path.removeprefix(PREVIEW).removeprefix("as/").split("/")
        return rest[2:3] != ["static"] and previews.pace.is_spent(token.encode())
    token = cookies.token_in(scope["headers"], cookies.studio_name("studio", secure=studio.is_secure))
    return studio.pace.is_spent(sessions.hash_of(token))
