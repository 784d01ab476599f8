"""How a mail about a customer is put into the outbox: one row, in the transaction of what it tells of.

So there is never a mail about something that did not happen, nor something that happened without its mail. What becomes
of the row is the worker's business (`server.mail.outbox`), and what it says is decided by its kind (`server.mail.kinds`).
"""

from __future__ import annotations

from datetime import datetime

from server.store import Transaction, micros, new_id

_ENQUEUE = """
INSERT INTO outbox
  (id, brand, kind, address, customer_id, event, later, data, created_at, not_before, expires_at, attempts, state)
VALUES (:id, :brand, :kind, '', :customer, :event, :later, :data, :now, :not_before, :expires_at, 0, 'waiting')
ON CONFLICT (brand, customer_id, event) DO NOTHING"""

TO_ADDRESS = """
INSERT INTO outbox (id, brand, kind, address, data, created_at, not_before, expires_at, attempts, state)
VALUES (:id, :brand, :kind, :address, :data, :now, :not_before, :expires_at, 0, 'waiting')"""
"""For a code, or another mail that goes to an address: only the worker finds out whose it is."""
_TAKE_BACK = """
UPDATE outbox SET state = 'unwanted', detail = 'what it told of is settled', data = NULL
 WHERE brand = :brand AND customer_id = '' AND event = :event AND state = 'waiting'"""


def take_back(transaction: Transaction, *, brand: str, event: str) -> None:
    """What a mail that is about no customer tells of is so no more: where it waits, it is not sent."""
    transaction.count(_TAKE_BACK, {"brand": brand, "event": event})


def enqueue(
    transaction: Transaction,
    *,
    brand: str,
    customer_id: str,
    kind: str,
    data: bytes,
    now: datetime,
    expires_at: datetime,
    event: str | None = None,
    id_: str = "",
    waited_for: bool = False,
    not_before: datetime | None = None,
) -> bool:
    """Enqueue a mail of this kind to the customer's stored address. False: there is one about this event already.

    `event` is unique among the customer's mails; None: nothing like it can happen twice. After `expires_at` the mail is
    not sent any more. `id_` is for data that is sealed with the row's id. `waited_for`: somebody is waiting for it now.
    `not_before`: not sent until then.
    """
    row = {
        "id": id_ or new_id(now),
        "brand": brand,
        "kind": kind,
        "customer": customer_id,
        "event": event,
        "later": int(not waited_for),
        "data": data,
        "now": micros(now),
        "not_before": micros(not_before or now),
        "expires_at": micros(expires_at),
    }
    if event is None:
        transaction.later(_ENQUEUE, row)
        return True
    return transaction.count(_ENQUEUE, row) == 1
