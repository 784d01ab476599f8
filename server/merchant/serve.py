"""`python -m server serve`: the production server.

    serve, this process      supervises the others, and answers /metrics, /healthz and /readyz on PORTAL_OPERATIONS
      HTTP workers           Granian, as many as asked for; with --static they serve the pages of a build too
      the background work    python -m server work, unless --no-worker

Each of them reads the environment by itself (`app.py`), counts in a file of one folder, and is started again when it
dies. SIGTERM ends all of them gracefully: requests under way are answered, then mails under way sent.
"""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from server import telemetry
from server.access import kept_secrets
from server.brands import Brand
from server.features.operations.answers import Operations
from server.features.operations.listener import Listener
from server.merchant.releases import folders
from server.merchant.releases.following import Following, brands_of
from server.merchant.supervision import Supervised
from server.merchant.turns import answer_soon
from server.portal import check_backend, check_studio
from server.publishing import overrides
from server.settings import Settings, SettingsError, is_loopback
from server.store import open_store
from server.web.static_files import StaticFiles

GRACE = 10
"""Seconds that requests under way get at the end."""

IDLE = 130
"""Seconds that a connection may wait for its next request. The server must not be the first to give up: a form that is
sent just as the server closes has no answer, and neither proxies nor Firefox send a POST again. nginx and AWS keep a
connection for 60 seconds, Traefik for 90, Firefox for 115, Caddy for 120; Chrome (300) does send it again."""

HTTP1 = HTTP1Settings(header_read_timeout=IDLE * 1000)
"""Granian's one timeout for idle connections and for slow headers; its own default is 30 seconds (seen with 2.8.7)."""

CONNECTIONS = 8192
"""So many connections each HTTP worker holds at once; what comes beyond them waits until one ends. One that says nothing takes
some 3 KB. By itself Granian holds 1,024 over all workers, idle ones too: whoever opened as many kept everybody else out for
as long as `IDLE` (seen with 2.8.7)."""


class ServeError(Exception):
    """It cannot serve like this; the message says what to do."""


def serve(
    settings: Settings, *, host: str, port: int, workers: int, static: Path | None, counts: Path, work: bool = True
) -> None:
    """Serve until a signal ends it. `counts` is the folder that `PROMETHEUS_MULTIPROC_DIR` names. Raises `ServeError`,
    `SettingsError` and `ThemeError` before anything starts."""
    settings = kept_secrets.at_start(settings)
    loaded = _checked(settings, host)
    address = _free_address(host, port, "choose another --host or --port")
    telemetry.configure(settings.log_level)
    # Opened once before the workers do: its schema is brought up to date, and a mistake is said once.
    loaded = asyncio.run(_released(settings, loaded))
    _check_pages(settings, static, loaded)
    # Not forked: this process has threads, and connections to the database that no other may use.
    multiprocessing.set_start_method("spawn", force=True)
    with ExitStack() as stack:
        stack.enter_context(_operations(settings, counts, (host, port), (address, port)))
        if work:
            stack.enter_context(_background_work())
        server = server_of(address, port, workers)
        server.on_startup(partial(print, _first_lines(settings, loaded, address, port, workers, work=work), flush=True))
        server.serve(
            target_loader=partial(
                application,
                static=static,
                brands=[each.name for each in loaded],
                domains={
                    urlsplit(each.config.site.url).netloc.lower(): each.name for each in loaded if each.config.site.url
                },
                studio=urlsplit(settings.studio_origin).netloc,
                releases=settings.releases,
            )
        )


def server_of(address: str, port: int, workers: int) -> AbstractServer[Any]:
    """The server that `serve` starts."""
    return Granian(
        "server.app:from_environment",
        address=address,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI,
        websockets=False,
        http1_settings=HTTP1,
        backpressure=CONNECTIONS,
        log_level=LogLevels.warning,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
    )


def _first_lines(
    settings: Settings, loaded: Sequence[Brand], address: str, port: int, workers: int, *, work: bool
) -> str:
    """What the merchant sees once connections are taken: on stdout, since stderr is the log."""
    operations = _url(*settings.operations)
    return (
        f"Serving {_counted(len(loaded), 'brand')} at {_url(address, port)}, with {_counted(workers, 'HTTP worker')} "
        f"and {'the background work' if work else 'no background work (python -m server work)'}.\n"
        f"For the operator: {operations}/readyz and {operations}/metrics. SIGTERM or Ctrl-C ends it."
    )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@contextmanager
