"""Who may log in: the customers that Stripe lists, in the rows that log-in reads.

Stripe compares addresses letter by letter, so the directory keeps its own in canonical form. Whether a customer has an
active subscription comes with the same list.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from msgspec.structs import replace

from server.billing import ACTIVE, Account, NotFound, rows
from server.billing.stripe import mapping
from server.billing.stripe.client import Client, Raw
from server.billing.stripe.reading import MappingError, parts
from server.store import Store, Transaction

EXPAND = "subscriptions"
_log = logging.getLogger(__name__)


class Row:
    """One customer's row, before it is written."""

    def __init__(self, brand: str, raw: Raw) -> None:
        """Raises `MappingError`."""
        customer, _ = mapping.customer(raw)
        owner = raw.get("customer_account") or customer.id
        if not isinstance(owner, str):
            raise MappingError(f"expected an id, got {type(owner).__name__}", "$.customer_account")
        found = rows.customer_values(brand, Account(replace(customer, id=owner), as_of=customer.created_at))
        self.id, self.values = owner, {**found, "active": int(_is_active(raw))}


def _is_active(raw: Raw) -> bool:
    return any(str(each.get("status")) in ACTIVE for each in parts(raw, "subscriptions", "data"))


async def put(store: Store, brand: str, customers: Iterable[Raw]) -> tuple[int, int]:
    """Write the rows of these customers; how many are new or other than they were, and how many could not be read."""
    found, odd = [], 0
    for raw in customers:
        try:
            found.append(Row(brand, raw))
        except MappingError as error:
            odd += 1
            _log.warning("a customer of Stripe's is left out", extra={"id": raw.get("id"), "why": str(error)})

    def work(transaction: Transaction) -> int:
        return sum(rows.put_customer(transaction, each.values) for each in found)

    return await store.write(work), odd


async def current(client: Client, customer_id: str) -> Raw:
    """The customer as Stripe has them now; `deleted` where it has no more."""
    try:
        return await client.get(f"/v1/customers/{customer_id}", expand=[EXPAND])
    except NotFound:
        return {"deleted": True}


async def look_for(store: Store, brand: str, client: Client, address: str) -> int:
    """Add the customers whom Stripe finds by the address, as it is written and however it is written; how many. The search is
    up to a minute behind, so whom it alone finds otherwise than we know them is read again: an address of before would end
    the sessions of the new one."""
    listed = await client.list("/v1/customers", email=address, limit=20, expand=[f"data.{EXPAND}"])
    quoted = address.replace("\\", "\\\\").replace('"', '\\"')
    searched = await client.list("/v1/customers/search", query=f'email:"{quoted}"', limit=20, expand=[f"data.{EXPAND}"])
    found = {str(each.get("id")): each for each in listed["data"]}
    for each in searched["data"]:
        if (id_ := str(each.get("id"))) not in found and not await _is_known(store, brand, each):
            found[id_] = await current(client, id_)
    await put(store, brand, (each for each in found.values() if not each.get("deleted")))
    return len(found)


async def _is_known(store: Store, brand: str, raw: Raw) -> bool:
    """Whether the customer's row says just this."""
    try:
        return bool(await store.read(rows.SAME_CUSTOMER, Row(brand, raw).values))
    except MappingError:
        return False
