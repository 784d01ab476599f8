"""How often is too often, counted in the database so that two workers do not double it.

| what | at most | counted by |
|---|---|---|
| codes sent to an address | 5 in any hour, 10 in any day | the outbox's own rows, exactly |
| codes asked for by a client address | 20 in an hour | `budget`, a window that its first use opens |
| codes tried by a client address | 30 in 10 minutes | the same |
| another code for the same browser | after 60 seconds | the challenge |

A client address is an IPv4 address or an IPv6 /64. These limits are comfort and defence in depth. What the safety of
a code rests on, the tries of a challenge and the budget of an address, stands in `passcodes.py` and is never off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.store import Transaction, micros, moment

ADDRESS_SENDS = ((5, timedelta(hours=1)), (10, timedelta(days=1)))
CLIENT_SENDS = (20, timedelta(hours=1))
CLIENT_TRIES = (30, timedelta(minutes=10))
RESEND_AFTER = timedelta(seconds=60)

# One statement counts and decides: of two that come at once, one waits for the other's row. A use beyond the cap
# changes nothing and returns no row.
_USE = """
INSERT INTO budget (brand, kind, subject, starts_at, used, expires_at)
VALUES (:brand, :kind, :subject, 0, 1, :ends)
ON CONFLICT (brand, kind, subject, starts_at) DO UPDATE SET
  used = CASE WHEN budget.expires_at <= :now THEN 1 ELSE budget.used + 1 END,
  expires_at = CASE WHEN budget.expires_at <= :now THEN :ends ELSE budget.expires_at END
WHERE budget.used < :cap OR budget.expires_at <= :now
RETURNING used"""
_ENDS = "SELECT expires_at FROM budget WHERE brand = :brand AND kind = :kind AND subject = :subject AND starts_at = 0"

# The send that has to grow old before another may follow: the fifth newest within the hour, the tenth within the day.
_SENDS = """
SELECT created_at FROM outbox
 WHERE brand = :brand AND address = :address AND created_at > :since AND kind = 'passcode'
 ORDER BY created_at DESC LIMIT 1 OFFSET :skip"""


class TooMany(Exception):
    """Asked too often; `retry_at` is when it may be tried again, with nothing else in the way."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__("too often")
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the table above. Tests alone pass others: `on=False` shows that nothing else rests on them."""

    on: bool = True

    def use_client(self, transaction: Transaction, brand: str, kind: str, client: str, now: datetime) -> None:
        """Count one `send` or `try` of a client address. Raises `TooMany`."""
        cap, window = CLIENT_SENDS if kind == "send" else CLIENT_TRIES
        row = {"brand": brand, "kind": f"client_{kind}", "subject": client}
        counted = {**row, "now": micros(now), "ends": micros(now + window), "cap": cap if self.on else 1 << 62}
        if not transaction.run(_USE, counted):
            ((ends,),) = transaction.run(_ENDS, row)
            raise TooMany(moment(ends))

    def check_address(self, transaction: Transaction, brand: str, address: str, now: datetime) -> None:
        """Refuse one more code for the address. Its lock is held (`passcodes.lock`), so nobody sends meanwhile. Raises
        `TooMany`."""
        waits = []
        for cap, window in ADDRESS_SENDS:
            parameters = {"brand": brand, "address": address, "since": micros(now - window), "skip": cap - 1}
            waits += [moment(at) + window for (at,) in transaction.run(_SENDS, parameters)]
        if waits and self.on:
            raise TooMany(max(waits))

    def may_resend_at(self, sent_at: datetime) -> datetime:
        return sent_at + RESEND_AFTER if self.on else sent_at