def _operations(settings: Settings, counts: Path, public: tuple[str, int], listens: tuple[str, int]) -> Iterator[None]:
    """The operator's address, as long as the server runs. `public`: the portal's as it was given, `listens` as it is."""
    host, port = settings.operations
    if (host, port) == public:
        raise ServeError(f"PORTAL_OPERATIONS: {host}:{port} is the public address; metrics belong on another port")
    address = _free_address(host, port, "set PORTAL_OPERATIONS to another address, such as 127.0.0.1:9465")
    asked = Operations(open_store(settings.database), lambda: datetime.now(UTC), counts, listens)
    listener = Listener(asked, address, port)
    listener.start()
    try:
        yield
    finally:
        listener.stop()


@contextmanager
def _background_work() -> Iterator[None]:
    command = [sys.executable, "-m", "server", "work", "--parent", str(os.getpid())]
    worker = Supervised(command, on_start=partial(telemetry.count, "worker_starts"))
    worker.start()
    try:
        yield
    finally:
        worker.stop(GRACE)


async def _released(settings: Settings, loaded: Sequence[Brand]) -> Sequence[Brand]:
    """The brands as they are served: this host has the folders of their releases now."""
    store = open_store(settings.database)
    try:
        following = Following(settings, store, loaded)
        await following.look()
        return following.brands
    finally:
        await store.close()


def _checked(settings: Settings, host: str) -> Sequence[Brand]:
    """The brands. Raises where they cannot be served like this."""
    loaded = brands_of(settings)
    if problems := overrides.refused(loaded):
        raise ServeError("\n".join(map(str, problems)))
    origins = {brand.name: brand.config.site.url or settings.origin for brand in loaded}
    for brand in loaded:
        check_backend(brand, settings)
    check_studio(loaded, settings)
    for name, origin in origins.items():
        if not origin:
            raise SettingsError(
                f"PORTAL_ORIGIN: missing, and brand {name} has no [site] url of its own. "
                "Set it to where browsers reach this server, such as https://portal.example"
            )
        if origin.startswith("http://") and not is_loopback(host):
            raise ServeError(
                f"--host {host}: {name} is reached by plain http ({origin}), so only loopback may serve it"
            )
    return loaded


def _check_pages(settings: Settings, static: Path | None, loaded: Sequence[Brand]) -> None:
    if not static:
        return
    folders_of = {each.name: (folders.site_of(settings.releases, each.name), static / each.name) for each in loaded}
    missing = [name for name, both in folders_of.items() if not any((each / "index.html").is_file() for each in both)]
    if missing:
        raise ServeError(f"--static {static}: has no pages of {', '.join(missing)}. Run: python3 build.py build")


def application(
    target: str,
    *,
    static: Path | None,
    brands: Sequence[str],
    domains: Mapping[str, str],
    studio: str,
    releases: Path,
) -> Callable[..., Any]:
    """What each worker process runs; `target` is the factory, as `module:name`; `domains` as in `StaticFiles`; `studio` is
    the studio's host; `releases` the folder of releases, whose pages go before those of `static`."""
    if multiprocessing.parent_process():
        # One end in four printed a panic: the interpreter was taken down under a thread of Granian's (seen with 2.8.7).
        # By then the application has closed all that it had.
        atexit.register(os._exit, 0)
        answer_soon()
    module, _, name = target.partition(":")
    made: Callable[..., Any] = getattr(__import__(module, fromlist=[name]), name)()
    if not static:
        return made
    released = partial(folders.site_of, releases)
    return StaticFiles(made, static, brands, domains, not_at=studio, released=released)


def _free_address(host: str, port: int, otherwise: str) -> str:
    """The address behind the name, since Granian takes no names."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return str(address[0])
    except OSError as error:
        raise ServeError(f"{host}:{port} cannot be used ({error.strerror}); {otherwise}") from None
