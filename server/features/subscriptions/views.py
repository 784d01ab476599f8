"""What a customer sees of a subscription, what may be done with it, and why not.

    Card            one subscription, with what happened to it: the target of every change
    List            every subscription

and beside this file the pages before a change: `cancel_views`, `change_views`, `pause_views`.

Nothing here is decided twice: whether something may be canceled or taken back is `billing.rules.canceling`'s answer, and
the change itself asks it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from server.billing import Account, Activity, Discount, PaymentMethod, Subscription, Upcoming
from server.billing.model.account import ENDED
from server.billing.model.names import called, more_items_of, name_of
from server.billing.rules import canceling, pausing, plans, remedies, restarting
from server.billing.rules.methods import method_of
from server.billing.rules.paying import failure_of
from server.brands import Features
from server.features.entries import Entry, entry_of
from server.features.states import BADGES, state_of
from server.features.subscriptions.part_views import Awaiting, Debt, Line, debt_of, line_of, next_charge_of
from server.rendering.views import View

_OBVIOUS = frozenset({"disabled_by_configuration", "ended", "nothing_to_change_to", "unknown_status"})
"""Why a plan cannot be changed, where the card says it already or it is not worth a sentence."""


class Scheduled(msgspec.Struct, frozen=True):
    """A change that waits for the end of the period."""

    at: datetime
    name: str
    """What the plan is called."""
    line: Line
    may_undo: bool = False


class Feedback(msgspec.Struct, frozen=True):
    """The question why a subscription was canceled, asked once after it."""

    options: tuple[str, ...]
    """Words of `cancellation_reason.options`."""
    texts: dict[str, str] = {}
    """The brand's own sentence for an option, where it has one."""
    chosen: str = ""
    comment: str = ""
    """What was typed."""
    mistake: str = ""
    """What has to be corrected: `unknown_reason`, `comment_too_long`, `again`, or nothing."""


class Card(View, frozen=True):
    """One subscription: price, state, what comes next and what can be done."""

    id: str
    customer: str
    """Goes along with every form: a page of another account must not change this one."""
    name: str
    state: str
    """A key of `BADGES`, or `other`."""
    word: str
    """The billing side's own word for the status."""
    badge: str
    lines: tuple[Line, ...]
    more_items: int = 0
    """Items beside the one that gave the name."""
    next_charge: Upcoming | None = None
    """None: nothing will be charged, or we do not know."""
    ends_at: datetime | None = None
    """When it will end; None: it goes on, or has ended already."""
    ended_at: datetime | None = None
    trial_ends_at: datetime | None = None
    is_paused: bool = False
    """A pause has begun, the customer's or the business's."""
    pause_begins_at: datetime | None = None
    """When the pause begins that the customer asked for; None: it has begun, or there is none."""
    paused_until: datetime | None = None
    discounts: tuple[Discount, ...] = ()
    """Those that still count."""
    method: PaymentMethod | None = None
    """What it is paid with."""
    method_is_pinned: bool = False
    """This subscription names its own, whatever the default is."""
    method_problem: bool = False
    """It should be charged automatically and there is nothing to charge."""
    after_trial: str = ""
    """What the end of its trial does while there is nothing to charge: `cancel`, `pause`; empty: a charge fails."""
    method_failure: str = ""
    """The decline code of a charge to `method` now; empty: it works."""
    by_invoice: bool = False
    days_until_due: int = 0
    has_schedule: bool = False
    """A later change has been arranged by the business, of which nobody says what it is."""
    scheduled: Scheduled | None = None
    """A later change that the customer has arranged, or the business, where it is one of plan or quantity."""
    awaiting: Awaiting | None = None
    """A change that waits for its payment."""
    paused_by_customer: bool = False
    debt: Debt | None = None
    may_cancel: bool = False
    may_resume: bool = False
    may_change: bool = False
    """The plan, the quantity or a promotion code."""
    may_pause: bool = False
    may_unpause: bool = False
    may_restart: bool = False
    why_not: str = ""
    """Why it cannot be canceled: a reason of `billing.rules.canceling`."""
    why_no_change: str = ""
    """Why its plan cannot be changed, where that is worth a sentence: a reason of `billing.rules.plans.may_change`."""
    remedies: tuple[str, ...] = ()
    """What leads out of a state that needs something done: words of `billing.rules.remedies`."""
    key: str = ""
    """The idempotency key of the form that takes the end back."""
    history: tuple[Entry, ...] = ()
    announcement: str = ""
    """What was just done, such as `ends`: a key of `components/subscriptions/announcement.html`, or nothing."""
    refusal: str = ""
    """Why it was refused, where it was."""
    feedback: Feedback | None = None
    """Visit with the answer to a cancellation."""


class List(View, frozen=True):
    running: tuple[Card, ...] = ()
    ended: tuple[Card, ...] = ()


