"""`[features]` of `portal.toml`: the names, values and defaults of Stripe's `billing_portal.configuration`, and more."""

from __future__ import annotations

import re

import msgspec

from server.brands.reading.tables import Table

UPDATES = ("name", "email", "address", "shipping", "phone", "tax_id")
REASONS = (
    *("too_expensive", "missing_features", "switched_service", "unused"),
    *("customer_service", "too_complex", "low_quality", "other"),
)
CHANGES = ("price", "quantity", "promotion_code")
CONDITIONS = ("decreasing_item_amount", "shortening_interval")
MOST_UNITS = 999_999
_ID = r"[A-Za-z0-9_.:-]{1,200}"
_ID_ALLOWED = "an id: letters, digits, _ - . : without spaces"


class Switch(msgspec.Struct, frozen=True):
    enabled: bool = True


class CustomerUpdate(msgspec.Struct, frozen=True):
    enabled: bool = True
    allowed_updates: tuple[str, ...] = ("name", "email", "address", "phone")


class CancellationReason(msgspec.Struct, frozen=True):
    enabled: bool = True
    options: tuple[str, ...] = REASONS


class Retention(msgspec.Struct, frozen=True):
    coupon: str = ""
    """Offered before a cancellation; empty: nothing is."""


class SubscriptionCancel(msgspec.Struct, frozen=True):
    enabled: bool = True
    mode: str = "at_period_end"
    """`at_period_end` or `immediately`."""
    proration_behavior: str = "none"
    """`none` or `create_prorations`: whether the unused time is credited."""
    cancellation_reason: CancellationReason = CancellationReason()
    retention: Retention = Retention()
    reasons_text: dict[str, str] = {}
    """A reason of `cancellation_reason.options` -> the brand's own words for it."""


class AdjustableQuantity(msgspec.Struct, frozen=True):
    enabled: bool = False
    minimum: int = 1
    maximum: int = MOST_UNITS


class Product(msgspec.Struct, frozen=True):
    product: str
    prices: tuple[str, ...]
    adjustable_quantity: AdjustableQuantity = AdjustableQuantity()


class Schedule(msgspec.Struct, frozen=True):
    conditions: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """Who may move to what, and when; prices or products by their ids."""

    from_: tuple[str, ...]
    to: tuple[str, ...]
    when: str
    """`now`, `period_end` or `never`."""


class SubscriptionUpdate(msgspec.Struct, frozen=True):
    enabled: bool = False
    default_allowed_updates: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    proration_behavior: str = "none"
    """`none`, `create_prorations` or `always_invoice`."""
    billing_cycle_anchor: str = "unchanged"
    """`unchanged` or `now`."""
    schedule_at_period_end: Schedule = Schedule()
    trial_update_behavior: str = "end_trial"
    """`end_trial` or `continue_trial`."""
    rules: tuple[Rule, ...] = ()


class SubscriptionPause(msgspec.Struct, frozen=True):
    enabled: bool = False
    max_cycles: int = 3


class SubscriptionRestart(msgspec.Struct, frozen=True):
    enabled: bool = False


class Features(msgspec.Struct, frozen=True):
    customer_update: CustomerUpdate = CustomerUpdate()
    invoice_history: Switch = Switch()
    payment_method_update: Switch = Switch()
    subscription_cancel: SubscriptionCancel = SubscriptionCancel()
    subscription_update: SubscriptionUpdate = SubscriptionUpdate()
    subscription_pause: SubscriptionPause = SubscriptionPause()
    subscription_restart: SubscriptionRestart = SubscriptionRestart()


def read_features(table: Table) -> Features:
    methods = table.table("payment_method_update")
    features = Features(
        customer_update=_customer_update(table.table("customer_update")),
        invoice_history=_switch(table.table("invoice_history")),
        payment_method_update=_switch(methods),
        subscription_cancel=_cancel(table.table("subscription_cancel")),
        subscription_update=_update(table.table("subscription_update")),
        subscription_pause=_pause(table.table("subscription_pause")),
        subscription_restart=_restart(table.table("subscription_restart")),
    )
    table.close()
    if features.subscription_update.enabled and not features.payment_method_update.enabled:
        methods.refuse("enabled", "false", "true where subscription_update is on: a dearer plan may need another card")
    return features


def _switch(table: Table) -> Switch:
    switch = Switch(enabled=table.flag("enabled", default=True))
    table.close()
    return switch


def _customer_update(table: Table) -> CustomerUpdate:
    update = CustomerUpdate(
        enabled=table.flag("enabled", default=True),
        allowed_updates=_among(table, "allowed_updates", UPDATES, CustomerUpdate().allowed_updates),
    )
    table.close()
    return update


