"""The Stripe backend: one brand's billing at Stripe, read from copies in the store, written through Stripe's API.

accounts       one customer: the copy, and fetching it
invoices       every invoice of a customer; the catalog
feed           events, and what they touch: the background work
operations     how a write is sent: kept before, repeated with the same keys, ended once
subscriptions  the verbs about subscriptions
methods, details, payments    the other verbs
"""

from __future__ import annotations

from server.billing.stripe.details import StripeDetails
from server.billing.stripe.feed import StripeFeed
from server.billing.stripe.payments import StripePayments
from server.billing.stripe.subscriptions import StripeSubscriptions


class Stripe(StripeFeed, StripeSubscriptions, StripeDetails, StripePayments):
    """One brand's billing at Stripe."""
