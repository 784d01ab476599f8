"""Customers of the v2 API: accounts, whose address is `contact_email`. `include` brings what is hidden otherwise.

Beside each of them Stripe keeps a customer, which follows it; objects of v1 name both ids.
"""

from __future__ import annotations

from tests.stripe.routing import Call, serves
from tests.stripe.world import Json


@serves("get", "/v2/core/accounts/{}")
def retrieve(call: Call) -> Json:
    return call.world.get("v2.core.account", call.ids[0])


@serves("post", "/v2/core/accounts/{}")
def change(call: Call) -> Json:
    row = call.world.get("v2.core.account", call.ids[0])
    for name, value in call.params.items():
        if name in ("include", "account_token"):
            continue
        row[name] = _merged(row.get(name), value)
    twin = call.world.customer(row["id"])
    before = {name: twin.get(name) for name in ("email", "name")}
    twin.update(email=row.get("contact_email"), name=row.get("display_name"))
    billing = ((row.get("configuration") or {}).get("customer") or {}).get("billing") or {}
    if "default_payment_method" in billing:
        twin["invoice_settings"]["default_payment_method"] = billing["default_payment_method"]
    call.world.tell("customer.updated", twin, before)
    return row


def _merged(old: object, new: object) -> object:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return new
