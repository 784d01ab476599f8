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

from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.events.renewals import settle_last, settled, with_subscription
from server.billing.ledger.sums.proration import credit_for
from server.billing.model.account import ALIVE, ENDED, Account, Subscription
from server.billing.model.amounts import Bill, joined
from server.billing.model.change import Cancellation
from server.billing.model.shown import are_alike, moment_of, token_of

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


def cancel_as_shown(
    account: Account, subscription_id: str, rule: CancelRule, *, token: str, now: datetime
) -> Account | Cancellation | Refusal:
    """`cancel`, with the numbers that were shown under this token. A `Cancellation`: it would be this one by now, and
    nothing is done."""
    subscription = account.subscription(subscription_id)
    if subscription is None or may_cancel(subscription, rule, now):
        return cancel(account, subscription_id, rule, now)
    today = cancellation(account, subscription_id, rule, now)
    shown_at = moment_of(token, now)
    if shown_at and cancellation(account, subscription_id, rule, shown_at).token == token:
        return cancel(account, subscription_id, rule, now, shown_at=shown_at)
    return cancel(account, subscription_id, rule, now) if are_alike(today.token, token) else today


def cancel(
    account: Account, subscription_id: str, rule: CancelRule, now: datetime, *, shown_at: datetime | None = None
) -> Account | Refusal:
    """The account after the cancellation. Ended already or ending already: the same account, unchanged.

    `shown_at`: the moment for which the unused time is worked out; None: now.
    """
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_cancel(subscription, rule, now)
    if refused:
        return account if refused.reason in ("ended", "already_ending") else refused
    if not _is_at_once(subscription, rule, shown_at or now):
        end = subscription.current_period_end_at
        changed = replace(subscription, cancel_at_period_end=True, cancel_at=end, canceled_at=now)
        return settled(with_subscription(account, changed))
    last = _last_bill(account, subscription, rule, shown_at or now)
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
    at_once = _is_at_once(subscription, rule, now)
    meant = Cancellation(at_once, now if at_once else subscription.current_period_end_at)
    last = _last_bill(account, subscription, rule, now) if at_once else _waiting(subscription)
    if last:
        owed = last.total.amount > 0
        credit, due = (None, last.total) if owed else (-last.total, None)
        meant = replace(meant, credit=credit, due=due, lines=last.lines, taxes=last.taxes)
    # Without the moments in it: where they change nothing that is paid, the page stands for longer than its numbers.
    seen = (subscription, account.balance, at_once, None if at_once else meant.ends_at, meant.credit, meant.due)
    return replace(meant, token=token_of(now, *seen))


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


def _waiting(subscription: Subscription) -> Bill | None:
    """What is settled when it ends by itself: `renewals` does it."""
    return joined(None, subscription.pending, subscription.currency) if subscription.pending else None
