"""Signed-in fragments against a bare Litestar handler: same Granian process, one worker, in turns; SQLite and PostgreSQL.

The second question is whether anything grows with the number of customers: the same fragment with few and with many of
them in the store, each against the bare handler of its own run, so that two servers can be compared.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from server import app, brands, settings
from server.access import sessions
from server.publishing.samples.many import address_of, write_many
from server.store import Store, open_store
from tests.bench.load import Load, get
from tests.bench.menu import Row
from tests.bench.served import BARE
from tests.support.postgres import running
from tests.support.served import ROOT, free_port

BRAND = "plain"
FRAGMENTS = {"overview": "/my/overview", "invoices": "/my/invoices"}
ROUNDS = 5
FEW = 100
MANY = int(os.environ.get("POSTERN_BENCH_CUSTOMERS", "100000"))
BUDGETS = {"SQLite": 0.5, "PostgreSQL": 0.3}


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder, running(Path(folder) / "postgres") as postgres, Load() as load:
        for kind, url in (("SQLite", f"sqlite:{folder}/bench.sqlite"), ("PostgreSQL", postgres)):
            few = _measured(url, FEW, load)
            many = _measured(url, MANY, load)
            for name, (ours, bare) in few.items():
                ratio = ours / bare
                yield Row(f"{name}, {kind}", f"{ours:,.0f}/s", f"bare handler {bare:,.0f}/s", f"{ratio:.2f}",
                          f"≥ {BUDGETS[kind]}", ratio >= BUDGETS[kind])  # fmt: skip
            for name in FRAGMENTS:
                slower = (few[name][0] / few[name][1]) / (many[name][0] / many[name][1])
                yield Row(f"{name}, {kind}, time with {MANY:,} customers", f"{many[name][0]:,.0f}/s",
                          f"with {FEW}: {few[name][0]:,.0f}/s", f"{slower:.2f}", "≤ 1.2", slower <= 1.2)  # fmt: skip


def _measured(url: str, customers: int, load: Load) -> dict[str, tuple[float, float]]:
    """For each fragment, requests a second: ours and the bare handler's. Medians over the rounds."""
    port = free_port()
    environment = {
        "PORTAL_SECRETS": secrets.token_urlsafe(48),
        "PORTAL_ORIGIN": f"http://127.0.0.1:{port}",
        "PORTAL_DATABASE": url,
        "PORTAL_THEMES": str(ROOT / "themes"),
        "PORTAL_LOG_LEVEL": "error",
    }
    cookie = asyncio.run(filled(environment, customers))
    found = {}
    with _server(environment, port):
        for name, path in FRAGMENTS.items():
            request = get(f"/{BRAND}{path}", cookie, host=f"127.0.0.1:{port}")
            size = _size(f"http://127.0.0.1:{port}/{BRAND}{path}", cookie)
            bare = get(f"{BARE}/{size}", host=f"127.0.0.1:{port}")
            load.per_second(port, request, seconds=0.5)
            pairs = [(load.per_second(port, request), load.per_second(port, bare)) for _ in range(ROUNDS)]
            found[name] = (median(each[0] for each in pairs), median(each[1] for each in pairs))
    return found


async def filled(environment: dict[str, str], customers: int) -> str:
    """Put so many customers into the store, log one in, and answer its cookie."""
    read = settings.from_environment(environment)
    store = open_store(read.database)
    now = datetime.now(UTC)
    await _emptied(store)
    async for _ in write_many(store, BRAND, customers, now):
        pass
    brand = next(each for each in brands.load_all(read.themes) if each.name == BRAND)
    portal = app.portal_of(brand, read, store, app.billings(read)(brand, store), lambda: now)
    number = customers // 2
    token = await store.write(
        lambda transaction: sessions.start(
            transaction,
            portal,
            customer_id=f"cus_many{number:07d}",
            address=address_of(number),
            browser="bench",
            now=now,
            replaced="",
        )
    )
    await store.close()
    return f"{BRAND}-session={token}"


async def _emptied(store: Store) -> None:
    tables = ("customer", "account", "invoice", "session", "activity")
    await store.write(lambda transaction: [transaction.count(f"DELETE FROM {table}") for table in tables])


@contextmanager
def _server(environment: dict[str, str], port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--workers", "1", "--no-ws",
               "--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "tests.bench.served:served"]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _size(url: str, cookie: str) -> int:
    """How many bytes the fragment has; fails where it is not answered with 200."""
    headers = {"cookie": cookie, "hx-request": "true", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin"}
    with urlopen(Request(url, headers=headers), timeout=10) as answer:  # noqa: S310 (our own server)
        return len(answer.read())