def card(
    subscription: Subscription,
    account: Account,
    features: Features,
    now: datetime,
    *,
    key: str = "",
    activities: Sequence[Activity] = (),
) -> Card:
    forbidden = canceling.may_cancel(subscription, features.subscription_cancel, now)
    alive = subscription.status not in ENDED
    ends_at = subscription.cancel_at if alive else None
    state, scheduled = state_of(subscription), scheduled_of(subscription, features, now)
    return Card(
        id=subscription.id,
        customer=account.customer.id,
        name=name_of(subscription),
        state=state,
        word=subscription.status,
        badge=BADGES.get(state, "quiet"),
        lines=tuple(line_of(each.price, each.quantity) for each in subscription.items),
        more_items=more_items_of(subscription),
        next_charge=next_charge_of(subscription, account),
        ends_at=ends_at,
        ended_at=subscription.ended_at if not alive else None,
        trial_ends_at=subscription.trial_end_at if subscription.status == "trialing" else None,
        is_paused=alive and pausing.is_paused(subscription),
        pause_begins_at=pausing.begins_at(subscription) if alive else None,
        paused_until=subscription.pause_resumes_at if alive else None,
        paused_by_customer=alive and subscription.paused_at is not None,
        discounts=tuple(each for each in subscription.discounts if alive and (not each.end_at or each.end_at > now)),
        **(_paid_with(subscription, account, now) if alive else {}),
        has_schedule=alive and bool(subscription.schedule) and scheduled is None,
        scheduled=scheduled if scheduled and alive and not (ends_at and ends_at <= scheduled.at) else None,
        awaiting=awaiting_of(subscription, account, features, now) if alive else None,
        debt=debt_of(subscription, account, now),
        may_cancel=forbidden is None,
        **_allowed(account, subscription, features, now),
        why_not=forbidden.reason if forbidden and alive and ends_at is None and state != "other" else "",
        remedies=remedies.remedies_of(subscription, account, features, now),
        key=key,
        history=tuple(entry_of(each, account) for each in activities if each.subject == subscription.id),
    )


def _paid_with(subscription: Subscription, account: Account, now: datetime) -> dict[str, Any]:
    """What it is paid with, by the names of the card's fields."""
    by_invoice = subscription.collection_method == "send_invoice"
    method = None if by_invoice else method_of(account, subscription)
    return {
        "method": method,
        "method_is_pinned": bool(subscription.default_payment_method),
        "method_problem": method is None and not by_invoice,
        "after_trial": subscription.trial_without_method
        if method is None and subscription.status == "trialing"
        else "",
        "method_failure": failure_of(method, now) if method else "",
        "by_invoice": by_invoice,
        "days_until_due": subscription.days_until_due,
    }


def _allowed(account: Account, subscription: Subscription, features: Features, now: datetime) -> dict[str, Any]:
    """What may be done with it, by the names of the card's fields."""
    rule = features.subscription_cancel
    no_change = plans.may_change(subscription, features, now)
    return {
        "may_resume": canceling.may_resume(subscription, rule, now) is None,
        "may_change": no_change is None,
        "may_pause": pausing.may_pause(subscription, features, now) is None,
        "may_unpause": pausing.may_unpause(subscription, features, now) is None,
        "may_restart": restarting.may_restart(account, subscription, features) is None,
        "why_no_change": no_change.reason if no_change and no_change.reason not in _OBVIOUS else "",
    }


def scheduled_of(subscription: Subscription, features: Features, now: datetime) -> Scheduled | None:
    """A later change that the customer asked for, or one of the business, which only the business takes back."""
    it = subscription.scheduled
    if it is None:
        phase = next((each for each in subscription.phases if each.at > now), None)
        if phase is None or len(phase.items) != 1:
            return None
        (item,) = phase.items
        return Scheduled(phase.at, called(item.price), line_of(item.price, item.quantity), may_undo=False)
    return Scheduled(
        at=it.at,
        name=called(it.price),
        line=line_of(it.price, it.quantity),
        may_undo=plans.may_undo(subscription, features, now) is None,
    )


def awaiting_of(subscription: Subscription, account: Account, features: Features, now: datetime) -> Awaiting | None:
    it = subscription.awaiting
    if it is None:
        return None
    due = next((each.amount_due for each in account.invoices if each.id == it.invoice), None)
    may_undo = plans.may_undo(subscription, features, now) is None
    return Awaiting(called(it.price), line_of(it.price, it.quantity), it.until, it.invoice, due, may_undo)


def feedback_of(
    subscription: Subscription,
    features: Features,
    now: datetime,
    *,
    chosen: str = "",
    comment: str = "",
    mistake: str = "",
) -> Feedback | None:
    """The question why, where it may be asked. The words are those that were typed."""
    rule = features.subscription_cancel
    if canceling.may_tell(subscription, features, now):
        return None
    return Feedback(rule.cancellation_reason.options, dict(rule.reasons_text), chosen, comment, mistake)


def mistake_in(reason: str, comment: str, options: Sequence[str]) -> str:
    """What has to be corrected in an answer to the question why; empty: nothing."""
    if reason not in options:
        return "unknown_reason"
    return "comment_too_long" if reason == "other" and len(comment) > canceling.LONGEST_COMMENT else ""


def listing(account: Account, features: Features, now: datetime, *, key: str = "") -> List:
    """`key` is fresh for this page; each card's form gets one of its own from it."""
    cards = [
        card(each, account, features, now, key=f"{key}-{place}") for place, each in enumerate(account.subscriptions)
    ]
    return List(
        running=tuple(each for each in cards if not is_over(each)),
        ended=tuple(each for each in cards if is_over(each)),
    )


def is_over(each: Card) -> bool:
    return each.state in {"canceled", "incomplete_expired"}
