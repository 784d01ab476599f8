"""What the history says of a change, and which discounts it took or gave back: read off the account before and after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.billing.model.account import ENDED, Account, Customer, Discount, Invoice, Payment, Subscription
from server.billing.model.change import CONTACT
from server.billing.model.port import Activity


def of_change(before: Account, after: Account, action: str, subject: str) -> tuple[str, dict[str, str]]:
    """The kind of the activity and its data, for what a customer did to `subject`: a subscription, a method, a tax
    number, or nothing but the details."""
    if action.startswith("customer."):
        return action, _details(before.customer, after.customer, subject)
    if action.startswith("payment_method."):
        return action, _method(before, after, subject)
    if action.startswith("invoice."):
        return action, _paid(after, subject)
    old, new = before.subscription(subject), after.subscription(subject)
    data: dict[str, str] = {}
    if old is None or new is None:
        return action, data
    if action == "subscription.changed":
        later = new.scheduled is not None and new.scheduled != old.scheduled
        kind = "subscription.change_scheduled" if later else action
        return "subscription.change_awaits" if new.awaiting else kind, _plans(old, new)
    if action == "subscription.feedback":
        data = {"reason": new.feedback, "comment": new.comment}
    elif action == "subscription.restarted":
        data = {"subscription": new.restarted_as}
    elif action == "subscription.paused" and new.pause_resumes_at:
        data = {"resumes_at": new.pause_resumes_at.isoformat()}
    return action, data


def _method(before: Account, after: Account, method_id: str) -> dict[str, str]:
    """Which one, in the words that its page uses: never more of a number than its last four digits."""
    method = after.payment_method(method_id) or before.payment_method(method_id)
    if method is None:
        return {}
    default = after.customer.default_payment_method
    data = {"method_kind": method.kind, "method_brand": method.brand, "last4": method.last4}
    if default != before.customer.default_payment_method:
        data["default"] = default
    gone = [
        each.id for each in before.payment_methods if after.payment_method(each.id) is None and each.id != method_id
    ]
    return {**data, "replaced": gone[0]} if gone else data


def _details(old: Customer, new: Customer, subject: str) -> dict[str, str]:
    """Which details changed, never what they are: the history is shown to anybody who logs in later."""
    known = {each.id: each.kind for each in (*old.tax_ids, *new.tax_ids)}
    added = [each for each in new.tax_ids if each not in old.tax_ids]
    if subject or added:
        return {"type": known.get(subject or added[0].id, "")}
    changed = {
        **{name: getattr(old, name) != getattr(new, name) for name in CONTACT},
        "address": old.address != new.address,
        "shipping": (old.shipping_name, old.shipping_phone, old.shipping)
        != (new.shipping_name, new.shipping_phone, new.shipping),
    }
    return {"fields": " ".join(name for name, has_changed in changed.items() if has_changed)}


def _plans(old: Subscription, new: Subscription) -> dict[str, str]:
    was, item = old.items[0], new.items[0]
    coming = new.scheduled if new.scheduled != old.scheduled else None
    plan = coming or new.awaiting
    price, quantity = (plan.price, plan.quantity) if plan else (item.price, item.quantity)
    data = {
        "before": was.price.product_name,
        "after": price.product_name,
        "price_before": was.price.id,
        "price_after": price.id,
        "quantity_before": str(was.quantity),
        "quantity_after": str(quantity),
    }
    return {**data, "at": coming.at.isoformat()} if coming else data


def of_payment(invoice: Invoice, payment: Payment) -> dict[str, str]:
    """What is told of a try to pay."""
    found = {
        "payment": payment.id,
        "number": invoice.number,
        "amount": str(payment.amount.amount),
        "currency": payment.amount.currency,
        "method": payment.method,
        "failure": payment.failure,
        "subscription": invoice.subscription,
    }
    return {name: text for name, text in found.items() if text}


def _paid(after: Account, invoice_id: str) -> dict[str, str]:
    found = next((each for each in after.invoices if each.id == invoice_id), None)
    return of_payment(found, found.payments[-1]) if found and found.payments else {}


def by_itself(before: Account, after: Account, made: Sequence[Invoice] = ()) -> list[Activity]:
    """The lines for what nobody did, oldest first: subscriptions that ended, changes that took effect or were paid for,
    charges that failed, and those that worked at a later try, what an office said of a tax number. `made`: the invoices
    that changed, as it happened."""
    lines = [*_charges(before, made), *_verified(before.customer, after), *paid_for(before, after, after.as_of)]
    for old in before.subscriptions:
        new = after.subscription(old.id)
        if new is None or old.status in ENDED:
            continue
        if old.scheduled and new.scheduled is None and new.items[0].price == old.scheduled.price:
            lines.append(Activity(old.scheduled.at, "subscription.change_applied", new.id, _plans(old, new), ""))
        if new.status in ENDED and new.ended_at:
            lines.append(Activity(new.ended_at, "subscription.ended", new.id, {}, ""))
    return sorted(lines, key=lambda each: each.at)


def paid_for(before: Account, after: Account, at: datetime, browser: str = "") -> list[Activity]:
    """The lines for the changes that waited for their payment and were made."""
    return [
        Activity(at, "subscription.changed", old.id, _plans(old, new), browser)
        for old in before.subscriptions
        if old.status not in ENDED and (new := after.subscription(old.id)) and was_paid_for(old, new)
    ]


def was_paid_for(old: Subscription, new: Subscription) -> bool:
    """Whether the change that waited for its payment was made."""
    it, item = old.awaiting, new.items[0]
    return it is not None and new.awaiting is None and (item.price.id, item.quantity) == (it.price.id, it.quantity)


def stopped(before: Account, after: Account, at: datetime) -> list[Activity]:
    """The lines for the subscriptions that are billed no more since they were not paid."""
    return [
        Activity(at, "subscription.unpaid", old.id, {}, "")
        for old in before.subscriptions
        if old.status == "past_due" and (new := after.subscription(old.id)) and new.status == "unpaid"
    ]


def _charges(before: Account, made: Sequence[Invoice]) -> list[Activity]:
    """A charge that works at once leaves no line: the invoice says it."""
    old = {each.id for each in before.invoices}
    known = {(payment.id, payment.status) for each in before.invoices for payment in each.payments}
    lines = []
    for invoice in made:
        for number, payment in enumerate(invoice.payments):
            if (payment.id, payment.status) in known:
                continue
            known.add((payment.id, payment.status))
            kind = "invoice.charge_paid" if payment.status == "paid" else "invoice.charge_failed"
            if number or invoice.id in old or payment.status != "paid":
                lines.append(Activity(payment.at, kind, invoice.id, of_payment(invoice, payment), ""))
    return lines


def _verified(old: Customer, after: Account) -> list[Activity]:
    asked = {each.id for each in old.tax_ids if each.verification == "pending"}
    return [
        Activity(after.as_of, f"customer.tax_id_{each.verification}", each.id, {"type": each.kind}, "")
        for each in after.customer.tax_ids
        if each.id in asked and each.verification in ("verified", "unverified")
    ]


def discounts(before: Account, after: Account, subject: str) -> tuple[list[Discount], list[Discount]]:
    """The discounts that a customer's change brought, and those that were to come and are given up."""
    old, new = before.subscription(subject), after.subscription(subject)
    if old is None or new is None:
        return [], []
    had, coming = {each.id for each in old.discounts}, old.scheduled.discount if old.scheduled else None
    kept = new.scheduled.discount if new.scheduled else None
    freed = [coming] if coming and kept != coming else []
    return [each for each in new.discounts if each.id not in had], [*freed, *unused(old, new)]


def unused(old: Subscription, new: Subscription) -> list[Discount]:
    """The discount of a change that waited for its payment and was given up."""
    becomes = old.awaiting.becomes if old.awaiting else None
    gone = new.awaiting is None and not was_paid_for(old, new)
    return [becomes.discount] if becomes and becomes.discount and gone else []
