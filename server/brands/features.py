"""`[features]` of `portal.toml`: the names, values and defaults of Stripe's `billing_portal.configuration`, and more."""

from __future__ import annotations

from typing import Annotated

import msgspec

from server.brands.reading.declared import Keys
from server.brands.reading.keys import ID, ID_SHAPE, Flag, Ids, OneOf, Pattern, Section, SomeOf, Texts, Whole
from server.brands.reading.tables import Table

UPDATES = ("name", "email", "address", "shipping", "phone", "tax_id")
REASONS = (
    *("too_expensive", "missing_features", "switched_service", "unused"),
    *("customer_service", "too_complex", "low_quality", "other"),
)
CHANGES = ("price", "quantity", "promotion_code")
CONDITIONS = ("decreasing_item_amount", "shortening_interval")
MOST_UNITS = 999_999


class InvoiceHistory(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers see their invoices")] = True


class PaymentMethodUpdate(Keys, frozen=True):
    enabled: Annotated[
        bool,
        Flag("whether customers may change how they pay; it must be on where `subscription_update` is on"),
    ] = True
    payment_method_configuration: Annotated[
        str,
        Pattern(
            "which kinds of payment methods customers may add, by a configuration of the Stripe account; it counts where "
            "Stripe bills",
            pattern=r"pmc_[A-Za-z0-9_]{1,250}",
            shape="the id of a payment method configuration, such as pmc_1Nx4Ab",
            left_out="the account's default",
        ),
    ] = ""


class CustomerUpdate(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers may change their billing details")] = True
    allowed_updates: Annotated[tuple[str, ...], SomeOf("the billing details that they may change", among=UPDATES)] = (
        *("name", "email", "address", "phone"),
    )


class CancellationReason(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers are asked why they cancel")] = True
    options: Annotated[tuple[str, ...], SomeOf("the reasons that customers choose from", among=REASONS)] = REASONS

    def check(self, table: Table) -> None:
        if self.enabled and not self.options:
            table.refuse("options", "an empty list", "at least one reason, or enabled = false", also=("enabled",))


class Retention(Keys, frozen=True):
    coupon: Annotated[
        str,
        Pattern(
            "the coupon that is offered before a cancellation; only where `subscription_cancel` is on",
            pattern=ID,
            shape=f"the coupon's id ({ID_SHAPE})",
            left_out="nothing is offered",
        ),
    ] = ""


class SubscriptionCancel(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers may cancel")] = True
    mode: Annotated[str, OneOf("when a canceled subscription ends", among=("at_period_end", "immediately"))] = (
        "at_period_end"
    )
    proration_behavior: Annotated[
        str,
        OneOf(
            "whether the unused time is credited; `create_prorations` needs `mode` to be `immediately`",
            among=("none", "create_prorations"),
        ),
    ] = "none"
    cancellation_reason: CancellationReason = CancellationReason()
    retention: Annotated[Retention, Section("", own=True)] = Retention()
    reasons_text: Annotated[
        dict[str, str],
        Texts(
            "the brand's own words for a reason that is offered, in its first language",
            among=REASONS,
            limit=120,
            own=True,
        ),
    ] = msgspec.field(default_factory=dict)

    def check(self, table: Table) -> None:
        if self.proration_behavior == "create_prorations" and self.mode != "immediately":
            allowed = 'none, unless mode = "immediately": at the period\'s end no time is left to credit'
            table.refuse("proration_behavior", "'create_prorations'", allowed, also=("mode",))
        if self.retention.coupon and not self.enabled:
            allowed = "no coupon where subscription_cancel is off: nobody would see it"
            table.refuse("retention", repr(self.retention.coupon), allowed, "coupon", also=("enabled",))
        offered = self.cancellation_reason.options
        for reason in self.reasons_text:
            if reason not in offered:
                allowed = f"words for the reasons in cancellation_reason.options: {', '.join(offered) or 'none'}"
                also = ("cancellation_reason.options",)
                table.refuse("reasons_text", "words for a reason that is not offered", allowed, reason, also=also)


class AdjustableQuantity(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers may change the quantity")] = False
    minimum: Annotated[int, Whole("the smallest quantity", bounds=(0, MOST_UNITS))] = 1
    maximum: Annotated[int, Whole("the largest quantity", bounds=(1, MOST_UNITS))] = MOST_UNITS

    def check(self, table: Table) -> None:
        if self.minimum > self.maximum:
            table.refuse("minimum", str(self.minimum), f"at most the maximum, {self.maximum}", also=("maximum",))


class Product(Keys, frozen=True):
    product: Annotated[
        str,
        Pattern(
            "the product's id; each product once", pattern=ID, shape=f"the product's id ({ID_SHAPE})", required=True
        ),
    ]
    prices: Annotated[tuple[str, ...], Ids("the prices that customers may move to", required=True)]
    adjustable_quantity: AdjustableQuantity = AdjustableQuantity()


class Schedule(Keys, frozen=True):
    conditions: Annotated[
        tuple[str, ...],
        SomeOf(
            "a change that fits one of these waits for the end of the period",
            among=CONDITIONS,
            left_out="every change is made at once",
        ),
    ] = ()


class Rule(Keys, frozen=True):
    """Who may move to what, and when; prices or products by their ids."""

    from_: Annotated[tuple[str, ...], Ids("the prices or products that the rule is for", required=True)] = (
        msgspec.field(name="from")
    )
    to: Annotated[tuple[str, ...], Ids("prices or products that are listed under `products`", required=True)]
    when: Annotated[
        str,
        OneOf("when such a move is made; `never` forbids it", among=("now", "period_end", "never"), required=True),
    ]


class SubscriptionUpdate(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers may change their plan")] = False
    default_allowed_updates: Annotated[
        tuple[str, ...],
        SomeOf(
            "what they may change; `price` needs a product to move to, `quantity` one with `adjustable_quantity`",
            among=CHANGES,
        ),
    ] = ()
    products: Annotated[
        tuple[Product, ...], Section("the products that customers may move to, any number of them")
    ] = ()
    proration_behavior: Annotated[
        str,
        OneOf(
            "how a change at once counts the days left of the period: not at all, on the next invoice, or on an invoice at once",
            among=("none", "create_prorations", "always_invoice"),
        ),
    ] = "none"
    billing_cycle_anchor: Annotated[
        str, OneOf("whether a change at once begins a new billing period", among=("unchanged", "now"))
    ] = "unchanged"
    schedule_at_period_end: Schedule = Schedule()
    trial_update_behavior: Annotated[
        str, OneOf("what a change does to a trial", among=("end_trial", "continue_trial"))
    ] = "end_trial"
    rules: Annotated[
        tuple[Rule, ...],
        Section("who may move to what, and when; without one, everybody may move to every listed price", own=True),
    ] = ()

    def check(self, table: Table) -> None:
        self._refuse_repeated(table)
        offered = {each.product for each in self.products} | {price for each in self.products for price in each.prices}
        for position, rule in enumerate(self.rules):
            for each in rule.to:
                if each not in offered:
                    table.refuse("rules", repr(each), "a product or price listed under products", position, "to")
        if self.enabled:
            self._refuse_idle(table)

    def _refuse_repeated(self, table: Table) -> None:
        ids = [each.product for each in self.products]
        for position, each in enumerate(ids):
            if each and each in ids[:position]:
                table.refuse("products", f"{each!r} twice", "each product once, with all its prices", position)

    def _refuse_idle(self, table: Table) -> None:
        """Refuses what is switched on and can never be used: nobody would notice that mistake."""
        changes = self.default_allowed_updates
        if not changes:
            allowed = "at least one of price, quantity, promotion_code, or enabled = false"
            table.missing("default_allowed_updates", allowed, also=("enabled",))
        if "price" in changes and not self.products:
            allowed = "at least one [[features.subscription_update.products]] to move to"
            table.missing("products", allowed, also=("default_allowed_updates",))
        if "quantity" in changes and not any(each.adjustable_quantity.enabled for each in self.products):
            allowed = "a product with adjustable_quantity.enabled = true, since quantity may be changed"
            table.missing("products", allowed, also=("default_allowed_updates",))
        if self.rules and "price" not in changes:
            allowed = "none, unless default_allowed_updates holds price"
            table.refuse("rules", "rules about moves", allowed, also=("default_allowed_updates",))
        seen: set[str] = set()
        for position, each in enumerate(self.products):
            for twice in seen & set(each.prices):
                allowed = "each price under one product"
                table.refuse("products", f"the price {twice!r} twice", allowed, position, "prices")
            seen |= set(each.prices)


class SubscriptionPause(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers may pause a subscription")] = False
    max_cycles: Annotated[int, Whole("the longest pause, in billing periods", bounds=(1, 12), own=True)] = 3


class SubscriptionRestart(Keys, frozen=True):
    enabled: Annotated[bool, Flag("whether customers may begin an ended subscription again")] = False


class Features(Keys, frozen=True):
    customer_update: CustomerUpdate = CustomerUpdate()
    invoice_history: InvoiceHistory = InvoiceHistory()
    payment_method_update: PaymentMethodUpdate = PaymentMethodUpdate()
    subscription_cancel: SubscriptionCancel = SubscriptionCancel()
    subscription_update: SubscriptionUpdate = SubscriptionUpdate()
    subscription_pause: SubscriptionPause = SubscriptionPause()
    subscription_restart: Annotated[SubscriptionRestart, Section("", own=True)] = SubscriptionRestart()

    def check(self, table: Table) -> None:
        if self.subscription_update.enabled and not self.payment_method_update.enabled:
            allowed = "true where subscription_update is on: a dearer plan may need another card"
            table.refuse("payment_method_update", "false", allowed, "enabled", also=("subscription_update.enabled",))
