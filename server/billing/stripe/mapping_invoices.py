"""Stripe's invoices -> `Invoice`. Pure, as `mapping`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from server.billing.model.account import (
    PAYABLE,
    BuyerTaxId,
    Invoice,
    InvoiceDiscount,
    InvoiceLine,
    InvoiceTax,
    LineTax,
    Payment,
    TaxRate,
)
from server.billing.stripe import mapping_catalog, wire
from server.billing.stripe import wire_invoices as shapes
from server.billing.stripe.legacy import todays_invoice
from server.billing.stripe.reading import (
    Known,
    MappingError,
    address,
    at,
    custom_fields,
    exemption,
    ident,
    maybe_at,
    money,
    owner,
    read,
)
from server.formats.money import Money


def invoice(raw: Any, known: Known) -> tuple[str, Invoice]:
    """An invoice, and whose it is. A draft has the status `draft`: it must not be shown."""
    found = read(shapes.Invoice, todays_invoice(raw))
    status = found.status or "draft"
    moved = found.status_transitions or shapes.Transitions()
    remaining = found.amount_due - found.amount_paid if found.amount_remaining is None else found.amount_remaining
    credited = (found.pre_payment_credit_notes_amount or 0) + (found.post_payment_credit_notes_amount or 0)
    applied = (found.starting_balance or 0) - (found.ending_balance or 0) if found.ending_balance is not None else 0
    whole = _Whole(found, known)
    mapped = Invoice(
        id=found.id,
        number=found.number or "",
        status=status,
        currency=found.currency.upper(),
        # `created` is when the draft was begun; without its own date an invoice has that of its finalizing.
        created_at=at(found.effective_at or moved.finalized_at or found.created),
        subtotal=whole.money(found.subtotal),
        total=whole.money(found.total),
        amount_paid=whole.money(found.amount_paid),
        amount_due=whole.money(remaining if status in PAYABLE else 0),
        lines=tuple(whole.line(each, index) for index, each in enumerate(found.lines.data)),
        subscription=_subscription(found),
        due_at=maybe_at(found.due_date),
        paid_at=maybe_at(moved.paid_at),
        period_start_at=maybe_at(found.period_start),
        period_end_at=maybe_at(found.period_end),
        taxes=invoice_taxes(found, known),
        discounts=whole.discounts(),
        payments=whole.payments(),
        credited=whole.money(credited) if credited else None,
        billing_reason=found.billing_reason or "",
        memo=found.description or "",
        next_attempt_at=maybe_at(found.next_payment_attempt),
        balance_applied=whole.money(applied) if applied else None,
        starting_balance=whole.money(found.starting_balance) if found.starting_balance else None,
        ending_balance=whole.money(found.ending_balance) if found.ending_balance else None,
        has_more_lines=found.lines.has_more,
        hosted=bool(found.hosted_invoice_url),
        credit_grants=whole.credit_grants(),
    )
    return owner(found.customer, found.customer_account), whole.in_parts(_made_out_to(found, mapped))


def _made_out_to(found: shapes.Invoice, mapped: Invoice) -> Invoice:
    """With the customer as the document has it."""
    ship_to = found.customer_shipping or found.shipping_details or shapes.ShipTo()
    return replace(
        mapped,
        customer_name=found.customer_name or "",
        customer_email=found.customer_email or "",
        customer_address=address(found.customer_address),
        customer_tax_ids=tuple(BuyerTaxId(each.type, each.value or "") for each in found.customer_tax_ids or ()),
        customer_tax_exempt=exemption(found.customer_tax_exempt),
        ship_to_name=ship_to.name or "",
        ship_to=address(ship_to.address),
        custom_fields=custom_fields(found.custom_fields),
        footer=found.footer or "",
    )


def _subscription(found: shapes.Invoice) -> str:
    details = found.parent.subscription_details if found.parent else None
    if details and details.subscription:
        return ident(details.subscription, "$.parent.subscription_details.subscription")
    return ident(found.subscription, "$.subscription")


def _line(found: shapes.Line, index: int) -> InvoiceLine:
    path = f"$.lines.data[{index}]"
    parent = found.parent or shapes.Parent()
    part = parent.subscription_item_details or parent.invoice_item_details or shapes.SubscriptionItemDetails()
    pricing = found.pricing or shapes.Pricing()
    price = pricing.price_details.price if pricing.price_details else None
    if price is None:
        price = found.price
    return InvoiceLine(
        id=found.id,
        description=found.description or "",
        amount=money(found.amount, found.currency),
        quantity=found.quantity,
        unit_amount=pricing.unit_amount_decimal or "",
        period_start_at=at(found.period.start) if found.period else None,
        period_end_at=at(found.period.end) if found.period else None,
        proration=found.proration or bool(part.proration),
        price=ident(price, f"{path}.pricing.price_details.price"),
        subscription=part.subscription or ident(found.subscription, f"{path}.subscription"),
    )


class _Whole:
    """The parts of one invoice that need its currency or what is known."""

    def __init__(self, found: shapes.Invoice, known: Known) -> None:
        self.found, self.known = found, known

    def money(self, amount: int) -> Money:
        return money(amount, self.found.currency)

    def line(self, found: shapes.Line, index: int) -> InvoiceLine:
        """With its discounts and taxes, where Stripe sends them with the line."""
        path = f"$.lines.data[{index}]"
        if found.currency.upper() != self.found.currency.upper():
            problem = f"is in {found.currency.upper()}, the invoice in {self.found.currency.upper()}"
            raise MappingError(problem, f"{path}.currency")
        name = "taxes" if found.taxes is not None else "tax_amounts"
        entries = found.taxes if found.taxes is not None else found.tax_amounts or ()
        less = found.discount_amounts if found.pretax_credit_amounts is None else found.pretax_credit_amounts
        off = sum(each.amount for each in less or ())
        return replace(
            _line(found, index),
            discount=self.money(off) if off else None,
            taxes=tuple(self._line_tax(each, f"{path}.{name}[{place}]") for place, each in enumerate(entries)),
        )

    def _line_tax(self, tax: shapes.Tax, path: str) -> LineTax:
        rate = _rate(tax, path, self.known)
        return LineTax(
            amount=self.money(tax.amount),
            percentage=rate.percentage if rate else "",
            inclusive=_is_inclusive(tax),
            reason=tax.taxability_reason or "",
        )

    def discounts(self) -> tuple[InvoiceDiscount, ...]:
        return tuple(
            InvoiceDiscount(label=self._discount_label(each.discount), amount=self.money(each.amount))
            for each in self.found.total_discount_amounts or ()
        )

    def _discount_label(self, ref: wire.Ref) -> str:
        """The coupon's name where it can be found: an old invoice may name a discount that is gone."""
        beside = (each for each in self.found.discounts or () if isinstance(each, dict) and each.get("id") == ref)
        try:
            taken = mapping_catalog.discount(next(beside, ref), self.known)
        except MappingError:
            return ""
        return taken.coupon.name or taken.promotion_code or taken.coupon.id

    def credit_grants(self) -> Money | None:
        """Billing credits; discounts stand among the same amounts and are listed by themselves."""
        entries = self.found.total_pretax_credit_amounts or ()
        off = sum(each.amount for each in entries if each.type == "credit_balance_transaction")
        return self.money(off) if off else None

    def in_parts(self, mapped: Invoice) -> Invoice:
        """With the parts that make its total, where any do: the tax of a delivery stands among the invoice's taxes or in
        the delivery, and a subtotal may be after the discounts of single items."""
        cost = self.found.shipping_cost
        amounts = (cost.amount_subtotal, cost.amount_total) if cost else (self.found.amount_shipping or 0,)
        found = [replace(mapped, shipping=self.money(amount)) for amount in dict.fromkeys(amounts) if amount] or [
            mapped
        ]
        # Stripe's subtotal has the discounts of single items taken off, which are among the invoice's discounts, too.
        lines = self.money(sum(each.amount.amount for each in mapped.lines))
        found += [replace(each, subtotal=lines) for each in found]
        return next((each for each in found if each.adds_up), found[0])

    def payments(self) -> tuple[Payment, ...]:
        found = self.found.payments.data if self.found.payments else ()
        return tuple(self._payment(each, f"$.payments.data[{index}]") for index, each in enumerate(found))

    def _payment(self, found: shapes.InvoicePayment, path: str) -> Payment:
        moved = found.status_transitions or shapes.PaymentTransitions()
        paid_by = found.payment or shapes.PaidBy()
        intent = paid_by.payment_intent if isinstance(paid_by.payment_intent, dict) else {}
        failure = _failure(intent)
        charge = _part(intent, "latest_charge") or (paid_by.charge if isinstance(paid_by.charge, dict) else {})
        refunded = charge.get("amount_refunded") or 0
        if type(refunded) is not int or not 0 <= refunded <= wire.MOST:
            raise MappingError(f"expected what its charge gave back, got amount_refunded {str(refunded)[:40]!r}", path)
        waits = intent.get("status") == "requires_action"
        failed = found.status == "open" and failure and not waits
        charged, chosen = _part(charge, "payment_method_details"), _part(intent, "payment_method")
        amount = found.amount_requested if found.amount_paid is None else found.amount_paid
        return Payment(
            id=found.id,
            status="failed" if failed else found.status,
            amount=self.money(amount if found.status == "paid" else found.amount_requested),
            at=at(moved.paid_at or moved.canceled_at or found.created),
            method=_method(chosen or charged if waits else charged or chosen),
            failure="" if found.status == "paid" else failure,
            refunded=self.money(refunded) if refunded else None,
        )


