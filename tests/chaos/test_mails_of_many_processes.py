"""Three workers on one database, sixty things of the ledger falling due, an unsteady mail server, and one of the three
killed in the middle: each thing has its mail there, and none has two without need.

Without need means: a second copy is there only of a mail whose first one the mail server had taken while we never heard
so, because it dropped the connection before its answer, or because the process died before it could note the answer. A
process sends `AT_ONCE` mails at a time, so its death doubles that many at most. Both copies have one Message-ID, by which
mail clients fold them into one.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from server.store import Store, micros
from server.worker import AT_ONCE
from tests.support.history import keep
from tests.support.ledger_accounts import account, item, subscription
from tests.support.mail_server import MailServer
from tests.support.production import Production, Working

pytestmark = pytest.mark.anyio
EVENTS, WORKERS = 60, 3
KILLED = "billing0@example.com"
"""Each worker sends under an address of its own, so that the peer can tell them apart."""
FAULTS = ("refuses", "drops", "takes and drops", "takes", "is slow", "takes", "takes", "takes")
"""What happens to the first try of each mail, in turn; every later one is taken."""


class UnsteadyPeer(MailServer):
    """What it took is in `taken`, whether or not anybody heard so."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []  # Message-ID, to whom, by which server
        self.unheard: set[str] = set()
        self.tried: Counter[str] = Counter()
        self.open = 0
        self.caught = threading.Event()
        super().__init__()

    def by(self, sender: str) -> list[str]:
        return [message_id for message_id, _, by in self.taken if by == sender]

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.open += 1
        try:
            return await self._answer(server, envelope)
        finally:
            self.open -= 1

    async def _answer(self, server: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message_id = str(message["Message-ID"])
        self.tried[message_id] += 1
        first = self.tried[message_id] == 1
        fault = FAULTS[len(self.tried) % len(FAULTS)] if first else "takes"
        await asyncio.sleep(0.6 if fault == "is slow" else 0.1)
        if fault == "refuses":
            return "451 try again"
        if fault == "drops":
            server.transport.abort()
            return "250 never heard"
        self.taken.append((message_id, envelope.rcpt_tos[0], envelope.mail_from))
        if fault == "takes and drops":
            self.unheard.add(message_id)
            server.transport.abort()
        elif envelope.mail_from == KILLED and len(self.by(KILLED)) > 5 and not self.caught.is_set():
            # Taken, and the answer is on its way for longer than the server has to live.
            self.caught.set()
            await asyncio.sleep(2)
        return "250 taken"


@pytest.fixture
def peer() -> Iterator[UnsteadyPeer]:
    made = UnsteadyPeer()
    yield made
    made.stop()


@pytest.fixture
def environments(tmp_path: Path, store_url: str, peer: UnsteadyPeer) -> list[Production]:
    """What three hosts would set; none of them serves pages."""
    made: list[Production] = []
    for number in range(WORKERS):
        one = Production(tmp_path, peer, database=store_url)  # type: ignore[arg-type]
        one.environment["PORTAL_MAIL_FROM"] = KILLED.replace("0", str(number))
        one.environment["PORTAL_SECRETS"] = (made[0] if made else one).environment["PORTAL_SECRETS"]
        made.append(one)
    return made


@pytest.fixture
def started() -> Iterator[list[Working]]:
    processes: list[Working] = []
    yield processes
    for each in processes:
        each.kill()


async def fall_due(store: Store) -> set[str]:
    """Renewals and ends that lie an hour back; the addresses that are to hear of one each."""
    now = datetime.now(UTC)
    period = item(now - timedelta(days=31), now - timedelta(hours=1))
    ends = {
        "cancel_at_period_end": True,
        "cancel_at": period.current_period_end_at,
        "canceled_at": now - timedelta(days=9),
    }
    addresses = set()
    for number in range(EVENTS):
        its = subscription(period, id=f"sub_{number}", **(ends if number % 2 else {}))
        made = replace(account(its), as_of=now - timedelta(hours=2))
        customer = replace(made.customer, id=f"cus_{number}", invoice_prefix=f"P{number}")
        await keep(store, replace(made, customer=customer), email=f"customer{number}@example.com")
        addresses.add(f"customer{number}@example.com")
    return addresses


class Quiet:
    """How long nothing has changed."""

    def __init__(self) -> None:
        self._seen: object = None
        self._at = 0.0

    def since(self, now: object) -> float:
        if now != self._seen:
            self._seen, self._at = now, time.monotonic()
        return time.monotonic() - self._at


async def until(happened: Callable[[], Any], what: str, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not await happened():
        assert time.monotonic() < ends, what
        await asyncio.sleep(0.05)


async def test_each_event_has_its_mail_and_none_has_two_without_need(  # M4
    store: Store, peer: UnsteadyPeer, environments: list[Production], started: list[Working]
) -> None:
    addresses = await fall_due(store)
    started += [Working(each) for each in environments]
    assert await asyncio.to_thread(peer.caught.wait, 60), "the first worker sends nothing"
    await asyncio.to_thread(started[0].kill)

    quiet = Quiet()

    async def only_the_dead_ones_are_left() -> bool:
        """Every mail was put, none is due soon, and for longer than a server pauses nothing has happened."""
        put = await store.read("SELECT COUNT(*) FROM outbox")
        waiting = await store.read("SELECT id, not_before FROM outbox WHERE state = 'waiting' ORDER BY id")
        soon = micros(datetime.now(UTC) + timedelta(seconds=25))
        is_over = put == [(EVENTS,)] and not peer.open and all(not_before > soon for _, not_before in waiting)
        return quiet.since((is_over, waiting, len(peer.tried))) > 1.2 and is_over

    async def nothing_waits() -> bool:
        return await store.read("SELECT COUNT(*) FROM outbox WHERE state = 'waiting'") == [(0,)]

    await until(only_the_dead_ones_are_left, "mails wait that no dead server holds")
    # Nobody else holds any now, so a minute may pass for those that the dead one held.
    due = "UPDATE outbox SET not_before = 0 WHERE state = 'waiting'"
    held = await store.write(lambda transaction: transaction.count(due))
    await until(nothing_waits, "mails of the dead server are not taken over")

    assert await store.read("SELECT DISTINCT state FROM outbox") == [("sent",)]
    assert await store.read("SELECT COUNT(*) FROM invoice") == [(EVENTS // 2,)]
    assert {to for _, to, _ in peer.taken} == addresses
    copies = Counter(message_id for message_id, *_ in peer.taken)
    assert len(copies) == EVENTS, "two copies of one mail have one Message-ID"
    assert max(copies.values()) == 2
    twice = {message_id for message_id, number in copies.items() if number > 1}
    # What it had sent is taken also after its death, a moment later.
    assert twice <= peer.unheard | set(peer.by(KILLED))
    assert 1 <= len(twice - peer.unheard) <= AT_ONCE
    assert 1 <= held <= AT_ONCE
    assert len({by for *_, by in peer.taken}) == WORKERS, "they did not work together"
