"""The Stripe backend: one brand's billing at Stripe, read from copies in the store, written through Stripe's API.

accounts       one customer: the copy, and fetching it
invoices       every invoice of a customer; the catalog
feed           events, and what they touch: the background work
syncing        everything at once, when somebody asks for it
operations     how a write is sent: kept before, repeated with the same keys, ended once
subscriptions  the verbs about subscriptions
methods, details, payments    the other verbs
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from server.billing.stripe import syncing
from server.billing.stripe.details import StripeDetails
from server.billing.stripe.feed import StripeFeed
from server.billing.stripe.payments import StripePayments
from server.billing.stripe.subscriptions import StripeSubscriptions


class Stripe(StripeFeed, StripeSubscriptions, StripeDetails, StripePayments):
    """One brand's billing at Stripe."""

    async def sync_asked(self, clock: Callable[[], datetime]) -> None:
        """Read everything, where an operator asked for it."""
        await syncing.sync_asked(self, clock)
