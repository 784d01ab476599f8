"""The wiring, in reading order: settings and brands in, one ASGI application out.

The only file that knows every feature, the clock and how the parts are put together. A request goes through

    guard.Guard (headers on every answer, hosts, same origin)
      -> Litestar (routes; `portal` from the path, `customer` from the session cookie)
        -> a feature's handler -> its views -> responding.show

The background work is wired here too, and runs in a process of its own (`worker_of`). The environment is read by
`from_environment` and `worker_from_environment` alone, which those processes call.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.types import ASGIApp, Receive, Scope, Send

from server import settings, telemetry
from server.access import kept_secrets
from server.access.limits import Limits
from server.billing import Billing
from server.brands import Brand
from server.features.api import routes as api
from server.features.details import routes as details
from server.features.doors import routes as doors
from server.features.history import routes as history
from server.features.home import routes as home
from server.features.home.views import beside
from server.features.invoices import routes as invoices
from server.features.leaving import routes as leaving
from server.features.login import account_routes, session_routes
from server.features.login import routes as login
from server.features.login.pages import nobody_is_logged_in
from server.features.mails import routes as mails
from server.features.payment_methods import routes as payment_methods
from server.features.portal_sessions import routes as portal_sessions
from server.features.sandbox import routes as sandbox
from server.features.subscriptions import routes as subscriptions
from server.features.webhooks import routes as webhooks
from server.mail.smtp import Mailer, mailer_for
from server.making import Clock, billings, making, portal_of, portals_of, renderer_of
from server.merchant.fetching import Fetch, fetched
from server.merchant.releases.following import Following, brands_of, ended
from server.portal import Portal, check_backend, check_studio
from server.rendering.printing.printer import Printer
from server.rendering.renderer import Renderer
from server.settings import Settings
from server.store import Store, StoreUnavailable, open_store
from server.web import cookies, responding
from server.web.cookies import NoSession
from server.web.exchange import Served
from server.web.guard import is_exact
from server.web.looking import looked_at
from server.web.responding import AnyRequest
from server.worker import Worker

if TYPE_CHECKING:
    from server.merchant.studio.previews import Previews


Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
FEATURES = (
    home,
    subscriptions,
    invoices,
    payment_methods,
    leaving,
    details,
    mails,
    history,
    session_routes,
    account_routes,
    portal_sessions,
)

LOOKED_AT = (
    home.overview,
    subscriptions.subscriptions,
    subscriptions.subscription,
    invoices.invoices,
    invoices.invoice,
    payment_methods.payment_methods,
    details.details,
    mails.mails,
    history.history,
    session_routes.sessions,
)
"""What an operator may look at as a customer: pages that write nothing."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def wired(lifespan: Lifespan, state: State) -> Litestar:
    """The routes, and what a handler finds in the application's state."""
    return Litestar(
        route_handlers=[*api.for_back_ends, routes_of_a_brand()],
        exception_handlers={**responding.exception_handlers, NoSession: nobody_is_logged_in},
        lifespan=[lifespan],
        state=state,
        openapi_config=None,
        request_max_body_size=64 * 1024,
        pdb_on_exception=False,
        logging_config=None,
    )


def create_app(
    settings: Settings,
    brands: Sequence[Brand],
    store: Store,
    *,
    clock: Clock = utc_now,
    limits: Limits | None = None,
    billing: Callable[[Brand, Store], Billing] | None = None,
    reload: bool = False,
    wire: Callable[[Lifespan, State], Litestar] = wired,
    renderer: Callable[[Brand], Renderer] | None = None,
    printer: Printer | None = None,
    written: Callable[[str], Awaitable[None]] | None = None,
    previews: Previews | None = None,
    releases: Following | None = None,
    fetch: Fetch = fetched,
) -> ASGIApp:
    """The application over these brands, or over their `releases`. `billing` and `limits` are replaced by tests, and `wire`,
    `renderer` and `previews` by what makes them once for many; `reload` is for `build.py dev`; `written` is called with the
    name of a brand whose files the studio changed; `fetch` is how its health page asks for what browsers get."""
    made = renderer or (lambda brand: renderer_of(brand, reload=reload))
    portals = portals_of(settings, brands, store, clock, billing or billings(settings), made)
    limits, printer = limits or Limits(), printer or Printer()
    previews = previews or (_previews() if settings.studio_origin else None)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            async with _following(releases, served.exchange):
                yield
        finally:
            printer.close()
            await served.close()
            if previews:
                await previews.close()
            await store.close()

    state = State({"portals": portals, "store": store, "limits": limits, "printer": printer, "beside": beside})
    served = Served(wire(lifespan, state), portals, settings, making(settings, store, clock, billing, made))
    if not previews:
        return served.app
    check_studio(brands, settings)
    return _with_studio(
        served.app, previews, settings, store, clock, limits, lambda: served.portals, written, fetch, printer
    )


@asynccontextmanager
async def _following(
    releases: Following | None, exchange: Callable[[Sequence[Brand]], Awaitable[None]]
) -> AsyncIterator[None]:
    """The releases are served from the start, and followed until the end."""
    if releases is None:
        yield
        return
    with suppress(StoreUnavailable):  # it is looked for again in a moment
        if await releases.look():
            await exchange(releases.brands)
    task = asyncio.create_task(releases.follow(lambda: exchange(releases.brands)))
    try:
        yield
    finally:
        await ended(task)


# What the studio stands on takes a while to import: only who has one waits.


def _previews() -> Previews:
    from server.merchant.studio.previews import Previews  # noqa: PLC0415

    return Previews()


