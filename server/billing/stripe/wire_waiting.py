"""The shapes of what waits: schedules and their phases, invoice items without an invoice. See `wire`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.billing.stripe.wire import Amount, Currency, Id, Quantity, Rates, Ref, Timestamp, UrlId, Wire
from server.billing.stripe.wire_invoices import Parent, Period, Pricing


class PhaseDiscount(Wire, frozen=True):
    coupon: Ref | None = None
    discount: Ref | None = None
    promotion_code: Ref | None = None


class PhaseItem(Wire, frozen=True):
    price: Ref | None = None
    plan: Ref | None = None
    quantity: Quantity | None = None
    discounts: tuple[PhaseDiscount, ...] | None = None
    tax_rates: Rates | None = None


class AddedItem(Wire, frozen=True):
    price: Ref
    quantity: Quantity | None = None
    discounts: tuple[PhaseDiscount, ...] | None = None
    tax_rates: Rates | None = None
    discountable: bool = True


class SentInvoices(Wire, frozen=True):
    days_until_due: Quantity | None = None


class Phase(Wire, frozen=True):
    start_date: Timestamp
    items: Annotated[tuple[PhaseItem, ...], Meta(min_length=1, max_length=100)]
    end_date: Timestamp | None = None
    discounts: tuple[PhaseDiscount, ...] | None = None
    coupon: Ref | None = None
    default_tax_rates: Rates | None = None
    collection_method: str | None = None
    proration_behavior: str | None = None
    billing_cycle_anchor: str | None = None
    invoice_settings: SentInvoices | None = None
    add_invoice_items: tuple[AddedItem, ...] | None = None
    trial: bool | None = None
    trial_end: Timestamp | None = None


class DefaultSettings(Wire, frozen=True):
    collection_method: str | None = None
    billing_cycle_anchor: str | None = None
    invoice_settings: SentInvoices | None = None


class CurrentPhase(Wire, frozen=True):
    start_date: Timestamp
    end_date: Timestamp


class Schedule(Wire, frozen=True):
    id: UrlId
    status: str
    phases: tuple[Phase, ...] = ()
    current_phase: CurrentPhase | None = None
    end_behavior: str = "release"
    default_settings: DefaultSettings | None = None
    customer: Ref | None = None
    customer_account: Id | None = None
    subscription: Ref | None = None
    released_subscription: Id | None = None


class InvoiceItem(Wire, frozen=True):
    id: Id
    amount: Amount
    currency: Currency
    date: Timestamp
    net_amount: Amount | None = None
    description: str | None = None
    customer: Ref | None = None
    customer_account: Id | None = None
    invoice: Ref | None = None
    period: Period | None = None
    parent: Parent | None = None
    pricing: Pricing | None = None
    subscription: Ref | None = None
    proration: bool = False
    discountable: bool | None = None
    quantity: Quantity | None = None
    discounts: tuple[Ref, ...] | None = None
    tax_rates: Rates | None = None
