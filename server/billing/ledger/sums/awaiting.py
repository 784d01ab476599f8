"""A change at once whose payment the customer has to confirm with the bank: it waits, all else as it was. Pure.

waiting      its invoice is open, and the subscription remembers what it is to become
came_true    the invoice is paid, with whichever payment method
given_up     the customer takes it back, asks for something else, or nobody paid for it in time: its invoice is void
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from server.billing.ledger.sums.invoicing import voided
from server.billing.ledger.sums.upcoming import settled, with_subscription
from server.billing.model.account import Account, Awaiting, Becoming, Discount, Invoice, Subscription
from server.billing.model.change import Plan

LASTS = timedelta(hours=23)
"""As at Stripe; never beyond the running period."""


def waiting(
    changed: Account, before: Subscription, plan: Plan, invoice: Invoice, discount: Discount | None, *, now: datetime
) -> Account:
    """The account in which the change waits. `changed`: the account after it."""
    after = changed.subscription(before.id) or before
    becomes = Becoming(
        status=after.status,
        items=after.items,
        billing_cycle_anchor_at=after.billing_cycle_anchor_at,
        trial_end_at=after.trial_end_at,
        discounts=after.discounts,
        discount=discount,
    )
    until = min(now + LASTS, before.current_period_end_at)
    waits = Awaiting(plan.price, plan.quantity, invoice.id, until, becomes)
    return settled(with_subscription(changed, replace(before, awaiting=waits)))


def came_true(account: Account, invoice: Invoice) -> Account:
    """The account after the payment of this invoice, with the change that waited for it."""
    found = account.subscription(invoice.subscription)
    waits = found.awaiting if found else None
    if found is None or waits is None or waits.becomes is None or waits.invoice != invoice.id:
        return account
    it = waits.becomes
    changed = replace(
        found,
        status=it.status,
        items=it.items,
        billing_cycle_anchor_at=it.billing_cycle_anchor_at,
        trial_end_at=it.trial_end_at,
        discounts=it.discounts,
        pending=(),
        scheduled=None,
        awaiting=None,
        latest_invoice=invoice.id,
    )
    return settled(with_subscription(account, changed))


def given_up(account: Account, subscription_id: str) -> Account:
    """The account without the change that waits, where there is one; its invoice is void."""
    found = account.subscription(subscription_id)
    if found is None or found.awaiting is None:
        return account
    invoice = next((each for each in account.invoices if each.id == found.awaiting.invoice), None)
    if invoice and invoice.status == "open":
        account = voided(account, invoice)
    return settled(with_subscription(account, replace(found, awaiting=None)))
