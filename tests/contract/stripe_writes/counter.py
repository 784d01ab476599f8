"""Where the shop's customer asks for things: the backend, the form's key, and a wire that can be cut."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from server.billing import By, Stale
from server.billing.stripe.backend import Stripe
from server.billing.stripe.client import Client
from server.brands.features import (
    AdjustableQuantity,
    CancellationReason,
    Features,
    Product,
    Retention,
    SubscriptionCancel,
    SubscriptionPause,
    SubscriptionRestart,
    SubscriptionUpdate,
)
from server.store import Store
from tests.contract.stripe_standin.shop import Shop
from tests.stripe.app import KEY
from tests.stripe.asgi import App

PRICES = ("price_basic", "price_big", "price_free", "price_yearly")
REASONS = CancellationReason(enabled=True, options=("unused", "too_expensive", "other"))
CANCEL_NOW = SubscriptionCancel(mode="immediately", proration_behavior="create_prorations", cancellation_reason=REASONS)
AT_PERIOD_END = SubscriptionCancel(cancellation_reason=REASONS, retention=Retention(coupon="stay"))
MOVES = SubscriptionUpdate(
    enabled=True,
    default_allowed_updates=("price", "quantity", "promotion_code"),
    products=(
        Product(
            product="prod_plan",
            prices=PRICES,
            adjustable_quantity=AdjustableQuantity(enabled=True, minimum=1, maximum=99),
        ),
    ),
    proration_behavior="always_invoice",
)


def features(**more: Any) -> Features:
    usual = {
        "subscription_cancel": AT_PERIOD_END,
        "subscription_update": MOVES,
        "subscription_pause": SubscriptionPause(enabled=True),
        "subscription_restart": SubscriptionRestart(enabled=True),
    }
    return Features(**{**usual, **more})


class Killed(BaseException):
    """The process died here."""


class Wire(httpx.AsyncBaseTransport):
    """To the stand-in; it can kill the process before or after the write of this number."""

    def __init__(self, shop: Shop) -> None:
        self.inner = httpx.ASGITransport(App(shop.standin))
        self.writes, self.kill_before, self.kill_after = 0, 0, 0
        self.dies_on_read = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        writes = request.method != "GET" and not request.url.path.endswith("create_preview")
        self.writes += writes
        if self.dies_on_read and not writes and self.writes:
            raise Killed
        if writes and self.writes == self.kill_before:
            raise Killed
        answer = await self.inner.handle_async_request(request)
        if writes and self.writes == self.kill_after:
            raise Killed
        return answer


class Counter:
    def __init__(self, shop: Shop, store: Store, brand: str = "harbour") -> None:
        self.shop, self.store, self.brand, self.wire = shop, store, brand, Wire(shop)
        self.features, self._keys = features(), itertools.count(1)
        self.billing = self.begun()

    def begun(self) -> Stripe:
        """The backend, as a process that just started has it."""
        self.wire = Wire(self.shop)
        client = Client(KEY, base="http://stripe.test", transport=self.wire)
        self.billing = Stripe(self.store, self.brand, client, keys=(b"k" * 32,), origin="https://portal.example")
        return self.billing

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.shop.world.now, UTC)

    async def sell(self, *prices: str) -> None:
        """The catalog is copied."""
        for each in prices or PRICES:
            await self.billing.copied_catalog.refresh("price", each)

    def by(self, key: str = "") -> By:
        return By("cus_a", self.features, self.now, key or f"key{next(self._keys)}", "Firefox")

    async def do(self, subscription: Any, action: Any, *, key: str = "") -> Any:
        """As a customer does it: look at the page where it has one, then send its form. The account after it."""
        by, shown = self.by(key), ""
        if type(action).__name__ in ("Cancel", "Move", "Unpause", "Restart", "Retain"):
            preview = await self.billing.preview(by, subscription.id, action)
            if hasattr(preview, "options"):
                preview = next(each for each in preview.options if each.price.id == action.price)
            shown = preview.fingerprint
        answer = await self.billing.apply(by, subscription.id, action, shown=shown)
        assert not isinstance(answer, Stale)
        return answer.account

    async def later(self, **step: float) -> int:
        """The worker comes so much later; what it finds open."""
        return await self.billing.left_open(self.now + timedelta(**step))

    def wrote(self) -> list[str]:
        """The portal's writes that took effect at the stand-in, in order: each idempotency key counts once."""
        found = [
            each
            for each in self.shop.standin.log
            if (each.verb == "delete" or each.idempotency_key.startswith("postern-"))
            and not each.replayed
            and each.status < 400
        ]
        return [f"{each.verb} {each.path}" for each in found]

    def keys_sent(self) -> list[str]:
        return [each.idempotency_key for each in self.shop.standin.log if each.idempotency_key.startswith("postern-")]
