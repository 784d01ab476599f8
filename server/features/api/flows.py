"""Flows: one thing that the customer is led through, refused when a session is created where it could not be done.

    type                        needs                     refused where
    payment_method_update       -                         the configuration does not offer it
    customer_update             -                         the same
    subscription_cancel         subscription              it ends already, or is over
    subscription_pause          subscription              it is paused already, or cannot be
    subscription_update         subscription              its plan cannot be changed
    subscription_update_confirm subscription, one item    nothing would change, or the change is not allowed

The rules are those of the pages, and the page that the flow opens asks them again.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec.structs import replace

from server.access.configurations import Kept
from server.access.portal_sessions import Flow
from server.billing import Account, By, Move, Refusal, Subscription
from server.billing.rules import pausing, plans
from server.billing.rules.canceling import may_cancel
from server.brands import Features
from server.brands.features import MOST_UNITS
from server.brands.portal_file import Url
from server.brands.reading.declared import Keys
from server.brands.reading.keys import OneOf, Pattern, Section, Text, Whole
from server.features.api.call import Call, Object
from server.features.api.errors import ApiError, missing

ID = r"[A-Za-z0-9_.:-]{1,255}"
TYPES = (
    *("payment_method_update", "customer_update", "subscription_cancel", "subscription_pause"),
    *("subscription_update", "subscription_update_confirm"),
)
AFTER = ("hosted_confirmation", "redirect", "portal_homepage")


class Hosted(Keys, frozen=True):
    custom_message: Annotated[str, Text("what the page at the end says", limit=500)] = ""


class Redirect(Keys, frozen=True):
    return_url: Annotated[str, Url("where the flow leads to when it is done")] = ""


class AfterCompletion(Keys, frozen=True):
    type: Annotated[str, OneOf("what comes after the flow", among=AFTER)] = ""
    hosted_confirmation: Hosted = Hosted()
    redirect: Redirect = Redirect()


class CouponOffer(Keys, frozen=True):
    coupon: Annotated[str, Pattern("the coupon's id", pattern=ID, shape="the id of a coupon")] = ""


class Retention(Keys, frozen=True):
    type: Annotated[str, OneOf("what is offered", among=("coupon_offer",))] = ""
    coupon_offer: CouponOffer = CouponOffer()


class OfSubscription(Keys, frozen=True):
    subscription: Annotated[
        str, Pattern("the id of one of the customer's", pattern=ID, shape="the id of a subscription")
    ] = ""


class OfCancel(OfSubscription, frozen=True):
    retention: Annotated[Retention, Section("what is offered before the cancellation")] = Retention()


class Item(Keys, frozen=True):
    id: Annotated[str, Pattern("the subscription's item", pattern=ID, shape="the id of an item")] = ""
    price: Annotated[str, Pattern("the price to move to", pattern=ID, shape="the id of a price")] = ""
    quantity: Annotated[int | None, Whole("the new quantity", bounds=(0, MOST_UNITS))] = None


class Discount(Keys, frozen=True):
    coupon: Annotated[
        str,
        Pattern(
            "refused: what customers redeem here is a promotion code", pattern="", shape="a promotion_code instead"
        ),
    ] = ""
    promotion_code: Annotated[
        str,
        Pattern("the id of the promotion code", pattern=r"[A-Za-z0-9_]{1,255}", shape="the id of a promotion code"),
    ] = ""


class OfConfirm(OfSubscription, frozen=True):
    items: Annotated[tuple[Item, ...], Section("the one item, as it is to be")] = ()
    discounts: Annotated[tuple[Discount, ...], Section("at most one promotion code")] = ()


class FlowData(Keys, frozen=True):
    type: Annotated[str, OneOf("which flow", among=TYPES)] = ""
    after_completion: AfterCompletion = AfterCompletion()
    subscription_cancel: OfCancel = OfCancel()
    subscription_pause: OfSubscription = OfSubscription()
    subscription_update: OfSubscription = OfSubscription()
    subscription_update_confirm: OfConfirm = OfConfirm()


HERE = "flow_data"


async def checked(call: Call, made: FlowData, account: Account, kept: Kept) -> Flow:
    """The flow, which can be done now. Raises `ApiError`."""
    type_ = _given(made.type, f"{HERE}[type]")
    features, given = kept.it.features, call.values[HERE] if isinstance(call.values[HERE], dict) else {}
    for each in TYPES:
        if each in given and each != type_:
            param = f"{HERE}[{each}]"
            raise ApiError(f"{param} is only for {HERE}[type]={each}.", code="parameter_unknown", param=param)
    after = _after(type_, made.after_completion, given)
    if type_ == "payment_method_update":
        _offered(features.payment_method_update.enabled, type_)
        return after
    if type_ == "customer_update":
        _offered(features.customer_update.enabled and bool(features.customer_update.allowed_updates), type_)
        return after
    details: Any = getattr(made, type_)
    here = f"{HERE}[{type_}]"
    found = account.subscription(_given(details.subscription, f"{here}[subscription]"))
    if found is None:
        raise missing("subscription", details.subscription, f"{here}[subscription]")
    flow = replace(after, subscription=found.id)
    if type_ == "subscription_cancel":
        return await _cancel(call, flow, details, found, features)
    if type_ == "subscription_pause":
        _possible(pausing.may_pause(found, features, call.now), found, here)
        return flow
    _offered(features.subscription_update.enabled, "subscription_update")
    _possible(plans.may_change(found, features, call.now), found, here)
    if type_ == "subscription_update":
        return flow
    return await _confirm(call, flow, details, account, features)


async def _cancel(call: Call, flow: Flow, made: OfCancel, found: Subscription, features: Features) -> Flow:
    here = f"{HERE}[subscription_cancel]"
    _possible(may_cancel(found, features.subscription_cancel, call.now), found, here)
    coupon, param = made.retention.coupon_offer.coupon, f"{here}[retention][coupon_offer][coupon]"
    if not (made.retention.type or coupon):
        return flow
    _given(made.retention.type, f"{here}[retention][type]")
    it = replace(flow, coupon=_given(coupon, param))
    if coupon not in (await call.portal.billing.catalog(offering(features, coupon))).coupons:
        raise missing("coupon", coupon, param)
    return it


async def _confirm(call: Call, flow: Flow, made: OfConfirm, account: Account, features: Features) -> Flow:
    found = account.subscription(flow.subscription)
    assert found  # noqa: S101 (`checked` found it)
    here = f"{HERE}[subscription_update_confirm]"
    if len(made.items) != 1:
        raise ApiError(
            f"Invalid {here}[items]: allowed: exactly one item", code="parameter_invalid", param=f"{here}[items]"
        )
    if len(made.discounts) > 1:
        raise ApiError(
            f"Invalid {here}[discounts]: allowed: at most one", code="parameter_invalid", param=f"{here}[discounts]"
        )
    item = made.items[0]
    if _given(item.id, f"{here}[items][0][id]") not in [each.id for each in found.items]:
        raise missing("subscription item", item.id, f"{here}[items][0][id]")
    promotion = made.discounts[0].promotion_code if made.discounts else ""
    code = await call.portal.billing.promotion_code(promotion) if promotion else ""
    if promotion and not code:
        raise missing("promotion code", promotion, f"{here}[discounts][0][promotion_code]")
    wanted = Move(item.price, item.quantity, code)
    preview = await call.portal.billing.preview(By(account.customer.id, features, call.now), found.id, wanted)
    if isinstance(preview, Refusal):
        _possible(preview, found, f"{here}[items][0]")
    chosen = replace(flow, item=item.id, price=item.price, quantity=item.quantity)
    return replace(chosen, promotion_code=promotion, code=code)


def offering(features: Features, coupon: str) -> Features:
    """The features with this coupon offered before a cancellation."""
    cancel = features.subscription_cancel
    return replace(features, subscription_cancel=replace(cancel, retention=replace(cancel.retention, coupon=coupon)))


def _after(flow: str, made: AfterCompletion, given: dict[str, Any]) -> Flow:
    """What comes after the flow; the texts that do not belong to the type are refused."""
    here = f"{HERE}[after_completion]"
    if "after_completion" not in given:
        return Flow(flow)
    type_ = _given(made.type, f"{here}[type]")
    said = given["after_completion"] if isinstance(given["after_completion"], dict) else {}
    for each in ("hosted_confirmation", "redirect"):
        if each in said and each != type_:
            param = f"{here}[{each}]"
            raise ApiError(f"{param} is only for {here}[type]={each}.", code="parameter_unknown", param=param)
    url = _given(made.redirect.return_url, f"{here}[redirect][return_url]") if type_ == "redirect" else ""
    return Flow(flow, after=type_, message=made.hosted_confirmation.custom_message, return_url=url)


def _given(value: str, param: str) -> str:
    if not value:
        raise ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    return value


def _offered(is_on: bool, feature: str) -> None:
    if not is_on:
        words = f"This flow needs the feature {feature}, which is disabled in the configuration of this session."
        raise ApiError(words, param=f"{HERE}[type]")


def _possible(refusal: Refusal | None, found: Subscription, here: str) -> None:
    """Raises `ApiError` with the reason, a word of `billing.rules`."""
    if refusal:
        words = _WORDS.get(refusal.reason, f"this cannot be done with it ({refusal.reason})")
        param = here if here.endswith("]") and "items" in here else f"{here}[subscription]"
        raise ApiError(f"The subscription '{found.id}': {words}.", code=refusal.reason, param=param)


_WORDS = {
    "already_ending": "its end is decided already",
    "ended": "it is over already",
    "already_paused": "it is paused already",
    "no_change": "nothing would change",
    "disabled_by_configuration": "the configuration of this session does not offer this",
    "price_not_offered": "the configuration of this session does not offer that price",
    "not_active": "it is not active",
}


def answer(flow: Flow) -> Object:
    """As Stripe writes it: each type of flow has its own hash, the others are null."""
    of: Object = dict.fromkeys(("customer_update", *TYPES[2:]))
    if flow.type == "customer_update":
        of[flow.type] = {}
    elif flow.type == "subscription_cancel":
        offer = {"type": "coupon_offer", "coupon_offer": {"coupon": flow.coupon}} if flow.coupon else None
        of[flow.type] = {"subscription": flow.subscription, "retention": offer}
    elif flow.type == "subscription_update_confirm":
        items = [{"id": flow.item, "price": flow.price or None, "quantity": flow.quantity}]
        codes = [{"coupon": None, "promotion_code": flow.promotion_code}] if flow.code else None
        of[flow.type] = {"subscription": flow.subscription, "items": items, "discounts": codes}
    elif flow.type != "payment_method_update":
        of[flow.type] = {"subscription": flow.subscription}
    hosted = {"custom_message": flow.message or None} if flow.after == "hosted_confirmation" else None
    redirect = {"return_url": flow.return_url} if flow.after == "redirect" else None
    after = {"type": flow.after, "hosted_confirmation": hosted, "redirect": redirect}
    return {"type": flow.type, "after_completion": after, **of}
