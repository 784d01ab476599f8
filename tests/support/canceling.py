"""Canceling on a ledger as a customer does: with what the page before says at that moment."""

from __future__ import annotations

from datetime import datetime

from server.billing import Account
from server.billing.ledger.changes.canceling import cancellation
from server.billing.ledger.ledger import Ledger


async def cancel(
    ledger: Ledger, customer: str, subscription: str, *, key: str, now: datetime, browser: str = "", token: str = ""
) -> Account:
    """The account after it. `token`: of an older page."""
    rule = ledger.features.subscription_cancel
    seen = await ledger.account(customer, now)
    token = token or (cancellation(seen, subscription, rule, now).token if seen.subscription(subscription) else "")
    done = await ledger.cancel(customer, subscription, token=token, key=key, now=now, browser=browser)
    assert done.cancellation is None
    return done.account
