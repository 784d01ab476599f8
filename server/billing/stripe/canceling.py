"""The end of a subscription at Stripe: Cancel, Resume, the reasons, and the coupon for those who stay.

A cancellation at once has no `proration_date`: Stripe credits the time that is left when the request comes. So the
page's numbers are worked out again for the page's moment; where they are the same, nothing else changed, and the credit
differs by the seconds in between only.
"""

from __future__ import annotations

from msgspec.structs import replace

from server.billing.model.account import ENDED, Subscription, Upcoming
from server.billing.model.change import Cancellation, Charge, Plan, RetentionOffer
from server.billing.model.errors import Refusal
from server.billing.rules.canceling import LONGEST_COMMENT, is_at_once, may_cancel, may_resume, may_tell
from server.billing.rules.discounts import changes_nothing, in_currency, why_no_coupon
from server.billing.stripe import mapping_previews
from server.billing.stripe.asking import Asking, Planned
from server.billing.stripe.operations import Step
from server.formats.money import Money


async def cancel(it: Asking) -> Planned | Refusal:
    subscription, rule = it.subscription, it.features.subscription_cancel
    refused = may_cancel(subscription, rule, it.by.now)
    if refused:
        return refused
    if subscription.schedule:
        return Refusal("scheduled_by_business")
    if not is_at_once(subscription, rule, it.at):
        ends_at = subscription.current_period_end_at
        steps = (*given_up(subscription), *released(subscription), Step(it.path, {"cancel_at_period_end": True}))
        meant = Cancellation(at_once=False, ends_at=ends_at)
        return Planned(steps, preview=meant, seen=(_standing(subscription), ends_at))
    prorates = rule.proration_behavior == "create_prorations"
    details = {"cancel_now": True, "proration_behavior": rule.proration_behavior}
    moment = {"proration_date": it.seconds} if prorates else {}
    raw = await it.previewed(subscription_details={**details, **moment})
    meant, seen = _ended_at_once(it, mapping_previews.charge(raw, it.known) if raw else None)
    ends = Step(it.path, {"prorate": prorates, "invoice_now": True}, "delete")
    return Planned((*given_up(subscription), ends), preview=meant, seen=seen)


def _ended_at_once(it: Asking, last: Charge | None) -> tuple[Cancellation, tuple[object, ...]]:
    meant = Cancellation(at_once=True, ends_at=it.at)
    if last and last.lines:
        credit, due = (None, last.total) if last.total.amount > 0 else (-last.total, None)
        meant = replace(meant, credit=credit, due=due, lines=last.lines, taxes=last.taxes)
    return meant, (_standing(it.subscription), mapping_previews.seen_of(last, None))


def _standing(subscription: Subscription) -> tuple[object, ...]:
    """What of it decides about a cancellation."""
    items = tuple((each.id, each.price.id, each.quantity) for each in subscription.items)
    return subscription.status, items, subscription.trial_end_at, subscription.scheduled


def released(subscription: Subscription) -> tuple[Step, ...]:
    """Take back the change that waits: Stripe decides about no end while a schedule holds the subscription."""
    waits = subscription.scheduled
    return (Step(f"/v1/subscription_schedules/{waits.id}/release"),) if waits else ()


def given_up(subscription: Subscription) -> tuple[Step, ...]:
    """Give up the change that waits for its payment: Stripe does so when its invoice is void. Who cancels, pauses or stays
    is not charged for it afterwards."""
    waits = subscription.awaiting
    return (Step(f"/v1/invoices/{waits.invoice}/void"),) if waits else ()


async def resume(it: Asking) -> Planned | Refusal:
    refused = may_resume(it.subscription, it.features.subscription_cancel, it.by.now)
    if refused:
        return Planned() if refused.reason == "nothing_to_resume" else refused
    # The period's end as a flag, as classic subscriptions have it, or a moment: each is taken back by its own name.
    back = {"cancel_at_period_end": False} if it.subscription.cancel_at_period_end else {"cancel_at": ""}
    return Planned((Step(it.path, back),))


async def tell(it: Asking) -> Planned | Refusal:
    reason, comment = it.action.reason, it.action.comment.strip()
    refused = may_tell(it.subscription, it.features, it.by.now)
    if refused:
        return Planned() if it.subscription.feedback else refused
    if reason not in it.features.subscription_cancel.cancellation_reason.options:
        return Refusal("unknown_reason")
    if len(comment) > LONGEST_COMMENT:
        return Refusal("comment_too_long", str(LONGEST_COMMENT))
    return Planned((Step(it.path, {"cancellation_details": {"feedback": reason, "comment": comment}}),))


async def retain(it: Asking) -> Planned | Refusal:
    subscription, wanted = it.subscription, it.features.subscription_cancel.retention.coupon
    if wanted and subscription.retained == wanted:
        return Planned()
    refused = may_cancel(subscription, it.features.subscription_cancel, it.by.now)
    coupon = it.catalog.coupons.get(wanted)
    if refused:
        return refused
    plans = [Plan(each.price, each.quantity) for each in subscription.items]
    if coupon is None or all(why_no_coupon(subscription, each, coupon, it.at) for each in plans):
        return Refusal("no_offer")
    discounts = [*it.kept_discounts(), {"coupon": coupon.id}]
    before, after = await _next(it), await _next(it, discounts=discounts)
    if changes_nothing(subscription, before, after):
        return Refusal("no_offer")
    steps = Step(it.path, {"discounts": discounts, "metadata": {"postern_retained": coupon.id}})
    coupon = replace(in_currency(coupon, subscription.currency) or coupon, times_redeemed=0)
    offer = RetentionOffer(coupon, before, after)
    return Planned((*given_up(subscription), steps), preview=offer, seen=(coupon, before, after))


async def _next(it: Asking, **more: object) -> Upcoming | None:
    """The next charge. None: nothing is charged."""
    if it.subscription.status in ENDED:
        return None
    raw = await it.previewed(**more)
    if raw is None:
        return None
    total = Money(raw["total"], it.subscription.currency)
    return Upcoming(it.subscription.id, it.subscription.current_period_end_at, total)