def _among(table: Table, key: str, allowed: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    return table.words(key, allowed.__contains__, allowed, default)


def _cancel(table: Table) -> SubscriptionCancel:
    enabled = table.flag("enabled", default=True)
    mode = table.word("mode", ("at_period_end", "immediately"), "at_period_end")
    proration = table.word("proration_behavior", ("none", "create_prorations"), "none")
    if proration == "create_prorations" and mode != "immediately":
        table.refuse(
            "proration_behavior",
            "'create_prorations'",
            'none, unless mode = "immediately": at the period\'s end no time is left to credit',
        )
    reason = _reason(table.table("cancellation_reason"))
    retention = _retention(table.table("retention"), cancel_enabled=enabled)
    texts = _reason_texts(table.table("reasons_text"), reason.options)
    table.close()
    return SubscriptionCancel(enabled, mode, proration, reason, retention, texts)


def _reason(table: Table) -> CancellationReason:
    reason = CancellationReason(
        enabled=table.flag("enabled", default=True), options=_among(table, "options", REASONS, REASONS)
    )
    if reason.enabled and not reason.options:
        table.refuse("options", "an empty list", "at least one reason, or enabled = false")
    table.close()
    return reason


def _retention(table: Table, *, cancel_enabled: bool) -> Retention:
    retention = Retention(table.pattern("coupon", _ID, f"the coupon's id ({_ID_ALLOWED})"))
    if retention.coupon and not cancel_enabled:
        table.refuse(
            "coupon", repr(retention.coupon), "no coupon where subscription_cancel is off: nobody would see it"
        )
    table.close()
    return retention


def _reason_texts(table: Table, options: tuple[str, ...]) -> dict[str, str]:
    texts = {key: table.text(key, limit=120, required=key in table) for key in options}
    table.close()
    return {key: text for key, text in texts.items() if text}


def _update(table: Table) -> SubscriptionUpdate:
    enabled = table.flag("enabled", default=False)
    changes = _among(table, "default_allowed_updates", CHANGES, ())
    products = tuple(_product(each) for each in table.tables("products"))
    _refuse_repeated(table, "products", [each.product for each in products])
    proration = table.word("proration_behavior", ("none", "create_prorations", "always_invoice"), "none")
    anchor = table.word("billing_cycle_anchor", ("unchanged", "now"), "unchanged")
    schedule = table.table("schedule_at_period_end")
    conditions = _among(schedule, "conditions", CONDITIONS, ())
    schedule.close()
    trial = table.word("trial_update_behavior", ("end_trial", "continue_trial"), "end_trial")
    offered = {each.product for each in products} | {price for each in products for price in each.prices}
    rules = tuple(_rule(each, offered) for each in table.tables("rules"))
    table.close()
    update = SubscriptionUpdate(enabled, changes, products, proration, anchor, Schedule(conditions), trial, rules)
    _refuse_idle(table, update)
    return update


def _refuse_idle(table: Table, update: SubscriptionUpdate) -> None:
    """What is switched on and can never be used is a mistake that nobody would notice."""
    if not update.enabled:
        return
    changes = update.default_allowed_updates
    if not changes:
        table.missing("default_allowed_updates", "at least one of price, quantity, promotion_code, or enabled = false")
    if "price" in changes and not update.products:
        table.missing("products", "at least one [[features.subscription_update.products]] to move to")
    if "quantity" in changes and not any(each.adjustable_quantity.enabled for each in update.products):
        table.missing("products", "a product with adjustable_quantity.enabled = true, since quantity may be changed")
    if update.rules and "price" not in changes:
        table.refuse("rules", "rules about moves", "none, unless default_allowed_updates holds price")
    seen: set[str] = set()
    for position, each in enumerate(update.products):
        for twice in seen & set(each.prices):
            table.refuse("products", f"the price {twice!r} twice", "each price under one product", position, "prices")
        seen |= set(each.prices)


def _product(table: Table) -> Product:
    product = table.pattern("product", _ID, _ID_ALLOWED)
    if "product" not in table:
        table.missing("product", f"the product's id ({_ID_ALLOWED})")
    prices = _ids(table, "prices")
    quantity = _quantity(table.table("adjustable_quantity"))
    table.close()
    return Product(product, prices, quantity)


def _quantity(table: Table) -> AdjustableQuantity:
    quantity = AdjustableQuantity(
        enabled=table.flag("enabled", default=False),
        minimum=table.whole("minimum", 0, MOST_UNITS, 1),
        maximum=table.whole("maximum", 1, MOST_UNITS, MOST_UNITS),
    )
    if quantity.minimum > quantity.maximum:
        table.refuse("minimum", str(quantity.minimum), f"at most the maximum, {quantity.maximum}")
    table.close()
    return quantity


def _ids(table: Table, key: str) -> tuple[str, ...]:
    """A list of ids; one alone may stand without brackets."""
    if isinstance(table.get(key), str):
        return (table.pattern(key, _ID, _ID_ALLOWED),)
    ids = table.words(key, lambda each: bool(re.fullmatch(_ID, each)), _ID_ALLOWED, ())
    if not ids:
        table.missing(key, f"at least one id ({_ID_ALLOWED})")
    return ids


def _rule(table: Table, offered: set[str]) -> Rule:
    rule = Rule(_ids(table, "from"), _ids(table, "to"), table.word("when", ("now", "period_end", "never"), "now"))
    if "when" not in table:
        table.missing("when", "never, now, period_end")
    for each in rule.to:
        if each not in offered:
            table.refuse("to", repr(each), "a product or price listed under products")
    table.close()
    return rule


def _refuse_repeated(table: Table, key: str, ids: list[str]) -> None:
    for position, each in enumerate(ids):
        if each and each in ids[:position]:
            table.refuse(key, f"{each!r} twice", "each product once, with all its prices", position)


def _pause(table: Table) -> SubscriptionPause:
    pause = SubscriptionPause(table.flag("enabled", default=False), table.whole("max_cycles", 1, 12, 3))
    table.close()
    return pause


def _restart(table: Table) -> SubscriptionRestart:
    restart = SubscriptionRestart(table.flag("enabled", default=False))
    table.close()
    return restart
