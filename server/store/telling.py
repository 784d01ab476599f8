"""How an event is put where a worker finds it for a merchant's endpoints: in the transaction of what it tells of, so that
there is no event of what did not happen, and nothing happens without its event. What becomes of it: `server.events`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from server.store import Transaction, micros, new_id

VERSION = "2026-10-28.endive"
"""Of Stripe's API, whose shapes events and answers have."""
_ADD = """
INSERT INTO event (id, brand, endpoint, customer_id, position, type, document, created_at, not_before, attempts, state)
VALUES (:id, :brand, :endpoint, :customer,
        (SELECT COALESCE(MAX(position), 0) + 1 FROM event WHERE brand = :brand AND customer_id = :customer),
        :type, :document, :now, :now, 0, 'waiting')"""


class Told(msgspec.Struct, frozen=True):
    """One event: its Stripe type, the object as it is, and what of it was different before."""

    type: str
    object: dict[str, Any]
    previous: dict[str, Any] | None = None


class Listeners(msgspec.Struct, frozen=True):
    """Who hears of what happens at a brand."""

    brand: str = ""
    types_by_url: dict[str, tuple[str, ...]] = {}
    is_live: bool = False

    def __bool__(self) -> bool:
        return bool(self.types_by_url)


NOBODY = Listeners()


def tell(
    transaction: Transaction, listeners: Listeners, customer_id: str, events: Iterable[Told], now: datetime
) -> None:
    """Enqueue them for every endpoint that hears of their type, in this order."""
    for each in events:
        urls = [url for url, types in listeners.types_by_url.items() if each.type in types]
        if not urls:
            continue
        id_, changed = (
            f"evt_{new_id(now)}",
            {} if each.previous is None else {"previous_attributes": each.previous},
        )
        document = {
            "id": id_,
            "object": "event",
            "account": None,
            "api_version": VERSION,
            "created": int(now.timestamp()),
            "data": {"object": each.object, **changed},
            "livemode": listeners.is_live,
            "pending_webhooks": len(urls),
            "request": {"id": None, "idempotency_key": None},
            "type": each.type,
        }
        row = {"id": id_, "brand": listeners.brand, "customer": customer_id, "type": each.type, "now": micros(now)}
        row["document"] = msgspec.json.encode(document)
        for url in urls:
            transaction.count(_ADD, {**row, "endpoint": url})
