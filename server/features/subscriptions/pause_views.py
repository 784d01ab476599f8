"""What a customer sees of a pause, of its early end, and of a subscription that begins again.

ConfirmPause     for how long, and until when nothing is charged
ConfirmUnpause   what is charged when it goes on now
ConfirmRestart   at which price an ended one can begin again, and what that costs now
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from server.billing import Account, Charge, PaymentMethod, Subscription
from server.billing.ledger.changes import pausing
from server.billing.ledger.changes.pausing import Pause
from server.billing.ledger.changes.restarting import Restart
from server.billing.ledger.sums.charging import method_of
from server.billing.model.names import more_items_of, name_of
from server.features.subscriptions.part_views import Line, line_of
from server.rendering.renderer import View


class ConfirmPause(View, frozen=True):
    id: str
    customer: str
    key: str
    """The idempotency key of this form: sent twice, it pauses once."""
    name: str
    pauses: tuple[Pause, ...]
    """The lengths to choose from, the shortest first."""
    more_items: int = 0
    chosen: int = 1
    """So many billing cycles are marked."""
    mistake: str = ""
    """What has to be mended: `too_many_cycles`, `again`, or nothing."""


class ConfirmUnpause(View, frozen=True):
    id: str
    customer: str
    key: str
    name: str
    more_items: int = 0
    paused_until: datetime | None = None
    charge: Charge | None = None
    """What is charged now; None: nothing."""
    method: PaymentMethod | None = None
    again: bool = False
    """The form came without a valid key: it is asked once more, and nothing was changed."""
    token: str = ""
    """Goes back with the form: what would be charged otherwise is not."""
    stale: bool = False
    """Something else would be charged than the page said that was confirmed: this, and nothing was changed."""


class Beginning(msgspec.Struct, frozen=True):
    """One price at which it can begin again."""

    line: Line
    charge: Charge
    """What is charged now."""
    ends_at: datetime
    """When the period that it pays for ends."""
    token: str = ""
    """Goes back with the form: what would be charged otherwise is not."""


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
    mistake: str = ""
    """What has to be mended: `price_not_offered`, `stale`, `again`, or nothing."""


def confirm_pause(
    subscription: Subscription,
    account: Account,
    pauses: Sequence[Pause],
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
    subscription: Subscription, account: Account, now: datetime, *, key: str, again: bool = False, stale: bool = False
) -> ConfirmUnpause:
    return ConfirmUnpause(
        id=subscription.id,
        customer=account.customer.id,
        key=key,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        paused_until=subscription.pause_resumes_at,
        charge=pausing.unpausing(account, subscription, now),
        method=method_of(account, subscription),
        again=again,
        token=pausing.mark_of_unpausing(account, subscription, now),
        stale=stale,
    )


def confirm_restart(
    subscription: Subscription,
    account: Account,
    restarts: Sequence[Restart],
    *,
    key: str,
    chosen: str = "",
    mistake: str = "",
) -> ConfirmRestart:
    """The price that it had is marked, where it still is one of them."""
    offered = [each.price.id for each in restarts]
    liked = [chosen, *(each.price.id for each in subscription.items), *offered]
    return ConfirmRestart(
        id=subscription.id,
        customer=account.customer.id,
        key=key,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        beginnings=tuple(
            Beginning(line_of(each.price, each.quantity), each.charge, each.period_ends_at, each.token)
            for each in restarts
        ),
        chosen=next(each for each in liked if each in offered),
        method=method_of(account, subscription),
        mistake=mistake,
    )
