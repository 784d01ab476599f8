"""One object by its id, for every kind that has nothing special about it."""

from __future__ import annotations

from tests.stripe.routing import Call, serves
from tests.stripe.world import Json

_PATHS = {
    "charge": "charges", "checkout.session": "checkout/sessions", "coupon": "coupons", "credit_note": "credit_notes",
    "event": "events", "invoice": "invoices", "invoice_payment": "invoice_payments", "invoiceitem": "invoiceitems",
    "payment_intent": "payment_intents", "payment_method": "payment_methods", "price": "prices", "product": "products",
    "promotion_code": "promotion_codes", "refund": "refunds", "setup_intent": "setup_intents", "tax_rate": "tax_rates",
    "subscription": "subscriptions", "subscription_schedule": "subscription_schedules", "webhook_endpoint": "webhook_endpoints",
}  # fmt: skip


def _register(kind: str, path: str) -> None:
    @serves("get", f"/v1/{path}/{{}}")
    def retrieve(call: Call) -> Json:
        return call.world.get(kind, call.ids[0])


for _kind, _path in _PATHS.items():
    _register(_kind, _path)


@serves("get", "/v1/account")
def account(call: Call) -> Json:
    """The merchant's own."""
    return {
        "id": "acct_standin", "object": "account", "country": "DE", "default_currency": "eur", "charges_enabled": True,
        "email": "owner@example.com", "type": "standard", "payouts_enabled": True, "details_submitted": True,
        "business_profile": {"name": "The stand-in"},
    }  # fmt: skip
