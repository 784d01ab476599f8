"""Signed-in fragments against their peers: same Granian process, one worker, in turns; SQLite and PostgreSQL.

One peer is a bare Litestar handler that shows nothing. The other shows the same HTML from the same rows, written by hand
(`tests.bench.by_hand`); it is compared by the processor time of a request, which stays the same on a busy machine.

The second question is whether anything grows with the number of customers: the same fragment with few and with many of
them in the store, each against the bare handler of its own run, so that two servers can be compared.
"""

from __future__ import annotations

import asyncio
import os
import re
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
from typing import NamedTuple
from urllib.request import Request, urlopen

from server import brands, making, settings
from server.access import sessions
from server.publishing.samples.many import address_of, write_many
from server.store import Store, open_store
from tests.bench import by_hand
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
BUDGET = 1.0


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder, running(Path(folder) / "postgres") as postgres, Load() as load:
        for kind, url in (("SQLite", f"sqlite:{folder}/bench.sqlite"), ("PostgreSQL", postgres)):
            few = _measured(url, FEW, load)
            many = _measured(url, MANY, load)
            for name, (ours, bare, hand) in few.items():
                yield Row(f"{name}, {kind}", f"{ours.rate:,.0f}/s", f"bare handler {bare.rate:,.0f}/s",
                          f"{ours.rate / bare.rate:.2f}", "")  # fmt: skip
                ratio = hand.cost / ours.cost
                yield Row(f"{name}, {kind}, processor time", f"{ours.cost:.0f} µs", f"by hand {hand.cost:.0f} µs",
                          f"{ratio:.2f}", f"≥ {BUDGET}", ratio >= BUDGET)  # fmt: skip
            for name in FRAGMENTS:
                (ours, bare, _), (ours_many, bare_many, _) = few[name], many[name]
                slower = (ours.rate / bare.rate) / (ours_many.rate / bare_many.rate)
                yield Row(f"{name}, {kind}, time with {MANY:,} customers", f"{ours_many.rate:,.0f}/s",
                          f"with {FEW}: {ours.rate:,.0f}/s", f"{slower:.2f}", "≤ 1.2", slower <= 1.2)  # fmt: skip


class Measured(NamedTuple):
    rate: float
    """Requests a second."""
    cost: float
    """Microseconds of processor time that a request takes the server; a database's own process is not in it."""


def _measured(url: str, customers: int, load: Load) -> dict[str, tuple[Measured, Measured, Measured]]:
    """For each fragment: ours, the bare handler, and the one by hand. Medians over the rounds."""
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
    with _server(environment, port) as server:
        for name, path in FRAGMENTS.items():
            ours, hand = f"/{BRAND}{path}", f"{by_hand.AT}/cus_many{customers // 2:07d}{path.removeprefix('/my')}"
            shown, same = (_body(f"http://127.0.0.1:{port}{each}", cookie) for each in (ours, hand))
            assert plain(shown) == plain(same), f"{name}: the peer by hand shows something else"
            urls = (ours, f"{BARE}/{len(shown)}", hand)
            requests = [get(each, cookie, host=f"127.0.0.1:{port}") for each in urls]
            for each in requests:
                load.per_second(port, each, seconds=0.5)
            rounds = [[_one(server, port, each, load) for each in requests] for _ in range(ROUNDS)]
            found[name] = tuple(Measured(*map(median, zip(*each, strict=True))) for each in zip(*rounds, strict=True))
    return found  # type: ignore[return-value]


def _one(server: int, port: int, request: bytes, load: Load) -> Measured:
    before = _spent(server)
    answered, took = load.answered(port, request)
    return Measured(answered / took, 1e6 * (_spent(server) - before) / answered)


def _spent(process: int) -> float:
    """Seconds of processor time of the process and of those that it started."""
    entry = Path(f"/proc/{process}")
    fields = (entry / "stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = " ".join(each.read_text() for each in entry.glob("task/*/children")).split()
    return own + sum(_spent(int(each)) for each in children)


def plain(html: bytes) -> bytes:
    """Without blanks around tags, which no browser shows, and without the time of the answer."""
    return re.sub(rb"\s*([<>])\s*", rb"\1", re.sub(rb"As of <time.*?</time>", b"", html)).strip()


async def filled(environment: dict[str, str], customers: int) -> str:
    """Put so many customers into the store, log one in, and answer its cookie."""
    read = settings.from_environment(environment)
    store = open_store(read.database)
    now = datetime.now(UTC)
    await _emptied(store)
    async for _ in write_many(store, BRAND, customers, now):
        pass
    brand = next(each for each in brands.load_all(read.themes) if each.name == BRAND)
    portal = making.portal_of(brand, read, store, making.billings(read)(brand, store), lambda: now)
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
def _server(environment: dict[str, str], port: int) -> Iterator[int]:
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
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def _body(url: str, cookie: str) -> bytes:
    """The fragment; fails where it is not answered with 200."""
    headers = {"cookie": cookie, "hx-request": "true", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin"}
    with urlopen(Request(url, headers=headers), timeout=10) as answer:  # noqa: S310 (our own server)
        return bytes(answer.read())
