"""A long time of mixed load: two HTTP workers and the background work as `serve` starts them, visitors who log in, read, cancel,
resume, pay and take their data along, and a mail server that refuses every second mail for now.

Afterwards everything that a visitor was told is looked for in the store, each mail that is due in the outbox and at the mail
server, and the memory of each process is compared between the second and the last quarter of the time. Only run when it
is named: `POSTERN_SOAK_MINUTES` (30), `POSTERN_SOAK_VISITORS` (8 at once), `POSTERN_SOAK_STORE` (`postgresql` or `sqlite`).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import linear_regression, mean
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from server.brands import load
from tests.bench.menu import Row
from tests.support.crowd import BRAND, Customer, Rows, check_rows, fill
from tests.support.postgres import running
from tests.support.production import Mailbox, Production
from tests.support.served import ROOT

MINUTES = float(os.environ.get("POSTERN_SOAK_MINUTES", "30"))
VISITORS = int(os.environ.get("POSTERN_SOAK_VISITORS", "8"))
STORE = os.environ.get("POSTERN_SOAK_STORE", "postgresql")
CUSTOMERS = int(os.environ.get("POSTERN_SOAK_CUSTOMERS", "20000"))
PATIENCE = 60.0
"""Seconds for which a visitor waits for the code; whoever got none comes again later."""
EVERY = 5.0
"""Seconds between two looks at the memory."""
GROWTH = 0.05
PAGES = ("overview", "invoices", "subscriptions", "payment-methods", "details", "history", "sessions")
TAKEN = ("invoices/csv", "invoices/zip", "details/export")
_LEASE = 61_000_000
_KINDS = {"cancel": "subscription.canceled", "resume": "subscription.resumed"}


class Flaky(Mailbox):
    """Refuses every second mail with 451, in an order by chance, until `is_well`; counts what it took, by address."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.refused, self.is_well, self._chance = 0, False, random.Random(16)
        super().__init__()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        if not self.is_well and self._chance.random() < 0.5:
            self.refused += 1
            return "451 not now"
        self.taken[envelope.rcpt_tos[0]] += 1
        return await super().handle_DATA(server, session, envelope)


class Person(Customer):
    """One customer's visit; `done` is what it was told."""

    def __init__(self, number: int, production: Production, mailbox: Mailbox) -> None:
        super().__init__(number, production, mailbox)
        self.visitor.client = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.done: Counter[str] = Counter()
        self.took: list[float] = []

    def visit(self, link: str, *, owing: bool = True) -> None:
        """`owing`: the newest invoice is open, and is paid."""
        self._enter(link)
        if not self.logged_in:
            self.done["no code"] += 1
            return
        for page in PAGES:
            self._read(page)
        for what in ("cancel", "resume", "cancel"):
            self.act(link)
            self.done[what] += 1
        if owing:
            self._pay()
        for page in TAKEN:
            self._read(page, "export")
        assert self.still_there()
        if self.number % 2:
            status, _ = self.visitor.post(f"/{BRAND}/logout")
            assert status == 303, status
            self.done["log-out"] += 1

    def _enter(self, link: str) -> None:
        status, _ = self.visitor.post(f"/{BRAND}/login", email=self.address, link=link)
        assert status == 303, status
        self.done["code"] += 1
        code = self.mailbox.passcode(self.address, PATIENCE)
        if code is not None:
            status, _ = self.visitor.post(f"/{BRAND}/login/code", code=code)
            assert status == 303, status
            self.logged_in = True
            self.done["log-in"] += 1

    def _read(self, page: str, what: str = "read") -> None:
        began = time.monotonic()
        status, text = self.visitor.get(f"/{BRAND}/my/{page}")
        self.took.append(time.monotonic() - began)
        assert status == 200, (status, page, text[-500:])
        self.done[what] += 1

    def _pay(self) -> None:
        path = f"/{BRAND}/my/invoices/in_many{self.number:07d}_2/pay"
        status, page = self.visitor.get(path)
        assert status == 200, (status, page[-500:])
        fields = dict(re.findall(r'name="(key|fingerprint|method)" value="([^"]+)"', page))
        status, page = self.visitor.post(path, customer=self.id, **fields)
        assert status == 303, (status, page[-500:])
        self.done["payment"] += 1


