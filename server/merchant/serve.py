"""`python -m server serve`: the production server, Granian with as many workers as asked for.

Each worker process reads the environment and makes the application itself (`app.from_environment`); with `--static` it
also serves the pages of a build. SIGTERM ends it gracefully: requests under way are answered, mails under way sent.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from server import brands as themes
from server.portal import check_backend
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


class ServeError(Exception):
    """It cannot serve like this; the message says what to do."""


def serve(settings: Settings, *, host: str, port: int, workers: int, static: Path | None) -> None:
    """Serve until a signal ends it. Raises `ServeError`, `SettingsError` and `ThemeError` before the first worker starts."""
    loaded = themes.load_all(settings.themes)
    brands = [brand.name for brand in loaded]
    origins = {brand.name: brand.config.site.url or settings.origin for brand in loaded}
    for brand in loaded:
        check_backend(brand)
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
    if static:
        missing = [name for name in brands if not (static / name / "index.html").is_file()]
        if missing:
            raise ServeError(f"--static {static}: has no pages of {', '.join(missing)}. Run: python3 build.py build")
    address = _free_address(host, port)
    # Opened once before the workers do: its schema is brought up to date, and a mistake is said once.
    asyncio.run(open_store(settings.database).close())
    server_of(address, port, workers).serve(target_loader=partial(application, static=static, brands=brands))


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
        log_level=LogLevels.warning,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
    )


def application(target: str, *, static: Path | None, brands: list[str]) -> Callable[..., Any]:
    """What each worker process runs; `target` is the factory, as `module:name`."""
    module, _, name = target.partition(":")
    made: Callable[..., Any] = getattr(__import__(module, fromlist=[name]), name)()
    return StaticFiles(made, static, brands) if static else made


def _free_address(host: str, port: int) -> str:
    """The address behind the name, since Granian takes no names."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return str(address[0])
    except OSError as error:
        raise ServeError(f"{host}:{port} cannot be used ({error.strerror}); choose another --host or --port") from None
