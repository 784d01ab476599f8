"""Everything on one machine: `build.py demo` and `build.py dev`.

Builds the brands into a folder of its own, fills a throw-away ledger with sample customers, and serves pages and server
on one loopback origin. Mails go to nobody: each passcode is printed, and the mails are shown at `/_demo/inbox`. Time can be
moved ahead at `/_demo/clock`, and a stand-in's for Stripe goes along. What it prints can be followed by scripts:

    portal <brand> <log-in URL with a prefilled address>
    key <brand> <a key of the API, for test data>
    studio <URL> <the address of an operator who may do everything> <the word for that one's first passkey>
    passcode <address> <code>

`dev` also watches the themes and `site/`: what was saved is shown at once in every open page (live.py). What cannot be built
changes nothing, and what `build` would refuse is said over the page.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.request import Request, urlopen

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp

from server import app, telemetry
from server.access import api_keys
from server.access.limits import Limits
from server.brands import PORTAL_FILE, Brand, ThemeError, load, load_all
from server.demo import live
from server.demo.clock import Clock, ClockPage, moment
from server.demo.inbox import Inbox
from server.demo.live import Live
from server.mail.smtp import KeepingMailer
from server.merchant import syncing
from server.merchant.importing.files import import_records
from server.merchant.releases import following, rows
from server.merchant.serve import CONNECTIONS, HTTP1
from server.merchant.studio import operators
from server.merchant.studio.previews import Previews
from server.paths import Paths
from server.publishing import checking, publishing, samples
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from server.settings import Settings, StripeSecrets, is_loopback, stripe_suffix
from server.store import Store, Transaction, open_store
from server.web.static_files import StaticFiles
from server.web.studio_guard import BASE
from server.worker import Worker

SAMPLE_ADDRESS = "jenny@example.com"
OPERATOR = "owner@example.com"
_SHOWN_FIRST = 0.5
"""So many seconds after a save the rules are asked: they take longer than a page, which the designer is waiting for."""


def _python() -> str:
    """How to call this Python from here."""
    own = Path(sys.executable)
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)


class StandIn(msgspec.Struct, frozen=True):
    """A stand-in for Stripe that bills the brands instead of the ledger."""

    url: str
    keys: dict[str, str]
    """By brand: each has an account of its own."""


class DemoError(Exception):
    """The demo cannot run like this; the message says what to do."""


def run(
    themes_folder: Path,
    *,
    host: str,
    port: int,
    only: str | None = None,
    reload: bool = False,
    now: str = "",
    stripe: StandIn | None = None,
) -> int:
    """Serve until Ctrl-C or SIGTERM. `now` is the moment at which its clock begins, ISO 8601; empty: the real one.
    `stripe` bills every brand that is shown.

    Raises `DemoError` or `ThemeError`.
    """
    if not is_loopback(host):
        raise DemoError(
            f"--host {host}: the demo shows everybody's passcodes, so it stays on this machine. "
            "Use 127.0.0.1, ::1 or localhost; for anything else there is: python -m server serve"
        )
    try:
        start = moment(now) if now else None
    except ValueError as error:
        raise DemoError(f"--now: {error}") from None
    _check_port(host, port)
    telemetry.configure("warning")
    with tempfile.TemporaryDirectory(prefix="postern-demo-") as folder:
        demo = Demo(
            themes_folder, Path(folder), host=host, port=port, only=only, reload=reload, now=start, stripe=stripe
        )
        demo.load()
        asyncio.run(demo.serve())
    return 0


class Demo:
    def __init__(
        self,
        themes_folder: Path,
        folder: Path,
        *,
        host: str,
        port: int,
        only: str | None,
        reload: bool,
        now: datetime | None,
        stripe: StandIn | None = None,
    ) -> None:
        self._themes, self._folder, self._host, self._port = themes_folder, folder, host, port
        self._only, self._reload = only, reload
        self._clock = Clock(app.utc_now, now)
        self.origin = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        # By another host's name, so that its cookies are its own; passkeys take no address besides.
        self.studio_origin = f"http://{'127.0.0.1' if host == 'localhost' else 'localhost'}:{port}"
        self._brands: tuple[Brand, ...] = ()
        self._mailer = KeepingMailer(print_passcode)
        self._filled: set[str] = set()
        self._announced = False
        self._keys: dict[str, str] = {}
        self._word = ""
        self._live = Live(self.origin.removeprefix("http://"))
        self._routes: Litestar | None = None
        self._limits = Limits()
        self._worker: Worker
        self._unchecked: set[str] = set()
        self._following = asyncio.Lock()
        self._set_up: set[str] = set()  # brands that the studio wrote: their links are as their files say
        self._stripe, self._published = stripe, dict[str, Brand]()
        keys = {stripe_suffix(brand): StripeSecrets(key) for brand, key in stripe.keys.items()} if stripe else {}
        self._settings = Settings(
            secrets=(secrets.token_urlsafe(48).encode(),),
            origin=self.origin,
            database=f"sqlite:{folder / 'demo.sqlite'}",
            mail_from="portal@example.com",
            themes=themes_folder,
            releases=folder / "releases",
            stripe=keys,
            stripe_api_base=stripe.url if stripe else "",
            stripe_rate=100 if stripe else 0,  # the stand-in is nobody else's
            studio_origin=self.studio_origin,
        )

    _stores: tuple[Store, Store]
    _previews: Previews

    def load(self) -> None:
        """Read the brands and build their pages. Raises `ThemeError`, `BuildError` and `DemoError`."""
        self._brands = self._read()
        self._build(self._brands, checked=self._reload)

    def _read(self) -> tuple[Brand, ...]:
        there = sorted(each.name for each in self._themes.glob("*/") if (each / PORTAL_FILE).is_file())
        if self._only and self._only not in there:
            raise DemoError(f"No such brand: {self._only}. There are {', '.join(there)}.")
        found = [load(self._themes / self._only)] if self._only else load_all(self._themes)
        return tuple(
            on_one_origin(
                self._as_published(brand), self._backend_of(brand.name), as_written=brand.name in self._set_up
            )
            for brand in found
        )

    def _backend_of(self, name: str) -> str:
        """The stand-in has no account for a brand that was made since the demo started."""
        return "stripe" if self._stripe and name in self._stripe.keys else "ledger"

    def _as_published(self, brand: Brand) -> Brand:
        """Saved is not live, once it was published; but for the log-in link, which is the one of its file."""
        published = self._published.get(brand.name, brand)
        config = msgspec.structs.replace(published.config, login_page=brand.config.login_page)
        return msgspec.structs.replace(published, config=config, link_folder=None)

    def _build(self, brands: Sequence[Brand], *, checked: bool) -> None:
        publishing.build(brands, self._folder / "dist", secure=False, reload=self._reload, checked=checked)

    async def serve(self) -> None:
        """Serve what was loaded, and with `dev` what is saved meanwhile, until a signal ends it."""
        ended = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, ended.set)
        await self._fill()
        store, work_store = open_store(self._settings.database), open_store(self._settings.database)
        self._stores, self._previews = (store, work_store), Previews()
        self._live.built(self._application(store))
        server = Server(
            self._live,
            address="127.0.0.1" if self._host == "localhost" else self._host,  # Granian takes addresses only
            port=self._port,
            interface=Interfaces.ASGI,
            websockets=False,
            http1_settings=HTTP1,
            backpressure=CONNECTIONS,
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve())
        self._worker = self._start_worker(work_store)
        await self._announce(serving, ended)
        waits = [serving, asyncio.create_task(ended.wait())]
        watching = asyncio.create_task(self._watch(store, work_store)) if self._reload else None
        await asyncio.wait([*waits, *([watching] if watching else [])], return_when=asyncio.FIRST_COMPLETED)
        if watching:
            watching.cancel()
        self._live.end()
        server.stop()  # type: ignore[no-untyped-call]
        await serving
        await self._worker.stop()
        await self._previews.close()
        await work_store.close()
        if not ended.is_set():
            raise DemoError("The server ended by itself; the lines above say why.")

    def _start_worker(self, store: Store) -> Worker:
        """The same work as in production, but in this process: its clock can be moved, and its mails are shown here."""
        worker = app.worker_of(self._settings, self._brands, store, clock=self._clock, mailer=self._mailer)
        worker.start()
        return worker

    def _application(self, store: Store) -> ASGIApp:
        made = app.create_app(
            self._settings, self._brands, store, clock=self._clock, reload=self._reload, limits=self._limits,
            wire=self._wired, written=self._written, previews=self._previews,
        )  # fmt: skip
        first = self._brands[0]
        renderer = Renderer(first, Assets.of(first), Paths(first.base))
        studio = self.studio_origin.removeprefix("http://")
        pages = StaticFiles(made, self._folder / "dist", [brand.name for brand in self._brands], not_at=studio)
        hosts = frozenset({self.origin.removeprefix("http://")})
        inbox = Inbox(
            pages,
            messages=lambda: self._mailer.messages,
            renderer=renderer,
            portals=[*self._portals(), ("studio", self.studio_origin + BASE)],
            hosts=hosts,
        )
        moved = self._move_stand_in if self._stripe else None
        return ClockPage(inbox, self._clock, renderer, self.origin, self._portals(), moved=moved)

    def _wired(self, lifespan: app.Lifespan, state: State) -> Litestar:
        """The routes, which are made once: that takes longer than all else of a change."""
        if self._routes is None:
            self._routes = app.wired(lifespan, state)
        self._routes.state["portals"] = state["portals"]
        return self._routes

    async def _move_stand_in(self, now: datetime) -> None:
        """Its clock goes along, and what falls due there by then happens."""
        url, to = f"{self._settings.stripe_api_base}/_standin/clock", int(now.timestamp())
        asked = Request(url, json.dumps({"to": to}).encode(), {"Content-Type": "application/json"})  # noqa: S310 (loopback)
        await asyncio.to_thread(lambda: urlopen(asked, timeout=60).close())  # noqa: S310

    async def _fill(self) -> None:
        store = open_store(self._settings.database)
        try:
            self._word = await self._owner(store) if not self._filled else self._word
            for brand in self._brands:
                if brand.name not in self._filled:
                    now, is_test = (
                        self._clock(),
                        self._stripe is not None or brand.config.login_page.link.startswith("test_"),
                    )
                    self._keys[brand.name] = await self._key(store, brand.name, live=not is_test, now=now)
                    if brand.config.billing.backend == "stripe":
                        await syncing.sync(self._settings, store, brand, self._clock, lambda *_: None)
                        self._filled.add(brand.name)
                        continue
                    await import_records(store, brand.name, samples.records(brand.name, now), now=now, source="samples")
                    self._filled.add(brand.name)
        finally:
            await store.close()

    async def _owner(self, store: Store) -> str:
        """Somebody who may do everything in the studio; the word for a first passkey."""
        it, now = operators.Change(address=OPERATOR, role="owner"), self._clock()

        def work(transaction: Transaction) -> str:
            operators.change_in(transaction, it, now)
            return operators.word_for(transaction, OPERATOR, now)

        return await store.write(work)

    async def _key(self, store: Store, brand: str, *, live: bool, now: datetime) -> str:
        read = self._settings
        made = await store.write(lambda it: api_keys.create(it, read, brand, live=live, now=now))
        return made[0]

    def _portals(self) -> list[tuple[str, str]]:
        return [
            (brand.name, self.origin + Paths(brand.base).login_page(brand.config.login_page.link, SAMPLE_ADDRESS))
            for brand in self._brands
            if brand.config.login_page.enabled
        ]

    async def _announce(self, serving: asyncio.Task[None], ended: asyncio.Event) -> None:
        """Once, and not before the port answers: what reads these lines goes on at once."""
        while not (self._announced or serving.done() or ended.is_set()):
            try:
                _, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            self._announced = True
            for name, url in self._portals():
                print(f"portal {name} {url}", flush=True)
            for name, key in self._keys.items():
                print(f"key {name} {key}", flush=True)
            print(f"studio {self.studio_origin}{BASE} {OPERATOR} {self._word}", flush=True)
            print(f"Studio: log in as {OPERATOR}; it changes the files in {self._themes}", flush=True)
            print(f"Mails: {self.origin}/_demo/inbox   Clock: {self.origin}/_demo/clock   (Ctrl-C ends)")
            command = f"{_python()} -m server customers search {self._brands[0].name} sam@example.com"
            print(f"Commands: PORTAL_DATABASE={self._settings.database} {command}", flush=True)

    async def _watch(self, store: Store, work_store: Store) -> None:
        """Build again after each save, show it, and hold it to the rules then. What cannot be built changes nothing."""
        later: set[asyncio.Task[None]] = set()
        async for changed in live.saves(self._themes):
            try:
                before, brands = {each.name for each in self._brands}, self._read()
                concerned = live.concerned(brands, changed)
                saved = [each for each in brands if each in concerned or each.name not in before]
                self._build(saved, checked=False)
            except (ThemeError, DemoError, publishing.BuildError) as error:
                self._refuse(f"{error}\nWhat was there before is still served.")
                continue
            self._brands = brands
            self._live.built(self._application(store))
            print("built again", flush=True)
            self._unchecked |= {each.name for each in saved}
            later.add(task := asyncio.create_task(self._follow(brands, work_store)))
            task.add_done_callback(later.discard)

    async def _written(self, name: str) -> None:
        """The studio changed the brand's files, made it or published it: from now on it is served as they say, or as it was
        published."""
        store, work_store = self._stores
        async with self._following:
            self._set_up.add(name)
            try:
                if live := await rows.live_of(store, name):
                    self._published[name] = await following.loaded(self._settings, store, live)
                brands = await asyncio.to_thread(self._read)
                await asyncio.to_thread(self._build, [each for each in brands if each.name == name], checked=False)
            except (ThemeError, DemoError, publishing.BuildError) as error:
                self._refuse(f"{error}\nWhat was there before is still served.")
                return
            before, self._brands = {each.name for each in self._brands}, brands
            await self._fill()
            self._live.built(self._application(store))
            print(f"written {name}", flush=True)
            if name not in before:
                await self._worker.stop()
                self._worker = self._start_worker(work_store)

    async def _follow(self, brands: Sequence[Brand], work_store: Store) -> None:
        """What nobody has to wait for, once no newer save has come: the rules, and mails of the brands as they are now."""
        await asyncio.sleep(_SHOWN_FIRST)
        async with self._following:
            if self._brands is not brands:
                return
            saved = [each for each in brands if each.name in self._unchecked]
            self._unchecked.clear()
            found = await asyncio.to_thread(lambda: [each for one in saved for each in checking.brand_problems(one)])
            if found and self._brands is brands:
                self._refuse("\n".join(map(str, dict.fromkeys(found))))
            await self._fill()
            await self._worker.stop()
            self._worker = self._start_worker(work_store)

    def _refuse(self, why: str) -> None:
        self._live.refused(why)
        print(why, flush=True)


def on_one_origin(brand: Brand, backend: str = "ledger", *, as_written: bool = False) -> Brand:
    """The brand as the demo shows it: without a domain of its own, billed by `backend`, and its log-in page active, or
    with `as_written` as its file says."""
    login_page = brand.config.login_page
    if not as_written:
        link = login_page.link or f"test_{brand.name:0>22}"
        login_page = msgspec.structs.replace(login_page, enabled=True, link=link)
    portal = msgspec.structs.replace(
        brand.config,
        site=msgspec.structs.replace(brand.config.site, url=""),
        login_page=login_page,
        billing=msgspec.structs.replace(brand.config.billing, backend=backend),
    )
    return msgspec.structs.replace(brand, config=portal)


def print_passcode(message: EmailMessage) -> None:
    """The code is in the last line of the text, `@domain #code`; no other mail ends like that."""
    part = message.get_body(("plain",))
    last = str(part.get_content()).strip().splitlines()[-1] if part else ""
    if last.startswith("@"):
        print(f"passcode {message['To']} {last.rpartition('#')[2]}", flush=True)


def _check_port(host: str, port: int) -> None:
    if not 0 < port < 65536:
        raise DemoError(f"--port {port}: not a port from 1 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DemoError(
                f"Port {port} on {host} cannot be used ({error.strerror}); "
                f"is another demo running? Choose another one, such as --port {min(port + 1, 65535)}"
            ) from None
