"""Whether anything takes longer among a million customers with twelve million invoices than among a thousand: an import, log-ins,
pages, search, the worker's lists, the clean-up; on both stores, in one process without a server, in turns.

The bound is on processor time, the databases' own included: on a machine with other work it is what stays the same. It is the
least of five rounds over the same customers, so that what they need is in memory on both sides; only who logs in is another
each time. Beside it stand the ratios of the first round, which reads from the disk what does not fit into memory, and of the
time by the clock. SQLite's checkpoint is part of what it was written by.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import psycopg

from server.access.limits import Limits
from server.billing import rows as billing_rows
from server.mail.smtp import KeepingMailer
from server.merchant import customers
from server.merchant.importing.files import import_records
from server.publishing.samples.many import address_of, records_of
from server.publishing.samples.shapes import Shapes
from server.publishing.samples.wares import wares
from server.store import Transaction, micros, open_store
from server.worker import Worker
from tests.bench.crowded import INVOICES, TABLES, Template, fill, number_of, size_of
from tests.bench.menu import Row
from tests.contract.store.test_plans import NAME, WHOLE, statements
from tests.support.postgres import stoppable
from tests.support.studio import STUDIO, StudioWorld
from tests.support.world import BRAND, ORIGIN

FEW = 1_000
MANY = int(os.environ.get("POSTERN_BENCH_CUSTOMERS", "1000000"))
ROUNDS = 5
BUDGET = 1.2
SETTINGS = ("wal_level = minimal", "max_wal_senders = 0", "max_wal_size = '8GB'", "checkpoint_timeout = '30min'")
"""Of PostgreSQL, so that filling it takes no longer than it must."""


class Cost(NamedTuple):
    processor: float
    clock: float


def rows() -> Iterator[Row]:
    with _folder() as folder, stoppable(_kept(folder)) as server:
        for each in SETTINGS:
            server.psql(f"ALTER SYSTEM SET {each};")
        server.stop()
        server.start()
        for kind in ("SQLite", "PostgreSQL"):
            urls = {number: _filled(kind, folder, server.get_uri(), number) for number in (FEW, MANY)}
            size = size_of(urls[MANY])
            with TemporaryDirectory() as themes:
                measured = asyncio.run(_measured(urls, themes))
            for what, (few, many, first) in measured.items():
                ratio, clock = many.processor / few.processor, many.clock / few.clock
                cold = first.processor / few.processor
                yield Row(f"{what}, {kind}", f"{1e3 * many.processor:.2f} ms", f"{FEW:,}: {1e3 * few.processor:.2f} ms",
                          f"{ratio:.2f}, first round {cold:.2f}, clock {clock:.2f}",
                          f"≤ {BUDGET}", ratio <= BUDGET)  # fmt: skip
            yield Row(
                f"the store, {kind}", f"{size / 1e9:.1f} GB", f"{FEW:,}: {size_of(urls[FEW]) / 1e9:.2f} GB", "", ""
            )
            if kind == "PostgreSQL":
                whole = scanned(urls[MANY])
                yield Row(f"statements that read a crowded table whole, {kind}", ", ".join(whole) or "none",
                          f"of {len(statements())}", "", "none", not whole)  # fmt: skip


def _kept(folder: Path) -> Path | None:
    return folder / "postgres" if "POSTERN_BENCH_FOLDER" in os.environ else None


@contextmanager
def _folder() -> Iterator[Path]:
    """`POSTERN_BENCH_FOLDER`: where the stores stay, and are taken up by the next run; else they go."""
    if kept := os.environ.get("POSTERN_BENCH_FOLDER"):
        yield Path(kept)
        return
    with TemporaryDirectory(prefix="postern-million-") as folder:
        yield Path(folder)


def _filled(kind: str, folder: Path, server: str, number: int) -> str:
    url = f"sqlite:{folder}/{number}.sqlite"
    if kind == "PostgreSQL":
        url = server.replace("/postgres?", f"/n{number}?")
        with psycopg.connect(server, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [f"n{number}"]).fetchall():
                connection.execute(f"CREATE DATABASE n{number}")  # type: ignore[arg-type]

    async def is_empty() -> bool:
        store = open_store(url)
        found = await store.read("SELECT 1 FROM customer LIMIT 1")
        await store.close()
        return not found

    if asyncio.run(is_empty()):
        fill(url, Template(BRAND, datetime.now(UTC)), number)
    return url


class Side:
    """One of the two stores, and the portal and the studio over it."""

    def __init__(self, url: str, customers: int, folder: Path) -> None:
        self.url, self.customers, self.now = url, customers, datetime.now(UTC)
        self.store = open_store(url)
        folder.mkdir()
        self.world = StudioWorld(self.store, lambda: self.now, folder, limits=Limits())
        mailer = KeepingMailer()
        self.worker = Worker((self.world.portal(),), self.store, mailer, lambda: self.now)
        self.drawn, self.visitors = random.Random(customers), random.Random()
        self.cookie = self.operator = ""
        self.new = iter(range(10**6))
        is_sqlite = url.startswith("sqlite:")
        self.beside = sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None) if is_sqlite else None

    def checkpoint(self) -> None:
        """Move what was written into SQLite's file: who writes pays for it, and not who comes after a thousand pages."""
        if self.beside:
            self.beside.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def somebody(self) -> int:
        return self.drawn.randrange(self.customers)

    def spent(self) -> float:
        """Seconds of processor time of this process and of the database's processes that serve it."""
        used = time.process_time()
        if self.url.startswith("postgresql"):
            serving = f" n{self.customers} [local]".encode()
            for each in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    if serving in each.read_bytes():
                        used += int((each.parent / "schedstat").read_text().split()[0]) / 1e9
                except OSError:
                    continue
        return used

    async def begin(self) -> None:
        client = await self.world.operator()
        self.operator = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)
        await self.worker.clean_up()
        await self.log_in()

    async def log_in(self) -> None:
        """All of it, its mails included."""
        address = address_of(self.visitors.randrange(self.customers))  # nobody may ask often
        peer = ".".join(["10", *(str(self.visitors.randrange(256)) for _ in range(3))])
        asked = await self._call("POST", f"/{BRAND}/login", peer=peer, email=address, link=self.world.link())
        code = await self.world.code(address)
        await self.worker.mail()
        await self.worker.settled()
        answer = await self._call("POST", f"/{BRAND}/login/code", cookie=_cookies(asked), peer=peer, code=code)
        assert answer[0]["status"] == 303, answer
        self.cookie = _cookies(answer)
        await self.worker.mail()
        await self.worker.settled()

    async def page(self, path: str) -> None:
        answer = await self._call("GET", f"/{BRAND}/my/{path}", cookie=self.cookie)
        assert answer[0]["status"] == 200, answer

    async def studio(self, typed: str, found: str) -> None:
        path = f"/_studio/b/{BRAND}/customers"
        answer = await self._call("GET", path, cookie=self.operator, origin=STUDIO, query=f"q={quote(typed)}")
        body = b"".join(each.get("body", b"") for each in answer[1:]).decode()
        assert answer[0]["status"] == 200, answer[0]
        assert found in body, body[-2000:]

    async def search(self, typed: str) -> None:
        await customers.search(self.store, BRAND, typed)

    async def bring_in(self, records: list[dict[str, Any]]) -> None:
        done = await import_records(self.store, BRAND, records, now=self.now)
        assert done.new == IMPORTED, done

    def records(self) -> list[dict[str, Any]]:
        """Of customers who are not there yet, between those who are."""
        shapes = Shapes(BRAND, self.now)
        found = [shapes.product(ware) for ware in wares(BRAND).values()]
        mark = f"x{os.getpid()}x{next(self.new)}"
        for _ in range(IMPORTED):
            found += records_of(shapes, f"{number_of(self.somebody())}{mark}x{next(self.new)}", INVOICES)
        return found

    async def due(self) -> None:
        found = [each async for each in billing_rows.due(self.store, self.now)]
        assert len(found) > DUE // 2  # whoever logs in is brought up to date

    async def age(self, how_many: int) -> None:
        """Put rows in that the clean-up takes away, between the others."""
        template = Template(BRAND, self.now - timedelta(days=60))
        rows = template.rows(self.drawn.sample(range(self.customers), how_many), self.customers)

        def work(transaction: Transaction) -> None:
            for table in ("session", "outbox"):
                names = TABLES[table].split(", ")
                sql = f"INSERT INTO {table} ({TABLES[table]}) VALUES ({', '.join(f':{name}' for name in names)})"
                transaction.run_many(sql, [dict(zip(names, row, strict=True)) for row in rows[table]])

        await self.store.write(work)

    async def _call(
        self, method: str, path: str, *, cookie: str = "", origin: str = ORIGIN, query: str = "", peer: str = "10.0.0.1",
        **form: str,
    ) -> list[dict[str, Any]]:  # fmt: skip
        host, body = origin.partition("//")[2], urlencode(form).encode()
        named = {"host": host, "cookie": cookie, "sec-fetch-site": "same-origin", "sec-fetch-dest": "document"}
        if method == "POST":
            named |= {"origin": origin, "content-type": "application/x-www-form-urlencoded",
                      "content-length": str(len(body))}  # fmt: skip
        else:
            named |= {"sec-fetch-dest": "empty", "hx-request": "true"}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(key.encode(), value.encode()) for key, value in named.items() if value],
            "client": (peer, 1), "server": (host, 443), "extensions": {}, "state": {},
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.world.app(scope, receive, send)
        return sent


