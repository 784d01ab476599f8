"""Which reminders a customer does not want: a row for each kind that is switched off, none for those that are mailed.

Only reminders can be switched off (`server.brands.mail_switches`). The worker asks here once it has taken a mail out of the
outbox, so a choice counts for every mail that is not on its way yet.
"""

from __future__ import annotations

from datetime import datetime

from server.store import Store, Transaction, activities, micros, moment

_OFF = """
INSERT INTO mail_choice (brand, customer_id, kind, off_at)
SELECT brand, id, :kind, :now FROM customer WHERE brand = :brand AND id = :customer
ON CONFLICT DO NOTHING"""
_ON = "DELETE FROM mail_choice WHERE brand = :brand AND customer_id = :customer AND kind = :kind"
_ALL = "SELECT kind, off_at FROM mail_choice WHERE brand = :brand AND customer_id = :customer ORDER BY kind"
_IS_OFF = "SELECT 1 FROM mail_choice WHERE brand = :brand AND customer_id = :customer AND kind = :kind"


async def switched_off(store: Store, brand: str, customer_id: str) -> dict[str, datetime]:
    """The kinds that the customer does not want, each with since when."""
    rows = await store.read(_ALL, {"brand": brand, "customer": customer_id})
    return {kind: moment(off_at) for kind, off_at in rows}


async def is_off(store: Store, brand: str, customer_id: str, kind: str) -> bool:
    return bool(await store.read(_IS_OFF, {"brand": brand, "customer": customer_id, "kind": kind}))


def choose(
    transaction: Transaction, brand: str, customer_id: str, kind: str, *, wanted: bool, now: datetime, browser: str
) -> bool:
    """Switch one kind on or off and note it in the customer's history; False: so it was before, or there is no such
    customer. `browser`: the one that asked; empty for the link in a mail."""
    whose = {"brand": brand, "customer": customer_id, "kind": kind}
    if transaction.count(_ON, whose) if wanted else transaction.count(_OFF, {**whose, "now": micros(now)}):
        done = "reminder.on" if wanted else "reminder.off"
        activities.note(transaction, brand, customer_id, done, now=now, browser=browser, data={"fields": kind})
        return True
    return False
