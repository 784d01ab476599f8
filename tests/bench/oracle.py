"""Can time tell who is a customer? Log-ins are asked for known and for unknown addresses in pairs, in random order, each
followed by pings that a stranger could send beside them: the answer of the ask itself, and what comes after it.

The number is the AUC: how often a known address took longer than an unknown one, where 0.5 is a coin and 1 is certainty.
It compares within one run; a busy machine hides differences, so nothing else should run. The server shares our session: the
worker yields to the stranger as it does to the HTTP worker, since in life the stranger is another machine, which waits for
none of these cores. `POSTERN_BENCH_PAIRS` sets how many pairs there are.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from server.brands import load
from server.publishing.samples.many import address_of, write_many
from server.store import open_store
from tests.bench.mail_sink import sink
from tests.bench.menu import Row
from tests.support.postgres import running
from tests.support.production import Production
from tests.support.served import ROOT

BRAND = "plain"
PAIRS = int(os.environ.get("POSTERN_BENCH_PAIRS", "2000"))
WINDOW = 0.13
"""Seconds of pings after each ask: longer than the worker takes to notice a mail and to make it."""
BUDGET = 0.55
MEASURES = ("answer to the ask", "first ping after it", "slowest ping", "mean of the pings")


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder, running() as postgres:
        for kind, url in (("SQLite", f"sqlite:{folder}/oracle.sqlite"), ("PostgreSQL", postgres)):
            known, unknown = _measured(Path(folder), url)
            for position, what in enumerate(MEASURES):
                ours, others = [each[position] for each in known], [each[position] for each in unknown]
                found = auc(ours, others)
                yield Row(f"{what}, {kind}, AUC over {PAIRS:,} pairs", f"known {1000 * median(ours):.2f} ms",
                          f"unknown {1000 * median(others):.2f} ms", f"{found:.3f}", f"0.5 ± {BUDGET - 0.5:.2f}",
                          abs(found - 0.5) <= BUDGET - 0.5)  # fmt: skip


def auc(ours: list[float], others: list[float]) -> float:
    """How often one of ours is greater than one of the others; equal ones count half."""
    ranked = sorted([(each, True) for each in ours] + [(each, False) for each in others])
    ranks, position = 0.0, 0
    while position < len(ranked):
        end = position
        while end < len(ranked) and ranked[end][0] == ranked[position][0]:
            end += 1
        ranks += (position + end + 1) / 2 * sum(is_ours for _, is_ours in ranked[position:end])
        position = end
    return (ranks - len(ours) * (len(ours) + 1) / 2) / (len(ours) * len(others))


def _measured(folder: Path, url: str) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """For known and for unknown addresses, what `MEASURES` names, in seconds."""
    asyncio.run(_filled(url))
    chance = random.Random(27)
    known: list[tuple[float, ...]] = []
    unknown: list[tuple[float, ...]] = []
    with sink() as mail_server:
        server = Production(folder, mail_server, database=url, is_apart=False)
        server.environment["PORTAL_LOG_LEVEL"] = "error"
        server.start()
        try:
            stranger = Stranger(server.port)
            for number in range(-10, PAIRS):
                pair = [(address_of(number % PAIRS), known), (f"nobo{number % PAIRS:07d}@example.com", unknown)]
                chance.shuffle(pair)
                for address, into in pair:
                    found = stranger.ask(address)
                    if number >= 0:
                        into.append(found)
        finally:
            server.stop()
    return known, unknown


async def _filled(url: str) -> None:
    store = open_store(url)
    async for _ in write_many(store, BRAND, PAIRS, datetime.now(UTC)):
        pass
    await store.close()


class Stranger:
    """One kept connection; each ask comes from another client address."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._origin = f"http://127.0.0.1:{port}"
        self._link = load(ROOT / "themes" / BRAND).config.login_page.link
        self._asked = 0

    def ask(self, address: str) -> tuple[float, ...]:
        """Seconds of the answer, of the first ping after it, of the slowest, and of all of them on average."""
        self._asked += 1
        client = f"10.{self._asked >> 16 & 255}.{self._asked >> 8 & 255}.{self._asked & 255}"
        headers = {
            "Origin": self._origin,
            "X-Forwarded-For": client,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"email": address, "link": self._link})
        took = self._timed("POST", f"/{BRAND}/login", body, headers, 303)
        pings, ends = [], time.perf_counter() + WINDOW
        while time.perf_counter() < ends:
            pings.append(self._timed("GET", f"/{BRAND}/login", None, {}, 200))
        return took, pings[0], max(pings), sum(pings) / len(pings)

    def _timed(self, method: str, path: str, body: str | None, headers: dict[str, str], status: int) -> float:
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        assert answer.status == status, (path, answer.status)
        return took
