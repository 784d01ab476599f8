"""What SIGTERM does to a server under load: what is under way is answered, nothing is left by halves, and it ends soon."""

import asyncio
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.brands import load
from server.publishing.samples.many import address_of
from tests.support.crowd import BRAND, Customer, check_invariants, fill, work
from tests.support.production import Mailbox, Production, Visitor
from tests.support.served import ROOT

VISITORS = 8
SOON = 30  # seconds: the server gives what is under way ten, and the machine may be busy


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    kept = Mailbox()
    yield kept
    kept.stop()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_told_to_stop_answers_what_is_under_way(
    tmp_path: Path, mailbox: Mailbox, workers: int
) -> None:
    production = Production(tmp_path, mailbox, workers=workers)
    asyncio.run(fill(production.environment["PORTAL_DATABASE"], VISITORS))
    link = load(ROOT / "themes" / BRAND).config.login_page.link
    customers = [Customer(number, production, mailbox) for number in range(VISITORS)]
    failures: list[BaseException] = []
    production.start()
    try:
        threads = [threading.Thread(target=work, args=(each, link, failures)) for each in customers]
        for each in threads:
            each.start()
        _wait_for(customers, VISITORS, failures)
        assert production.process
        started = time.monotonic()
        os.kill(production.process.pid, signal.SIGTERM)
        code = production.process.wait(timeout=SOON)
        took = time.monotonic() - started
        for each in threads:
            each.join(timeout=30)
        # An answer that is no success, such as a 5xx, is a failure here; a connection that is not taken any more is none.
        assert not failures, failures[0]
        assert (code, took < SOON) == (0, True)
        check_invariants(production, 0)
        for word in ("Traceback", '"level": "error"'):
            assert word not in production.log.read_text(), production.log.read_text()[-4000:]
        production.start()
        assert all(customer.still_there() for customer in customers if customer.logged_in)
        assert any(customer.logged_in for customer in customers)
    finally:
        production.stop()


def _wait_for(customers: list[Customer], acknowledged: int, failures: list[BaseException]) -> None:
    until = time.monotonic() + 60
    while sum(customer.acknowledged for customer in customers) < acknowledged and not failures:
        assert time.monotonic() < until, "the load makes no progress"
        time.sleep(0.01)


def test_a_log_in_that_waits_for_the_disk_is_answered_all_the_same(tmp_path: Path, mailbox: Mailbox) -> None:
    production = Production(tmp_path, mailbox)
    database = production.environment["PORTAL_DATABASE"]
    asyncio.run(fill(database, 1))
    link = load(ROOT / "themes" / BRAND).config.login_page.link
    visitor, answers = Visitor(production.port), []
    production.start()
    with closing(sqlite3.connect(database.removeprefix("sqlite:"), isolation_level=None)) as slow_disk:
        slow_disk.execute("BEGIN IMMEDIATE")
        asking = threading.Thread(
            target=lambda: answers.append(visitor.post(f"/{BRAND}/login", email=address_of(0), link=link)[0])
        )
        asking.start()
        time.sleep(0.5)  # it has been sent …
        assert (
            Visitor(production.port).get(f"/{BRAND}/login")[0] == 200
        )  # … and taken, as what came later was: it waits for the lock
        assert production.process
        os.kill(production.process.pid, signal.SIGTERM)
        time.sleep(0.5)
        assert answers == []
        slow_disk.execute("ROLLBACK")
        asking.join(timeout=30)
        code = production.process.wait(timeout=SOON)
        assert (answers, code) == ([303], 0), production.log.read_text()[-4000:]
        assert slow_disk.execute("SELECT COUNT(*) FROM challenge").fetchone() == (1,)
        assert slow_disk.execute("SELECT COUNT(*) FROM outbox").fetchone() == (1,)
