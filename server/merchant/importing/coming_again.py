"""An invoice that comes again, beside what the ledger knows of it by now. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from server.billing.model.account import Invoice


def as_owed(invoice: Invoice, before: Invoice) -> Invoice:
    """With the tries that were made here, and what a credit took off it."""
    known = {each.id for each in invoice.payments}
    tries = (each for each in before.payments if each.id not in known and each.status != "paid")
    invoice = replace(invoice, payments=(*invoice.payments, *tries))
    if before.amount_due.amount >= invoice.amount_due.amount:
        return invoice
    return replace(
        invoice,
        amount_due=before.amount_due,
        balance_applied=before.balance_applied,
        starting_balance=before.starting_balance,
    )


def as_refunded(invoice: Invoice, before: Invoice | None) -> Invoice:
    """With what an earlier import knew to be given back of its payments, or with the payments where it names none."""
    if before and not invoice.payments:
        return replace(invoice, payments=before.payments)
    known = {each.id: each.refunded for each in before.payments} if before else {}
    payments = (replace(each, refunded=each.refunded or known.get(each.id)) for each in invoice.payments)
    return replace(invoice, payments=tuple(payments))
