"""Stripe's credit notes -> `CreditNote`. Pure, as `mapping`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from server.billing.model.account import CreditNote, InvoiceDiscount, InvoiceLine
from server.billing.stripe import wire_invoices as shapes
from server.billing.stripe.mapping_invoices import invoice_taxes
from server.billing.stripe.reading import Known, at, ident, money, read
from server.formats.money import Money


def credit_note(raw: Any, known: Known) -> tuple[str, CreditNote]:
    """A credit note, and the id of its invoice."""
    found = read(shapes.CreditNote, raw)
    if found.total_taxes is None and found.total_tax_amounts is None:
        found = replace(found, total_tax_amounts=found.tax_amounts)

    def amount(minor: int | None) -> Money | None:
        return money(minor, found.currency) if minor else None

    refunded = sum(each.amount_refunded or 0 for each in found.refunds or ())
    given = found.post_payment_amount
    if given is None:
        given = 0 if found.type == "pre_payment" else found.total
    if not refunded and found.refund:
        refunded = given - (found.out_of_band_amount or 0)
    off = sum(each.amount for each in found.discount_amounts or ())
    before = found.pre_payment_amount
    if before is None and found.type == "pre_payment":
        before = found.total
    return ident(found.invoice, "$.invoice"), CreditNote(
        id=found.id,
        number=found.number or "",
        status=found.status or "issued",
        created_at=at(found.effective_at or found.created),
        subtotal=money(found.total if found.subtotal is None else found.subtotal, found.currency),
        total=money(found.total, found.currency),
        lines=tuple(_line(each, found.currency) for each in found.lines.data),
        taxes=invoice_taxes(found, known),
        discounts=(InvoiceDiscount("", money(off, found.currency)),) if off else (),
        reason=found.reason or "",
        memo=found.memo or "",
        refunded=amount(refunded),
        to_balance=amount(max(given - refunded - (found.out_of_band_amount or 0), 0)),
        out_of_band=amount(found.out_of_band_amount),
        reduced_due=amount(before),
        has_more_lines=found.lines.has_more,
    )


def _line(found: shapes.CreditNoteLine, currency: str) -> InvoiceLine:
    return InvoiceLine(
        id=found.id,
        description=found.description or "",
        amount=money(found.amount, currency),
        quantity=found.quantity,
        unit_amount=found.unit_amount_decimal or "",
    )
