"""How a change of plan is made: at the period's end, in a trial, in a new period, or within the running one. Pure.

What each of them means for the customer is worked out in `planning`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from server.billing.ledger.events.renewals import settled, with_lasting, with_subscription
from server.billing.ledger.sums.bills import bill, exact_net
from server.billing.ledger.sums.invoicing import issue
from server.billing.ledger.sums.phases import with_discount
from server.billing.ledger.sums.proration import basis_of, charge_for, credit_for, worth_of
from server.billing.model.account import (
    Account,
    Basis,
    Discount,
    Invoice,
    InvoiceLine,
    Item,
    Pending,
    Scheduled,
    Subscription,
)
from server.billing.model.amounts import exact_amount
from server.billing.model.change import Plan
from server.billing.model.periods import next_end, renews_at
from server.billing.rules.plans import Timing, length_of
from server.brands.features import Features

REASON = "subscription_update"


class PlannedMove(msgspec.Struct, frozen=True):
    """A change that may be made: what, when, and with which discount."""

    account: Account
    subscription: Subscription
    plan: Plan
    timing: Timing
    discount: Discount | None
    at: datetime

    @property
    def item(self) -> Item:
        return self.subscription.items[0]

    @property
    def changes(self) -> bool:
        """More than a discount changes."""
        return self.plan != Plan(self.item.price, self.item.quantity)


class Made(msgspec.Struct, frozen=True):
    account: Account
    """After the change, and settled."""
    invoice: Invoice | None = None
    """What was invoiced for it."""
    pending: tuple[InvoiceLine, ...] = ()
    """What it added to the next invoice."""


def make(move: PlannedMove, features: Features) -> Made:
    """The account after the change."""
    renewal = renews_at(move.subscription)
    if move.timing.deferred_by and renewal:
        return _deferred(move, renewal)
    if not move.changes:
        return _made(move, _begun(move))
    if move.subscription.status == "trialing":
        if features.subscription_update.trial_update_behavior == "continue_trial":
            return _made(move, replace(_begun(move), items=(_planned(move),)))
        return _new_period(move, ())
    prorates = _proration(move, features) != "none"
    goes_on = not move.timing.cancels
    credit = credit_for(move.account, move.subscription, move.item, move.at, goes_on=goes_on) if prorates else None
    unused = (credit,) if credit else ()
    if _begins_anew(move, features):
        return _new_period(move, unused)
    return _within(move, unused, _proration(move, features))


def _proration(move: PlannedMove, features: Features) -> str:
    """A move to nothing credits what a cancellation would."""
    if move.timing.cancels:
        return features.subscription_cancel.proration_behavior
    return features.subscription_update.proration_behavior


def _begins_anew(move: PlannedMove, features: Features) -> bool:
    old, new = move.item.price, move.plan.price
    was_free = exact_amount(old, move.item.quantity) == 0 and exact_amount(new, move.plan.quantity) > 0
    other_interval = length_of(old.recurring) != length_of(new.recurring)
    anchored = features.subscription_update.billing_cycle_anchor == "now"
    return was_free or other_interval or anchored or move.timing.cancels


def _planned(move: PlannedMove, basis: Basis | None = None) -> Item:
    return replace(move.item, price=move.plan.price, quantity=move.plan.quantity, basis=basis)


def _begun(move: PlannedMove) -> Subscription:
    """The subscription with its new discount; a change that was to come is given up for this one."""
    kept = move.subscription.scheduled if not move.changes else None
    discounts = with_discount(move.subscription.discounts, move.discount)
    return replace(move.subscription, discounts=discounts, scheduled=kept)


def _made(move: PlannedMove, changed: Subscription, **more: object) -> Made:
    account = settled(with_subscription(move.account, changed))
    return Made(account, **more)  # type: ignore[arg-type]


def _deferred(move: PlannedMove, renewal: datetime) -> Made:
    scheduled = Scheduled(renewal, move.plan.price, move.plan.quantity, move.at, move.discount)
    return _made(move, replace(move.subscription, scheduled=scheduled))


def _new_period(move: PlannedMove, unused: tuple[Pending, ...]) -> Made:
    """A period of the new plan begins now and is invoiced, with all that waited."""
    end = next_end(move.at, move.plan.price.recurring, move.at) or move.item.current_period_end_at
    item = replace(_planned(move), current_period_start_at=move.at, current_period_end_at=end)
    begun = _begun(move)
    changed = replace(
        begun, status="active", items=(item,), billing_cycle_anchor_at=move.at, pending=(),
        trial_end_at=move.at if begun.status == "trialing" else begun.trial_end_at,
    )  # fmt: skip
    charge = bill(changed, [item], move.at, (*begun.pending, *unused))
    account, invoice = issue(move.account, changed, charge, move.at, REASON)
    # Another change may come at the same moment: the item says itself what this period is worth.
    changed = replace(changed, items=(replace(item, basis=Basis(net=str(charge.net[-1]), invoice=invoice.id)),))
    changed = replace(with_lasting(changed, move.at), latest_invoice=invoice.id)
    return Made(settled(with_subscription(account, changed)), invoice)


def _within(move: PlannedMove, unused: tuple[Pending, ...], proration: str) -> Made:
    """The period goes on with the new plan."""
    begun, worth = _begun(move), worth_of(move.account, move.subscription, move.item, goes_on=True)
    if proration == "none":
        # The rest of the period stays worth what was paid for it: no credit for what nobody paid.
        return _made(move, replace(begun, items=(_planned(move, basis_of(worth)),)))
    net = exact_net(begun, move.plan.price, move.plan.quantity, move.at, move.item.discounts)
    basis = Basis(net=str(net), invoice=worth.invoice if worth else "")
    item = _planned(move, basis)
    more = (*unused, charge_for(begun, item, move.at))
    changed = replace(begun, items=(item,), pending=(*begun.pending, *more))
    if proration == "create_prorations":
        return _made(move, changed, pending=tuple(each.line for each in more))
    charge = bill(changed, (), move.at, changed.pending)
    account, invoice = issue(move.account, changed, charge, move.at, REASON)
    item = replace(item, basis=replace(basis, invoice=invoice.id))
    changed = replace(changed, items=(item,), pending=(), latest_invoice=invoice.id)
    return Made(settled(with_subscription(account, changed)), invoice)
