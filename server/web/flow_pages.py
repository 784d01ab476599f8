"""Where a session begins that a merchant's back end made: the first page of its flow, or the overview."""

from __future__ import annotations

from server.access.portal_sessions import Flow
from server.paths import Paths


def first_page(paths: Paths, flow: Flow | None) -> str:
    """Where the portal begins."""
    if flow is None:
        return paths.overview
    of = flow.subscription
    return {
        "payment_method_update": paths.payment_method_add,
        "customer_update": paths.details,
        "subscription_cancel": paths.subscription_cancel(of),
        "subscription_pause": paths.subscription_pause(of),
        "subscription_update": paths.subscription_change(of),
        "subscription_update_confirm": paths.subscription_change_confirm(of),
    }[flow.type]
