"""Whether an ended subscription may begin again, and at which prices. Pure. The words of a `Refusal`:

disabled_by_configuration, not_ended, already_restarted, several_items, usage_based, sent_invoice, price_not_offered
"""

from __future__ import annotations

from server.billing.model.account import Account, Catalog, Price, Subscription
from server.billing.model.amounts import is_metered
from server.billing.model.errors import Refusal
from server.billing.rules.plans import is_sold
from server.brands.features import Features


def may_restart(account: Account, subscription: Subscription, features: Features) -> Refusal | None:
    """Why it cannot be started again; None: it can, where a price is still sold (`restarts`). One that began again and was
    not paid for in time never ran."""
    reason, begun = "", account.subscription(subscription.restarted_as)
    if not features.subscription_restart.enabled:
        reason = "disabled_by_configuration"
    elif subscription.status != "canceled":
        reason = "not_ended"
    elif subscription.restarted_as and (begun is None or begun.status != "incomplete_expired"):
        reason = "already_restarted"
    elif len(subscription.items) != 1:
        reason = "several_items"
    elif is_metered(subscription.items[0].price):
        reason = "usage_based"
    elif subscription.collection_method == "send_invoice":
        reason = "sent_invoice"
    return Refusal(reason) if reason else None


def prices_to_restart(subscription: Subscription, catalog: Catalog, features: Features) -> list[Price]:
    """Its own price where that is still sold, else those listed for its product, else all."""
    own = subscription.items[0].price
    ids = [own.id, *(price for each in features.subscription_update.products for price in each.prices)]
    listed = [catalog.prices[each] for each in dict.fromkeys(ids) if each in catalog.prices]
    sold = [each for each in listed if is_sold(each, subscription.currency)]
    same = [each for each in sold if each.product == own.product]
    return same or sold
