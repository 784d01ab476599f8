"""`python -m server backed-up`: what the job that makes a backup runs after it, so that `doctor` and the studio's health page
can say how old the last one is. Postern itself makes none."""

from __future__ import annotations

from datetime import datetime

from server.store import Store, rounds


async def note(store: Store, now: datetime) -> str:
    await rounds.note(store, rounds.BACKUP, now)
    return "Noted. doctor and the studio say from now on how old the last backup is."
