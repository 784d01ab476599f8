"""Stripe's schedules and pending invoice items -> what waits at a subscription. Pure, as `mapping`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing.model.account import Discount, InvoiceLine, Phase, PhaseItem, Price, Subscription, TaxRate
from server.billing.stripe import mapping_catalog
from server.billing.stripe import wire_waiting as shapes
from server.billing.stripe.legacy import price_of
from server.billing.stripe.reading import Known, MappingError, at, ident, money, read
from server.billing.stripe.wire_invoices import Pricing

ENDED = frozenset({"canceled", "completed", "released"})


class Schedule(msgspec.Struct, frozen=True):
    """The phases of one subscription that are still to come."""

    id: str
    subscription: str
    """Empty: it has not begun, and there is no subscription yet."""
    phases: tuple[Phase, ...] = ()
    cancel_at: datetime | None = None
    """The end of the last phase, where the subscription ends with it."""
    is_over: bool = False


class Beside:
    """What a subscription holds itself, which its schedule names by ids; else what is known."""

    def __init__(self, subscription: Subscription, known: Known) -> None:
        given = (*subscription.discounts, *(each for item in subscription.items for each in item.discounts))
        self._discounts = {each.id: each for each in given}
        self._prices = {each.price.id: each.price for each in subscription.items}
        self.product, self.coupon = known.product, known.coupon
        self.tax_rate, self.promotion_code = known.tax_rate, known.promotion_code
        self._known = known

    def price(self, price_id: str) -> Price | None:
        return self._prices.get(price_id) or self._known.price(price_id)

    def discount(self, discount_id: str) -> Discount | None:
        return self._discounts.get(discount_id) or self._known.discount(discount_id)


def schedule(raw: Any, known: Known, subscription: Subscription, *, is_billed_here: bool = False) -> Schedule:
    """The schedule of this subscription. `is_billed_here`: with all that decides what the ledger charges for it."""
    found, known, currency = read(shapes.Schedule, raw), Beside(subscription, known), subscription.currency
    whose = ident(found.subscription, "$.subscription")
    if found.status in ENDED:
        return Schedule(found.id, whose or found.released_subscription or "", is_over=True)
    begun = found.current_phase.start_date if found.current_phase else -1
    phases = []
    for index, each in enumerate(found.phases):
        if each.start_date > begun:
            path, given = f"$.phases[{index}]", found.default_settings or shapes.DefaultSettings()
            phase = _phase(each, given, known, currency, path)
            phases.append(replace(phase, adds=_added(each, known, currency, path)) if is_billed_here else phase)
    last = max(found.phases, key=lambda each: each.start_date).end_date if found.phases else None
    ends = at(last) if found.end_behavior == "cancel" and last is not None else None
    return Schedule(found.id, whose, tuple(sorted(phases, key=lambda each: each.at)), ends)


def _phase(found: shapes.Phase, given_by: shapes.DefaultSettings, known: Known, currency: str, path: str) -> Phase:
    given, sent = found.discounts, found.invoice_settings or given_by.invoice_settings
    if not given and found.coupon is not None:
        given = (shapes.PhaseDiscount(coupon=found.coupon),)
    return Phase(
        at=at(found.start_date),
        items=tuple(
            _item(each, known, currency, found.start_date, f"{path}.items[{index}]")
            for index, each in enumerate(found.items)
        ),
        discounts=_discounts(given, known, currency, found.start_date, f"{path}.discounts"),
        default_tax_rates=mapping_catalog.tax_rates(found.default_tax_rates, known, f"{path}.default_tax_rates"),
        collection_method=found.collection_method or given_by.collection_method or "",
        days_until_due=sent.days_until_due if sent else None,
        proration_behavior=found.proration_behavior or "create_prorations",
        is_new_anchor=(found.billing_cycle_anchor or given_by.billing_cycle_anchor) == "phase_start",
    )


def _added(found: shapes.Phase, known: Known, currency: str, path: str) -> tuple[PhaseItem, ...]:
    """What the phase charges once. A phase that is a trial is refused: the ledger would charge for it."""
    if found.trial or (found.trial_end or 0) > found.start_date:
        problem = "is a trial, which the ledger cannot give within a schedule; import it once the trial has begun"
        raise MappingError(problem, f"{path}.trial_end")
    added = []
    for index, each in enumerate(found.add_invoice_items or ()):
        it = shapes.PhaseItem(
            price=each.price, quantity=each.quantity, discounts=each.discounts, tax_rates=each.tax_rates
        )
        item = _item(it, known, currency, found.start_date, f"{path}.add_invoice_items[{index}]")
        added.append(replace(item, is_discountable=each.discountable))
    return tuple(added)


def _item(found: shapes.PhaseItem, known: Known, currency: str, start: int, path: str) -> PhaseItem:
    ref = found.price
    if ref is None:
        ref = price_of(found.plan) if isinstance(found.plan, dict) else found.plan
    if ref is None:
        raise MappingError("expected a price, got nothing", f"{path}.price")
    return PhaseItem(
        price=mapping_catalog.price_ref(ref, known, f"{path}.price", currency),
        quantity=1 if found.quantity is None else found.quantity,
        discounts=_discounts(found.discounts, known, currency, start, f"{path}.discounts"),
        tax_rates=mapping_catalog.tax_rates(found.tax_rates, known, f"{path}.tax_rates"),
    )


def _discounts(
    found: tuple[shapes.PhaseDiscount, ...] | None, known: Known, currency: str, start: int, path: str
) -> tuple[Discount, ...]:
    """A discount that was given already, or a coupon that is given when the phase begins."""
    made = []
    for index, each in enumerate(found or ()):
        place = f"{path}[{index}]"
        if each.discount is not None:
            made.append(mapping_catalog.discount_in(each.discount, known, f"{place}.discount", currency))
            continue
        if each.coupon is None:
            raise MappingError("expected a coupon or a discount; export the schedule with its coupons", place)
        new = {
            "id": f"di_{ident(each.coupon, place)}_{start}",
            "source": {"coupon": each.coupon},
            "promotion_code": each.promotion_code,
            "start": start,
        }
        made.append(mapping_catalog.discount_in(new, known, place, currency))
    return tuple(made)


class Waiting(msgspec.Struct, frozen=True):
    """An invoice item that no invoice holds yet."""

    id: str
    subscription: str
    """Empty: it goes on the customer's next invoice, whichever that is."""
    line: InvoiceLine
    rates: tuple[TaxRate, ...]
    """Empty: those of the subscription count."""
    is_billed: bool
    is_discountable: bool = False
    product: str = ""


