"""What a customer asks of a subscription, and what comes of asking: the requests that do it, and the numbers they mean."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.billing.model.account import Account, Catalog, Subscription
from server.billing.model.change import Action, Preview
from server.billing.model.errors import NotFound
from server.billing.model.fingerprint import Fingerprint
from server.billing.model.port import By
from server.billing.stripe.catalog import Copy
from server.billing.stripe.client import Client, Raw
from server.billing.stripe.operations import Step
from server.brands.features import Features

_NAMED = ["total_discount_amounts.discount"]
OURS = {"postern": "1"}
"""The metadata of a schedule that the portal made for a customer."""


class Planned(msgspec.Struct, frozen=True):
    steps: tuple[Step, ...] = ()
    """What is sent for it; nothing: it is so already."""
    if_the_bank_asks: tuple[Step, ...] = ()
    """What is sent where the bank wants to ask the customer first: it then waits for that. Nothing: it is refused."""
    preview: Preview | None = None
    seen: tuple[object, ...] = ()
    """What its page shows, without the moments in it."""


class Asking(msgspec.Struct, frozen=True):
    """One action of one customer on one subscription, as it would be at the moment `at`."""

    client: Client
    known: Copy
    catalog: Catalog
    keys: tuple[bytes, ...]
    brand: str
    by: By
    account: Account
    subscription: Subscription
    action: Any
    at: datetime

    @property
    def features(self) -> Features:
        return self.by.features

    @property
    def path(self) -> str:
        return f"/v1/subscriptions/{self.subscription.id}"

    @property
    def seconds(self) -> int:
        """The moment, as `proration_date` says it."""
        return int(self.at.timestamp())

    def page(self, action: Action, shown: str = "") -> Fingerprint:
        """The page about this action; `shown`: the fingerprint that came back from it."""
        about = (self.brand, self.by.customer_id, self.subscription.id, type(action).__name__, action)
        return Fingerprint.about_action(self.keys, *about, shown=shown)

    async def previewed(self, **params: Any) -> Raw | None:
        """The invoice that Stripe works out for it; None: there would be none. Raises `Refused`, `Unavailable`."""
        try:
            return await self.client.invoice_preview(subscription=self.subscription.id, expand=_NAMED, **params)
        except NotFound:
            return None

    def kept_discounts(self) -> list[dict[str, str]]:
        """Those that it has, for a request that names all."""
        return [{"discount": each.id} for each in self.subscription.discounts]
