"""Invoices, their lines, taxes and payments, and the address that each one keeps."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

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
    included_discount: Money | None = None
    """What discounts took off a prorated charge before it came to `amount`. For readers only: no sum takes it off again."""


class InvoiceTax(msgspec.Struct, frozen=True, omit_defaults=True):
    label: str
    amount: Money
    inclusive: bool = False
    percentage: str = ""
    """Decimal, such as `19`; empty: nothing says."""
    taxable: Money | None = None
    """What it is a tax on, where the billing side says so; `Invoice.taxable` works it out from the lines otherwise."""


class CustomField(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the customer wants to read on its invoices, such as the number of a purchase order."""

    name: str
    value: str


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


class CreditNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document that takes an invoice back, in part or as a whole. Its amounts are what is given: positive."""

    id: str
    number: str
    status: str
    """`issued` or `void`."""
    created_at: datetime
    subtotal: Money
    """What its lines make."""
    total: Money
    lines: tuple[InvoiceLine, ...] = ()
    """None: it credits a sum, not lines."""
    taxes: tuple[InvoiceTax, ...] = ()
    discounts: tuple[InvoiceDiscount, ...] = ()
    reason: str = ""
    """`duplicate`, `fraudulent`, `order_change`, `product_unsatisfactory`, or empty."""
    memo: str = ""
    refunded: Money | None = None
    """Given back to the payment method."""
    to_balance: Money | None = None
    """Added to the customer's credit."""
    out_of_band: Money | None = None
    """Given back in another way."""
    reduced_due: Money | None = None
    """Taken off what was still to pay of the invoice."""
    has_more_lines: bool = False

    @property
    def discounted(self) -> Money:
        return Money(sum(each.amount.amount for each in self.discounts), self.total.currency)

    @property
    def taxed(self) -> Money:
        return Money(sum(each.amount.amount for each in self.taxes), self.total.currency)

    @property
    def gap(self) -> str:
        """Why no document is made of it: `lines`, `subtotal` or `total`; empty where its parts make its total."""
        if self.has_more_lines:
            return "lines"
        if self.lines and sum(each.amount.amount for each in self.lines) != self.subtotal.amount:
            return "subtotal"
        added = sum(each.amount.amount for each in self.taxes if not each.inclusive)
        return "" if self.subtotal.amount - self.discounted.amount + added == self.total.amount else "total"


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
    credit_notes: tuple[CreditNote, ...] = ()
    """Those that are known one by one, oldest first."""
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
    starting_balance: Money | None = None
    """The customer's balance before it: a credit is negative. None: it was zero, or nothing says."""
    ending_balance: Money | None = None
    """And after it."""
    ship_to_name: str = ""
    ship_to: Address = Address()
    """Where the goods go, where that is known."""
    custom_fields: tuple[CustomField, ...] = ()
    footer: str = ""
    """The text below everything else; empty: the brand's."""
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
        """Whether its parts make its sums."""
        return not self.gap

    @property
    def gap(self) -> str:
        """Why no document is made of it: the first of its sums that its parts do not make; empty where they do.

        `lines`: some are not known; `subtotal`: the lines make another; `total`: subtotal, discounts, credits, shipping and
        taxes make another; `due`: total, balance, payments and credit notes leave something else to pay.
        """
        if self.has_more_lines:
            return "lines"
        if sum(each.amount.amount for each in self.lines) != self.subtotal.amount:
            return "subtotal"
        taken = self.discounted.amount + (self.credit_grants.amount if self.credit_grants else 0)
        added = sum(each.amount.amount for each in self.taxes if not each.inclusive)
        added += self.shipping.amount if self.shipping else 0
        if self.subtotal.amount - taken + added != self.total.amount:
            return "total"
        return "" if self.status != "open" or self._leaves_its_due() else "due"

    def _leaves_its_due(self) -> bool:
        """A credit note takes something off what is due, or is given back: nothing says how much of each."""
        applied = self.balance_applied.amount if self.balance_applied else 0
        left = max(self.total.amount + applied, 0) - self.amount_paid.amount
        return left - (self.credited.amount if self.credited else 0) <= self.amount_due.amount <= left

    def taxable(self, tax: InvoiceTax) -> Money | None:
        """What one of its taxes is a tax on; None where neither the tax nor the lines say."""
        if tax.taxable:
            return tax.taxable
        of_lines = sum(each.discount.amount for each in self.lines if each.discount)
        taken = self.discounted.amount + (self.credit_grants.amount if self.credit_grants else 0)
        same = [each for each in self.taxes if _rate(each) == _rate(tax)]
        lines = [each for each in self.lines if any(_rate(its) == _rate(tax) for its in each.taxes)]
        found = [its for each in lines for its in each.taxes if _rate(its) == _rate(tax)]
        # Two taxes of one rate, such as two of 5 %: each line has to carry both.
        is_whole = sum(each.amount.amount for each in found) == sum(each.amount.amount for each in same)
        if of_lines != taken or not found or not is_whole or len(found) != len(lines) * len(same):
            return None
        inside = sum(its.amount.amount for each in lines for its in each.taxes if its.inclusive)
        off = sum(each.discount.amount for each in lines if each.discount)
        return Money(sum(each.amount.amount for each in lines) - off - inside, self.currency)


def _rate(tax: InvoiceTax | LineTax) -> tuple[str, bool]:
    return tax.percentage, tax.inclusive


def with_taxable(invoice: Invoice) -> Invoice:
    """The same, each tax with what it is a tax on, as far as anything says."""
    return replace(invoice, taxes=tuple(replace(each, taxable=invoice.taxable(each)) for each in invoice.taxes))
