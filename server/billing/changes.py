"""What a customer may change, what it would mean, and the change itself. Pure: `now` is a parameter, nothing is stored.

A page asks `may_cancel` and `cancellation`; the change asks the same functions again before it does anything. The words
of a `Refusal`:

    not_found                  no such subscription in this account
    disabled_by_configuration  the brand does not offer it
    ended                      it is over already
    already_ending             its end is decided
    nothing_to_resume          no end is decided
    unknown_status             the billing side uses a status that we do not know: nothing is risked
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.amounts import Bill, joined
from server.billing.money import Money
from server.billing.proration import credit_for
from server.billing.renewals import settle_last, settled, with_subscription
from server.billing.types import ALIVE, ENDED, Account, InvoiceLine, InvoiceTax, Subscription

_NO_PERIOD = frozenset({"incomplete", "paused"})
"""Nothing is paid and nothing runs in these: a cancellation has no period's end to wait for."""


class CancelRule(Protocol):
    """`[features.subscription_cancel]` of the brand."""

    @property
    def enabled(self) -> bool: ...
    @property
    def mode(self) -> str: ...
    @property
    def proration_behavior(self) -> str: ...


class Cancellation(msgspec.Struct, frozen=True):
    """What a cancellation at this moment means."""

    at_once: bool
    ends_at: datetime
    """When everything of it stops; with `at_once`, now."""
    credit: Money | None = None
    """What the unused time is worth, taxes included: it goes to the customer's balance. None: nothing."""
    lines: tuple[InvoiceLine, ...] = ()
    """The lines of the last invoice: that credit, and what waited for the next one."""
    taxes: tuple[InvoiceTax, ...] = ()
    due: Money | None = None
    """What is still to be paid with it, where what waited is more than the credit."""


def may_cancel(subscription: Subscription, rule: CancelRule, now: datetime) -> Refusal | None:
    """Why it cannot be canceled; None: it can."""
    refused = _over(subscription, now)
    if refused:
        return refused
    if not rule.enabled:
        return Refusal("disabled_by_configuration")
    if subscription.status not in ALIVE:
        return Refusal("unknown_status")
    return Refusal("already_ending") if subscription.cancel_at else None


def may_resume(subscription: Subscription, rule: CancelRule, now: datetime) -> Refusal | None:
    """Why its end cannot be taken back; None: it can."""
    refused = _over(subscription, now)
    if refused:
        return refused
    if not rule.enabled:
        return Refusal("disabled_by_configuration")
    return None if subscription.cancel_at else Refusal("nothing_to_resume")


def _over(subscription: Subscription, now: datetime) -> Refusal | None:
    come = subscription.cancel_at is not None and subscription.cancel_at <= now
    return Refusal("ended") if subscription.status in ENDED or come else None


def cancel(account: Account, subscription_id: str, rule: CancelRule, now: datetime) -> Account | Refusal:
    """The account after the cancellation. Ended already or ending already: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_cancel(subscription, rule, now)
    if refused:
        return account if refused.reason in ("ended", "already_ending") else refused
    if not _is_at_once(subscription, rule, now):
        end = subscription.current_period_end_at
        changed = replace(subscription, cancel_at_period_end=True, cancel_at=end, canceled_at=now)
        return settled(with_subscription(account, changed))
    last = _last_bill(account, subscription, rule, now)
    if last:
        account, subscription = settle_last(account, subscription, last, now)
    changed = replace(subscription, status="canceled", canceled_at=now, ended_at=now, scheduled=None)
    return settled(with_subscription(account, changed))


def resume(account: Account, subscription_id: str, rule: CancelRule, now: datetime) -> Account | Refusal:
    """The account without the end that was decided. No end is decided: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_resume(subscription, rule, now)
    if refused:
        return account if refused.reason == "nothing_to_resume" else refused
    changed = replace(
        subscription, cancel_at_period_end=False, cancel_at=None, canceled_at=None, feedback="", comment=""
    )
    return settled(with_subscription(account, changed))


def cancellation(account: Account, subscription_id: str, rule: CancelRule, now: datetime) -> Cancellation:
    """What `cancel` would do now. Ask `may_cancel` first: this takes it for granted."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        raise LookupError(subscription_id)
    if not _is_at_once(subscription, rule, now):
        return Cancellation(at_once=False, ends_at=subscription.current_period_end_at)
    last = _last_bill(account, subscription, rule, now)
    if last is None:
        return Cancellation(at_once=True, ends_at=now)
    owed = last.total.amount > 0
    due = last.total if owed else None
    return Cancellation(
        at_once=True, ends_at=now, credit=None if owed else -last.total, due=due, lines=last.lines, taxes=last.taxes
    )


def _is_at_once(subscription: Subscription, rule: CancelRule, now: datetime) -> bool:
    waits = subscription.status not in _NO_PERIOD and subscription.current_period_end_at > now
    return rule.mode == "immediately" or not waits


def _last_bill(account: Account, subscription: Subscription, rule: CancelRule, now: datetime) -> Bill | None:
    """What is settled with a cancellation at once: what waited for the next invoice, and the credit for the rest of the
    paid periods, as negative lines. None where there is neither."""
    pending = list(subscription.pending)
    if rule.proration_behavior == "create_prorations":
        unused = (credit_for(account, subscription, item, now) for item in subscription.items)
        pending += [each for each in unused if each]
    return joined(None, pending, subscription.currency) if pending else None
