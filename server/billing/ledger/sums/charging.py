"""An invoice that a customer's change makes at once: as a page shows it, and why it would not be paid. Pure.

payment_method_missing       there is nothing to charge
payment_needs_confirmation   the bank asks the customer first, which cannot be done here
payment_failed               with the decline code
"""

from __future__ import annotations

from server.billing.model.account import Invoice, PaymentMethod
from server.billing.model.change import Charge
from server.billing.model.errors import Refusal


def charge_of(invoice: Invoice) -> Charge:
    return Charge(
        lines=invoice.lines,
        discounts=invoice.discounts,
        taxes=invoice.taxes,
        subtotal=invoice.subtotal,
        total=invoice.total,
        due=invoice.amount_paid + invoice.amount_due,
        balance_applied=invoice.balance_applied,
    )


def why_unpaid(invoice: Invoice | None) -> Refusal | None:
    """Why the payment of this invoice did not work; None: it is paid, or there is none."""
    if invoice is None or invoice.status != "open":
        return None
    if not invoice.payments:
        return Refusal("payment_method_missing")
    failure = invoice.payments[-1].failure
    if failure == "authentication_required":
        return Refusal("payment_needs_confirmation", failure)
    return Refusal("payment_failed", failure)


def seen_of(charge: Charge | None, method: PaymentMethod | None) -> tuple[object, ...]:
    """What a page shows of a charge and of what it is taken from, without the moments in it. None: nothing is charged."""
    if charge is None:
        return ()
    lines, taxes = [each.amount for each in charge.lines], [each.amount for each in charge.taxes]
    off = [each.amount for each in charge.discounts]
    return charge.due, charge.balance_applied, lines, off, taxes, method.id if method else ""
