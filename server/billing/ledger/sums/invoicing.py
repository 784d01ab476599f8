"""From a bill to an invoice in the account: number, balance, payment, what becomes of the subscription. Pure.

The ledger has no payment provider. A payment works unless the account says otherwise: no payment method, an expired
card, or the `behavior` that a sandbox payment method carries.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from msgspec.structs import replace

from server.billing.ledger.sums.bills import Bill
from server.billing.model.account import (
    ENDED,
    LATEST_INVOICES,
    MOST_DEBTS,
    Account,
    BuyerTaxId,
    Customer,
    Invoice,
    Payment,
    Subscription,
)
from server.billing.rules.paying import failure_of, is_owed
from server.formats.money import Money

_UNCLAIMED = {"void": "void", "mark_uncollectible": "uncollectible"}
"""What becomes of an invoice while collection is paused, by the behavior of the pause."""


def issue(
    account: Account, subscription: Subscription, bill: Bill, at: datetime, reason: str
) -> tuple[Account, Invoice]:
    """Finalize the bill at `at`: the account with the invoice on top, its balance and its next number.

    A negative total comes off what is still owed of the subscription (`_set_off`), and what is left of it becomes credit
    in the balance. The invoice's id follows from the subscription and the moment. One that nobody is asked for, because
    collection is paused, leaves the balance alone.
    """
    is_asked = subscription.pause_behavior not in _UNCLAIMED
    applied, balance = _from_balance(account.balance, bill.total) if is_asked else (0, account.balance)
    to_pay = max(bill.total.amount + applied, 0)
    customer = account.customer
    starts = [line.period_start_at for line in bill.lines if line.period_start_at]
    ends = [line.period_end_at for line in bill.lines if line.period_end_at]
    invoice = Invoice(
        id=invoice_id(subscription.id, at, reason, customer.next_invoice_sequence),
        number=f"{customer.invoice_prefix or prefix_of(customer)}-{customer.next_invoice_sequence:04d}",
        status="open",
        currency=subscription.currency,
        created_at=at,
        subtotal=bill.subtotal,
        total=bill.total,
        amount_paid=Money(0, subscription.currency),
        amount_due=Money(to_pay, subscription.currency),
        lines=bill.lines,
        subscription=subscription.id,
        period_start_at=min(starts, default=None),
        period_end_at=max(ends, default=None),
        taxes=bill.taxes,
        discounts=bill.discounts,
        billing_reason=reason,
        balance_applied=Money(applied, subscription.currency) if applied else None,
        starting_balance=_of(account.balance, subscription.currency) if is_asked else None,
        ending_balance=_of(balance, subscription.currency) if is_asked else None,
    )
    invoice = _collect(account, subscription, _addressed(invoice, customer), at)
    customer = replace(customer, next_invoice_sequence=customer.next_invoice_sequence + 1)
    account = with_invoices(replace(account, customer=customer, balance=balance), (invoice,))
    return (_set_off(account, invoice, at) if is_asked else account), invoice


def _addressed(invoice: Invoice, customer: Customer) -> Invoice:
    """With what it keeps of the customer, as that is now."""
    return replace(
        invoice,
        customer_name=customer.name,
        customer_email=customer.email,
        customer_address=customer.address,
        customer_tax_ids=tuple(BuyerTaxId(each.kind, each.value) for each in customer.tax_ids),
        customer_tax_exempt=customer.tax_exempt,
        ship_to_name=customer.shipping_name,
        ship_to=customer.shipping,
        custom_fields=customer.invoice_fields,
        footer=customer.invoice_footer,
    )


def _set_off(account: Account, made: Invoice, at: datetime) -> Account:
    """The account in which a credit has paid what is still open of the same subscription, the newest first: nobody gets
    credit for time that they still owe."""
    balance = account.balance
    if made.total.amount >= 0 or balance is None or balance.currency != made.currency or balance.amount >= 0:
        return account
    left = credit = min(-made.total.amount, -balance.amount)
    changed = []
    for each in account.invoices:
        if each.subscription == made.subscription and each.status == "open" and each.currency == made.currency:
            changed.append(_less(each, Money(min(left, each.amount_due.amount), each.currency), at))
            left -= each.amount_due.amount - changed[-1].amount_due.amount
    balance += Money(credit - left, made.currency)
    return with_invoices(replace(account, balance=balance or None), changed)


def came_off(before: Account, after: Account, currency: str) -> Money:
    """How much less is due of the invoices that were there before, of those in that currency."""
    due = {each.id: each.amount_due for each in after.invoices}
    ours = (each for each in before.invoices if each.currency == currency)
    return sum((each.amount_due - due.get(each.id, each.amount_due) for each in ours), Money(0, currency))


def _less(invoice: Invoice, credit: Money, at: datetime) -> Invoice:
    """The open invoice with that much credit in it; what is paid by it is paid."""
    if not credit:
        return invoice
    applied = (invoice.balance_applied or Money(0, invoice.currency)) - credit
    before = (invoice.starting_balance or Money(0, invoice.currency)) - credit
    invoice = replace(invoice, amount_due=invoice.amount_due - credit, balance_applied=applied, starting_balance=before)
    return invoice if invoice.amount_due else replace(invoice, status="paid", paid_at=at, next_attempt_at=None)


def invoice_id(subscription_id: str, at: datetime, reason: str, number: int) -> str:
    """Two at the same moment differ in their number."""
    told = f"{subscription_id} {at.isoformat()} {reason} {number}"
    return "in_" + blake2b(told.encode(), digest_size=12).hexdigest()


def prefix_of(customer: Customer) -> str:
    """Eight letters that stay the same for a customer."""
    return blake2b(customer.id.encode(), digest_size=4).hexdigest().upper()


def with_invoices(account: Account, more: Iterable[Invoice]) -> Account:
    """The account with these among its invoices; the same id again takes the place of the old one."""
    by_id = {each.id: each for each in (*account.invoices, *more)}
    newest = sorted(by_id.values(), key=lambda each: (each.created_at, each.id), reverse=True)
    return replace(account, invoices=tuple(newest))


def as_kept(account: Account) -> Account:
    """The account with the invoices that it keeps. Only once the others are stored: a change may pay or void an old one."""
    newest = account.invoices
    debts = [each for each in newest[LATEST_INVOICES:] if is_owed(each)]
    # Where even those are too many, what was written off goes first.
    kept = {each.id for each in sorted(debts, key=lambda each: each.status != "open")[:MOST_DEBTS]}
    held = (*newest[:LATEST_INVOICES], *(each for each in debts if each.id in kept))
    older = account.has_older_invoices or len(newest) > LATEST_INVOICES
    return replace(account, invoices=held, has_older_invoices=older)


def voided(account: Account, invoice: Invoice) -> Account:
    """The account with this invoice as void; what had come from the balance is there again, debts too."""
    taken, balance = invoice.balance_applied, account.balance
    if taken and (balance is None or balance.currency == taken.currency):
        back = taken + balance if balance else taken
        account = replace(account, balance=back or None)
    void = replace(
        invoice,
        status="void",
        amount_due=Money(0, invoice.currency),
        next_attempt_at=None,
        balance_applied=None,
        starting_balance=None,
        ending_balance=None,
    )
    return with_invoices(account, (void,))


def is_claimed(invoice: Invoice) -> bool:
    """Whether somebody pays it, or is to pay it."""
    return invoice.status not in _UNCLAIMED.values()


def _of(balance: Money | None, currency: str) -> Money | None:
    """The balance, where it counts for invoices in that currency."""
    return balance if balance and balance.currency == currency else None


def _from_balance(balance: Money | None, total: Money) -> tuple[int, Money | None]:
    """What the balance adds to the total (credit: negative), and the balance that is left."""
    if balance is not None and balance.currency != total.currency:
        return 0, balance
    together = total.amount + (balance.amount if balance else 0)
    left = min(together, 0)
    return max(together, 0) - total.amount, Money(left, total.currency) if left else None


def _collect(account: Account, subscription: Subscription, invoice: Invoice, at: datetime) -> Invoice:
    """Ask for the money: a pause asks nobody, nothing to pay is paid, a sent invoice waits, a charge works or fails."""
    due = invoice.amount_due
    if subscription.pause_behavior in _UNCLAIMED:
        return replace(invoice, status=_UNCLAIMED[subscription.pause_behavior], amount_due=Money(0, due.currency))
    if not due:
        return replace(invoice, status="paid", paid_at=at)
    if subscription.collection_method == "send_invoice":
        return replace(invoice, due_at=at + timedelta(days=subscription.days_until_due))
    method = account.payment_method(subscription.default_payment_method or account.customer.default_payment_method)
    if method is None:
        return invoice
    failure = failure_of(method, at)
    payment = Payment(
        id=f"inpay_{invoice.id.removeprefix('in_')}",
        status="failed" if failure else "paid",
        amount=due,
        at=at,
        method=f"{method.brand or method.kind} {method.last4}".strip(),
        failure=failure,
    )
    if failure:
        return replace(invoice, payments=(payment,))
    nothing = Money(0, due.currency)
    return replace(invoice, status="paid", paid_at=at, amount_paid=due, amount_due=nothing, payments=(payment,))


def arranged(subscriptions: Iterable[Subscription]) -> tuple[Subscription, ...]:
    """Newest first; ended ones last."""
    newest = sorted(subscriptions, key=lambda each: (each.created_at, each.id), reverse=True)
    return tuple(sorted(newest, key=lambda each: each.status in ENDED))
