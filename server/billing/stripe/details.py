"""Stripe's verbs about billing details. The rules are `rules.details`: what they keep is what is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from server.billing import Account, By, Contact, NotFound, Refusal, Refused, Shipping, Update
from server.billing.model.account import Customer
from server.billing.model.change import CONTACT, BillingAddress
from server.billing.rules import details
from server.billing.stripe.operations import Operations, Step, Wanted


class StripeDetails(Operations):
    async def update_customer(self, by: By, update: Update, *, seen: str = "") -> Account:
        async def plan() -> Sequence[Step]:
            account = await self._changeable(by)
            after = _kept(details.update(account, update, by.features.customer_update, seen))
            if after == account:
                return []
            return [Step(_path(by), _params(after.customer, update))]

        return await self.once(by, Wanted("customer.updated", "", (type(update).__name__, _hashed(update))), plan)

    async def add_tax_id(self, by: By, kind: str, number: str) -> Account:
        async def plan() -> Sequence[Step]:
            account = await self._changeable(by)
            after = _kept(details.add_tax_id(account, kind, number, "new", by.features.customer_update))
            new = next(each for each in after.customer.tax_ids if each.id == "new")
            return [Step(f"{_path(by)}/tax_ids", {"type": new.kind, "value": new.value})]

        return await self.once(by, Wanted("customer.tax_id_added", "", (kind, _hashed((kind, number)))), plan)

    async def remove_tax_id(self, by: By, tax_id: str) -> Account:
        async def plan() -> Sequence[Step]:
            account = await self._changeable(by)
            _kept(details.remove_tax_id(account, tax_id, by.features.customer_update))
            return [Step(f"{_path(by)}/tax_ids/{tax_id}", method="delete")]

        return await self.once(by, Wanted("customer.tax_id_removed", tax_id), plan)

    async def _changeable(self, by: By) -> Account:
        if by.customer_id.startswith("acct_"):  # their details are written through another API, which is not built
            raise Refused("not_supported")
        return await self.refetch(by.customer_id, by.now)


def _path(by: By) -> str:
    return f"/v1/customers/{by.customer_id}"


def _kept(after: Account | Refusal) -> Account:
    if isinstance(after, Refusal):
        raise NotFound if after.reason == "not_found" else Refused(after.reason, after.detail)
    return after


def _params(customer: Customer, update: Update) -> dict[str, Any]:
    """What is sent of the group that was changed, as the rules keep it; an empty text takes away what was there."""
    if isinstance(update, Contact):
        return {name: getattr(customer, name) for name in CONTACT if getattr(update, name) is not None}
    if isinstance(update, BillingAddress):
        return {"address": asdict(customer.address)}
    if update == Shipping():
        return {"shipping": ""}
    address = asdict(customer.shipping)
    return {"shipping": {"name": customer.shipping_name, "phone": customer.shipping_phone, "address": address}}


def _hashed(what: object) -> str:
    """Tells one request from another without keeping what it says."""
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()
