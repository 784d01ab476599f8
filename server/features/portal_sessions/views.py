"""What a customer sees of a session that the merchant's back end made: a URL that opens no more, and the end of a flow."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from server.access.portal_sessions import Flow
from server.billing import Account
from server.billing.model.account import ENDED
from server.billing.model.names import name_of
from server.billing.rules.canceling import may_tell
from server.brands import Features
from server.rendering.views import View


class LinkUsed(View, frozen=True):
    """The URL was used, or is too old."""

    layout: ClassVar[str] = "visitor"

    can_log_in: bool = False
    """The business has a log-in link."""
    session: str = ""
    """The id of the portal session on whose terms a log-in goes on; empty: it is too old for that."""


class Done(View, frozen=True):
    """The end of a flow."""

    here: ClassVar[str] = "home"

    flow: str
    """Stripe's word, such as `subscription_cancel`."""
    message: str = ""
    """What the business says, below what was done."""
    subscription: str = ""
    """Its name."""
    ends_at: datetime | None = None
    """When a canceled subscription ends."""
    is_over: bool = False
    """It has ended already."""
    return_url: str = ""
    """Back to the business; empty: nowhere was named."""
    is_leaving: bool = False
    """The browser goes there by itself."""
    canceled: str = ""
    """The id of a subscription of which the customer may say why it was canceled; empty: nobody asks."""


def done(flow: Flow, account: Account, features: Features, now: datetime, *, return_url: str) -> Done:
    found = account.subscription(flow.subscription)
    is_leaving = flow.after == "redirect"
    asks = found and flow.type == "subscription_cancel" and may_tell(found, features, now) is None
    return Done(
        flow=flow.type,
        message=flow.message,
        subscription=name_of(found) if found else "",
        ends_at=found.cancel_at if found else None,
        is_over=bool(found and found.status in ENDED),
        return_url=flow.return_url if is_leaving else return_url,
        is_leaving=is_leaving,
        canceled=flow.subscription if asks else "",
    )
