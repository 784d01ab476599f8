"""When each step of the background work was last done, by whichever process on whichever host.

The worker writes it, and `/readyz` and `/metrics` read it: so they know about workers that run elsewhere, and do not
believe a process that is alive and does nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.store import Store, micros, moment

BACKUP = "backup"
"""What the merchant's own job notes after each backup, by `python -m server backed-up`."""
# Of two hosts whose clocks differ, the later one counts.
_NOTE = """
INSERT INTO worker_round (step, done_at, trouble) VALUES (:step, :now, :trouble)
ON CONFLICT (step) DO UPDATE SET done_at = :now, trouble = :trouble WHERE worker_round.done_at <= :now"""


class Round(msgspec.Struct, frozen=True):
    step: str
    done_at: datetime
    trouble: str
    """What the step found to be wrong, such as a mail server that does not answer; empty when all is well."""


async def note(store: Store, step: str, now: datetime, trouble: str = "") -> None:
    row = {"step": step, "now": micros(now), "trouble": trouble}
    await store.write(lambda transaction: transaction.later(_NOTE, row))


async def find(store: Store) -> list[Round]:
    rows = await store.read("SELECT step, done_at, trouble FROM worker_round ORDER BY step")
    return [Round(step, moment(done_at), trouble) for step, done_at, trouble in rows]
