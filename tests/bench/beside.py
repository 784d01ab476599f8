"""What log-ins cost those who read: signed-in reads alone, and the same reads beside fifty log-ins a second with their
mails. The server is `serve` as in production, with one HTTP worker and the background work beside it.

Both are measured in turns against the same server. Reads come at a steady pace over a few connections, as from people, so
that their times say how long they waited and not how many were sent at once.
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
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from server.brands import load
from server.publishing.samples.many import address_of
from tests.bench.menu import Row
from tests.bench.requests import BRAND, filled
from tests.support.postgres import running
from tests.support.production import Production
from tests.support.served import ROOT

LOG_INS = 50
"""A second."""
READERS, READS = 4, 60
"""Connections, and reads a second over all of them."""
SECONDS = float(os.environ.get("POSTERN_BENCH_SECONDS", "10"))
ROUNDS = 3
CUSTOMERS = int(LOG_INS * SECONDS * ROUNDS) + 100
BUDGET = 1.5
_CODE = re.compile(rb"^@\S+ #(\S+)\s*$", re.MULTILINE)
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")
_COOKIE = re.compile(rb"(?i)set-cookie: ([^;\r]+)")


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder, running() as postgres:
        for kind, url in (("SQLite", f"sqlite:{folder}/beside.sqlite"), ("PostgreSQL", postgres)):
            alone, beside, done = _measured(Path(folder), url)
            for what, share in (("median", 0.5), ("p99", 0.99)):
                quiet, busy = (median(_at(each, share) for each in rounds) for rounds in (alone, beside))
                bound = BUDGET if what == "p99" else None
                yield Row(f"reads beside {LOG_INS} log-ins/s, {kind}, {what}", f"{1000 * busy:.1f} ms",
                          f"reads alone {1000 * quiet:.1f} ms", f"{busy / quiet:.2f}", f"≤ {bound}" if bound else "",
                          busy / quiet <= bound if bound else None)  # fmt: skip
            quiet, busy = (median(len(each) / SECONDS for each in rounds) for rounds in (alone, beside))
            yield Row(f"reads answered, {kind}", f"{busy:.0f}/s", f"alone {quiet:.0f}/s", f"{busy / quiet:.2f}", "")
            yield Row(f"log-ins done, {kind}", f"{done:.0f}/s", f"asked for {LOG_INS}/s", f"{done / LOG_INS:.2f}", "")


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


def _measured(folder: Path, url: str) -> tuple[list[list[float]], list[list[float]], float]:
    """The times of reads alone and beside log-ins, round by round, and how many log-ins were done in a second."""
    crowd = Crowd()
    server = Production(folder, crowd, database=url)  # type: ignore[arg-type]
    server.environment["PORTAL_LOG_LEVEL"] = "error"
    cookie = asyncio.run(filled(server.environment, CUSTOMERS))
    server.start()
    alone, beside, done = [], [], []
    try:
        read(server.port, cookie, 1)
        for number in range(ROUNDS):
            alone.append(read(server.port, cookie, SECONDS))
            crowd.begin(server.port, number * int(LOG_INS * SECONDS))
            beside.append(read(server.port, cookie, SECONDS))
            done.append(crowd.end() / SECONDS)
    finally:
        server.stop()
        crowd.stop()
    return alone, beside, median(done)


def read(port: int, cookie: str, seconds: float) -> list[float]:
    """Signed-in fragments at a steady pace; seconds for each, from when it was due."""
    times: list[float] = []
    began = time.perf_counter() + 0.1

    def one(reader: int) -> None:
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
    # In life they are other machines, so they take no turn from the server: only what it has to spare, and little of that.
    os.nice(19)
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
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
