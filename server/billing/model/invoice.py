"""Invoices, their lines, taxes and payments, and the address that each one keeps. Part of `types`."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.formats.money import Money


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    """ISO 3166 code of two letters, upper case."""


class LineTax(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one rate takes of a line. The lines' taxes of a rate add up to the invoice's."""

    amount: Money
    percentage: str = ""
    """Decimal, such as `19`; empty: nothing says."""
    inclusive: bool = False
    reason: str = ""
    """Stripe's `taxability_reason`, such as `standard_rated` or `reverse_charge`."""


class BuyerTaxId(msgspec.Struct, frozen=True, omit_defaults=True):
    """A customer's tax id, as an invoice keeps it."""

    kind: str
    """Stripe's type, such as `eu_vat`."""
    value: str


class InvoiceLine(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    description: str
    amount: Money
    """Stripe's `amount`: discounts not yet taken off, exclusive tax not yet added."""
    quantity: int | None = None
    unit_amount: str = ""
    period_start_at: datetime | None = None
    period_end_at: datetime | None = None
    proration: bool = False
    price: str = ""
    subscription: str = ""
    taxes: tuple[LineTax, ...] = ()
    """Of each rate; none: the line carries no tax, or an older document does not say."""
    discount: Money | None = None
    """What the invoice's discounts take off this line."""


class InvoiceTax(msgspec.Struct, frozen=True, omit_defaults=True):
    label: str
    amount: Money
    inclusive: bool = False
    percentage: str = ""
    """Decimal, such as `19`; empty: nothing says."""


class InvoiceDiscount(msgspec.Struct, frozen=True, omit_defaults=True):
    label: str
    amount: Money


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    status: str
    """`paid`, `failed`, `open`, `canceled`."""
    amount: Money
    at: datetime
    method: str = ""
    """In words, such as `visa 4242`."""
    failure: str = ""
    """The decline code of the last try, such as `insufficient_funds`."""
    refunded: Money | None = None


class Invoice(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    number: str
    status: str
    """`open`, `paid`, `void` or `uncollectible`; a draft is never shown."""
    currency: str
    created_at: datetime
    subtotal: Money
    total: Money
    amount_paid: Money
    amount_due: Money
    """What is still to pay of an open invoice, or could be of one that was written off."""
    lines: tuple[InvoiceLine, ...] = ()
    subscription: str = ""
    due_at: datetime | None = None
    paid_at: datetime | None = None
    period_start_at: datetime | None = None
    period_end_at: datetime | None = None
    taxes: tuple[InvoiceTax, ...] = ()
    discounts: tuple[InvoiceDiscount, ...] = ()
    payments: tuple[Payment, ...] = ()
    credited: Money | None = None
    """Credit notes issued after it was finalized."""
    billing_reason: str = ""
    customer_name: str = ""
    customer_email: str = ""
    customer_address: Address = Address()
    """As they were when the invoice was finalized."""
    customer_tax_ids: tuple[BuyerTaxId, ...] = ()
    customer_tax_exempt: str = ""
    """`reverse`: the customer owes the tax; `exempt`: nobody does; empty: neither, or nothing says."""
    memo: str = ""
    next_attempt_at: datetime | None = None
    balance_applied: Money | None = None
    """Credit (negative) or debt (positive) of the customer's balance that went into it."""
    shipping: Money | None = None
    """What the delivery costs, without the tax that comes on top of it."""
    credit_grants: Money | None = None
    """What billing credits took off before tax."""
    has_more_lines: bool = False
    """The billing side sent only the first lines."""
    hosted: bool = False
    """The billing side has a page of its own for it (Stripe)."""

    @property
    def refunded(self) -> Money:
        """What of its payments was given back."""
        return Money(sum(each.refunded.amount for each in self.payments if each.refunded), self.currency)

    @property
    def discounted(self) -> Money:
        return Money(sum(each.amount.amount for each in self.discounts), self.currency)

    @property
    def taxed(self) -> Money:
        """Every tax of it, those inside the prices too."""
        return Money(sum(each.amount.amount for each in self.taxes), self.currency)

    @property
    def adds_up(self) -> bool:
        """Whether its lines make the subtotal, and its parts the total."""
        if self.has_more_lines:
            return False
        taken = sum(each.amount.amount for each in self.discounts)
        taken += self.credit_grants.amount if self.credit_grants else 0
        added = sum(each.amount.amount for each in self.taxes if not each.inclusive)
        added += self.shipping.amount if self.shipping else 0
        lines = sum(each.amount.amount for each in self.lines)
        return lines == self.subtotal.amount and lines - taken + added == self.total.amount
