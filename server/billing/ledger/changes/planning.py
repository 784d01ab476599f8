"""A change of plan: one computation that a page shows and that is then billed. Pure.

`plan` makes the change on the account and says what it did. `preview` answers what it says; `move_as_shown` makes the same
change at the moment of the preview, if the fingerprint of the page fits its numbers. So what is billed is what was seen,
to the minor unit.

    deferred     nothing now; the change waits in `Subscription.scheduled` and `renewals` makes it
    trial        it goes on with the new plan, or ends: a period of the new plan begins and is paid
    new period   another interval, free before, or `billing_cycle_anchor = "now"`: it begins and is paid, what was not
                 used of the old one is credited where the configuration prorates
    same period  `none`: the new price counts from the next invoice; `create_prorations`: credit and charge for the rest
                 wait for the next invoice; `always_invoice`: they are invoiced at once

A change whose payment fails is not made; one that the bank wants the customer to confirm waits (`sums/awaiting.py`).
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from server.billing.ledger.changes.moves import Made, PlannedMove, make
from server.billing.ledger.sums.awaiting import waiting
from server.billing.ledger.sums.charging import charge_of, why_unpaid
from server.billing.ledger.sums.invoicing import came_off
from server.billing.ledger.sums.upcoming import next_bill
from server.billing.model.account import Account, Catalog, Discount, Invoice
from server.billing.model.change import Move, Plan, PlanChange
from server.billing.model.errors import Refusal
from server.billing.model.fingerprint import Fingerprint
from server.billing.model.periods import renews_at
from server.billing.rules.discounts import redeem
from server.billing.rules.methods import method_of
from server.billing.rules.paying import waits_for_the_bank
from server.billing.rules.plans import Timing, may_change, may_use_code, target, timing
from server.brands.features import Features
from server.formats.money import Money


class Terms(msgspec.Struct, frozen=True):
    """What the brand sells and allows."""

    catalog: Catalog
    features: Features


class Planned(msgspec.Struct, frozen=True):
    """A change, made on paper."""

    account: Account
    invoices: tuple[Invoice, ...]
    preview: PlanChange
    seen: tuple[object, ...]
    """What the numbers came from."""
    failure: Refusal | None = None
    """Why the payment would fail; the change is not made then."""


def preview(
    account: Account, subscription_id: str, change: Move, terms: Terms, *, page: Fingerprint, now: datetime
) -> PlanChange | Refusal:
    """What the change would mean now."""
    planned = plan(account, subscription_id, change, terms, now)
    return planned if isinstance(planned, Refusal) else _marked(planned, page, now)


def move_as_shown(
    account: Account, subscription_id: str, change: Move, terms: Terms, *, page: Fingerprint, now: datetime
) -> Planned | PlanChange | Refusal:
    """The change with the numbers of the page. A `PlanChange`: it would be this one by now, and nothing is changed."""
    shown_at = page.shown_at(now)
    if shown_at is not None:
        planned = plan(account, subscription_id, change, terms, shown_at)
        if isinstance(planned, Refusal):
            return planned
        if page.fits(*planned.seen):
            return _or_awaiting(account, planned, terms, now)
    return preview(account, subscription_id, change, terms, page=page, now=now)


def _or_awaiting(account: Account, planned: Planned, terms: Terms, now: datetime) -> Planned | Refusal:
    """The change, or why it is not made; where the bank wants to ask the customer, it waits for that."""
    it, before = planned.preview, account.subscription(planned.preview.subscription)
    if before is None or not waits_for_the_bank(planned.failure, terms.features):
        return planned.failure or planned
    return replace(
        planned, account=waiting(planned.account, before, it.after, planned.invoices[0], it.discount, now=now)
    )


def _marked(planned: Planned, page: Fingerprint, now: datetime) -> PlanChange:
    return replace(planned.preview, fingerprint=page.of(now, *planned.seen))


def plan(account: Account, subscription_id: str, change: Move, terms: Terms, at: datetime) -> Planned | Refusal:
    """The change as it would be made at this moment."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    features = terms.features
    wanted = may_change(subscription, features, at) or target(subscription, change, terms.catalog, features)
    if isinstance(wanted, Refusal):
        return wanted
    moves = wanted != Plan(subscription.items[0].price, subscription.items[0].quantity)
    when = timing(subscription, wanted, features) if moves else Timing()
    if isinstance(when, Refusal):
        return when
    move = PlannedMove(account, subscription, wanted, when, None, at)
    given = _given(move, change.code, terms)
    if isinstance(given, Refusal):
        return given
    move = replace(move, discount=given)
    return _told(move, make(move, features)) if moves or given else Refusal("no_change")


def _given(move: PlannedMove, text: str, terms: Terms) -> Discount | Refusal | None:
    """What the promotion code gives; it begins with the change."""
    if not text.strip():
        return None
    if not may_use_code(terms.features):
        return Refusal("code_not_allowed")
    begins = (renews_at(move.subscription) if move.timing.deferred_by else None) or move.at
    return redeem(move.account, move.subscription, move.plan, text, terms.catalog, at=move.at, begins=begins)


def _told(move: PlannedMove, made: Made) -> Planned:
    before, after = move.subscription, made.account.subscription(move.subscription.id) or move.subscription
    nothing = Money(0, before.currency)
    charge = charge_of(made.invoice) if made.invoice else None
    upcoming = next((each for each in made.account.upcoming if each.subscription == before.id), None)
    coming = next_bill(made.account, after)
    trial = after.status == "trialing"
    set_off = came_off(move.account, made.account, before.currency)
    shown = PlanChange(
        subscription=before.id,
        before=Plan(move.item.price, move.item.quantity),
        after=move.plan,
        at_once=not move.timing.deferred_by,
        applies_at=after.scheduled.at if move.timing.deferred_by and after.scheduled else move.at,
        deferred_by=move.timing.deferred_by,
        charge=charge,
        pending=made.pending,
        due_now=charge.due if charge else nothing,
        credited=max(nothing, -charge.total - set_off, key=lambda each: each.amount) if charge else nothing,
        set_off=set_off or None,
        next_charge=upcoming,
        next_lines=coming[1].lines if coming and upcoming else (),
        period_ends_at=after.current_period_end_at,
        ends_trial=before.status == "trialing" and not trial,
        trial_ends_at=after.trial_end_at if trial else None,
        discount=move.discount,
        cancels=move.timing.cancels,
        replaces=before.scheduled if after.scheduled != before.scheduled else None,
        method=method_of(move.account, before),
    )
    invoices = (made.invoice,) if made.invoice else ()
    seen = before, move.account.balance, shown
    return Planned(made.account, invoices, shown, seen, why_unpaid(made.invoice))
