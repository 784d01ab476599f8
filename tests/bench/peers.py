"""The overview and the invoices in one process without a server, on SQLite: the portal, the same pages written by hand, and the
same pages by Django. Each answers the same HTML of the same customer; processor time, the least of some rounds, in turns."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from server import app, brands, settings
from server.billing.model.documents import decode_account
from server.store import Store, open_store
from tests.bench import by_hand
from tests.bench.menu import Row
from tests.bench.requests import BRAND, FEW, FRAGMENTS, ROOT, filled, plain

ROUNDS, EACH = 15, 100
HOST = "127.0.0.1"
CUSTOMER = f"cus_many{FEW // 2:07d}"
Answer = Callable[[str], Awaitable[bytes]]


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        yield from asyncio.run(_measured(Path(folder)))


async def ours_of(folder: Path) -> tuple[Store, Answer]:
    """The store with some customers, and the portal where one of them is logged in."""
    environment = {
        "PORTAL_SECRETS": secrets.token_urlsafe(48), "PORTAL_ORIGIN": f"http://{HOST}", "PORTAL_LOG_LEVEL": "error",
        "PORTAL_DATABASE": f"sqlite:{folder}/bench.sqlite", "PORTAL_THEMES": str(ROOT / "themes"),
    }  # fmt: skip
    cookie = await filled(environment, FEW)
    read = settings.from_environment(environment)
    store = open_store(read.database)
    return store, _asgi(app.create_app(read, brands.load_all(read.themes), store), cookie)


def by_hand_of(store: Store, filters: by_hand.Filters = by_hand.OURS) -> Answer:
    return _asgi(by_hand.application(store, filters), "")


def path_by_hand(path: str) -> str:
    return f"{by_hand.AT}/{CUSTOMER}{path.removeprefix('/my')}"


async def _measured(folder: Path) -> list[Row]:
    from tests.bench import by_django  # Django is no package of ours

    store, ours = await ours_of(folder)
    hand, babels = by_hand_of(store), by_hand_of(store, by_hand.BABELS)
    sql = "SELECT document FROM account WHERE customer_id = :customer"
    ((document,),) = await store.read(sql, {"customer": CUSTOMER})
    django, theirs = await asyncio.to_thread(by_django.application, folder, decode_account(document))
    found = []
    for name, path in FRAGMENTS.items():
        peers: dict[str, tuple[Answer, str]] = {
            "": (ours, f"/{BRAND}{path}"),
            "by hand": (hand, path_by_hand(path)),
            "by hand, Babel asked each time,": (babels, path_by_hand(path)),
            "Django": (_wsgi(django, theirs), path.removeprefix("/my")),
        }
        bodies = {peer: plain(await answer(at)) for peer, (answer, at) in peers.items()}
        odd = [peer for peer, body in bodies.items() if body != bodies[""]]
        assert not odd, f"{name}: {odd} show something else"
        least = dict.fromkeys(peers, float("inf"))
        for _ in range(ROUNDS):
            for peer, (answer, at) in peers.items():
                began = time.process_time()
                for _ in range(EACH):
                    await answer(at)
                least[peer] = min(least[peer], 1e6 * (time.process_time() - began) / EACH)
        for peer, budget in (("by hand", 1.0), ("by hand, Babel asked each time,", None), ("Django", 3.0)):
            ratio = least[peer] / least[""]
            found.append(Row(f"{name}, in one process", f"{least['']:.0f} µs", f"{peer} {least[peer]:.0f} µs",
                             f"{ratio:.2f}", f"≥ {budget}" if budget else "", ratio >= budget if budget else None))  # fmt: skip
    await store.close()
    return found


def _asgi(application: Any, cookie: str) -> Answer:
    named = {
        "host": HOST,
        "cookie": cookie,
        "hx-request": "true",
        "sec-fetch-dest": "empty",
        "sec-fetch-site": "same-origin",
    }
    headers = [(key.encode(), value.encode()) for key, value in named.items()]

    async def answer(path: str) -> bytes:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
            "client": (HOST, 1), "server": (HOST, 80), "extensions": {}, "state": {},
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        await application(scope, receive, send)
        assert sent[0]["status"] == 200, f"{path}: {sent[0]['status']}"
        return b"".join(each["body"] for each in sent[1:])

    return answer


def _wsgi(application: Any, cookie: str) -> Answer:
    from wsgiref.util import setup_testing_defaults

    async def answer(path: str) -> bytes:
        environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_HOST": HOST, "HTTP_COOKIE": cookie}
        setup_testing_defaults(environ)
        began: list[str] = []
        body = b"".join(application(environ, lambda status, _headers: began.append(status)))
        assert began == ["200 OK"], f"{path}: {began}"
        return body

    return answer
