"""What a brand's portal is made of: its renderer, and the billing side that its `portal.toml` names.

The wiring makes one for each brand when a process starts, and new ones for what is published meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from server.access import kept_secrets, sealing
from server.billing import Billing
from server.billing.ledger.ledger import Ledger
from server.brands import Brand
from server.brands.link_file import LinkFile
from server.paths import Paths
from server.portal import Portal, listeners_of
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from server.settings import Settings, SettingsError
from server.store import Store

Clock = Callable[[], datetime]


def portals_of(  # noqa: PLR0917 (what a portal is made of)
    settings: Settings,
    brands: Sequence[Brand],
    store: Store,
    clock: Clock,
    billing: Callable[[Brand, Store], Billing],
    renderer: Callable[[Brand], Renderer],
) -> dict[str, Portal]:
    """By name. Raises `SettingsError` where nothing says at which origin a brand is reached."""
    both = ((brand, billing(brand, store)) for brand in brands)
    return {brand.name: portal_of(brand, settings, store, its, clock, renderer=renderer(brand)) for brand, its in both}


def portal_of(
    brand: Brand, settings: Settings, store: Store, billing: Billing, clock: Clock, *, renderer: Renderer | None = None
) -> Portal:
    """One brand, ready to answer. Raises `SettingsError` where nothing says which origin it is reached at."""
    return Portal(
        brand=brand,
        paths=Paths(brand.base),
        renderer=renderer or renderer_of(brand),
        store=store,
        billing=billing,
        clock=clock,
        settings=settings,
        origin=origin_of(brand, settings),
        login_page=LinkFile(brand),
    )


def renderer_of(brand: Brand, *, reload: bool = False) -> Renderer:
    return Renderer(brand, partial(Assets.of, brand, reload=reload), Paths(brand.base))


def origin_of(brand: Brand, settings: Settings) -> str:
    origin = brand.config.site.url or settings.origin
    if not origin:
        raise SettingsError(
            f"PORTAL_ORIGIN: missing, and brand {brand.name} has no [site] url of its own. "
            "Set it to where browsers reach this server, such as https://portal.example"
        )
    return origin


def billings(settings: Settings) -> Callable[[Brand, Store], Billing]:
    """What makes the billing of a brand: the backend that its portal.toml names."""
    keys = sealing.keys(settings.secrets, "fingerprint")

    def made(brand: Brand, store: Store) -> Billing:
        config = brand.config
        if config.billing.backend == "ledger":
            return Ledger(
                store, brand.name, keys=keys, base=brand.base, mail=config.mail, dunning=config.dunning,
                listeners=listeners_of(brand),
            )  # fmt: skip
        # The SDK takes a third of a second to import: only who uses it waits.
        from server.billing.stripe.backend import Stripe  # noqa: PLC0415
        from server.billing.stripe.budget import Budget  # noqa: PLC0415
        from server.billing.stripe.client import Client  # noqa: PLC0415

        secrets = settings.stripe_of(brand.name)
        pace = Budget.of(store, brand.name, is_live=secrets.is_live, rate=settings.stripe_rate)
        client = Client(secrets.key, base=settings.stripe_api_base, pace=pace)
        origin = origin_of(brand, settings)
        return Stripe(store, brand.name, client, keys=keys, origin=origin, base=brand.base, mail=config.mail)

    return made


def making(
    settings: Settings,
    store: Store,
    clock: Clock,
    billing: Callable[[Brand, Store], Billing] | None,
    renderer: Callable[[Brand], Renderer],
) -> Callable[[Sequence[Brand]], Awaitable[dict[str, Portal]]]:
    """What makes the portals of brands that are served from now on: a key that was given meanwhile counts for them."""

    async def make(brands: Sequence[Brand]) -> dict[str, Portal]:
        now = await kept_secrets.joined(settings, store)
        return await asyncio.to_thread(portals_of, now, brands, store, clock, billing or billings(now), renderer)

    return make
