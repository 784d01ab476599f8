"""What a customer sees of a change of plan.

    ChoosePlan      which plan, how many, and a promotion code; or why none can be chosen
    ConfirmChange   the page before the change: its lines, what is due now and later, and when it counts

What may be chosen is the answer of `billing.rules.plans`, what it costs is the port's preview, and the change asks both again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from server.billing import Account, Move, PaymentMethod, PlanChange, Price, Refusal, Subscription
from server.billing.model.names import called, more_items_of, name_of
from server.billing.rules import plans
from server.billing.rules.plans import Option
from server.brands import Features
from server.features.subscriptions.part_views import Line, line_of
from server.features.subscriptions.views import Scheduled, scheduled_of
from server.rendering.views import View

FIELDS = {
    reason: field
    for field, reasons in {
        "quantity": "quantity_not_adjustable quantity_too_small quantity_too_large quantity_not_whole",
        "promotion_code": "code_not_allowed code_unknown code_inactive code_expired code_used_up code_wrong_product"
        " code_wrong_currency code_first_time_only code_minimum_amount code_other_customer code_already_applied",
        "price": "no_change price_not_offered forbidden_by_rule cancellation_not_offered",
    }.items()
    for reason in reasons.split()
}
"""The field that each reason of a refused change is about."""
_LONGEST_CODE = 100


class Typed(msgspec.Struct, frozen=True):
    """The words of the form, as they were typed."""

    price: str = ""
    quantity: str = ""
    promotion_code: str = ""


class ChangeMistake(msgspec.Struct, frozen=True):
    """What has to be corrected in a form."""

    field: str
    """`price`, `quantity` or `promotion_code`."""
    reason: str
    """A key of `FIELDS`."""
    detail: str = ""
    """What the reason leaves open, such as the largest quantity."""


class Plan(msgspec.Struct, frozen=True):
    """One plan that can be chosen."""

    price: str
    """The id of its price."""
    name: str
    line: Line
    current: bool = False
    begins_at: datetime | None = None
    """Where the move waits for the end of the period; None: it counts at once."""
    cancels: bool = False
    """It costs nothing, so that moving to it counts as a cancellation."""
    minimum: int = 0
    maximum: int = 0
    """Between which quantities it can be had, where that is not the same for all; 0: nothing is to be said of it."""
    saves: int = 0
    """How many percent less than the same product costs by the month; 0: nothing is to be said of it."""


class Interval(msgspec.Struct, frozen=True):
    """The plans that are charged equally often."""

    interval: str
    """`day`, `week`, `month`, `year`, or a word we do not know."""
    count: int
    plans: tuple[Plan, ...]


class Quantity(msgspec.Struct, frozen=True):
    value: str
    """What is in the field: the quantity of now, or what was typed."""
    minimum: int = 0
    maximum: int = 0
    """0: each plan has limits of its own."""
    unit: str = ""
    """What one is called, such as `seat`."""


class ChoosePlan(View, frozen=True):
    """Which plan, how many, and a promotion code."""

    id: str
    customer: str
    name: str
    line: Line
    """The plan of now."""
    more_items: int = 0
    intervals: tuple[Interval, ...] = ()
    """What can be chosen; empty: the plan stays the one it is."""
    chosen: str = ""
    """The price that is marked: the one of now, or the one that was chosen."""
    quantity: Quantity | None = None
    """None: the quantity cannot be changed."""
    promotion_code: str | None = None
    """What is in the field; None: there is no field."""
    mistakes: tuple[ChangeMistake, ...] = ()
    why_not: str = ""
    """Why no change can be made: a reason of `plans.may_change`. Nothing can be chosen then."""
    may_cancel: bool = False
    """What can still be done where no change can be made."""
    scheduled: Scheduled | None = None
    """A change that is arranged already: another one takes its place."""
    forbidden: tuple[str, ...] = ()
    """The plans that are sold and cannot be chosen from this one, by their names."""


class ConfirmChange(View, frozen=True):
    """The page before a change of plan."""

    id: str
    customer: str
    key: str
    """The idempotency key of this form: sent twice, it changes once."""
    name: str
    preview: PlanChange
    """What the change means, computed by what then bills it. Its fingerprint goes back with the form."""
    before: Line
    after: Line
    fields: dict[str, str]
    """What was chosen, as the form sends it back."""
    chosen: dict[str, str]
    """The same without the fingerprint, for a customer who wants to choose something else."""
    more_items: int = 0
    method: PaymentMethod | None = None
    """What is charged now."""
    again: bool = False
    """The form came without a valid key: it is asked once more, and nothing was changed."""
    stale: bool = False
    """The numbers are not those of the page that was confirmed: these are, and nothing was changed."""


def wanted(typed: Typed) -> Move | ChangeMistake:
    """What the form asks for. Whether it may be had is not decided here."""
    quantity = typed.quantity.strip()
    if quantity and not re.fullmatch(r"[0-9]{1,6}", quantity):
        return ChangeMistake("quantity", "quantity_not_whole")
    code = typed.promotion_code.strip()[:_LONGEST_CODE]
    return Move(price=typed.price, quantity=int(quantity) if quantity else None, code=code)


def needs_more(subscription: Subscription, change: Move, preview: PlanChange | Refusal) -> bool:
    """Whether the quantity was left as it is and the plan begins above it: then the smallest one of the plan is meant."""
    too_small = isinstance(preview, Refusal) and preview.reason == "quantity_too_small"
    return too_small and change.quantity == subscription.items[0].quantity


def mistake_of(refusal: Refusal) -> ChangeMistake | None:
    """Which field a refusal is about; None: about none."""
    field = FIELDS.get(refusal.reason)
    return ChangeMistake(field, refusal.reason, refusal.detail) if field else None


def fields_of(change: Move, fingerprint: str) -> dict[str, str]:
    """What was chosen, as the fields of the form that confirms it."""
    quantity = "" if change.quantity is None else str(change.quantity)
    fields = {"price": change.price, "quantity": quantity, "promotion_code": change.code, "fingerprint": fingerprint}
    return {name: value for name, value in fields.items() if value}


def outcome(subscription: Subscription, change: Move) -> str:
    """What to say of a change that was asked for: whether it is there. An old key may find that it was undone since."""
    item, later, waits = subscription.items[0], subscription.scheduled, subscription.awaiting
    if waits and change.price in ("", waits.price.id) and change.quantity in (None, waits.quantity):
        return "change_awaits"
    if later and change.price in ("", later.price.id) and change.quantity in (None, later.quantity):
        return "change_scheduled"
    if change.price in ("", item.price.id) and change.quantity in (None, item.quantity):
        return "changed"
    return "stale"


def choose_plan(
    subscription: Subscription,
    account: Account,
    options: tuple[Option, ...],
    features: Features,
    now: datetime,
    *,
    typed: Typed | None = None,
    mistake: ChangeMistake | None = None,
    forbidden: Sequence[Price] = (),
) -> ChoosePlan:
    """`mistake`: what of the words has to be corrected. `forbidden`: what is not offered from this plan."""
    typed = typed or Typed()
    current = next((each for each in options if each.current), None)
    differ = len(_limits(options)) > 1
    # A price that is not among them marks nothing: one that was on a form came with a mistake that says so.
    known = typed.price if mistake or any(each.price.id == typed.price for each in options) else ""
    chosen = known or (current.price.id if current else "")
    return ChoosePlan(
        id=subscription.id,
        customer=account.customer.id,
        name=name_of(subscription),
        line=line_of(subscription.items[0].price, subscription.items[0].quantity),
        more_items=more_items_of(subscription),
        intervals=()
        if options == (current,)
        else _by_interval([_plan(each, subscription, options, differ=differ) for each in options]),
        chosen=chosen,
        quantity=_quantity(options, subscription, typed.quantity),
        promotion_code=typed.promotion_code[:_LONGEST_CODE] if plans.may_use_code(features) else None,
        mistakes=(mistake,) if mistake else (),
        scheduled=scheduled_of(subscription, features, now),
        forbidden=tuple(dict.fromkeys(map(called, forbidden))),
    )


def cannot_choose(subscription: Subscription, account: Account, why_not: str, *, may_cancel: bool) -> ChoosePlan:
    return ChoosePlan(
        id=subscription.id,
        customer=account.customer.id,
        name=name_of(subscription),
        line=line_of(subscription.items[0].price, subscription.items[0].quantity),
        more_items=more_items_of(subscription),
        why_not=why_not,
        may_cancel=may_cancel,
    )


def confirm_change(
    subscription: Subscription,
    account: Account,
    preview: PlanChange,
    change: Move,
    *,
    key: str,
    again: bool = False,
    stale: bool = False,
) -> ConfirmChange:
    return ConfirmChange(
        id=subscription.id,
        customer=account.customer.id,
        key=key,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        preview=preview,
        before=line_of(preview.before.price, preview.before.quantity),
        after=line_of(preview.after.price, preview.after.quantity),
        method=preview.method,
        fields=fields_of(change, preview.fingerprint),
        chosen=fields_of(change, ""),
        again=again,
        stale=stale,
    )


def _plan(option: Option, subscription: Subscription, options: Sequence[Option], *, differ: bool) -> Plan:
    price, says = option.price, option.adjustable and differ
    waits = option.when == "period_end" and not option.current
    return Plan(
        price=price.id,
        name=called(price),
        line=line_of(price, 1),
        current=option.current,
        begins_at=subscription.current_period_end_at if waits else None,
        cancels=option.cancels,
        minimum=option.minimum if says else 0,
        maximum=option.maximum if says else 0,
        saves=_saves(price, options),
    )


def _saves(price: Price, options: Sequence[Option]) -> int:
    """Whole percent that a yearly price is below twelve times the monthly one of the same product."""
    if _every(price) != ("year", 1) or not price.unit_amount:
        return 0
    monthly = [
        each.price for each in options if each.price.product == price.product and _every(each.price) == ("month", 1)
    ]
    by_month = 12 * Decimal(monthly[0].unit_amount) if len(monthly) == 1 and monthly[0].unit_amount else Decimal(0)
    return max(int(100 - 100 * Decimal(price.unit_amount) / by_month), 0) if by_month else 0


def _every(price: Price) -> tuple[str, int]:
    return (price.recurring.interval, price.recurring.count) if price.recurring else ("", 1)


def _limits(options: Sequence[Option]) -> list[tuple[int, int]]:
    return sorted({(each.minimum, each.maximum) for each in options if each.adjustable})


def _by_interval(found: Sequence[Plan]) -> tuple[Interval, ...]:
    """In the order in which the configuration names them, the interval of now first."""
    groups: dict[tuple[str, int], list[Plan]] = {}
    for each in found:
        groups.setdefault(_every(each.line.price), []).append(each)
    return tuple(Interval(interval, count, tuple(group)) for (interval, count), group in groups.items())


def _quantity(options: Sequence[Option], subscription: Subscription, typed: str) -> Quantity | None:
    limits = _limits(options)
    if not limits:
        return None
    labels = {each.price.unit_label for each in options if each.adjustable}
    minimum, maximum = limits[0] if len(limits) == 1 else (0, 0)
    return Quantity(
        value=typed[:20] or str(subscription.items[0].quantity),
        minimum=minimum,
        maximum=maximum,
        unit=labels.pop() if len(labels) == 1 else "",
    )
