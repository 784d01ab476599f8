"""Stripe's verbs about billing details. The rules are `rules.details`: what they keep is what is sent.

A customer of the v2 API is an account: its details are written there, its tax numbers by v1, which names both as owners.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from server.billing import Account, By, Contact, NotFound, Refusal, Refused, Shipping, Update, rows
from server.billing.model.account import Customer
from server.billing.model.change import CONTACT, BillingAddress
from server.billing.rules import details
from server.billing.stripe import effects
from server.billing.stripe.methods import is_account, whose
from server.billing.stripe.operations import Operations, Step, Wanted
from server.billing.stripe.reading import part


class StripeDetails(Operations):
    async def update_customer(self, by: By, update: Update, *, seen: str = "") -> Account:
        async def plan() -> Sequence[Step]:
            account = await self.refetch(by.customer_id, by.now)
            after = _kept(details.update(account, update, by.features.customer_update, seen))
            if after == account:
                return []
            if not is_account(by.customer_id):
                return [Step(_path(by), _params(after.customer, update))]
            path = f"/v2/core/accounts/{by.customer_id}"
            identity = part(await self.client.get(path, include=["identity"]), "identity")
            return [Step(path, _account_params(after.customer, update, identity))]

        return await self.once(
            by, Wanted("customer.updated", "", (type(update).__name__, effects.hashed(update))), plan
        )

    async def change_email(self, by: By, email: str) -> Account:
        async def plan() -> Sequence[Step]:
            account = await self.refetch(by.customer_id, by.now)
            if _kept(details.change_email(account, email, by.features.customer_update)) == account:
                return []
            if is_account(by.customer_id):
                return [Step(f"/v2/core/accounts/{by.customer_id}", {"contact_email": email})]
            return [Step(_path(by), {"email": email})]

        return await self.once(by, Wanted(rows.EMAIL_CHANGED, "", (effects.hashed(email),)), plan)

    async def add_tax_id(self, by: By, kind: str, number: str) -> Account:
        async def plan() -> Sequence[Step]:
            account = await self.refetch(by.customer_id, by.now)
            after = _kept(details.add_tax_id(account, kind, number, "new", by.features.customer_update))
            new = next(each for each in after.customer.tax_ids if each.id == "new")
            number_ = {"type": new.kind, "value": new.value}
            if is_account(by.customer_id):
                return [Step("/v1/tax_ids", {**number_, "owner": {"type": "customer", **whose(by.customer_id)}})]
            return [Step(f"{_path(by)}/tax_ids", number_)]

        return await self.once(by, Wanted("customer.tax_id_added", "", (kind, effects.hashed((kind, number)))), plan)

    async def remove_tax_id(self, by: By, tax_id: str) -> Account:
        async def plan() -> Sequence[Step]:
            account = await self.refetch(by.customer_id, by.now)
            _kept(details.remove_tax_id(account, tax_id, by.features.customer_update))
            path = "/v1" if is_account(by.customer_id) else _path(by)
            return [Step(f"{path}/tax_ids/{tax_id}", method="delete")]

        return await self.once(by, Wanted("customer.tax_id_removed", tax_id), plan)


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


def _account_params(customer: Customer, update: Update, identity: dict[str, Any]) -> dict[str, Any]:
    """The same for an account. Its address is the company's or the person's, whichever it has."""
    if isinstance(update, Contact):
        named = {"name": ("display_name", customer.name), "phone": ("contact_phone", customer.phone)}
        return {key: value for name, (key, value) in named.items() if getattr(update, name) is not None}
    if isinstance(update, BillingAddress):
        part = "individual" if identity.get("entity_type") == "individual" else "business_details"
        return {"identity": {part: {"address": asdict(customer.address)}}}
    shipping = {"name": customer.shipping_name, "phone": customer.shipping_phone, "address": asdict(customer.shipping)}
    return {"configuration": {"customer": {"shipping": shipping}}}
