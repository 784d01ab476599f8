"""The Stripe backend: one brand's billing at Stripe, read from copies in the store, written through Stripe's API.

accounts       one customer: the copy, and fetching it
invoices       every invoice of a customer; the catalog
feed           events, and what they touch: the background work
operations     how a write is sent: kept before, repeated with the same keys, ended once
subscriptions  the verbs about subscriptions
"""

from __future__ import annotations

from typing import Any, NoReturn

from server.billing import Refused
from server.billing.stripe.feed import StripeFeed
from server.billing.stripe.invoices import StripeInvoices
from server.billing.stripe.subscriptions import NOT_YET, StripeSubscriptions


class NotYet:
    """The verbs that are not built: each refuses before anything is sent."""

    async def setup(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    async def set_default(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    async def remove_payment_method(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    async def pay(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    async def update_customer(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    async def add_tax_id(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    async def remove_tax_id(self, *_: Any, **__: Any) -> Any:
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise Refused(NOT_YET.reason)


class Stripe(StripeInvoices, StripeFeed, StripeSubscriptions, NotYet):
    """One brand's billing at Stripe."""
