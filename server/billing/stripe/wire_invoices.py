"""The shapes of Stripe's invoices and payments. See `wire`."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from server.billing.stripe.wire import (
    Address,
    Amount,
    Currency,
    CustomField,
    DecimalText,
    Id,
    Ref,
    Timestamp,
    UrlId,
    Wire,
)


class SubscriptionDetails(Wire, frozen=True):
    subscription: Ref | None = None


class SubscriptionItemDetails(Wire, frozen=True):
    subscription: Id | None = None
    proration: bool | None = None


class Parent(Wire, frozen=True):
    subscription_details: SubscriptionDetails | None = None
    subscription_item_details: SubscriptionItemDetails | None = None
    invoice_item_details: SubscriptionItemDetails | None = None


class PriceDetails(Wire, frozen=True):
    price: Ref | None = None
    product: Id | None = None


class Pricing(Wire, frozen=True):
    price_details: PriceDetails | None = None
    unit_amount_decimal: DecimalText | None = None


class Period(Wire, frozen=True):
    start: Timestamp
    end: Timestamp


class TaxRateDetails(Wire, frozen=True):
    tax_rate: Ref | None = None


class Tax(Wire, frozen=True):
    amount: Amount
    taxable_amount: Amount | None = None
    tax_behavior: str | None = None
    tax_rate_details: TaxRateDetails | None = None
    taxability_reason: str | None = None
    inclusive: bool | None = None
    tax_rate: Ref | None = None


class TakenOff(Wire, frozen=True):
    amount: Amount
    type: str | None = None


class ShippingCost(Wire, frozen=True):
    amount_subtotal: Amount = 0
    amount_total: Amount = 0


class Line(Wire, frozen=True):
    id: Id
    amount: Amount
    currency: Currency
    description: str | None = None
    quantity: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    period: Period | None = None
    parent: Parent | None = None
    pricing: Pricing | None = None
    price: Ref | None = None
    subscription: Ref | None = None
    proration: bool = False
    taxes: tuple[Tax, ...] | None = None
    tax_amounts: tuple[Tax, ...] | None = None
    discount_amounts: tuple[TakenOff, ...] | None = None
    pretax_credit_amounts: tuple[TakenOff, ...] | None = None


class Lines(Wire, frozen=True):
    data: tuple[Line, ...] = ()
    has_more: bool = False


class BuyerTaxId(Wire, frozen=True):
    type: str
    value: str | None = None


class ShipTo(Wire, frozen=True):
    name: str | None = None
    address: Address | None = None


class DiscountAmount(Wire, frozen=True):
    amount: Amount
    discount: Ref


class PaidBy(Wire, frozen=True):
    type: str | None = None
    payment_intent: Ref | None = None
    charge: Ref | None = None


class PaymentTransitions(Wire, frozen=True):
    paid_at: Timestamp | None = None
    canceled_at: Timestamp | None = None


class InvoicePayment(Wire, frozen=True):
    id: Id
    status: str
    created: Timestamp
    amount_requested: Amount
    amount_paid: Amount | None = None
    currency: Currency | None = None
    payment: PaidBy | None = None
    status_transitions: PaymentTransitions | None = None


class Payments(Wire, frozen=True):
    data: tuple[InvoicePayment, ...] = ()


class Transitions(Wire, frozen=True):
    finalized_at: Timestamp | None = None
    paid_at: Timestamp | None = None


class Invoice(Wire, frozen=True):
    id: UrlId
    currency: Currency
    created: Timestamp
    subtotal: Amount
    total: Amount
    status: str | None = None
    number: str | None = None
    amount_paid: Amount = 0
    amount_due: Amount = 0
    amount_remaining: Amount | None = None
    customer: Ref | None = None
    customer_account: Id | None = None
    parent: Parent | None = None
    subscription: Ref | None = None
    lines: Lines = Lines()
    due_date: Timestamp | None = None
    period_start: Timestamp | None = None
    period_end: Timestamp | None = None
    total_taxes: tuple[Tax, ...] | None = None
    total_tax_amounts: tuple[Tax, ...] | None = None
    total_discount_amounts: tuple[DiscountAmount, ...] | None = None
    discounts: tuple[Ref, ...] | None = None
    total_pretax_credit_amounts: tuple[TakenOff, ...] | None = None
    amount_shipping: Amount | None = None
    shipping_cost: ShippingCost | None = None
    effective_at: Timestamp | None = None
    payments: Payments | None = None
    status_transitions: Transitions | None = None
    starting_balance: Amount | None = None
    ending_balance: Amount | None = None
    pre_payment_credit_notes_amount: Amount | None = None
    post_payment_credit_notes_amount: Amount | None = None
    billing_reason: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    customer_address: Address | None = None
    customer_tax_ids: tuple[BuyerTaxId, ...] | None = None
    customer_tax_exempt: str | None = None
    description: str | None = None
    next_payment_attempt: Timestamp | None = None
    custom_fields: tuple[CustomField, ...] | None = None
    footer: str | None = None
    customer_shipping: ShipTo | None = None
    shipping_details: ShipTo | None = None
    hosted_invoice_url: str | None = None
    metadata: dict[str, Any] | None = None


class CreditNoteLine(Wire, frozen=True):
    id: Id
    amount: Amount
    description: str | None = None
    quantity: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    unit_amount_decimal: DecimalText | None = None


class CreditNoteLines(Wire, frozen=True):
    data: tuple[CreditNoteLine, ...] = ()
    has_more: bool = False


class RefundOfNote(Wire, frozen=True):
    amount_refunded: Amount | None = None


class CreditNote(Wire, frozen=True):
    id: UrlId
    currency: Currency
    created: Timestamp
    invoice: Ref
    total: Amount
    subtotal: Amount | None = None
    number: str | None = None
    status: str | None = None
    lines: CreditNoteLines = CreditNoteLines()
    total_taxes: tuple[Tax, ...] | None = None
    total_tax_amounts: tuple[Tax, ...] | None = None
    tax_amounts: tuple[Tax, ...] | None = None
    discount_amounts: tuple[TakenOff, ...] | None = None
    effective_at: Timestamp | None = None
    reason: str | None = None
    memo: str | None = None
    refunds: tuple[RefundOfNote, ...] | None = None
    refund: Ref | None = None
    out_of_band_amount: Amount | None = None
    pre_payment_amount: Amount | None = None
    post_payment_amount: Amount | None = None
    type: str | None = None
