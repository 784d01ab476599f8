"""Log-in as a state machine: whatever people do in whatever order, a simple model of the promises agrees.

Browsers ask, ask again, guess, use the right code, use stale ones, and time passes; the limiters are off. The model only
counts: how many six-digit guesses an address may still get, and which challenge of which browser is alive: no other browser's
request ends it.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from server.access import passcodes
from server.access.entry import Entered, enter
from server.access.limits import Limits
from server.store import open_store
from tests.support.world import World

ADDRESSES = ("jenny@example.com", "nobody@example.com")
BROWSERS = range(4)


class Challenge:
    """What the model knows of one request for a code."""

    def __init__(self, token: str, address: str, at: datetime, hardened: bool, code: str) -> None:
        self.fingerprint, self.address, self.at, self.hardened, self.code = token, address, at, hardened, code
        self.tries, self.dead = 0, False
        self.void = False
        """The address logged in by another code: none is right here any more."""


class LogIn(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:{Path(self.folder.name) / 'store.sqlite'}")
        self.loop = asyncio.new_event_loop()
        self.world = World(self.store, lambda: self.now)
        self.portal, self.limits = self.world.portal(), Limits(on=False)
        self.challenges: list[Challenge] = []
        self.current: dict[int, Challenge] = {}
        self.spent = dict.fromkeys(ADDRESSES, 0)
        self.sessions = 0

    @initialize()
    def one_of_the_two_is_a_customer(self) -> None:
        self.run(self.world.customer())

    def run(self, awaited: Any) -> Any:
        return self.loop.run_until_complete(awaited)

    def is_live(self, each: Challenge) -> bool:
        return not each.dead and each.tries < passcodes.TRIES and self.now < each.at + timedelta(minutes=10)

    @rule(browser=st.sampled_from(BROWSERS), address=st.sampled_from(ADDRESSES))
    def ask(self, browser: int, address: str) -> None:
        if browser in self.current:
            self.current[browser].dead = True
        self.now += timedelta(seconds=1)  # so that the oldest is one
        shown = self.current[browser].fingerprint if browser in self.current else ""
        asking = passcodes.Asking(address=address, client="c", browser="", shown=shown)
        hardened = self.spent[address] + self.still_open(address) + passcodes.TRIES > passcodes.OF_STRANGERS
        asked = self.run(
            self.store.write(lambda transaction: passcodes.ask(transaction, self.portal, self.limits, asking, self.now))
        )
        code = self.run(self.world.code(address))
        made = Challenge(asked.token, address, self.now, hardened, code)
        assert (len(code) > 6) == made.hardened
        self.challenges.append(made)
        self.current[browser] = made

    def still_open(self, address: str) -> int:
        """The six-digit guesses that codes of the address may still cost."""
        return sum(
            passcodes.TRIES - each.tries
            for each in self.challenges
            if each.address == address and not each.hardened and self.is_live(each)
        )

    @rule(which=st.integers(0, 30), right=st.booleans())
    def try_a_code(self, which: int, right: bool) -> None:
        if not self.challenges:
            return
        challenge = self.challenges[-1 - which % len(self.challenges)]
        code = passcodes.normalized(challenge.code) if right else self.wrong(challenge)
        outcome = self.run(
            self.store.write(
                lambda transaction: enter(
                    transaction,
                    self.portal,
                    self.limits,
                    challenge=challenge.fingerprint,
                    code=code,
                    session="",
                    mark="",
                    client="c",
                    browser="",
                    now=self.now,
                )
            )
        )
        if not self.is_live(challenge):
            assert outcome == passcodes.Tried(is_right=False, address=challenge.address, tries_left=0)
            return
        challenge.tries += 1
        self.spent[challenge.address] += not challenge.hardened
        if right and challenge.address == ADDRESSES[0] and not challenge.void:
            assert isinstance(outcome, Entered)
            self.sessions += 1
            self.spent[challenge.address] = 0
            challenge.dead = True
            for each in self.challenges:
                if each.address == challenge.address:
                    each.void = each.hardened = True
        else:
            assert outcome == passcodes.Tried(
                is_right=False, address=challenge.address, tries_left=passcodes.TRIES - challenge.tries
            )

    def wrong(self, challenge: Challenge) -> str:
        plain = passcodes.normalized(challenge.code)
        return (
            ("0" if plain[0] != "0" else "1") + plain[1:]
            if plain.isdigit()
            else ("B" if plain[0] != "B" else "C") + plain[1:]
        )

    @rule(step=st.sampled_from([1, 59, 61, 300, 599, 86_400]))
    def wait(self, step: int) -> None:
        self.now += timedelta(seconds=step)

    @invariant()
    def the_promises_hold(self) -> None:
        read = self.store.read
        assert self.run(read("SELECT COUNT(*) FROM session")) == [(self.sessions,)]
        assert self.run(read("SELECT COUNT(*) FROM challenge WHERE consumed_at IS NOT NULL")) == [(self.sessions,)]
        assert self.run(read("SELECT COUNT(*) FROM activity")) == [(self.sessions,)]
        assert self.run(read("SELECT COUNT(*) FROM challenge WHERE attempts > 5")) == [(0,)]
        used = dict(self.run(read("SELECT subject, used FROM budget WHERE kind = 'wrong'")))
        assert used == {address: spent for address, spent in self.spent.items() if spent}
        assert all(each <= passcodes.OF_STRANGERS for each in used.values())

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()


TestLogIn = LogIn.TestCase
TestLogIn.settings = settings(
    max_examples=12,
    stateful_step_count=60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
