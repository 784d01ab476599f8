"""An ended subscription begins again, at a price of today: a new one with a first period that is paid now. Pure.

Where the bank wants to ask the customer, the new one is `incomplete` until its first invoice is paid, for 23 hours at most.
The words of a `Refusal` are those of `rules.restarting`, and of `charging` where the payment fails.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b

from msgspec.structs import replace

from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.ledger.sums.bills import bill
from server.billing.ledger.sums.charging import charge_of, seen_of, why_unpaid
from server.billing.ledger.sums.invoicing import issue
from server.billing.model.account import Account, Catalog, Invoice, Item, Price, Subscription
from server.billing.model.change import NewStart, Restarts
from server.billing.model.errors import Refusal
from server.billing.model.fingerprint import Fingerprint
from server.billing.model.periods import next_end
from server.billing.rules.methods import method_of
from server.billing.rules.paying import waits_for_the_bank
from server.billing.rules.restarting import may_restart, prices_to_restart
from server.brands.features import Features

PageOf = Callable[[str], Fingerprint]
"""The fingerprints about beginning again at the price of this id."""


def restarts(
    account: Account, subscription_id: str, catalog: Catalog, *, features: Features, page_of: PageOf, now: datetime
) -> Restarts | Refusal:
    """The prices to choose from, and what each one charges now."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_restart(account, subscription, features)
    if refused:
        return refused
    found, method = [], method_of(account, subscription)
    for price in prices_to_restart(subscription, catalog, features):
        _, started, invoice = _started(account, subscription, price, now)
        charge, ends_at = charge_of(invoice), started.current_period_end_at
        mark = page_of(price.id).of(now, *seen_of(charge, method))
        found.append(NewStart(price, started.items[0].quantity, charge, ends_at, mark))
    return Restarts(tuple(found), method) if found else Refusal("price_not_offered")


def restart_as_shown(
    account: Account,
    subscription_id: str,
    price: str,
    catalog: Catalog,
    *,
    features: Features,
    page_of: PageOf,
    now: datetime,
) -> Account | Restarts | Refusal:
    """`restart`, where it charges what the page showed. `Restarts`: it would charge this by now, and nothing begins."""
    meant = restarts(account, subscription_id, catalog, features=features, page_of=page_of, now=now)
    chosen = [each for each in meant.options if each.price.id == price] if isinstance(meant, Restarts) else []
    if isinstance(meant, Restarts) and chosen and not page_of(price).fits(*seen_of(chosen[0].charge, meant.method)):
        return meant
    return restart(account, subscription_id, price, catalog, features=features, now=now)


def restart(
    account: Account, subscription_id: str, price: str, catalog: Catalog, *, features: Features, now: datetime
) -> Account | Refusal:
    """The account with the new subscription. Started again already: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_restart(account, subscription, features)
    if refused:
        return account if refused.reason == "already_restarted" else refused
    chosen = next((each for each in prices_to_restart(subscription, catalog, features) if each.id == price), None)
    if chosen is None:
        return Refusal("price_not_offered")
    after, started, invoice = _started(account, subscription, chosen, now)
    unpaid = why_unpaid(invoice)
    if waits_for_the_bank(unpaid, features):
        started = replace(started, status="incomplete")
    elif unpaid:
        return unpaid
    after = with_subscription(after, replace(subscription, restarted_as=started.id))
    return settled(replace(after, subscriptions=(started, *after.subscriptions)))


def _started(
    account: Account, subscription: Subscription, price: Price, now: datetime
) -> tuple[Account, Subscription, Invoice]:
    """The account with the first invoice, the new subscription (not yet in it), and that invoice."""
    told = blake2b(f"{subscription.id} {now.isoformat()}".encode(), digest_size=12).hexdigest()
    end = next_end(now, price.recurring, now) or now
    old = subscription.items[0]
    item = Item(f"si_{told}", price, now, end, quantity=max(old.quantity, 1), tax_rates=old.tax_rates)
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
        discounts=tuple(each for each in account.customer.discounts if each.coupon.duration != "once"),
        tax_exempt=subscription.tax_exempt,
        automatic_tax=subscription.automatic_tax,
        description=subscription.description,
    )
    account, invoice = issue(account, started, bill(started, started.items, now), now, "subscription_create")
    return account, replace(started, latest_invoice=invoice.id), invoice