IMPORTED, DUE = 50, 100
OLD = (20, 200)
"""Customers whose session and two mails are old: what a thousand leave in half a day, and a fifth of a thousand."""
_DUE = "UPDATE account SET due_at = :at WHERE brand = :brand AND customer_id = :customer"


def _cookies(answer: list[dict[str, Any]]) -> str:
    held = [value.decode().partition(";")[0] for key, value in answer[0]["headers"] if key.lower() == b"set-cookie"]
    return "; ".join(each for each in held if not each.endswith("="))


async def _measured(urls: dict[int, str], folder: str) -> dict[str, tuple[Cost, Cost, Cost]]:
    """Of the few and of the many the least of all rounds, and of the many the first round."""
    sides = [Side(url, number, Path(folder) / str(number)) for number, url in urls.items()]
    for side in sides:
        await side.begin()
        for number in side.drawn.sample(range(side.customers), DUE):
            values = {"at": micros(side.now) - 1, "brand": BRAND, "customer": f"cus_many{number_of(number)}"}
            await side.store.write(lambda transaction, values=values: transaction.count(_DUE, values))
    found: dict[str, list[list[Cost]]] = {}
    for _ in range(ROUNDS):
        for side in sides:
            side.drawn = random.Random(side.customers)
            for what, cost in [each async for each in _round(side)]:
                found.setdefault(what, [[] for _ in sides])[sides.index(side)].append(cost)
    for side in sides:
        await side.store.close()
        if side.beside:
            side.beside.close()
    return {what: (_least(few), _least(many), many[0]) for what, (few, many) in found.items()}


