"""What log-ins cost those who read: signed-in reads alone, and the same reads beside fifty log-ins a second with their
mails. The server is `serve` as in production, with one HTTP worker and the background work beside it.

Three things are measured in turns: reads alone, reads beside as many log-ins at another server with its own database, and
reads beside log-ins at the same one. The second shares only the cores with the reads: what it adds is the machine's, and
what the third adds to it is the portal's. Reads come at a steady pace over a few connections, as from people, so that
their times say how long they waited and not how many were sent at once; then as many as are answered.

In life, whoever reads and whoever logs in are other machines. So where the user may, those who read at a pace never wait for
a core (SCHED_FIFO), and the visitors with their mail server interrupt nobody (SCHED_BATCH) and are interrupted by anybody
(long turns). They are a session of their own, with its full share of the cores. Where fewer than nine in ten log-ins are
done, the rows say nothing.
"""

from __future__ import annotations

import asyncio
import http.client
import multiprocessing
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlencode

from server.brands import load
from server.merchant.turns import turns_of
from server.publishing.samples.many import address_of
from tests.bench.load import Load, get
from tests.bench.menu import Row
from tests.bench.requests import BRAND, filled
from tests.support.postgres import empty_database, running
from tests.support.production import Production
from tests.support.served import ROOT

LOG_INS = 50
"""A second."""
READERS, READS = 4, 60
"""Connections, and reads a second over all of them."""
SECONDS = float(os.environ.get("POSTERN_BENCH_SECONDS", "6"))
ROUNDS = 5
SETTLES = 5
"""Seconds until the workers have made the customers ready for search, as after an import."""
PART = int(LOG_INS * SECONDS)
"""Customers who log in during one part of a round: an address gets no second code so soon."""
CUSTOMERS = 2 * PART * ROUNDS + 100
BUDGET, THROUGHPUT, DONE = 1.5, 0.8, 0.9
_CODE = re.compile(rb"^@\S+ #(\S+)\s*$", re.MULTILINE)
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")
_COOKIE = re.compile(rb"(?i)set-cookie: ([^;\r]+)")


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder, running() as postgres, Load() as load:
        of_sqlite = [f"sqlite:{folder}/{each}.sqlite" for each in ("here", "there")]
        with empty_database(postgres) as here, empty_database(postgres) as there:
            for kind, urls in (("SQLite", of_sqlite), ("PostgreSQL", [here, there])):
                yield from _shown(kind, _measured(Path(folder), urls, load))


class Round(NamedTuple):
    times: list[float]
    """Of the reads at a steady pace: seconds of each."""
    rate: float
    """Reads answered in a second, where the next is sent as soon as one is answered."""
    done: float
    """Log-ins in a second."""


def _shown(kind: str, measured: dict[str, list[Round]]) -> Iterator[Row]:
    alone, machine, beside = measured["alone"], measured["elsewhere"], measured["beside"]
    for what, share in (("median", 0.5), ("p99", 0.99)):
        quiet, other, busy = (1000 * _at(some, share) for some in (alone, machine, beside))
        bound = BUDGET if what == "p99" else None
        yield Row(f"reads beside {LOG_INS} log-ins/s, {kind}, {what}", f"{busy:.1f} ms", f"reads alone {quiet:.1f} ms",
                  f"{busy / quiet:.2f}", f"≤ {bound}" if bound else "", busy / quiet <= bound if bound else None)  # fmt: skip
        yield Row(f"the same, {kind}, {what}", f"{busy:.1f} ms", f"beside log-ins at another server {other:.1f} ms",
                  f"{busy / other:.2f}", "")  # fmt: skip
    quiet, other, busy = (median(each.rate for each in some) for some in (alone, machine, beside))
    yield Row(f"reads answered beside {LOG_INS} log-ins/s, {kind}", f"{busy:.0f}/s", f"reads alone {quiet:.0f}/s",
              f"{busy / quiet:.2f}", f"≥ {THROUGHPUT}", busy / quiet >= THROUGHPUT)  # fmt: skip
    yield Row(
        f"the same, {kind}",
        f"{busy:.0f}/s",
        f"beside log-ins at another server {other:.0f}/s",
        f"{busy / other:.2f}",
        "",
    )
    for what, some in (("", beside), (" at the other server", machine)):
        done = median(each.done for each in some)
        yield Row(f"log-ins done{what}, {kind}", f"{done:.0f}/s", f"asked for {LOG_INS}/s", f"{done / LOG_INS:.2f}", f"≥ {DONE}",
                  done / LOG_INS >= DONE)  # fmt: skip


def _at(rounds: list[Round], share: float) -> float:
    """Of the reads of all rounds: one round has six that are slower than its p99, and what else the machine did counts among
    them."""
    times = sorted(chain.from_iterable(each.times for each in rounds))
    return times[min(int(len(times) * share), len(times) - 1)]


