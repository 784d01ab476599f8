"""A demo whose sample customers are as they were before each test, so that a test can do anything to them, twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import httpx

from tests.support.served import PLAIN, Demo

_TABLES = (
    *("account", "invoice", "activity", "operation", "catalog", "redemption"),
    *("budget", "known_browser", "mail_choice", "stripe_copy", "stripe_dirty", "stripe_event", "stripe_budget"),
    *("customer", "api_key", "api_request", "api_configuration", "portal_session", "event"),
)

_AGED = "UPDATE challenge SET sent_at = sent_at - 172800000000, expires_at = 0"
"""The codes that were asked for so far were asked for the day before yesterday: they count for nobody's limit."""


class Rehearsal(Demo):
    @classmethod
    def begun(cls) -> Iterator[Self]:
        """One that answers, for a fixture; it ends with it."""
        stage = cls()
        try:
            stage.wait()
            stage.remember()
            yield stage
        finally:
            stage.stop()

    def remember(self) -> None:
        with self.database() as database:
            for table in _TABLES:
                database.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")

    def begin_again(self) -> None:
        with self.database() as database:
            database.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                database.execute(f"DELETE FROM {table}")
                database.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
            # A mail on its way would be counted as the next test's.
            database.execute("DELETE FROM outbox WHERE state = 'waiting'")
            database.execute(_AGED)

    def forget(self, address: str) -> None:
        super().forget(address)
        self.change(_AGED)


class RehearsalAtStripe(Rehearsal):
    """The same, with a stand-in for Stripe behind each brand: both begin again together."""

    def __init__(self) -> None:
        super().__init__("--stripe")

    def remember(self) -> None:
        self._order("post", "remember")
        super().remember()

    def begin_again(self) -> None:
        self._order("post", "begin-again")  # first: what is fetched from now on is what it was
        super().begin_again()

    def stop(self) -> None:
        """Every request and every answer was one that the SDK's types allow."""
        try:
            odd = [each for answer in self._order("get", "violations") for each in answer["violations"]]
            assert odd == [], odd
        finally:
            super().stop()

    def _order(self, verb: str, path: str) -> list[Any]:
        with httpx.Client(trust_env=False, timeout=60, verify=PLAIN) as client:
            return [client.request(verb, f"{self.stripe}/{brand}/_standin/{path}").json() for brand in self.portals]
