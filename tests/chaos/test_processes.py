"""The processes of one server: each may die at any moment, and the others go on, and it comes back by itself."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sqlite3
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.brands import load
from server.merchant.turns import LONG, SHORT, YIELDS
from server.publishing.samples.many import address_of
from tests.support.crowd import BRAND, fill
from tests.support.mail_server import MailServer
from tests.support.production import Forked, Mailbox, Production, Visitor, Working
from tests.support.served import ROOT

KILLS = 20
MAILS = 12
"""Log-ins that are asked for before each kill: more than a worker sends at a time."""


class SlowMailbox(MailServer):
    """Takes its time, so that kills fall into the middle of sending."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()  # by address
        self.open = 0
        super().__init__()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.open += 1
        try:
            await asyncio.sleep(0.05)
            self.taken[envelope.rcpt_tos[0]] += 1
            await asyncio.sleep(0.05)
            return "250 taken"
        finally:
            self.open -= 1


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    kept = Mailbox()
    yield kept
    kept.stop()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Production]:
    """With two HTTP workers, for the tests after which it serves as before."""
    production = Production(tmp_path_factory.mktemp("serving"), mailbox, workers=2)
    asyncio.run(fill(production.environment["PORTAL_DATABASE"], 1))
    production.start()
    yield production
    production.stop()


@pytest.fixture
def slow() -> Iterator[SlowMailbox]:
    kept = SlowMailbox()
    yield kept
    kept.stop()


def worker_of(production: Production) -> int:
    """The id of the process that does the background work; 0: there is none."""
    return next((pid for pid, args in production.children().items() if "server work" in args), 0)


def http_workers_of(production: Production) -> list[int]:
    return [pid for pid, args in production.children().items() if "spawn_main" in args]


def until(happened: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    ends = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < ends, what
        time.sleep(0.02)
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ask(production: Production, number: int) -> int:
    visitor = Visitor(production.port, f"10.1.{number // 250}.{number % 250 + 1}")
    link = load(ROOT / "themes" / BRAND).config.login_page.link
    return visitor.post(f"/{BRAND}/login", email=address_of(number), link=link)[0]


def rows(production: Production, sql: str) -> list[Any]:
    path = production.environment["PORTAL_DATABASE"].removeprefix("sqlite:")
    with closing(sqlite3.connect(path, timeout=10)) as database, database:
        return database.execute(sql).fetchall()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked for turns")
def test_an_answer_interrupts_a_mail_and_no_mail_an_answer(serving: Production) -> None:
    takes = tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 12) and os.uname().machine in _GETATTR
    threads = [int(each.name) for pid in http_workers_of(serving) for each in Path(f"/proc/{pid}/task").iterdir()]
    assert {scheduled(each) for each in threads} == {(os.SCHED_OTHER, 0, SHORT if takes else 0)}
    worker = worker_of(serving)
    assert scheduled(worker) == (os.SCHED_BATCH, YIELDS, LONG if takes else 0)
    if (shares := Path(f"/proc/{worker}/autogroup")).exists():
        assert os.getsid(worker) == worker
        assert shares.read_text().endswith(f" nice {YIELDS}\n")


_GETATTR = {"x86_64": 315, "aarch64": 275}


def scheduled(thread: int) -> tuple[int, int, int]:
    """Its policy, how far it yields, and the nanoseconds of its turns: 0 where the system does not say."""
    found = ctypes.create_string_buffer(48)
    ctypes.CDLL(None).syscall(_GETATTR.get(os.uname().machine, -1), thread, found, 48, 0)
    turn = struct.unpack("=IIQiIQQQ", found.raw)[5]
    return os.sched_getscheduler(thread), os.getpriority(os.PRIO_PROCESS, thread), turn


def test_twenty_kills_of_the_worker_lose_no_mail_and_double_none_without_need(
    tmp_path: Path, slow: SlowMailbox
) -> None:
    production = Forked(tmp_path, slow, BRAND)  # type: ignore[arg-type]
    asyncio.run(fill(production.environment["PORTAL_DATABASE"], KILLS * MAILS))
    doubled = 0
    try:
        production.start(arguments=("http",))
        production.work()
        for kill in range(KILLS):
            mine = [address_of(kill * MAILS + number) for number in range(MAILS)]
            for number in range(MAILS):
                assert ask(production, kill * MAILS + number) == 303
            # In the middle: the first mails are taken, and others are on their way.
            until(lambda mine=mine: sum(slow.taken[each] for each in mine) > 0, "no mail left")
            time.sleep(0.004 * kill)
            production.end_work()
            until(lambda: not slow.open, "the mail server waits for the dead")  # what it had sent is taken
            # What the mail server took, and the worker could not note: it alone may come a second time.
            noted = {address for (address,) in rows(production, "SELECT address FROM outbox WHERE state = 'sent'")}
            in_doubt = {each for each in mine if slow.taken[each] and each not in noted}
            # The lease of a minute is over.
            rows(production, "UPDATE outbox SET not_before = 0 WHERE state = 'waiting'")
            production.work()
            until(lambda mine=mine: all(slow.taken[each] for each in mine), f"kill {kill}: a mail was lost")
            until(lambda: not rows(production, "SELECT 1 FROM outbox WHERE state = 'waiting'"), "not all were decided")
            twice = {each for each in mine if slow.taken[each] > 1}
            assert twice <= in_doubt, (kill, twice, in_doubt)
            assert max(slow.taken[each] for each in mine) <= 2
            doubled += len(twice)
        assert {state for (state,) in rows(production, "SELECT DISTINCT state FROM outbox")} == {"sent"}
        assert len(slow.taken) == KILLS * MAILS
        assert doubled, "no kill fell into the middle of sending"
    finally:
        production.stop()


