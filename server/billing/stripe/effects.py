"""Whether what was asked for is so, read off the account: how an operation ends that nobody answered. Pure.

Stripe answers a request that failed with an API error with the same error for a day, also where it took effect. So the
state is read, and where it is what was wanted, the operation is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from server.billing.model.account import ENDED, Account, Subscription
from server.billing.rules.discounts import canonical

Words = Sequence[str]


def is_so(account: Account, kind: str, subject: str, words: Words) -> bool:
    """Whether the account shows the effect of the operation; a kind that leaves no trace is never known."""
    area, _, what = kind.partition(".")
    if area == "subscription":
        found = account.subscription(subject)
        return found is not None and what in _SUBSCRIPTION and _SUBSCRIPTION[what](found, words)
    if kind == "payment_method.removed":
        return account.payment_method(subject) is None
    if kind == "payment_method.default":
        return account.customer.default_payment_method == subject
    if kind == "invoice.paid":
        return any(each.id == subject and each.status == "paid" for each in account.invoices)
    if kind == "customer.email_changed":
        return hashed(account.customer.email) == words[0]
    return kind == "customer.tax_id_removed" and all(each.id != subject for each in account.customer.tax_ids)


def hashed(what: object) -> str:
    """Tells one request from another without keeping what it says."""
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()


def _is_moved(it: Subscription, words: Words) -> bool:
    price, quantity, code = words
    item = it.items[0]
    discounts = [*it.discounts, *([it.scheduled.discount] if it.scheduled and it.scheduled.discount else [])]
    if code and not it.awaiting and all(canonical(each.promotion_code) != canonical(code) for each in discounts):
        return False
    plans = [(item.price.id, item.quantity)]
    plans += [(each.price.id, each.quantity) for each in (it.scheduled, it.awaiting) if each]
    return any(price in ("", id_) and quantity in ("None", str(number)) for id_, number in plans)


_SUBSCRIPTION: dict[str, Callable[[Subscription, Words], bool]] = {
    "canceled": lambda it, _: it.status in ENDED or it.cancel_at is not None,
    "resumed": lambda it, _: it.status not in ENDED and it.cancel_at is None,
    "changed": _is_moved,
    "change_undone": lambda it, _: it.scheduled is None and it.awaiting is None and not it.schedule,
    "paused": lambda it, _: bool(it.pause_behavior),
    "unpaused": lambda it, _: not it.pause_behavior and it.status != "paused",
    "restarted": lambda it, _: bool(it.restarted_as),
    "retained": lambda it, _: bool(it.retained),
    "feedback": lambda it, words: it.feedback == words[0],
    "unpinned": lambda it, _: not it.default_payment_method,
}
