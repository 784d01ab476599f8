"""How ids of each kind begin, and what Stripe fills in where nobody said anything."""

from __future__ import annotations

from typing import Any

PREFIXES = {
    "account": "acct", "charge": "ch", "checkout.session": "cs_test", "coupon": "co", "credit_note": "cn", "customer": "cus",
    "customer_balance_transaction": "cbtxn", "discount": "di", "event": "evt", "invoice": "in", "invoice_payment": "inpay",
    "invoiceitem": "ii", "line_item": "il", "payment_intent": "pi", "payment_method": "pm", "price": "price",
    "product": "prod", "promotion_code": "promo", "refund": "re", "setup_intent": "seti", "subscription": "sub",
    "subscription_item": "si", "subscription_schedule": "sub_sched", "tax_id": "txi", "tax_rate": "txr",
    "v2.core.account": "acct", "webhook_endpoint": "we",
}  # fmt: skip

_NO_TAX: dict[str, Any] = {"enabled": False}
_ISSUER = {"issuer": {"type": "self"}}

DEFAULTS: dict[str, dict[str, Any]] = {
    "charge": {
        "amount_captured": 0, "amount_refunded": 0, "billing_details": {}, "captured": True, "disputed": False,
        "metadata": {}, "paid": True, "refunded": False, "status": "succeeded",
    },
    "checkout.session": {
        "automatic_tax": _NO_TAX, "custom_fields": [], "custom_text": {}, "mode": "setup", "payment_method_types": ["card"],
        "payment_status": "no_payment_required", "shipping_options": [], "status": "open", "metadata": {},
    },
    "coupon": {"duration": "once", "metadata": {}, "times_redeemed": 0, "valid": True},
    "credit_note": {
        "amount_shipping": 0, "discount_amount": 0, "discount_amounts": [], "post_payment_amount": 0, "pre_payment_amount": 0,
        "pretax_credit_amounts": [], "refunds": [], "status": "issued", "metadata": {},
        "lines": {"object": "list", "data": [], "has_more": False, "url": "/v1/credit_notes/lines"},
    },
    "customer": {
        "balance": 0, "delinquent": False, "invoice_settings": {"default_payment_method": None}, "metadata": {},
        "next_invoice_sequence": 1, "preferred_locales": [], "tax_exempt": "none",
    },
    "event": {"pending_webhooks": 0},
    "invoice": {
        "amount_overpaid": 0, "amount_shipping": 0, "attempt_count": 0, "attempted": False, "automatic_tax": _NO_TAX,
        "collection_method": "charge_automatically", "default_tax_rates": [], "discounts": [], "issuer": {"type": "self"},
        "metadata": {}, "payment_settings": {}, "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0, "status": "draft", "status_transitions": {}, "total_discount_amounts": [], "total_taxes": [],
        "total_pretax_credit_amounts": [], "auto_advance": True,
    },
    "invoice_payment": {"is_default": True},
    "invoiceitem": {"discountable": False, "discounts": [], "metadata": {}, "tax_rates": []},
    "line_item": {
        "discountable": True, "discounts": [], "discount_amounts": [], "metadata": {}, "pretax_credit_amounts": [], "taxes": [],
    },
    "payment_intent": {
        "amount_capturable": 0, "amount_received": 0, "capture_method": "automatic", "confirmation_method": "automatic",
        "metadata": {}, "payment_method_types": ["card"],
    },
    "payment_method": {"billing_details": {}, "metadata": {}, "allow_redisplay": "unspecified"},
    "price": {"active": True, "billing_scheme": "per_unit", "metadata": {}, "tax_behavior": "unspecified"},
    "product": {"active": True, "images": [], "marketing_features": [], "metadata": {}, "type": "service"},
    "promotion_code": {"metadata": {}, "restrictions": {"first_time_transaction": False}, "times_redeemed": 0, "active": True},
    "refund": {"metadata": {}, "status": "succeeded"},
    "setup_intent": {"metadata": {}, "payment_method_types": ["card"], "usage": "off_session"},
    "subscription": {
        "automatic_tax": _NO_TAX, "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_schedules": [], "cancel_at_period_end": False, "cancellation_details": {},
        "collection_method": "charge_automatically", "default_tax_rates": [], "discounts": [], "invoice_settings": _ISSUER,
        "metadata": {}, "payment_settings": {"save_default_payment_method": "off"},
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    },
    "subscription_item": {"discounts": [], "metadata": {}, "tax_rates": []},
    "subscription_schedule": {
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}}, "end_behavior": "release",
        "metadata": {}, "pause_schedules": [], "status": "active",
        "default_settings": {
            "automatic_tax": _NO_TAX, "billing_cycle_anchor": "automatic", "invoice_settings": _ISSUER,
            "collection_method": "charge_automatically",
        },
    },
    "tax_id": {"verification": {"status": "pending"}},
    "tax_rate": {"active": True, "metadata": {}},
    "v2.core.account": {"applied_configurations": ["customer"], "closed": False, "metadata": {}},
    "webhook_endpoint": {"metadata": {}, "status": "enabled", "enabled_events": ["*"]},
}  # fmt: skip
