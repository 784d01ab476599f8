"""From a stored dict to the JSON that Stripe sends: null for what is empty, the object or its id, what `expand` adds.

Which fields there are, which may be null and which hold another object comes from the SDK's classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

import stripe
from stripe import StripeObject
from stripe._object_classes import get_object_class
from tests.stripe.errors import Refusal, invalid
from tests.stripe.shapes import Field, fields_of
from tests.stripe.world import Json, World

Tree = dict[str, Any]
_DEEPEST = 4
_EMBEDDED = {"line_item": 10, "subscription_item": 20, "invoice_payment": 10, "subscription": 10, "tax_id": 10}
"""How many of a list stand in the object that has it: the rest is read by a request of its own."""
HIDDEN: dict[str, frozenset[str]] = {
    "checkout.session": frozenset({"line_items"}),
    "coupon": frozenset({"applies_to", "currency_options"}),
    "customer": frozenset({"tax_ids", "subscriptions", "sources", "cash_balance", "invoice_credit_balance", "tax"}),
    "invoice": frozenset({"payments", "confirmation_secret"}),
    "price": frozenset({"tiers", "currency_options"}),
    "v2.core.account": frozenset({"configuration", "identity", "defaults", "requirements", "future_requirements"}),
}
"""Not sent at all unless `expand` (for an account: `include`) names them."""
INCLUDED: dict[tuple[str, str], Callable[[World, Json], Any]] = {}
"""What a hidden field holds that is not stored with its object."""


def tree_of(paths: Iterable[str]) -> Tree:
    """`["a.b", "a.c"]` as `{"a": {"b": {}, "c": {}}}`. Raises Stripe's refusal of more than four levels."""
    tree: Tree = {}
    for path in paths:
        names = path.split(".")
        if len(names) > _DEEPEST:
            raise invalid(
                f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}", param="expand"
            )
        branch = tree
        for name in names:
            branch = branch.setdefault(name, {})
    return tree


class Shown(dict[str, Any]):
    """An answer that is rendered already: it shows what is gone by the time the others are."""


def shown(world: World, row: Json, tree: Tree | None = None) -> Json:
    """The object as it is sent."""
    return _object(world, row, class_of(row["object"]), tree or {})


def page(rows: list[Json], url: str, *, has_more: bool = False) -> Json:
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}


@cache
def class_of(kind: str) -> type[StripeObject]:
    if kind == "v2.core.account":
        return stripe.v2.core.Account
    return get_object_class("V1", kind)


class _Part(NamedTuple):
    """A field of a class, and what is known of it whichever the object."""

    name: str
    field: Field
    is_hidden: bool
    is_expandable: bool
    is_sent_empty: bool
    included: Callable[[World, Json], Any] | None


@cache
def _parts(cls: type[StripeObject], kind: str) -> tuple[_Part, ...]:
    hidden = HIDDEN.get(kind, frozenset())
    return tuple(
        _Part(
            name,
            field,
            name in hidden,
            bool(field.target) or name in hidden,
            _sent_empty(kind, name, field),
            INCLUDED.get((kind, name)),
        )
        for name, field in fields_of(cls).items()
    )


def _object(world: World, row: Json, cls: type[StripeObject], tree: Tree) -> Json:
    kind = str(row.get("object", ""))
    if row.get("deleted"):
        return {"id": row["id"], "object": kind, "deleted": True}
    parts = _parts(cls, kind)
    if tree and (unknown := tree.keys() - {each.name for each in parts if each.is_expandable}):
        raise invalid(f"This property cannot be expanded ({min(unknown)}).", param="expand")
    out = {}
    for name, field, is_hidden, _, is_sent_empty, included in parts:
        if is_hidden and name not in tree:
            continue
        value = included(world, row) if included else row.get(name)
        if value is None and not is_sent_empty and name not in row:
            continue
        out[name] = value if value is None or field.target is None else _value(world, value, field, tree.get(name))
    return out


def _sent_empty(kind: str, name: str, field: Field) -> bool:
    """A list by key is left out where it is empty: the SDK cannot read a null there."""
    return (
        field.optional and name != "deleted" and field.many != "map" and not (kind == "payment_method" and field.target)
    )


def _value(world: World, value: Any, field: Field, tree: Tree | None) -> Any:
    if field.many == "page":
        rows, within = value["data"], (tree or {}).get("data")
        most = _EMBEDDED.get(getattr(field.target, "OBJECT_NAME", ""), len(rows))
        return page(
            [_one(world, each, field, within) for each in rows[:most]],
            value.get("url") or "/v1",
            has_more=len(rows) > most,
        )
    if field.many == "list":
        return [_one(world, each, field, tree) for each in value]
    return _one(world, value, field, tree)


def _one(world: World, value: Any, field: Field, tree: Tree | None) -> Any:
    """An object, or its id where that is what Stripe sends."""
    if field.target is None or value is None:
        return value
    if isinstance(value, dict):
        if field.by_id and tree is None and "id" in value:
            return value["id"]
        return _object(world, value, field.target, tree or {})
    if field.by_id and tree is None:
        return value
    kind = getattr(field.target, "OBJECT_NAME", "")
    found = world.find(value, kind, "v2.core.account") if kind else None
    if found is None:
        raise Refusal(500, "api_error", f"The stand-in holds no {kind} {value!r} that another object names.")
    return _object(world, found, field.target, tree or {})


def _plan(world: World, row: Json) -> Json:
    """The old name of a price, which every subscription item still carries."""
    price = world.get("price", row["price"])
    recurring = price.get("recurring") or {}
    decimal = price.get("unit_amount_decimal")
    return {
        "id": price["id"], "object": "plan", "active": price["active"], "amount": price.get("unit_amount"),
        "amount_decimal": decimal, "billing_scheme": price["billing_scheme"], "created": price["created"],
        "currency": price["currency"], "interval": recurring.get("interval"), "metadata": {},
        "interval_count": recurring.get("interval_count", 1), "livemode": price["livemode"], "product": price["product"],
        "usage_type": recurring.get("usage_type", "licensed"), "tiers_mode": price.get("tiers_mode"),
    }  # fmt: skip


INCLUDED["subscription_item", "plan"] = _plan
INCLUDED["customer", "tax_ids"] = lambda world, row: page(
    world.of(row["id"], "tax_id"), f"/v1/customers/{row['id']}/tax_ids"
)
INCLUDED["customer", "subscriptions"] = lambda world, row: page(
    [each for each in reversed(world.of(row["id"], "subscription")) if each["status"] != "canceled"],
    f"/v1/customers/{row['id']}/subscriptions",
)


def _secret(world: World, row: Json) -> Json | None:
    intent = world.find(row.get("_intent") or "", "payment_intent")
    return {"client_secret": intent["client_secret"], "type": "payment_intent"} if intent else None


INCLUDED["invoice", "confirmation_secret"] = _secret
INCLUDED["invoice", "payments"] = lambda world, row: page(
    [each for each in world.of(row["customer"], "invoice_payment") if each["invoice"] == row["id"]],
    "/v1/invoice_payments",
)