def _with_studio(  # noqa: PLR0917 (what it is made of)
    app: ASGIApp,
    previews: Previews,
    settings: Settings,
    store: Store,
    clock: Clock,
    limits: Limits,
    portals: Callable[[], Mapping[str, Portal]],
    written: Callable[[str], Awaitable[None]] | None,
    fetch: Fetch,
    printer: Printer,
) -> ASGIApp:
    from server.merchant.studio import computing  # noqa: PLC0415
    from server.merchant.studio import routes as studio  # noqa: PLC0415
    from server.merchant.studio.place import Studio  # noqa: PLC0415

    sys.setswitchinterval(computing.TURN)

    place = Studio(
        *(settings, store, clock, limits, written),
        show=previewing(settings, clock),
        portals=portals,
        as_customer=looking(portals),
        fetch=fetch,
        printer=printer,
    )
    return studio.beside(app, place, previews)


@cache
def _look_routes() -> Litestar:
    given = {
        "portal": Provide(portal_in_path, sync_to_thread=False),
        "customer": Provide(looked_at),
    }
    return Litestar(
        route_handlers=[Router("/{brand_name:str}", route_handlers=LOOKED_AT, dependencies=given)],
        exception_handlers=responding.exception_handlers,
        openapi_config=None,
        pdb_on_exception=False,
        logging_config=None,
    )


def looking(portals: Callable[[], Mapping[str, Portal]]) -> ASGIApp:
    """The portals of now as a customer sees them: the pages of `LOOKED_AT` and no other."""

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        own = copy.copy(_look_routes())
        own.state = State({"portals": portals()})
        await own(scope, receive, send)

    return look


@cache
def _preview_routes() -> Litestar:
    return wired(lambda _: nullcontext(), State())


def previewing(settings: Settings, clock: Clock) -> Callable[[Brand, Store], tuple[ASGIApp, Portal]]:
    """What makes the portal of a brand as a draft has it, over a store of samples, with documents as pictures."""
    own = msgspec.structs.replace(settings, studio_origin="", stripe={}, kept={})

    def wire(_: Lifespan, state: State) -> Litestar:
        made = copy.copy(_preview_routes())
        made.state = state
        return made

    def show(brand: Brand, store: Store) -> tuple[ASGIApp, Portal]:
        made, limits = renderer_of(brand), Limits(on=False)
        app = create_app(
            own, [brand], store, clock=clock, limits=limits, wire=wire, renderer=lambda _: made,
            printer=Printer(as_picture=True),
        )  # fmt: skip
        return app, portal_of(brand, own, store, billings(own)(brand, store), clock, renderer=made)

    return show


def worker_of(
    settings: Settings,
    brands: Sequence[Brand],
    store: Store,
    *,
    clock: Clock = utc_now,
    mailer: Mailer | None = None,
) -> Worker:
    """The background work of these brands; its mails go to `mailer`, or as the settings say."""
    portals = portals_of(settings, brands, store, clock, billings(settings), renderer_of)
    others, daily, often = {}, [sealing_again(store, settings)], []
    if settings.studio_origin:
        from server.merchant.releases.copying import Copying  # noqa: PLC0415 (as above)
        from server.merchant.studio import history, mails  # noqa: PLC0415

        others[mails.NAME] = mails.maker(store, settings)
        daily.append(history.logging_of(store))
        often = [Copying(settings, store, clock).copy_releases]
    return Worker(
        tuple(portals.values()), store, mailer or mailer_for(settings), clock, others=others, daily=daily, often=often
    )


def sealing_again(store: Store, settings: Settings) -> Callable[[], Awaitable[None]]:
    """What seals by the newest secret what an older one sealed, so that the older one may go."""

    async def seal_kept_secrets_again() -> None:
        await kept_secrets.seal_again(store, settings)

    return seal_kept_secrets_again


def routes_of_a_brand() -> Router:
    signed_in = Router(
        "/",
        route_handlers=[handler for feature in FEATURES for handler in feature.handlers],
        dependencies={"customer": Provide(cookies.current)},
    )
    return Router(
        "/{brand_name:str}",
        route_handlers=[
            *login.handlers,
            *portal_sessions.for_anybody,
            *mails.for_anybody,
            *doors.for_anybody,
            *webhooks.for_anybody,
            *sandbox.handlers,
            signed_in,
        ],
        dependencies={"portal": Provide(portal_in_path, sync_to_thread=False)},
    )


def portal_in_path(request: AnyRequest) -> Portal:
    portal: Portal | None = request.app.state.portals.get(request.path_params["brand_name"])
    if portal is None or not is_exact(request.scope):
        raise NotFoundException
    return portal


def from_environment() -> ASGIApp:
    """What Granian loads in each HTTP worker."""
    read, brands = _read_environment()
    store = open_store(read.database)
    return create_app(read, brands, store, releases=Following(read, store, brands))


def worker_from_environment() -> tuple[Callable[[Sequence[Brand]], Awaitable[Worker]], Following, Store]:
    """What makes the background work of some brands, for `python -m server work`; the brands; and the store that is closed
    after it."""
    read, brands = _read_environment()
    store = open_store(read.database)

    async def begin(served: Sequence[Brand]) -> Worker:
        return worker_of(await kept_secrets.joined(read, store), served, store)

    return begin, Following(read, store, brands), store


def _read_environment() -> tuple[Settings, Sequence[Brand]]:
    read = settings.from_environment(os.environ)
    telemetry.configure(read.log_level)
    read = kept_secrets.at_start(read)
    # A thousand brands are many objects, no garbage, and there to stay: looking through them takes a tenth of the start, and
    # later some 50 to 90 ms in the middle of a request.
    gc.disable()
    try:
        brands = brands_of(read)
        gc.freeze()
    finally:
        gc.enable()
    for brand in brands:
        check_backend(brand, read)
    return read, brands