def _measured(folder: Path, urls: list[str], load: Load) -> dict[str, list[Round]]:
    """Round by round, by what went on beside the reads."""
    crowd, cookies = Crowd(), []
    servers = [Production(folder, crowd, database=url) for url in urls]  # type: ignore[arg-type]
    for server in servers:
        server.environment["PORTAL_LOG_LEVEL"] = "error"
        cookies.append(asyncio.run(filled(server.environment, CUSTOMERS)))
    found: dict[str, list[Round]] = {"alone": [], "elsewhere": [], "beside": []}
    try:
        for server in servers:
            server.start()
        here, there = (server.port for server in servers)
        time.sleep(SETTLES)
        read(here, cookies[0], 1)
        request = get(f"/{BRAND}/my/overview", cookies[0], host=f"127.0.0.1:{here}")
        for number in range(ROUNDS):
            for what, port in (("alone", 0), ("elsewhere", there), ("beside", here)):
                done = []
                if port:
                    crowd.begin(port, 2 * number * PART)
                times = read(here, cookies[0], SECONDS)
                if port:
                    done.append(crowd.end() / SECONDS)
                    crowd.begin(port, (2 * number + 1) * PART)
                rate = load.per_second(here, request, seconds=SECONDS, connections=READERS)
                if port:
                    done.append(crowd.end() / SECONDS)
                found[what].append(Round(times, rate, mean(done) if done else 0))
    finally:
        for server in servers:
            server.stop()
        crowd.stop()
    return found


def read(port: int, cookie: str, seconds: float) -> list[float]:
    """Signed-in fragments at a steady pace; seconds for each, from when it was due."""
    times: list[float] = []
    began = time.perf_counter() + 0.1

    def one(reader: int) -> None:
        with suppress(AttributeError, OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Cookie": cookie, "HX-Request": "true", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}
        due = began + reader / READS
        while due < began + seconds:
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("GET", f"/{BRAND}/my/overview", headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            times.append(time.perf_counter() - due)
            due += READERS / READS
        connection.close()

    threads = [threading.Thread(target=one, args=(reader,)) for reader in range(READERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return times


class Crowd:
    """A process of its own: visitors who log in, and the mail server that their codes come to."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._asked, self._said = context.Queue(), context.Queue()
        self._process = context.Process(target=_crowd, args=(self._asked, self._said), daemon=True)
        self._process.start()
        self.url = str(self._said.get(timeout=60))

    def begin(self, port: int, first: int) -> None:
        self._asked.put((port, first))

    def end(self) -> int:
        """How many got in."""
        return int(self._said.get(timeout=SECONDS + 120))

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def _crowd(asked: Any, said: Any) -> None:
    os.setsid()
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    turns_of(100 * 10**6)
    asyncio.run(_visitors(asked, said))


async def _visitors(asked: Any, said: Any) -> None:
    codes: dict[str, asyncio.Future[str]] = {}

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One SMTP connection, by the least that the protocol asks; the code is read out of the mail as it travels."""
        writer.write(b"220 here\r\n")
        address = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                address = line.decode().partition("<")[2].partition(">")[0]
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                found = _CODE.search(await reader.readuntil(b"\r\n.\r\n"))
                if found and not codes[address].done():
                    codes[address].set_result(found[1].decode())
            writer.write(b"250 kept\r\n")
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, limit=1 << 20)
    said.put(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    link = load(ROOT / "themes" / BRAND).config.login_page.link
    loop = asyncio.get_running_loop()

    async def visit(port: int, number: int, after: float, until: float) -> bool:
        await asyncio.sleep(after)
        codes[address_of(number)] = loop.create_future()
        async with asyncio.timeout_at(until):
            return await _log_in(port, codes[address_of(number)], link, number)

    while True:
        port, first = await loop.run_in_executor(None, asked.get)
        until = loop.time() + SECONDS
        visits = [visit(port, first + each, each / LOG_INS, until) for each in range(int(LOG_INS * SECONDS))]
        said.put(sum(each is True for each in await asyncio.gather(*visits, return_exceptions=True)))


async def _log_in(port: int, code: asyncio.Future[str], link: str, number: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def post(path: str, form: dict[str, str], cookies: str = "") -> bytes:
        body = urlencode(form)
        writer.write(
            f"POST /{BRAND}/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\nCookie: {cookies}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(_LENGTH.search(head)[1]))  # type: ignore[index]
        return head

    try:
        asked = await post("login", {"email": address_of(number), "link": link})
        cookies = "; ".join(each.decode() for each in _COOKIE.findall(asked))
        entered = await post("login/code", {"code": await code}, cookies)
        return entered.startswith(b"HTTP/1.1 303")
    finally:
        writer.close()