def test_a_worker_that_dies_is_started_again_and_readiness_knows(serving: Production, mailbox: Mailbox) -> None:
    first, starts = worker_of(serving), counted(serving, "postern_worker_starts_total")
    os.kill(first, signal.SIGSTOP)  # alive, and does nothing
    rows(serving, "UPDATE worker_round SET done_at = done_at - 61000000")
    assert Visitor(serving.operations).get("/readyz")[0] == 503
    assert Visitor(serving.operations).get("/healthz")[0] == 200
    os.kill(first, signal.SIGKILL)
    until(lambda: Visitor(serving.operations).get("/readyz")[0] == 200, "it is not ready again")
    assert worker_of(serving) not in (0, first)
    assert ask(serving, 0) == 303
    assert mailbox.passcode(address_of(0), 10)
    assert counted(serving, "postern_worker_starts_total") == starts + 1


def test_an_http_worker_that_dies_leaves_the_other_at_work_and_comes_back(serving: Production) -> None:
    both = until(lambda: len(found := http_workers_of(serving)) == 2 and found, "there are not two")
    answers = counted(serving, "postern_answers_total")
    os.kill(both[0], signal.SIGKILL)
    until(lambda: not is_alive(both[0]), "it did not die")
    for _ in range(50):
        assert Visitor(serving.port).get(f"/{BRAND}/login")[0] == 200
    until(lambda: len(http_workers_of(serving)) == 2, "it was not started again")
    assert both[1] in http_workers_of(serving)
    assert worker_of(serving)
    assert counted(serving, "postern_answers_total") == answers + 50  # what the dead one counted is not lost


def test_metrics_are_not_on_the_public_address(serving: Production) -> None:
    for path in ("/metrics", "/healthz", "/readyz"):
        assert Visitor(serving.port).get(path)[0] == 404
        assert Visitor(serving.operations).get(path)[0] == 200


def counted(production: Production, name: str) -> int:
    """A number of `/metrics`, over all labels."""
    text = Visitor(production.operations).get("/metrics")[1]
    return sum(int(float(line.split()[-1])) for line in text.splitlines() if line.startswith(name))


def test_sigterm_ends_all_of_them_and_leaves_nothing_behind(tmp_path: Path, mailbox: Mailbox) -> None:
    (tmp_path / "tmp").mkdir()
    production = Production(tmp_path, mailbox, workers=2)
    production.environment["TMPDIR"] = str(tmp_path / "tmp")
    production.start()
    try:
        below = list(production.children())
        assert len(below) >= 3
        assert list((tmp_path / "tmp").glob("postern-counts-*"))
        assert production.process
        os.kill(production.process.pid, signal.SIGTERM)
        assert production.process.wait(timeout=20) == 0, production.log.read_text()
        until(lambda: not any(is_alive(pid) for pid in below), "one of them lives on", 5)
        assert list((tmp_path / "tmp").glob("postern-counts-*")) == []
        assert "Traceback" not in production.log.read_text()
    finally:
        production.stop()


def test_a_worker_ends_with_the_server_that_started_it_however_that_died(tmp_path: Path, mailbox: Mailbox) -> None:
    production = Production(tmp_path, mailbox)
    production.start()
    pid = worker_of(production)
    assert production.process
    try:
        os.kill(production.process.pid, signal.SIGKILL)
        production.process.wait()
        until(lambda: not is_alive(pid), "the worker lives on", 10)
    finally:
        production.kill()


def test_the_work_may_be_done_elsewhere(tmp_path: Path, mailbox: Mailbox) -> None:
    production = Production(tmp_path, mailbox)
    asyncio.run(fill(production.environment["PORTAL_DATABASE"], 1))
    elsewhere = Working(production)
    try:
        production.start(arguments=("--no-worker",))  # ready by the rounds that the other notes in the store
        assert worker_of(production) == 0
        assert ask(production, 0) == 303
        assert mailbox.passcode(address_of(0), 10)
        elsewhere.process.send_signal(signal.SIGTERM)
        assert elsewhere.process.wait(timeout=20) == 0
    finally:
        elsewhere.kill()
        production.stop()
