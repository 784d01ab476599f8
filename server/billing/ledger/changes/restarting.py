"""An ended subscription is started again, at a price of today: a new one with a first period that is paid now. Pure.

disabled_by_configuration, not_ended, already_restarted, several_items, usage_based, sent_invoice, price_not_offered
and those of `charging` where the payment fails
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.ledger.sums.charging import charge_of, mark_of, method_of, why_unpaid
from server.billing.ledger.sums.invoicing import issue
from server.billing.model.account import Account, Catalog, Invoice, Item, Price, Subscription
from server.billing.model.amounts import bill, is_metered
from server.billing.model.change import Charge
from server.billing.model.periods import next_end
from server.billing.model.shown import SHOWN_OTHERWISE, are_alike
from server.brands.features import Features


class Restart(msgspec.Struct, frozen=True):
    """A way to start again."""

    price: Price
    quantity: int
    charge: Charge
    """What is charged now."""
    period_ends_at: datetime
    token: str
    """Goes back with the form: what would be charged otherwise is not."""


def may_restart(subscription: Subscription, features: Features) -> Refusal | None:
    """Why it cannot be started again; None: it can, where a price is still sold (`restarts`)."""
    reason = ""
    if not features.subscription_restart.enabled:
        reason = "disabled_by_configuration"
    elif subscription.status != "canceled":
        reason = "not_ended"
    elif subscription.restarted_as:
        reason = "already_restarted"
    elif len(subscription.items) != 1:
        reason = "several_items"
    elif is_metered(subscription.items[0].price):
        reason = "usage_based"
    elif subscription.collection_method == "send_invoice":
        reason = "sent_invoice"
    return Refusal(reason) if reason else None


def restarts(
    account: Account, subscription: Subscription, catalog: Catalog, features: Features, now: datetime
) -> tuple[Restart, ...]:
    """The prices to choose from: its own one where it is still sold, else those listed for its product, else all."""
    if may_restart(subscription, features):
        return ()
    found = []
    for price in _prices(subscription, catalog, features):
        _, started, invoice = _started(account, subscription, price, now)
        charge, ends_at = charge_of(invoice), started.current_period_end_at
        token = mark_of(charge, method_of(account, subscription), now)
        found.append(Restart(price, started.items[0].quantity, charge, ends_at, token))
    return tuple(found)


def restart_as_shown(
    account: Account,
    subscription_id: str,
    price: str,
    catalog: Catalog,
    *,
    features: Features,
    now: datetime,
    token: str,
) -> Account | Refusal:
    """`restart`, where it charges what was shown under this token."""
    subscription = account.subscription(subscription_id)
    offered = restarts(account, subscription, catalog, features, now) if subscription else ()
    if any(each.price.id == price and not are_alike(token, each.token) for each in offered):
        return Refusal(SHOWN_OTHERWISE)
    return restart(account, subscription_id, price, catalog, features=features, now=now)


def restart(
    account: Account, subscription_id: str, price: str, catalog: Catalog, *, features: Features, now: datetime
) -> Account | Refusal:
    """The account with the new subscription. Started again already: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_restart(subscription, features)
    if refused:
        return account if refused.reason == "already_restarted" else refused
    chosen = next((each for each in _prices(subscription, catalog, features) if each.id == price), None)
    if chosen is None:
        return Refusal("price_not_offered")
    after, started, invoice = _started(account, subscription, chosen, now)
    unpaid = why_unpaid(invoice)
    if unpaid:
        return unpaid
    after = with_subscription(after, replace(subscription, restarted_as=started.id))
    return settled(replace(after, subscriptions=(started, *after.subscriptions)))


def _prices(subscription: Subscription, catalog: Catalog, features: Features) -> list[Price]:
    own = subscription.items[0].price
    ids = [own.id, *(price for each in features.subscription_update.products for price in each.prices)]
    listed = [catalog.prices[each] for each in dict.fromkeys(ids) if each in catalog.prices]
    sold = [
        each
        for each in listed
        if each.active and each.currency == subscription.currency and each.recurring and not is_metered(each)
    ]
    same = [each for each in sold if each.product == own.product]
    return same or sold


def _started(
    account: Account, subscription: Subscription, price: Price, now: datetime
) -> tuple[Account, Subscription, Invoice]:
    """The account with the first invoice, the new subscription (not yet in it), and that invoice."""
    told = blake2b(f"{subscription.id} {now.isoformat()}".encode(), digest_size=12).hexdigest()
    end = next_end(now, price.recurring, now) or now
    item = Item(f"si_{told}", price, now, end, quantity=max(subscription.items[0].quantity, 1))
    pinned = account.payment_method(subscription.default_payment_method)
    started = Subscription(
        id=f"sub_{told}",
        status="active",
        currency=subscription.currency,
        items=(item,),
        created_at=now,
        billing_cycle_anchor_at=now,
        default_payment_method=pinned.id if pinned else "",
        default_tax_rates=subscription.default_tax_rates,
        description=subscription.description,
    )
    account, invoice = issue(account, started, bill(started, started.items, now), now, "subscription_create")
    return account, replace(started, latest_invoice=invoice.id), invoice