def _least(costs: list[Cost]) -> Cost:
    return Cost(*(min(each) for each in zip(*costs, strict=True)))


async def _round(side: Side) -> Any:
    async def took(work: Callable[[], Awaitable[None]], times: int, parts: int = 1) -> Cost:
        side.checkpoint()
        used, began = side.spent(), time.perf_counter()
        for _ in range(times):
            await work()
        side.checkpoint()
        shares = times * parts
        return Cost((side.spent() - used) / shares, (time.perf_counter() - began) / shares)

    records = side.records()
    yield f"import, a customer of {INVOICES + 3} records", await took(lambda: side.bring_in(records), 1, IMPORTED)
    yield "indexing of a new customer for search", await took(side.worker.index_customers, 1, IMPORTED)
    yield "log-in with its mails", await took(side.log_in, 10)
    yield "overview", await took(lambda: side.page("overview"), 40)
    yield "invoices", await took(lambda: side.page("invoices"), 40)
    yield "search by address", await took(lambda: side.search(address_of(side.somebody())), 10)
    yield "search by a part that one has", await took(lambda: side.search(f"mer {number_of(side.somebody())}"), 3)
    yield "search by a part that nobody has", await took(lambda: side.search("nobody has this"), 3)
    yield "search by a part that all have", await took(lambda: side.search("customer"), 3)
    number = number_of(side.somebody())
    yield "the studio's search by a part", await took(lambda: side.studio(f"mer {number}", f"cus_many{number}"), 3)
    yield f"the list of {DUE} due accounts", await took(side.due, 10)
    yield "a look into the outbox", await took(side.worker.mail, 20)
    yield "clean-up, nothing old", await took(side.worker.clean_up, 3)
    for how_many in OLD:
        await side.age(how_many)
        yield f"clean-up, {how_many} old sessions and {2 * how_many} mails", await took(side.worker.clean_up, 1)


def scanned(url: str) -> list[str]:
    """Where the statements stand of which PostgreSQL, with what it counted, says that it reads a crowded table whole."""
    found = []
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute("SET plan_cache_mode = force_generic_plan")
        for where, sql in statements().items():
            names = list(dict.fromkeys(NAME.findall(sql)))
            numbered = NAME.sub(lambda each, names=names: f"${names.index(each[1]) + 1}", sql)
            connected.execute(f"PREPARE it AS {numbered}", prepare=False)  # type: ignore[arg-type]
            values = f"({', '.join('NULL' for _ in names)})" if names else ""
            ((plan,),) = connected.execute(f"EXPLAIN (FORMAT JSON) EXECUTE it{values}", prepare=False).fetchall()  # type: ignore[arg-type]
            connected.execute("DEALLOCATE it", prepare=False)
            plan = json.loads(plan) if isinstance(plan, str) else plan
            if where not in WHOLE and (tables := set(_whole(plan[0]["Plan"])) & set(TABLES)):
                found.append(f"{where} ({', '.join(sorted(tables))})")
    return found


def _whole(node: dict[str, Any]) -> Iterator[str]:
    is_whole = node["Node Type"] == "Seq Scan" or (
        re.search("Index", node["Node Type"]) is not None and "Index Cond" not in node
    )
    if is_whole and "Relation Name" in node:
        yield node["Relation Name"]
    for each in node.get("Plans", []):
        yield from _whole(each)
