"""A pause and its end. Pure. `renewals` ends a pause by itself; ended before that, inside a period that nobody paid, a new
period begins then.

    too_many_cycles    longer than the configuration allows

the words of `rules.pausing`, and those of `charging` where a payment fails.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.events.dunning import arranged
from server.billing.ledger.events.renewals import settled, with_lasting, with_subscription
from server.billing.ledger.sums.bills import bill
from server.billing.ledger.sums.charging import charge_of, seen_of, why_unpaid
from server.billing.ledger.sums.invoicing import issue
from server.billing.model.account import Account, Basis, Invoice, Item, Subscription
from server.billing.model.change import Unpausing
from server.billing.model.errors import Refusal
from server.billing.model.fingerprint import Fingerprint
from server.billing.model.periods import begun, next_end
from server.billing.rules.methods import method_of
from server.billing.rules.pausing import may_pause, may_unpause, pauses
from server.billing.rules.paying import waits_for_the_bank
from server.brands.dunning import STANDARD, Dunning
from server.brands.features import Features


def pause(account: Account, subscription_id: str, cycles: int, features: Features, now: datetime) -> Account | Refusal:
    """The account with the pause. Paused already: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_pause(subscription, features, now)
    if refused:
        return account if refused.reason == "already_paused" else refused
    chosen = next((each for each in pauses(subscription, features, now) if each.cycles == cycles), None)
    if chosen is None:
        return Refusal("too_many_cycles", str(features.subscription_pause.max_cycles))
    paused = replace(subscription, pause_behavior="void", pause_resumes_at=chosen.resumes_at, paused_at=now)
    return settled(with_subscription(account, paused))


def unpause(
    account: Account, subscription_id: str, features: Features, now: datetime, *, dunning: Dunning = STANDARD
) -> Account | Refusal:
    """The account without the pause. Not paused: the same account, unchanged. Where the bank wants to ask the customer, it
    goes on as `past_due`, with an invoice that waits for that."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_unpause(subscription, features, now)
    if refused:
        return account if refused.reason == "not_paused" else refused
    after, invoice = _unpaused(account, subscription, now)
    unpaid = why_unpaid(invoice)
    if invoice is None or not waits_for_the_bank(unpaid, features):
        return unpaid or after
    behind = replace(after.subscription(subscription_id) or subscription, status="past_due")
    return settled(arranged(with_subscription(after, behind), invoice, now, dunning))


def unpausing(
    account: Account, subscription_id: str, features: Features, page: Fingerprint, now: datetime
) -> Unpausing | Refusal:
    """What ending the pause charges now."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_unpause(subscription, features, now)
    if refused:
        return refused
    _, invoice = _unpaused(account, subscription, now)
    charge, method = charge_of(invoice) if invoice else None, method_of(account, subscription)
    return Unpausing(charge, method, page.of(now, *seen_of(charge, method)))


def unpause_as_shown(
    account: Account,
    subscription_id: str,
    features: Features,
    page: Fingerprint,
    now: datetime,
    *,
    dunning: Dunning = STANDARD,
) -> Account | Unpausing | Refusal:
    """`unpause`, where it charges what the page showed. An `Unpausing`: it would charge this by now, and the pause goes
    on."""
    meant = unpausing(account, subscription_id, features, page, now)
    if isinstance(meant, Unpausing) and not page.fits(*seen_of(meant.charge, meant.method)):
        return meant
    return unpause(account, subscription_id, features, now, dunning=dunning)


def _unpaused(account: Account, subscription: Subscription, now: datetime) -> tuple[Account, Invoice | None]:
    status = "active" if subscription.status == "paused" else subscription.status
    running = replace(subscription, status=status, pause_behavior="", pause_resumes_at=None, paused_at=None)
    fresh = _begun(account, subscription, now)
    if not fresh:
        return settled(with_subscription(account, running)), None
    by_id = {each.id: each for each in fresh}
    items = tuple(by_id.get(each.id, each) for each in running.items)
    running = replace(running, items=items, billing_cycle_anchor_at=now, pending=())
    charge = bill(running, fresh, now, subscription.pending)
    account, invoice = issue(account, running, charge, now, "subscription_update")
    running = replace(with_lasting(running, now), latest_invoice=invoice.id)
    return settled(with_subscription(account, running)), invoice


def _begun(account: Account, subscription: Subscription, now: datetime) -> list[Item]:
    """The items whose running period nobody paid, each with a period that begins now."""
    latest = next((each for each in account.invoices if each.id == subscription.latest_invoice), None)
    if subscription.status == "paused":
        items = list(subscription.items)
    elif latest is None:  # out of sight: what nobody paid for is worth nothing
        items = [each for each in subscription.items if each.basis == Basis(net="0")]
    elif latest.status not in {"void", "uncollectible"}:
        return []
    else:
        items = [each for each in subscription.items if each.current_period_start_at == latest.created_at]
    ends = [next_end(now, each.price.recurring, now) or each.current_period_end_at for each in items]
    return [begun(subscription, each, now, end) for each, end in zip(items, ends, strict=True)]
