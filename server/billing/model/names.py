"""What a subscription or a plan is called, wherever a page or a mail names it. Pure."""

from __future__ import annotations

from server.billing.model.account import Price, Subscription


def name_of(subscription: Subscription) -> str:
    """Its own description, or its first product; empty where it holds none."""
    price = subscription.items[0].price if subscription.items else None
    return subscription.description or (called(price) if price else "")


def called(price: Price) -> str:
    """What the plan with this price is called."""
    return price.product_name or price.nickname or price.product


def more_items_of(subscription: Subscription) -> int:
    """How many products it holds that the name does not say."""
    return 0 if subscription.description else max(len(subscription.items) - 1, 0)
