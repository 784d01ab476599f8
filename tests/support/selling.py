"""A brand that sells plans, for tests of its pages: what is in its catalog, what its portal offers, who is logged in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing import Account, Coupon, InvoiceLine, Price, PromotionCode, Recurring
from server.billing.rules.discounts import canonical
from server.brands import Features
from server.brands.features import (
    AdjustableQuantity,
    CustomerUpdate,
    Product,
    Retention,
    SubscriptionCancel,
    SubscriptionPause,
    SubscriptionRestart,
    SubscriptionUpdate,
)
from tests.support.accounts import END, START, account, eur, invoice, keep, price, subscription
from tests.support.client import Client
from tests.support.pages import ledger_of
from tests.support.world import BRAND, World

SMALL = price()
"""What everybody has to begin with: 14.50 a month."""
BIG = price(id="price_big", product="prod_big", product_name="Big blend", unit_amount="2900")
YEARLY = price(id="price_year", product="prod_year", product_name="Tasting club", unit_amount="14900")
YEARLY = replace(YEARLY, recurring=Recurring("year"))
HALF = Coupon("HALF", percent_off="50")
STAY = Coupon("STAY", percent_off="20", name="Stay a while")
CODES = (
    PromotionCode("promo_half", "HALF50", "HALF"),
    PromotionCode("promo_old", "OLD", "HALF", expires_at=START),
    PromotionCode("promo_off", "OFF", "HALF", active=False),
    PromotionCode("promo_gone", "GONE", "HALF", max_redemptions=1, times_redeemed=1),
    PromotionCode("promo_first", "FIRST", "HALF", first_time=True),
    PromotionCode("promo_more", "MORE", "HALF", minimum=eur(1_000_000)),
    PromotionCode("promo_sam", "SAM", "HALF", customer="cus_sam"),
    PromotionCode("promo_other", "OTHER", "ELSE"),
)
ELSE = Coupon("ELSE", percent_off="10", products=("prod_of_nobody",))
UP_TO_NINE = AdjustableQuantity(enabled=True, minimum=1, maximum=9)


def offering(**update: Any) -> Features:
    """Everything about plans is offered; `update` are keys of `subscription_update`."""
    sold = tuple(Product(each.product, (each.id,), UP_TO_NINE) for each in (SMALL, BIG, YEARLY))
    fields: dict[str, Any] = {
        "enabled": True,
        "default_allowed_updates": ("price", "quantity", "promotion_code"),
        "products": sold,
        "proration_behavior": "always_invoice",
    }
    everything = ("name", "email", "address", "shipping", "phone", "tax_id")
    return Features(
        customer_update=CustomerUpdate(allowed_updates=everything),
        subscription_update=SubscriptionUpdate(**(fields | update)),
        subscription_cancel=SubscriptionCancel(retention=Retention("STAY")),
        subscription_pause=SubscriptionPause(enabled=True, max_cycles=3),
        subscription_restart=SubscriptionRestart(enabled=True),
    )


def buyer(it: Any = None, **changed: Any) -> Account:
    """Somebody with one subscription whose running period is paid."""
    it = it or subscription()
    first = it.items[0]
    line = InvoiceLine("il_1", first.price.product_name, eur(1450 * first.quantity), first.quantity, "1450", START, END)
    paid = invoice(lines=(replace(line, price=first.price.id, subscription=it.id),), subscription=it.id)
    return account(it, **({"invoices": (paid,)} | changed))


async def sell(world: World, *things: Price | Coupon | PromotionCode, brand: str = BRAND) -> None:
    """Put these into the brand's catalog."""
    kinds = {Price: "price", Coupon: "coupon", PromotionCode: "promotion_code"}
    rows = [
        {"brand": brand, "kind": kinds[type(each)], "id": each.id, "document": msgspec.msgpack.encode(each)}
        for each in things
    ]
    codes = [
        {"brand": brand, "code": canonical(each.code), "id": each.id}
        for each in things
        if isinstance(each, PromotionCode)
    ]
    catalog = "INSERT INTO catalog (brand, kind, id, document) VALUES (:brand, :kind, :id, :document)"
    typed = "INSERT INTO promotion_code (brand, code, id) VALUES (:brand, :code, :id)"
    await world.store.write(
        lambda transaction: (transaction.run_many(catalog, rows), transaction.run_many(typed, codes) if codes else None)
    )


async def at_the_counter(world: World, it: Account | None = None) -> Client:
    """A browser that is logged in where all of this is sold."""
    await sell(world, SMALL, BIG, YEARLY, HALF, STAY, ELSE, *CODES)
    await keep(world, it or buyer())
    browser = world.client()
    await world.log_in(browser)
    return browser


async def stored(world: World, now: datetime | None = None) -> Account:
    """Jenny's account as it is in the store."""
    return await ledger_of(world.store, BRAND, Features()).account("cus_jenny", now or world.clock())
