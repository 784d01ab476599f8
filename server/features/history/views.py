"""What was done in an account, when, and from which browser."""

from __future__ import annotations

from collections.abc import Sequence

from server.billing import Account, Activity
from server.features.entries import Entry, entry_of
from server.rendering.views import View


class History(View, frozen=True):
    """What was done in this account, newest first."""

    entries: tuple[Entry, ...] = ()


def history(account: Account, activities: Sequence[Activity]) -> History:
    return History(entries=tuple(entry_of(each, account) for each in activities))