def invoice_item(raw: Any, known: Known) -> Waiting:
    """What is left of it after its own discounts."""
    found = read(shapes.InvoiceItem, raw)
    details = found.parent.subscription_details if found.parent else None
    whose = ident(found.subscription, "$.subscription")
    if details and details.subscription:
        whose = ident(details.subscription, "$.parent.subscription_details.subscription")
    pricing = found.pricing or Pricing()
    price = pricing.price_details.price if pricing.price_details else None
    amount = found.amount if found.net_amount is None else found.net_amount
    if found.discounts and found.net_amount is None:
        problem = (
            "has discounts of its own, and net_amount does not say what is left; export it with today's API version"
        )
        raise MappingError(problem, "$.discounts")
    line = InvoiceLine(
        id=found.id,
        description=found.description or "",
        amount=money(amount, found.currency),
        quantity=found.quantity,
        unit_amount=pricing.unit_amount_decimal or "",
        period_start_at=at(found.period.start) if found.period else at(found.date),
        period_end_at=at(found.period.end) if found.period else at(found.date),
        proration=True,  # whatever it is for: it is no period that was paid
        price=ident(price, "$.pricing.price_details.price") if found.proration else "",
        subscription=whose,
    )
    return Waiting(
        id=found.id,
        subscription=whose,
        line=line,
        rates=mapping_catalog.tax_rates(found.tax_rates, known, "$.tax_rates"),
        is_billed=found.invoice is not None,
        # An export of today says it of each; Stripe's default is that positive amounts are, and prorations are not.
        is_discountable=not found.proration and amount > 0 if found.discountable is None else found.discountable,
        product=(pricing.price_details.product if pricing.price_details else None) or "",
    )
