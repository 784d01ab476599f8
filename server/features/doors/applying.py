"""What a proved cancellation does by itself: it ends the one subscription of the one customer who has the address, as the brand's
configuration has it for customers who are logged in. Everything else is the merchant's to decide:

- a cancellation for cause, or one for a certain day
- an address of several customers, of none, or of one who may not log in
- a customer with several subscriptions, or none that is alive
- a brand whose customers may not cancel by themselves, and a subscription that they may not
- a withdrawal: what is paid goes back then, which nobody does by themselves here
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from server.access import directory
from server.access.declarations import Case
from server.billing import By, Cancel, Cancellation, NotFound, Refused
from server.billing.model.account import ALIVE, ENDED, Account, Subscription
from server.billing.model.names import name_of
from server.features.doors.views import Prove
from server.portal import Portal


class Ending(msgspec.Struct, frozen=True):
    subscription: str
    ends_at: datetime | None


async def apply(portal: Portal, case: Case, browser: str, now: datetime) -> Ending | None:
    """What it ended, or None: the merchant decides. Twice is the same as once. Raises `Unavailable` and `Uncertain`."""
    said = case.said
    if said.kind != "cancel" or said.how != "ordinary" or said.on is not None:
        return None
    owners = await directory.openable(portal.store, portal.name, said.email)
    if len(owners) != 1:
        return None
    by = By(owners[0].id, portal.brand.config.features, now, key=case.id, browser=browser)
    try:
        return await _ended(portal, by)
    except (NotFound, Refused):
        return None


async def _ended(portal: Portal, by: By) -> Ending | None:
    account = await portal.billing.account(by.customer_id, by.now)
    found = _only(account)
    if found is None or found.cancel_at:
        return Ending(found.id, found.cancel_at) if found else None
    before = await portal.billing.preview(by, found.id, Cancel())
    if not isinstance(before, Cancellation):
        return None
    after = (await portal.billing.apply(by, found.id, Cancel(), shown=before.fingerprint)).account
    ended = after.subscription(found.id)
    if ended is None or not (ended.cancel_at or ended.status in ENDED):
        return None
    return Ending(ended.id, ended.cancel_at or ended.ended_at or by.now)


def _only(account: Account) -> Subscription | None:
    alive = [each for each in account.subscriptions if each.status in ALIVE]
    return alive[0] if len(alive) == 1 else None


async def told(portal: Portal, case: Case, view: Prove) -> Prove:
    """With the name of what ended: whoever sees it has proved the address."""
    owners = await directory.openable(portal.store, portal.name, case.said.email)
    accounts = [each.account for each in owners if each.account]
    found = next((it for each in accounts if (it := each.subscription(case.subscription))), None)
    is_over = case.ends_at is not None and case.ends_at <= portal.clock()
    return replace(view, subscription=name_of(found) if found else "", ends_at=case.ends_at, is_over=is_over)
