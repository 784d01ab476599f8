"""A demo whose sample customers are as they were before each test, so that a test can do anything to them, twice."""

from __future__ import annotations

from tests.support.served import Demo

_TABLES = (
    *("account", "invoice", "activity", "operation", "catalog", "redemption"),
    *("budget", "known_browser", "mail_choice"),
)


class Rehearsal(Demo):
    def remember(self) -> None:
        for table in _TABLES:
            self.change(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")

    def begin_again(self) -> None:
        for table in _TABLES:
            self.change(f"DELETE FROM {table}")
            self.change(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        self.age_codes()

    def forget(self, address: str) -> None:
        super().forget(address)
        self.age_codes()

    def age_codes(self) -> None:
        """The codes that were asked for so far were asked for the day before yesterday: they count for nobody's limit."""
        self.change("UPDATE challenge SET sent_at = sent_at - 172800000000, expires_at = 0")