class Load:
    """Visitors, each of a customer who was never here."""

    def __init__(self, production: Production, mailbox: Mailbox, *, owing: bool = True, first: int = 0) -> None:
        """`first`: the number of the first customer."""
        self.people: list[Person] = []
        self.slowest: list[float] = []
        """Of the reads of each visit, the longest, in the order in which they ended."""
        self.faults: list[str] = []
        self._numbers, self._stop = itertools.count(first), threading.Event()
        link = load(ROOT / "themes" / BRAND).config.login_page.link

        def live() -> None:
            while not self._stop.is_set():
                person = Person(next(self._numbers) % CUSTOMERS, production, mailbox)
                self.people.append(person)
                try:
                    person.visit(link, owing=owing)
                    self.slowest += [max(person.took)] if person.took else []
                except Exception as error:  # noqa: BLE001 (shown in the table)
                    self.faults.append(f"{person.id}: {error!r}"[:600])

        self._threads = [threading.Thread(target=live) for _ in range(VISITORS)]
        for each in self._threads:
            each.start()

    def end(self) -> None:
        self._stop.set()
        for each in self._threads:
            each.join()

    @property
    def done(self) -> Counter[str]:
        return sum((each.done for each in self.people), Counter())


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder, database(Path(folder), STORE) as (url, run):
        asyncio.run(fill(url, CUSTOMERS, last="open"))
        mailbox = Flaky()
        production = Production(Path(folder), mailbox, database=url, workers=2)
        production.start()
        try:
            began = time.monotonic()
            people = Load(production, mailbox)
            memory = _watched(production, began)
            people.end()
            mailbox.is_well = True
            drain(run)
            yield from _shown(people, memory, mailbox, production.log.read_text(), run)
        finally:
            production.stop()
            mailbox.stop()


