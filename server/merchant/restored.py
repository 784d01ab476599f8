"""`python -m server restored`: what to run after a backup of the database was put back, before the server starts.

A backup remembers sessions that have been logged out since, codes that have been used, and mails that have been sent.
Nothing inside the database can tell that it is yesterday's, so the merchant says so: every session and every code ends,
and no mail of before leaves. Customers and operators log in again. Which roles were taken away since the backup, only
people know: `operators list` shows those of the backup. What they own, their history and the failures counted against an
address stay as the backup has them.

The rows are deleted, not marked: no clock that steps back can bring one to life. Running it twice does nothing more.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.access import passcodes, sessions
from server.mail import outbox
from server.merchant.studio import passkeys
from server.merchant.studio import sessions as studio_sessions
from server.store import Store, Transaction


class Ended(msgspec.Struct, frozen=True):
    """How many there were, over all brands."""

    sessions: int
    codes: int
    mails: int
    """That had not left yet."""


async def end_everything(store: Store) -> Ended:
    """All of it in one transaction. Raises `StoreUnavailable`, and then nothing was changed."""
    return await store.write(_end)


async def told(store: Store, _: datetime) -> str:
    """The same, in words."""
    ended = await end_everything(store)
    return (
        f"Ended: {ended.sessions} sessions, {ended.codes} codes, {ended.mails} mails that had not left.\n"
        "Customers log in again. Start the server now."
    )


def _end(transaction: Transaction) -> Ended:
    return Ended(
        sessions=sessions.end_every(transaction) + studio_sessions.end_every(transaction),
        codes=passcodes.end_every(transaction) + passkeys.end_every(transaction),
        mails=outbox.end_every(transaction, "not sent: the database was put back from a backup"),
    )