def invoice_taxes(found: shapes.Invoice | shapes.CreditNote, known: Known) -> tuple[InvoiceTax, ...]:
    """The taxes of the whole document, one entry a rate."""
    entries, path = found.total_taxes, "$.total_taxes"
    if entries is None:
        entries, path = found.total_tax_amounts or (), "$.total_tax_amounts"
    return tuple(_tax(each, f"{path}[{index}]", found.currency, known) for index, each in enumerate(entries))


def _tax(tax: shapes.Tax, path: str, currency: str, known: Known) -> InvoiceTax:
    rate = _rate(tax, path, known)
    return InvoiceTax(
        label=_label(rate) if rate else "",
        amount=money(tax.amount, currency),
        inclusive=_is_inclusive(tax),
        percentage=rate.percentage if rate else "",
        taxable=None if tax.taxable_amount is None else money(tax.taxable_amount, currency),
    )


def _rate(tax: shapes.Tax, path: str, known: Known) -> TaxRate | None:
    """The rate, where the tax names one that is expanded or known. One of a flat amount has no percentage here."""
    ref = (tax.tax_rate_details.tax_rate if tax.tax_rate_details else None) or tax.tax_rate
    if isinstance(ref, dict) and "percentage" in ref:
        rate = mapping_catalog.tax_rate({**ref, "rate_type": None})
        return replace(rate, percentage="") if ref.get("rate_type") == "flat_amount" else rate
    rate_id = ident(ref, path)
    return known.tax_rate(rate_id) if rate_id else None


def _label(rate: TaxRate) -> str:
    percentage = f" {rate.percentage}%" if rate.percentage else ""
    return f"{rate.display_name}{percentage}".strip()


def _is_inclusive(tax: shapes.Tax) -> bool:
    return bool(tax.inclusive) or tax.tax_behavior == "inclusive"


def _part(whole: dict[str, Any], key: str) -> dict[str, Any]:
    """The object under `key` where it is there and expanded; else nothing."""
    part = whole.get(key)
    return part if isinstance(part, dict) else {}


def _failure(intent: dict[str, Any]) -> str:
    error = _part(intent, "last_payment_error")
    for key in ("decline_code", "code"):
        if isinstance(error.get(key), str):
            return str(error[key])
    return "authentication_required" if intent.get("status") == "requires_action" else ""


def _method(details: dict[str, Any]) -> str:
    """In words, such as `visa 4242`."""
    kind = details.get("type")
    part = _part(details, kind) if isinstance(kind, str) and kind else {}
    words = [part.get("brand") or part.get("bank_name") or kind, part.get("last4")]
    return " ".join(word for word in words if isinstance(word, str))