def _shown(
    people: Load, memory: dict[str, list[tuple[float, float]]], mailbox: Flaky, log: str, run: Rows
) -> Iterator[Row]:
    done = people.done
    for name, seen in memory.items():
        (early, late), slope = _quarters(seen), linear_regression(*zip(*seen[len(seen) // 4 :], strict=True)).slope
        yield Row(f"memory of {name}", f"{late:.1f} MB", f"in the second quarter {early:.1f} MB", f"{late / early:.3f}",
                  f"≤ {1 + GROWTH}", late / early <= 1 + GROWTH)  # fmt: skip
        yield Row(f"memory of {name}, slope", f"{3600 * slope:+.1f} MB/h", "", "", "")
    said = ", ".join(f"{number:,} {what}" for what, number in sorted(done.items()))
    requests = f"{sum(done.values()) / (60 * MINUTES):.0f}/s"
    yield Row(f"done in {MINUTES:g} minutes, {STORE}", said, f"{len(people.people):,} visits", requests, "")
    errors = [line for line in log.splitlines() if '"level": "error"' in line or "Traceback" in line]
    yield none("answers that were none or wrong", people.faults)
    yield none("errors in the log", errors)
    yield none("acknowledged and not in the store", lost(people, run))
    yield none("mails lost, doubled or not in the outbox", _wrong_mails(mailbox, run))
    yield Row("mails taken", f"{mailbox.taken.total():,}", f"refused for now {mailbox.refused:,}", "", "")


def none(what: str, found: list[str]) -> Row:
    shown = "".join(f"; {each}" for each in found[:3]).replace("|", "/")
    return Row(what, f"{len(found)}{shown}", "", "", "0", not found)


def _quarters(seen: list[tuple[float, float]]) -> tuple[float, float]:
    quarter = max(1, len(seen) // 4)
    return mean(each for _, each in seen[quarter : 2 * quarter]), mean(each for _, each in seen[-quarter:])


def _watched(production: Production, began: float) -> dict[str, list[tuple[float, float]]]:
    """Seconds and megabytes of each process, until the time is over."""
    found: dict[str, list[tuple[float, float]]] = {}
    while (at := time.monotonic() - began) < 60 * MINUTES:
        for name, megabytes in _memory(production):
            found.setdefault(name, []).append((at, megabytes))
        time.sleep(EVERY)
    return found


def _memory(production: Production) -> Iterator[tuple[str, float]]:
    assert production.process
    command = ["ps", "-ww", "-eo", "pid=,ppid=,rss=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    number = 0
    for pid, parent, size, args in (line.split(None, 3) for line in listed.splitlines()):
        if int(pid) == production.process.pid:
            yield "serve", int(size) / 1024
        elif int(parent) == production.process.pid and "server work" in args:
            yield "the background work", int(size) / 1024
        elif int(parent) == production.process.pid and "spawn_main" in args:
            number += 1
            yield f"HTTP worker {number}", int(size) / 1024


def drain(run: Rows) -> None:
    """Until every mail is decided. One that failed often waits for up to an hour: it goes now, unless it is on its way."""
    until = time.monotonic() + 600
    while run("SELECT 1 FROM outbox WHERE state = 'waiting'"):
        soon = int(time.time() * 1e6)
        run(f"UPDATE outbox SET not_before = 0 WHERE state = 'waiting' AND not_before > {soon + _LEASE} RETURNING id")
        assert time.monotonic() < until, "mails still wait"
        time.sleep(1)


def lost(people: Load, run: Rows) -> list[str]:
    """What a visitor was told and the store does not say; and what the store says by halves."""
    found: list[str] = []
    kinds: Counter[tuple[str, str]] = Counter()
    for customer, kind, number in run("SELECT customer_id, kind, COUNT(*) FROM activity GROUP BY 1, 2"):
        kinds[customer, kind] = number
    paid = {row[0] for row in run("SELECT customer_id FROM outbox WHERE kind = 'receipt'")}
    for each in people.people:
        for what, kind in {**_KINDS, "log-in": "login"}.items():
            if kinds[each.id, kind] != each.done[what]:
                found.append(f"{each.id}: {each.done[what]} × {what}, found {kinds[each.id, kind]}")
        if each.done["payment"] != (each.id in paid):
            found.append(f"{each.id}: {each.done['payment']} payments, receipt: {each.id in paid}")
    try:
        check_rows(run)
    except AssertionError as error:
        found.append(repr(error))
    return found


def _wrong_mails(mailbox: Flaky, run: Rows) -> list[str]:
    """Each cancellation, resumption, payment and code has its mail, and each mail was taken by the mail server once."""
    number = dict(run("SELECT kind, COUNT(*) FROM outbox GROUP BY 1"))
    sent = run("SELECT COUNT(*) FROM outbox WHERE state = 'sent'")[0][0]
    due = {
        "subscription_canceled": "SELECT COUNT(*) FROM activity WHERE kind LIKE 'subscription.%'",
        "receipt": "SELECT COUNT(*) FROM activity WHERE kind = 'invoice.paid'",
        "passcode": "SELECT COUNT(*) FROM challenge",
    }
    wanted = {kind: run(sql)[0][0] for kind, sql in due.items()}
    found = [
        f"{number.get(kind, 0)} × {kind}, due {each}" for kind, each in wanted.items() if number.get(kind, 0) != each
    ]
    if sent != mailbox.taken.total():
        found.append(f"{sent} are sent, the mail server took {mailbox.taken.total()}")
    return found + [f"{kind}: {state} ({detail})" for kind, state, detail in run(
        "SELECT kind, state, detail FROM outbox WHERE state <> 'sent'"
    )]  # fmt: skip


@contextmanager
def database(folder: Path, kind: str) -> Iterator[tuple[str, Rows]]:
    """The store's URL, and what runs a statement on it."""
    if kind == "sqlite":
        path = folder / "portal.sqlite"

        def on_sqlite(sql: str) -> list[Any]:
            with closing(sqlite3.connect(path, timeout=30)) as database, database:
                return database.execute(sql).fetchall()

        yield f"sqlite:{path}", on_sqlite
        return
    with running() as url:

        def on_postgres(sql: str) -> list[Any]:
            with psycopg.connect(url) as database:
                return database.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]

        yield url, on_postgres
