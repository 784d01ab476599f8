"""A year's invoices as one ZIP, each an electronic one too: does the memory grow with their number? Each number has a process of its own."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from server.billing import Address, InvoiceTax, LineTax
from server.billing.electronic import Gaps, statement
from server.store import open_store
from tests.bench.menu import Row
from tests.support.accounts import account, eur, invoice, keep
from tests.support.world import World

FEW, MANY = 50, 500
LEAST = 10_000
"""Bytes of a document, at least."""
NEWEST = datetime(2026, 12, 1, tzinfo=UTC)
ELECTRONIC = invoice(
    subtotal=eur(1000),
    lines=(replace(invoice().lines[0], amount=eur(1000), taxes=(LineTax(eur(190), "19"),)),),
    taxes=(InvoiceTax("MwSt 19%", eur(190), percentage="19"),),
    total=eur(1190),
    amount_paid=eur(1190),
    customer_name="Jenny Rosenbaum",
    customer_address=Address("Oranienstraße 6", "", "Berlin", "", "10997", "DE"),
)


def rows() -> Iterator[Row]:
    few, many = (_measured(count) for count in (FEW, MANY))
    ratio = many[0] / few[0]
    yield Row(
        f"memory for a ZIP of {MANY} PDFs, {many[2] / 2**20:.0f} MB sent",
        f"{many[0] / 2**20:.0f} MB",
        f"of {FEW}: {few[0] / 2**20:.0f} MB",
        f"{ratio:.2f}",
        "does not grow",
        ratio <= 1.15,
    )
    each, peer = many[1] / MANY, few[1] / FEW
    yield Row("seconds for each PDF in it", f"{each:.3f} s", f"of {FEW}: {peer:.3f} s", f"{each / peer:.2f}", "")


def _measured(count: int) -> tuple[int, float, int]:
    """The most memory in use, the seconds and the bytes sent."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.bench.downloads", str(count)], check=True, capture_output=True, text=True
    ).stdout.split()
    return int(found[0]), float(found[1]), int(found[2])


async def _downloaded(count: int) -> tuple[float, int]:
    """The seconds and the bytes of one download. Nothing that was sent is kept."""
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:{Path(folder) / 'store.sqlite'}")
        world = World(store, lambda: NEWEST)
        if isinstance(statement(ELECTRONIC, world.portal().brand.config.business), Gaps):
            raise RuntimeError("the invoices of this benchmark are no electronic ones")  # noqa: TRY004 (a value of ours)
        them = tuple(
            replace(ELECTRONIC, id=f"in_{n:04}", created_at=NEWEST - timedelta(hours=10 * n)) for n in range(count)
        )
        await keep(world, account(invoices=them[:12], has_older_invoices=True), *them[12:])
        browser = world.client()
        await world.log_in(browser)
        began = time.perf_counter()
        sent = await _streamed(world.app, browser.cookies)
        seconds = time.perf_counter() - began
        await store.close()
        if sent < count * LEAST:
            raise RuntimeError(f"{count} invoices came as {sent} bytes: their documents are not among them")
        return seconds, sent


async def _streamed(app: Any, cookies: Any) -> int:
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = [(b"host", b"portal.example"), (b"cookie", cookie.encode()), (b"sec-fetch-site", b"same-origin")]
    path = "/harbour/my/invoices/zip"
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https"}
    scope |= {"path": path, "raw_path": path.encode(), "query_string": b"year=2026", "root_path": ""}
    scope |= {"headers": headers, "server": ("portal.example", 443), "client": ("203.0.113.7", 50000)}
    sent, ended = 0, asyncio.Event()

    async def receive() -> dict[str, Any]:
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal sent
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"the download was answered with {message['status']}")
        sent += len(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended.set()

    await app(scope, receive, send)
    return sent


if __name__ == "__main__":
    took, size = asyncio.run(_downloaded(int(sys.argv[1])))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, took, size)
