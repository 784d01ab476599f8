"""When an invoice whose charge failed is tried again, and with what. Pure.

The days of the schedule are counted from the invoice's own moment, so nobody counts tries: one that the customer made, or
that another system made before an import, moves no other try.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from server.billing.model.account import Invoice, PaymentMethod
from server.billing.rules.paying import last_try, name_of
from server.brands.dunning import Dunning

REFUSED_FOR_GOOD = frozenset(
    {
        *("authentication_required", "highest_risk_level", "incorrect_number", "invalid_account"),
        *("lost_card", "pickup_card", "revocation_of_all_authorizations", "revocation_of_authorization"),
        *("stolen_card", "transaction_not_allowed"),
    }
)
"""After one of these the same payment method is not tried again by itself: card networks forbid it."""


def next_try(invoice: Invoice, dunning: Dunning, at: datetime, *, tried: bool = False) -> datetime | None:
    """The first try of the schedule after `at`, and at least a day later where it was `tried` then: another system's try
    need not be at the schedule's hour. None: the last one is over."""
    tries = (invoice.created_at + timedelta(days=each) for each in dunning.retry_days)
    earliest = at + timedelta(days=1) if tried else at + timedelta(microseconds=1)
    return next((each for each in tries if each >= earliest), None)


def last_of_all(invoice: Invoice, dunning: Dunning) -> datetime | None:
    """When the last try will be; None: there is none to come."""
    if invoice.next_attempt_at is None or not dunning.retry_days:
        return invoice.next_attempt_at
    return max(invoice.next_attempt_at, invoice.created_at + timedelta(days=dunning.retry_days[-1]))


def may_try(invoice: Invoice, method: PaymentMethod) -> bool:
    """Whether this method may be charged without the customer: not one that was refused for good a moment ago."""
    last = last_try(invoice)
    return last is None or last.failure not in REFUSED_FOR_GOOD or last.method != name_of(method)
