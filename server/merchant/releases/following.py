"""What a process serves: each brand from its release, where there is one, else from its folder in `themes`.

Every process looks into the store once a second, so that what is published, or gone back to, is served by all processes of
all hosts within two seconds; and so is a brand whose key of Stripe, or webhook's secret, was given in the studio. What cannot
be loaded, or used, changes nothing: the brand is served as it was, and the log says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from msgspec.structs import replace

from server import telemetry
from server.access import kept_secrets
from server.brands import PORTAL_FILE, Brand, ThemeError, load, load_all
from server.merchant.releases import folders, rows
from server.merchant.releases.rows import Live, NoRelease
from server.portal import check_backend
from server.publishing.atomic_files import NotOurs
from server.settings import Settings, SettingsError
from server.store import Row, Store, StoreUnavailable

LOOKS = 1.0
"""Seconds between two looks."""
_log = logging.getLogger(__name__)


class Following:
    """`brands` are what `brands_of` answered; each is exchanged for its release. `every`: seconds between two looks."""

    def __init__(self, settings: Settings, store: Store, brands: Iterable[Brand], *, every: float = LOOKS) -> None:
        self._settings, self._store, self._every = settings, store, every
        self._brands = {each.name: each for each in brands}
        self._seen: dict[str, Live] = {}
        self._said: dict[str, str] = {}
        self._marks: list[Row] | None = None

    @property
    def brands(self) -> tuple[Brand, ...]:
        """As they are served now, by name."""
        return tuple(each for _, each in sorted(self._brands.items()))

    async def look(self) -> bool:
        """Whether a brand is to be served otherwise than before. Raises `StoreUnavailable`."""
        changed = await self._take_secrets()
        for live in await rows.live(self._store):
            if self._seen.get(live.brand) == live or not self._is_ours(live.brand):
                continue
            try:
                brand = await loaded(self._settings, self._store, live)
            except (ThemeError, SettingsError, NotOurs, OSError, NoRelease) as error:
                self._refused(live, str(error) or type(error).__name__)
                continue
            before, self._seen[live.brand] = self._brands.get(live.brand), live
            self._said.pop(live.brand, None)
            if before is None or before.folder != brand.folder:
                self._brands[live.brand], changed = brand, True
        return changed

    async def follow(self, exchange: Callable[[], Awaitable[None]]) -> None:
        """Look again and again, until it is canceled; `exchange` is called when something changed."""
        while True:
            await asyncio.sleep(self._every)
            try:
                if await self.look():
                    await exchange()
            except StoreUnavailable as error:
                telemetry.refused(_log, error.kind, "the database is away", why=str(error))
            except Exception:  # noqa: BLE001 (logged with its traceback)
                # A brand that our own bug breaks is served as before, and the next release may be another one.
                _log.exception("releases cannot be followed")

    async def _take_secrets(self) -> bool:
        """Whether a brand is to be served with other secrets than before. They are read where they are needed; here it is
        made another brand to the process, so that its portal is made again."""
        marks = await kept_secrets.marks(self._store)
        if marks == self._marks:
            return False
        now, changed = await kept_secrets.joined(self._settings, self._store), False
        for name, brand in self._brands.items():
            is_same = now.stripe_of(name) == self._settings.stripe_of(name)
            if is_same or brand.config.billing.backend != "stripe":
                continue
            try:
                check_backend(brand, now)
            except SettingsError as error:
                _log.error(
                    "a key from the studio cannot be used; its brand is served as before", extra={"why": str(error)}
                )
                continue
            self._brands[name], changed = replace(brand), True
        self._marks, self._settings = marks, now
        return changed

    def _refused(self, live: Live, why: str) -> None:
        """It is tried again each time, since a disk may have room by then, and said once."""
        if self._said.get(live.brand) != why:
            self._said[live.brand] = why
            what = {"brand": live.brand, "release": live.n, "why": why}
            _log.error("a release cannot be served; its brand is served as before", extra=what)

    def _is_ours(self, brand: str) -> bool:
        """A brand whose folder is gone is not served; one that was made since this process began is."""
        return brand in self._brands or (self._settings.themes / brand / PORTAL_FILE).is_file()


async def loaded(settings: Settings, store: Store, live: Live) -> Brand:
    """The brand of the release that is served; this host has its folder from then on. Raises what `look` says."""
    settings = await kept_secrets.joined(settings, store)
    kept = [each.n for each in await rows.kept(store, live.brand)]
    folder = settings.releases / live.brand / str(live.n)
    if not await asyncio.to_thread(folders.is_whole, folder):
        whole = await rows.find(store, live.brand, live.n)
        await asyncio.to_thread(folders.make, settings.releases, live.brand, live.n, whole)
    brand = await asyncio.to_thread(released, settings, live.brand, live.n)
    await asyncio.to_thread(folders.serve, settings.releases, live.brand, live.n, kept)
    return brand


def brands_of(settings: Settings) -> tuple[Brand, ...]:
    """Every brand, as this host served it last: from its release where there is one, whatever `themes` holds by now. Raises
    `ThemeError`."""
    return load_all(settings.themes, lambda folder: _served_last(settings, folder.name))


def _served_last(settings: Settings, name: str) -> Brand | None:
    n = folders.current(settings.releases, name)
    try:
        whole = n and folders.is_whole(settings.releases / name / str(n))
        return released(settings, name, n) if whole else None
    except (ThemeError, SettingsError):
        return None


def released(settings: Settings, name: str, n: int) -> Brand:
    """The brand of a release whose folder is there. Its log-in link is the one that its folder in `themes` has now: on and
    off count at once. Raises `ThemeError` and `SettingsError`."""
    brand = load(folders.source_of(settings.releases, name, n))
    brand = replace(brand, link_folder=settings.themes / name)
    check_backend(brand, settings)
    return brand


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
