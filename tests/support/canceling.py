"""Canceling on a ledger as a customer does: with what the page before says at that moment."""

from __future__ import annotations

from datetime import datetime

from server.billing import Account, Cancel, Done, NotFound, Refusal
from tests.support.pages import LedgerOf


async def cancel(
    ledger: LedgerOf, customer: str, subscription: str, *, key: str, now: datetime, browser: str = "", token: str = ""
) -> Account:
    """The account after it. `token`: of an older page."""
    by = ledger.by(customer, key=key, now=now, browser=browser)
    if not token:
        try:
            shown = await ledger.preview(by, subscription, Cancel())
        except NotFound:
            shown = Refusal("not_found")
        token = "" if isinstance(shown, Refusal) else shown.fingerprint
    done = await ledger.apply(by, subscription, Cancel(), shown=token)
    assert isinstance(done, Done)
    return done.account
