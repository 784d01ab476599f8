"""How many requests a second one Stripe account gets from all processes together: a token bucket in the store.

Who waits in front of a page comes first, then accounts that are read again, then `sync`: a request that is less urgent
leaves tokens in the bucket for those that are more so. After a 429 the bucket fills at half the rate for a minute.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from server.store import Store, micros

LIVE, SANDBOX = 10, 5
"""Requests a second."""
SLOW = timedelta(minutes=1)
INTERACTIVE, REFETCH, SYNC = "interactive", "refetch", "sync"
urgency: ContextVar[str] = ContextVar("urgency", default=INTERACTIVE)
"""What the requests of this task are for."""
_FLOORS = {INTERACTIVE: -2.0, REFETCH: 0.0, SYNC: 0.5}
"""How far down each may empty the bucket, in buckets: who waits for a page may go into debt."""

# What the bucket holds now, never more than full: at the full rate, or at half of it.
_FILLED = """
(CASE WHEN stripe_budget.tokens + {gained} > :full THEN :full ELSE stripe_budget.tokens + {gained} END)""".format(
    gained="""(CASE WHEN :now > stripe_budget.filled_at THEN (:now - stripe_budget.filled_at) * :rate
        / (CASE WHEN stripe_budget.slow_until > :now THEN 2000 ELSE 1000 END) ELSE 0 END)"""
)
_TAKE = f"""
INSERT INTO stripe_budget (brand, tokens, filled_at, slow_until) VALUES (:brand, :full - 1000, :now, 0)
ON CONFLICT (brand) DO UPDATE SET tokens = {_FILLED} - 1000,
  filled_at = CASE WHEN :now > stripe_budget.filled_at THEN :now ELSE stripe_budget.filled_at END
 WHERE {_FILLED} - 1000 >= :floor"""
_SLOWED = "UPDATE stripe_budget SET slow_until = :until WHERE brand = :brand"


def now_utc() -> datetime:
    return datetime.now(UTC)


class Budget:
    """One brand's bucket. The clock is the machine's: it is Stripe that is waited for."""

    def __init__(self, store: Store, brand: str, rate: int) -> None:
        self.store, self.brand, self.rate = store, brand, rate

    @classmethod
    def of(cls, store: Store, brand: str, *, is_live: bool, rate: int) -> Budget:
        """`rate` as the settings say it; 0: the usual one of this mode."""
        return cls(store, brand, rate or (LIVE if is_live else SANDBOX))

    async def wait(self) -> None:
        """Until the request may be sent."""
        while not await self.take(now_utc()):  # noqa: ASYNC110 (the bucket is in the store: nobody can wake us)
            await asyncio.sleep(1 / self.rate)

    async def take(self, now: datetime) -> bool:
        full = self.rate * 1000
        values = {
            "brand": self.brand,
            "full": full,
            "rate": self.rate,
            "now": micros(now),
            "floor": int(full * _FLOORS[urgency.get()]),
        }
        return await self.store.write(lambda transaction: transaction.count(_TAKE, values)) == 1

    async def slow_down(self, now: datetime | None = None) -> None:
        """Stripe said that it were too many."""
        until = micros((now or now_utc()) + SLOW)
        await self.store.write(lambda transaction: transaction.count(_SLOWED, {"brand": self.brand, "until": until}))
