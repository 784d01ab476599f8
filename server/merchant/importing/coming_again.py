"""A record that comes again, beside what the ledger knows of it by now. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from server.billing.model.account import ENDED, Account, Invoice, Subscription

_OF_CUSTOMER = ("email", "address", "tax_ids", "default_payment_method")


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


def stays_ended(before: Subscription, found: Subscription) -> bool:
    """Whether it was canceled here: nothing comes back from that, unless a period began elsewhere since."""
    if before.status != "canceled" or before.ended_at is None or found.status in ENDED:
        return False
    return all(each.current_period_start_at < before.ended_at for each in found.items)


def replaced(kind: str, identity: str, before: Account, after: Account) -> Iterator[str]:
    """The fields of a record that say something else than the ledger did, which may have changed since."""
    if kind == "customer":
        yield from (each for each in _OF_CUSTOMER if getattr(before.customer, each) != getattr(after.customer, each))
        if before.balance != after.balance:
            yield "balance"
    was, now = before.subscription(identity), after.subscription(identity)
    if kind != "subscription" or was is None or now is None or now.status in ENDED:
        return
    if _plan(was) != _plan(now) or was.scheduled or was.awaiting:
        yield "items"
    if was.cancel_at and was.cancel_at != now.cancel_at:
        yield "cancel_at"
    if was.paused_at and not now.pause_behavior:
        yield "pause_collection"
    if {each.id for each in was.discounts} - {each.id for each in now.discounts}:
        yield "discounts"
    if was.default_payment_method and was.default_payment_method != now.default_payment_method:
        yield "default_payment_method"


def _plan(subscription: Subscription) -> list[tuple[str, int]]:
    return sorted((each.price.id, each.quantity) for each in subscription.items)
