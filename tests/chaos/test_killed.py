"""What survives SIGKILL: a real server under a load of log-ins and cancellations, killed twenty times and started again.

A visitor remembers what was acknowledged; after each restart the server must still know all of it. What was under way
when the server died may have happened or not, but never by half.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.brands import load
from tests.support.crowd import BRAND, Customer, check_invariants, fill, work
from tests.support.production import Forked, Mailbox, Production
from tests.support.served import ROOT

KILLS = 20
VISITORS = 4


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    kept = Mailbox()
    yield kept
    kept.stop()


@pytest.fixture
def production(tmp_path: Path, mailbox: Mailbox) -> Iterator[Production]:
    server = Forked(tmp_path, mailbox, BRAND)
    asyncio.run(fill(server.environment["PORTAL_DATABASE"], KILLS * VISITORS))
    yield server
    server.stop()


def test_twenty_kills_lose_nothing_that_was_acknowledged(production: Production, mailbox: Mailbox) -> None:
    link = load(ROOT / "themes" / BRAND).config.login_page.link
    chance = random.Random(20)
    waiting = [Customer(number, production, mailbox) for number in range(KILLS * VISITORS)]
    known: list[Customer] = []
    failures: list[BaseException] = []
    for kill in range(KILLS):
        production.start()
        for customer in known:
            customer.still_there()
        fresh, waiting = waiting[:2], waiting[2:]
        at_work = fresh + [each for each in known if each.logged_in][-(VISITORS - 2) :]
        known = known + fresh
        so_far = sum(customer.acknowledged for customer in known)
        threads = [threading.Thread(target=work, args=(customer, link, failures)) for customer in at_work]
        for thread in threads:
            thread.start()
        _wait_for(known, so_far + 4, fresh, failures)
        time.sleep(chance.uniform(0, 0.2))
        production.kill()
        for thread in threads:
            thread.join(timeout=30)
        assert not failures, failures[0]
        check_invariants(production, kill)
    production.start()
    assert sum(customer.still_there() for customer in known) > KILLS / 2


def _wait_for(
    customers: list[Customer], acknowledged: int, fresh: list[Customer], failures: list[BaseException]
) -> None:
    """Until so much was acknowledged, a log-in with its mail among it: the kill comes while more is under way."""
    until = time.monotonic() + 60

    def is_enough() -> bool:
        return sum(each.acknowledged for each in customers) >= acknowledged and any(each.logged_in for each in fresh)

    while not is_enough() and not failures:
        assert time.monotonic() < until, "the load makes no progress"
        time.sleep(0.01)
