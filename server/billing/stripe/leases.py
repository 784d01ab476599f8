"""Who of several processes polls, or syncs, a brand, or writes for a customer: one at a time, and how far it has come.

A lease is a row: who holds it moves its end ahead while it works. A process that dies loses it by time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from server.store import Store, micros

LEASE = timedelta(seconds=60)
_TAKE = """
INSERT INTO stripe_cursor (brand, name, position, moved_at, holder, lease_until)
VALUES (:brand, :name, '', 0, :holder, :until)
ON CONFLICT (brand, name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
 WHERE stripe_cursor.lease_until < :now OR stripe_cursor.holder = excluded.holder"""
_READ = "SELECT position, moved_at FROM stripe_cursor WHERE brand = :brand AND name = :name"
_HELD = "SELECT 1 FROM stripe_cursor WHERE brand = :brand AND name = :name AND lease_until >= :now"
_MOVE = """
UPDATE stripe_cursor SET position = :position, moved_at = :now, lease_until = :until
 WHERE brand = :brand AND name = :name AND holder = :holder"""
_GIVE = "UPDATE stripe_cursor SET lease_until = 0 WHERE brand = :brand AND name = :name AND holder = :holder"
_END = "DELETE FROM stripe_cursor WHERE brand = :brand AND name = :name AND holder = :holder"
_START = """
INSERT INTO stripe_cursor (brand, name, position, moved_at, holder, lease_until)
VALUES (:brand, :name, :position, 0, '', 0)
ON CONFLICT (brand, name) DO UPDATE SET position = excluded.position WHERE stripe_cursor.position < excluded.position"""


class Lost(Exception):
    """Somebody else holds the lease now: stop."""


class Lease:
    """One name's lease of one brand, as `holder` sees it: any text of its own that no other process has."""

    def __init__(self, store: Store, brand: str, name: str, holder: str, *, length: timedelta = LEASE) -> None:
        self.store, self.whose = store, {"brand": brand, "name": name}
        self.holder, self.length = holder, length

    async def take(self, now: datetime) -> bool:
        values = {**self.whose, "holder": self.holder, "now": micros(now), "until": micros(now + self.length)}
        return await self.store.write(lambda transaction: transaction.count(_TAKE, values)) == 1

    async def position(self) -> tuple[str, int]:
        """How far it has come, and when it came there (microseconds); empty and 0 at first."""
        found = await self.store.read(_READ, self.whose)
        return (str(found[0][0]), int(found[0][1])) if found else ("", 0)

    async def is_held(self, now: datetime) -> bool:
        """By anybody."""
        found = await self.store.read(_HELD, {**self.whose, "now": micros(now)})
        return bool(found)

    async def move(self, position: str, now: datetime) -> None:
        """Raises `Lost`."""
        values = {
            **self.whose,
            "holder": self.holder,
            "position": position,
            "now": micros(now),
            "until": micros(now + self.length),
        }
        if await self.store.write(lambda transaction: transaction.count(_MOVE, values)) != 1:
            raise Lost

    async def give_back(self) -> None:
        values = {**self.whose, "holder": self.holder}
        await self.store.write(lambda transaction: transaction.count(_GIVE, values))

    async def end(self) -> None:
        """Give it back, and leave no row."""
        values = {**self.whose, "holder": self.holder}
        await self.store.write(lambda transaction: transaction.count(_END, values))

    async def start_from(self, position: str) -> None:
        """Go on from there at least; whoever holds it."""
        values = {**self.whose, "position": position}
        await self.store.write(lambda transaction: transaction.count(_START, values))
