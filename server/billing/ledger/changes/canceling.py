"""A cancellation and its undoing: what it means, and the change itself. Pure: `now` is a parameter, nothing is stored.

The change asks the same rule (`rules.canceling`) that the page asked, before it does anything.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.events.ending import never_begun, not_tried_again, settle_last
from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.ledger.sums.bills import Bill, bill
from server.billing.ledger.sums.invoicing import came_off
from server.billing.ledger.sums.proration import credit_for
from server.billing.model.account import Account, Subscription
from server.billing.model.change import Cancellation
from server.billing.model.errors import Refusal
from server.billing.model.fingerprint import Fingerprint
from server.billing.rules.canceling import CancelRule, is_at_once, may_cancel, may_resume


def cancel_as_shown(
    account: Account, subscription_id: str, rule: CancelRule, page: Fingerprint, now: datetime
) -> Account | Cancellation | Refusal:
    """`cancel`, with the numbers of the page. A `Cancellation`: it would be this one by now, and nothing is done."""
    subscription = account.subscription(subscription_id)
    if subscription is None or may_cancel(subscription, rule, now):
        return cancel(account, subscription_id, rule, now)
    shown_at = page.shown_at(now)
    if shown_at and page.fits(*_seen(account, subscription, _meant(account, subscription, rule, shown_at))):
        return cancel(account, subscription_id, rule, now, shown_at=shown_at)
    today = _meant(account, subscription, rule, now)
    if page.fits(*_seen(account, subscription, today)):
        return cancel(account, subscription_id, rule, now)
    return _marked(account, subscription, today, page, now)


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
    if not is_at_once(subscription, rule, shown_at or now):
        end = subscription.current_period_end_at
        changed = replace(subscription, cancel_at_period_end=True, cancel_at=end, canceled_at=now)
        return settled(with_subscription(account, changed))
    if subscription.status == "incomplete":
        return settled(never_begun(account, replace(subscription, canceled_at=now), now))
    last = _last_bill(account, subscription, rule, shown_at or now)
    if last:
        account, subscription = settle_last(account, subscription, last, now)
    changed = replace(subscription, status="canceled", canceled_at=now, ended_at=now, scheduled=None)
    return settled(with_subscription(not_tried_again(account, subscription.id), changed))


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


def cancellation(
    account: Account, subscription_id: str, rule: CancelRule, page: Fingerprint, now: datetime
) -> Cancellation | Refusal:
    """What `cancel` would do now."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_cancel(subscription, rule, now)
    return refused or _marked(account, subscription, _meant(account, subscription, rule, now), page, now)


def _meant(account: Account, subscription: Subscription, rule: CancelRule, now: datetime) -> Cancellation:
    at_once = is_at_once(subscription, rule, now)
    meant = Cancellation(at_once, now if at_once else subscription.current_period_end_at)
    last = _last_bill(account, subscription, rule, now) if at_once else _waiting(subscription)
    if last is None:
        return meant
    meant = replace(meant, lines=last.lines, taxes=last.taxes)
    if last.total.amount > 0:
        return replace(meant, due=last.total)
    after = settle_last(account, subscription, last, now)[0] if at_once else account
    off = came_off(account, after, last.total.currency)
    return replace(meant, credit=-last.total - off or None, set_off=off or None)


def _seen(account: Account, subscription: Subscription, meant: Cancellation) -> tuple[object, ...]:
    """Without the moments in it: where they change nothing that is paid, the page holds for longer than its numbers."""
    ends_at = None if meant.at_once else meant.ends_at
    return subscription, account.balance, meant.at_once, ends_at, meant.credit, meant.set_off, meant.due


def _marked(
    account: Account, subscription: Subscription, meant: Cancellation, page: Fingerprint, now: datetime
) -> Cancellation:
    return replace(meant, fingerprint=page.of(now, *_seen(account, subscription, meant)))


def _last_bill(account: Account, subscription: Subscription, rule: CancelRule, now: datetime) -> Bill | None:
    """What is settled with a cancellation at once: what waited for the next invoice, and the credit for the rest of the
    paid periods, as negative lines. None where there is neither, or where nothing has begun."""
    if subscription.status == "incomplete":
        return None
    pending = list(subscription.pending)
    if rule.proration_behavior == "create_prorations":
        unused = (credit_for(account, subscription, item, now) for item in subscription.items)
        pending += [each for each in unused if each]
    return bill(subscription, (), now, pending) if pending else None


def _waiting(subscription: Subscription) -> Bill | None:
    """What is settled when it ends by itself: `renewals` does it."""
    at, pending = subscription.current_period_end_at, subscription.pending
    return bill(subscription, (), at, pending) if pending else None
