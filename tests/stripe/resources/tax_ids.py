"""Tax ids of a customer: the authority's answer comes a little later, and depends on the number.

A number with `111111111` in it is not verified, one with `222222222` stays pending, any other is verified, where the
authority of its kind answers at all.
"""

from __future__ import annotations

import re

from tests.stripe.errors import invalid, missing
from tests.stripe.listing import paged
from tests.stripe.routing import Call, serves
from tests.stripe.world import Json, World, belongs_to

_MOST = 5
_FORMATS = {"eu_vat": r"[A-Z]{2}[A-Z0-9+*]{2,12}", "gb_vat": r"GB(\d{9}|\d{12})", "us_ein": r"\d{2}-\d{7}"}
_ANSWERS_FOR = frozenset({"eu_vat", "gb_vat", "au_abn"})
ANSWERS_AFTER = 5
"""Seconds."""


@serves("get", "/v1/customers/{}/tax_ids")
def tax_ids(call: Call) -> Json:
    owner = call.world.customer(call.ids[0])
    return paged(call, call.world.of(owner["id"], "tax_id"), f"/v1/customers/{owner['id']}/tax_ids")


@serves("post", "/v1/customers/{}/tax_ids")
def create(call: Call) -> Json:
    return _create(call, call.world.customer(call.ids[0]))


def _create(call: Call, owner: Json) -> Json:
    world, kind, value = call.world, call.params["type"], call.params["value"]
    kept = world.of(owner["id"], "tax_id")
    if len(kept) >= _MOST:
        raise invalid(f"A customer may have at most {_MOST} tax IDs.", code="customer_max_tax_ids")
    if any((row["type"], row["value"]) == (kind, value) for row in kept):
        raise invalid(
            "This tax ID has already been added to the customer.", param="value", code="resource_already_exists"
        )
    if not re.fullmatch(_FORMATS.get(kind, r".{2,40}"), value):
        raise invalid(f"Invalid value for {kind}.", param="value", code="tax_id_invalid")
    row = world.add("tax_id", **belongs_to(owner["id"]), type=kind, value=value, country=value[:2] if kind == "eu_vat" else None,
                    owner={"type": "customer", "customer": owner["id"]})  # fmt: skip
    if kind not in _ANSWERS_FOR:
        row["verification"] = {"status": "unavailable"}
    elif "222222222" not in value:
        row["_answer_at"] = world.now + ANSWERS_AFTER
    world.tell("customer.tax_id.created", row)
    return row


@serves("get", "/v1/tax_ids")
def of_owner(call: Call) -> Json:
    return paged(call, call.world.of(_owner(call)["id"], "tax_id"), "/v1/tax_ids")


@serves("post", "/v1/tax_ids")
def create_of_owner(call: Call) -> Json:
    return _create(call, _owner(call))


@serves("delete", "/v1/tax_ids/{}")
def delete_by_id(call: Call) -> Json:
    return _delete(call, call.world.get("tax_id", call.ids[0]))


def _owner(call: Call) -> Json:
    """Named in the parameters: a customer, or an account that is one."""
    named = call.params.get("owner") or {}
    if named.get("type") != "customer":
        raise invalid("The stand-in knows tax IDs of customers only.", param="owner[type]", status=501)
    return call.world.customer(named.get("customer") or named.get("customer_account") or "")


@serves("get", "/v1/customers/{}/tax_ids/{}")
def retrieve(call: Call) -> Json:
    return _of_the_customer(call)


@serves("delete", "/v1/customers/{}/tax_ids/{}")
def delete(call: Call) -> Json:
    return _delete(call, _of_the_customer(call))


def _delete(call: Call, row: Json) -> Json:
    call.world.tell("customer.tax_id.deleted", row)
    call.world.drop(row)
    return {**row, "deleted": True}


def _of_the_customer(call: Call) -> Json:
    owner = call.world.customer(call.ids[0])
    row = call.world.get("tax_id", call.ids[1])
    if row not in call.world.of(owner["id"], "tax_id"):
        raise missing("tax_id", call.ids[1])
    return row


def verify(world: World, row: Json) -> None:
    """The authority's answer came."""
    del row["_answer_at"]
    known = "111111111" not in row["value"]
    name = world.get("customer", row["customer"]).get("name") if known else None
    row["verification"] = {
        "status": "verified" if known else "unverified",
        "verified_name": name,
        "verified_address": None,
    }
    world.tell("customer.tax_id.updated", row, {"verification": {"status": "pending"}})
