"""What Stripe's error codes mean to a customer: our word for each, which a template turns into a sentence. Pure.

The codes are those of Stripe's error reference; a code that is not here is `refused`, with Stripe's own word as detail.
"""

from __future__ import annotations

REASONS = {
    "payment_method_missing": (
        *("missing", "payment_method_unactivated", "payment_method_not_available"),
        *("resource_missing_payment_method", "customer_no_payment_method"),
    ),
    "payment_needs_confirmation": (
        *(
            "authentication_required",
            "payment_intent_authentication_failure",
            "subscription_payment_intent_requires_action",
        ),
        "invoice_payment_intent_requires_action",
    ),
    "payment_failed": (
        *("card_declined", "expired_card", "incorrect_cvc", "processing_error", "insufficient_funds"),
        *("payment_method_provider_decline", "charge_exceeds_source_limit"),
    ),
    "already_paid": ("invoice_already_paid", "charge_already_captured"),
    "not_payable": ("invoice_not_editable", "invoice_no_payment_method_types", "invoice_not_open"),
    "ended": ("resource_missing_subscription", "subscription_canceled"),
    "code_expired": ("coupon_expired", "promotion_code_expired"),
    "code_used_up": ("promotion_code_max_redemptions", "coupon_max_redemptions"),
    "code_first_time_only": ("promotion_code_first_time_transaction",),
    "code_minimum_amount": ("promotion_code_minimum_amount",),
    "code_unknown": ("promotion_code_not_found",),
    "tax_number_invalid": ("tax_id_invalid", "tax_id_prohibited"),
    "too_many_tries": ("rate_limit", "lock_timeout"),
    "email_invalid": ("email_invalid",),
    "scheduled_by_business": ("subscription_schedule_managed",),
}
"""Our word, and the codes that become it."""

_BY_CODE = {code: reason for reason, codes in REASONS.items() for code in codes}


def reason_of(code: str, decline_code: str = "") -> tuple[str, str]:
    """Our word for a refusal, and its detail: the decline code, or Stripe's own code where we have no word for it."""
    reason = _BY_CODE.get(code, "refused")
    return reason, decline_code or (code if reason in ("refused", "payment_failed") else "")
