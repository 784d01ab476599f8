"""What a customer sees of a pause, of its early end, and of a subscription that begins again.

ConfirmPause     for how long, and until when nothing is charged
ConfirmUnpause   what is charged when it goes on now
ConfirmRestart   at which price an ended one can begin again, and what that costs now
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from server.billing import Account, Charge, PaymentMethod, Restarts, Subscription, Unpausing
from server.billing.model.names import more_items_of, name_of
from server.billing.rules.pausing import PauseLength, begins_at
from server.features.subscriptions.part_views import Debt, Line, debt_of, line_of
from server.rendering.views import View


class ConfirmPause(View, frozen=True):
    id: str
    customer: str
    key: str
    """The idempotency key of this form: sent twice, it pauses once."""
    name: str
    pauses: tuple[PauseLength, ...]
    """The lengths to choose from, the shortest first."""
    more_items: int = 0
    chosen: int = 1
    """How many billing cycles are marked."""
    mistake: str = ""
    """What has to be corrected: `too_many_cycles`, `again`, or nothing."""


class ConfirmUnpause(View, frozen=True):
    id: str
    customer: str
    key: str
    name: str
    more_items: int = 0
    pause_begins_at: datetime | None = None
    """When the pause begins; None: it has."""
    paused_until: datetime | None = None
    charge: Charge | None = None
    """What is charged now; None: nothing."""
    method: PaymentMethod | None = None
    again: bool = False
    """The form came without a valid key: it is asked once more, and nothing was changed."""
    fingerprint: str = ""
    """Goes back with the form: where something else would be charged by then, nothing is."""
    stale: bool = False
    """The charge changed since the page was shown; nothing was charged."""


class Beginning(msgspec.Struct, frozen=True):
    """One price at which it can begin again."""

    line: Line
    charge: Charge
    """What is charged now."""
    ends_at: datetime
    """When the period that it pays for ends."""
    fingerprint: str = ""
    """Goes back with the form: where something else would be charged by then, nothing is."""


class ConfirmRestart(View, frozen=True):
    id: str
    customer: str
    key: str
    name: str
    beginnings: tuple[Beginning, ...]
    more_items: int = 0
    chosen: str = ""
    """The price that is marked."""
    method: PaymentMethod | None = None
    debt: Debt | None = None
    """What stays to be paid of the time before."""
    mistake: str = ""
    """What has to be corrected: `price_not_offered`, `stale`, `again`, or nothing."""


def confirm_pause(
    subscription: Subscription,
    account: Account,
    pauses: Sequence[PauseLength],
    *,
    key: str,
    chosen: int = 1,
    mistake: str = "",
) -> ConfirmPause:
    return ConfirmPause(
        id=subscription.id,
        customer=account.customer.id,
        key=key,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        pauses=tuple(pauses),
        chosen=chosen if any(each.cycles == chosen for each in pauses) else pauses[0].cycles,
        mistake=mistake,
    )


def confirm_unpause(
    subscription: Subscription,
    account: Account,
    meant: Unpausing,
    *,
    key: str,
    again: bool = False,
    stale: bool = False,
) -> ConfirmUnpause:
    return ConfirmUnpause(
        id=subscription.id,
        customer=account.customer.id,
        key=key,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        pause_begins_at=begins_at(subscription),
        paused_until=subscription.pause_resumes_at,
        charge=meant.charge,
        method=meant.method,
        again=again,
        fingerprint=meant.fingerprint,
        stale=stale,
    )


def confirm_restart(
    subscription: Subscription,
    account: Account,
    restarts: Restarts,
    now: datetime,
    *,
    key: str,
    chosen: str = "",
    mistake: str = "",
) -> ConfirmRestart:
    """The price that it had is marked, where it still is one of them."""
    offered = [each.price.id for each in restarts.options]
    liked = [chosen, *(each.price.id for each in subscription.items), *offered]
    return ConfirmRestart(
        id=subscription.id,
        customer=account.customer.id,
        key=key,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        beginnings=tuple(
            Beginning(line_of(each.price, each.quantity), each.charge, each.period_ends_at, each.fingerprint)
            for each in restarts.options
        ),
        chosen=next(each for each in liked if each in offered),
        method=restarts.method,
        debt=debt_of(subscription, account, now),
        mistake=mistake,
    )
