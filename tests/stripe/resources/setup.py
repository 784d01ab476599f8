"""Checkout sessions that add a payment method: made here, finished on the hosted page (`hosted`)."""

from __future__ import annotations

from typing import Any

from tests.stripe.errors import invalid
from tests.stripe.listing import matching, paged, rows_of
from tests.stripe.routing import Call, serves
from tests.stripe.world import Json, World, belongs_to, owner_of

_OPEN_FOR = 86_400
_DECLINED = frozenset({"0002", "0069", "0127"})
"""Numbers that the bank refuses when they are added; `0341` is accepted and fails later."""


@serves("post", "/v1/checkout/sessions")
def create(call: Call) -> Json:
    """Without kinds that are named, Stripe chooses them by the currency: so it must be there."""
    world, params = call.world, call.params
    if params.get("mode", "payment") != "setup":
        raise invalid("The stand-in knows Checkout in setup mode only.", param="mode", status=501)
    for name in ("success_url", "currency"):
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("The stand-in knows the hosted page only.", param="ui_mode", status=501)
    owner = world.customer(params.get("customer") or params.get("customer_account") or "")
    wanted = dict((params.get("setup_intent_data") or {}).get("metadata") or {})
    of = belongs_to(owner["id"])
    intent = world.add("setup_intent", **of, status="requires_payment_method", metadata=wanted)
    kept = {name: params[name] for name in ("success_url", "cancel_url", "currency", "locale", "client_reference_id",
                                            "allowed_payment_method_types") if name in params}  # fmt: skip
    if chosen := params.get("payment_method_configuration"):
        kept["payment_method_configuration_details"] = {"id": chosen, "parent": None}
    row = world.add("checkout.session", **of, **kept, setup_intent=intent["id"], ui_mode="hosted_page",
                    expires_at=params.get("expires_at", world.now + _OPEN_FOR))  # fmt: skip
    row.update(url=f"{world.base}/c/pay/{row['id']}", metadata=dict(params.get("metadata") or {}))
    return row


@serves("get", "/v1/checkout/sessions")
def sessions(call: Call) -> Json:
    return paged(call, matching(call, rows_of(call, "checkout.session"), "status"), "/v1/checkout/sessions")


@serves("post", "/v1/checkout/sessions/{}/expire")
def expire(call: Call) -> Json:
    row = call.world.get("checkout.session", call.ids[0])
    if row["status"] != "open":
        raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
    end(call.world, row)
    return row


@serves("get", "/v1/setup_intents")
def intents(call: Call) -> Json:
    return paged(call, rows_of(call, "setup_intent"), "/v1/setup_intents")


def end(world: World, row: Json) -> None:
    row.update(status="expired", url=None)
    world.get("setup_intent", row["setup_intent"])["status"] = "canceled"
    world.tell("checkout.session.expired", row)


def is_refused(number: str) -> bool:
    return number[-4:] in _DECLINED


def finish(world: World, row: Json, method: Json) -> Json:
    """The customer filled in the hosted page: the method is theirs, but not yet the default."""
    owner = owner_of(row) or ""
    made = world.add("payment_method", **belongs_to(owner), **method)
    intent = world.get("setup_intent", row["setup_intent"])
    intent.update(status="succeeded", payment_method=made["id"])
    row.update(status="complete", url=None)
    world.tell("payment_method.attached", made)
    world.tell("setup_intent.succeeded", intent)
    world.tell("checkout.session.completed", row)
    return made


def card(number: str, month: int, year: int) -> Json:
    brands = {"4": "visa", "5": "mastercard", "2": "mastercard", "3": "amex"}
    inside: dict[str, Any] = {
        "brand": brands.get(number[:1], "unknown"), "last4": number[-4:], "exp_month": month, "exp_year": year,
        "funding": "credit", "country": "US", "fingerprint": f"fp{number[-8:]}",
    }  # fmt: skip
    return {"type": "card", "card": inside}


def sepa(iban: str) -> Json:
    bare = iban.replace(" ", "").upper()
    return {"type": "sepa_debit", "sepa_debit": {"last4": bare[-4:], "country": bare[:2], "bank_code": bare[4:12]}}
