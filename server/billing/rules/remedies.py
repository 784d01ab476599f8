"""The way out of each state that a subscription can be in. Pure.

pay              an open invoice waits, and the portal shows invoices
payment_method   there is nothing to charge, or it does not work: another one
resume           an end is decided and can be taken back
unpause          the customer paused it
restart          it is over and may begin again
contact          only the business can help
"""

from __future__ import annotations

from datetime import datetime

from server.billing.model.account import ALIVE, ENDED, Account, Subscription
from server.billing.rules.canceling import may_resume
from server.billing.rules.methods import method_of
from server.billing.rules.pausing import may_unpause
from server.billing.rules.paying import BEHIND, failure_of, owed
from server.billing.rules.restarting import may_restart
from server.brands.features import Features


def remedies_of(subscription: Subscription, account: Account, features: Features, now: datetime) -> tuple[str, ...]:
    """What a customer can do about the state it is in, the most useful first; nothing where all is well."""
    if subscription.status in ENDED:
        return () if may_restart(account, subscription, features) else ("restart",)
    if subscription.status not in ALIVE:
        return ("contact",)
    found = []
    if may_resume(subscription, features.subscription_cancel, now) is None:
        found.append("resume")
    elif subscription.status in BEHIND:
        may_pay = features.invoice_history.enabled and owed(account, subscription)
        found += ["pay"] if may_pay else ["contact"]
    elif subscription.pause_behavior or subscription.status == "paused":
        found.append("contact" if may_unpause(subscription, features, now) else "unpause")
    if _cannot_pay(subscription, account, now):
        found.append("payment_method")
    return tuple(found)


def _cannot_pay(subscription: Subscription, account: Account, now: datetime) -> bool:
    if subscription.collection_method == "send_invoice":
        return False
    method = method_of(account, subscription)
    return method is None or bool(failure_of(method, now))
