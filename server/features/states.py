"""The state of a subscription in the words that templates have."""

from __future__ import annotations

from server.billing import Subscription

BADGES = (
    {"active": "good"}
    # What the customer decided is no warning.
    | dict.fromkeys(("trialing", "ending", "collection_paused", "paused", "incomplete"), "info")
    | dict.fromkeys(("past_due", "unpaid"), "bad")
    | dict.fromkeys(("canceled", "incomplete_expired"), "quiet")
)
"""The states that templates have words for, and the kind of their badge."""


def state_of(subscription: Subscription) -> str:
    """The state in the templates' words: an end that is decided, or a pause, goes before `active`."""
    if subscription.status in {"active", "trialing"}:
        if subscription.cancel_at is not None:
            return "ending"
        if subscription.pause_behavior:
            return "collection_paused"
    return subscription.status if subscription.status in BADGES else "other"
