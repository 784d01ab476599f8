"""Publishing a brand and going back: what the studio's page and `python -m server releases` do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from server.access import kept_secrets
from server.brands import PORTAL_FILE
from server.merchant.releases import rows, sources
from server.merchant.releases.sources import Adapt, unchanged
from server.publishing import brand_files
from server.settings import Settings
from server.store import Store, Transaction

Allow = Callable[[Transaction], None]
"""Called in the transaction of the act; raises where it may not be."""


class ChangedMeanwhile(Exception):
    """Somebody saved after the page was shown; nothing was published."""


class OtherBilling(Exception):
    """In that release another backend bills than in the one that is served; nothing was changed. The ledger would take the
    copies of Stripe's accounts for its own, and Stripe would not have what the ledger billed meanwhile."""


def anybody(_: Transaction) -> None:
    """The command line: who reaches the database may."""


async def publish(
    settings: Settings,
    store: Store,
    brand: str,
    *,
    operator: str,
    now: datetime,
    allow: Allow = anybody,
    shown: str | None = None,
    adapt: Adapt = unchanged,
) -> int:
    """Publish the brand as its files are now: the number of the release. `shown`: the fingerprint of what was confirmed.
    Raises `Refused`, `ThemeError` and `ChangedMeanwhile`, and what `allow` raises; nothing went live then."""
    source = await asyncio.to_thread(sources.copied, settings.themes, brand)
    if shown is not None and sources.fingerprint(source) != shown:
        raise ChangedMeanwhile
    settings = await kept_secrets.joined(settings, store)
    files = await asyncio.to_thread(sources.built, settings, brand, source, adapt)
    return await store.write(rows.adding(brand, files, operator=operator, now=now, allow=allow))


async def rebuild(settings: Settings, store: Store, brand: str, *, operator: str, now: datetime) -> int:
    """Publish the source of the release that is served once more, built by this version: the number of the new release.
    Raises `NoRelease` and `Refused`."""
    live = await rows.live_of(store, brand)
    whole = await rows.find(store, brand, live.n if live else 0)
    source = sources.source_in(whole.files)
    settings = await kept_secrets.joined(settings, store)
    files = await asyncio.to_thread(sources.built, settings, brand, source)
    return await store.write(rows.adding(brand, files, operator=operator, now=now, allow=anybody))


async def back(store: Store, brand: str, n: int, *, operator: str, now: datetime, allow: Allow = anybody) -> bool:
    """Serve another release that is kept, source and pages; False: it is served already. Raises `NoRelease`
    and `OtherBilling`."""
    live = await rows.live_of(store, brand)
    if live and await _backend(store, brand, live.n) != await _backend(store, brand, n):
        raise OtherBilling
    return await store.write(rows.going_back(brand, n, operator=operator, now=now, allow=allow))


async def _backend(store: Store, brand: str, n: int) -> object:
    """Which backend bills in this release. Raises `NoRelease`."""
    files = sources.source_in((await rows.find(store, brand, n)).files)
    held = brand_files.held({PORTAL_FILE: files.get(f"{brand}/{PORTAL_FILE}", b"")})
    return held.get("billing", {}).get("backend", "ledger")
