"""Every decline code has a sentence that says what happened, and one that says what to do next. Row I4."""

import pytest

from tests.support.rendered import renderer, words

# docs.stripe.com/declines/codes, and the failure codes of bank debits of docs.stripe.com/api/charges/object (2026).
CODES = (
    "approve_with_id", "authentication_not_handled", "authentication_required", "call_issuer", "card_not_supported",
    "card_velocity_exceeded", "currency_not_supported", "do_not_honor", "do_not_try_again", "duplicate_transaction",
    "expired_card", "fraudulent", "generic_decline", "incorrect_address", "incorrect_cvc", "incorrect_number",
    "incorrect_pin", "incorrect_zip", "insufficient_funds", "invalid_account", "invalid_amount", "invalid_cvc",
    "invalid_expiry_month", "invalid_expiry_year", "invalid_number", "invalid_pin", "issuer_not_available",
    "lost_card", "merchant_blacklist", "mobile_device_authentication_required", "new_account_information_available",
    "no_action_taken", "not_permitted", "offline_pin_required", "online_or_offline_pin_required", "pickup_card",
    "pin_try_exceeded", "processing_error", "reenter_transaction", "restricted_card",
    "revocation_of_all_authorizations", "revocation_of_authorization", "security_violation", "service_not_allowed",
    "stolen_card", "stop_payment_order", "testmode_decline", "transaction_not_allowed", "try_again_later",
    "withdrawal_count_limit_exceeded", "account_closed", "bank_account_restricted", "bank_ownership_changed",
    "could_not_process", "debit_not_authorized", "declined", "invalid_account_number", "invalid_currency",
    "no_account", "card_declined", "payment_intent_authentication_failure", "requires_action",
)  # fmt: skip
PLAIN = "The bank declined the payment."
TOLD_PLAINLY = {
    *("call_issuer", "card_declined", "declined", "do_not_honor", "do_not_try_again", "fraudulent", "generic_decline"),
    *("lost_card", "merchant_blacklist", "pickup_card", "restricted_card", "security_violation", "stolen_card"),
    "testmode_decline",
}


def said(code, macro="failure"):
    template = (
        renderer()
        .environment("en")
        .from_string('{% from "components/failure.html" import failure, failure_advice %}{{ ' + macro + "(code) }}")
    )
    return words(template.render(code=code))


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_words(code):
    assert said(code).endswith(".")
    assert said(code, "failure_advice").endswith(".")
    assert (said(code) == PLAIN) == (code in TOLD_PLAINLY)


def test_a_code_that_nobody_knows_is_a_plain_decline():
    assert said("dreamt") == PLAIN
    assert said("<script>") == PLAIN
    assert said("") == "The payment failed."


def test_what_would_help_a_thief_is_not_told():
    assert {(said(each), said(each, "failure_advice")) for each in ("lost_card", "stolen_card", "fraudulent")} == {
        (PLAIN, said("generic_decline", "failure_advice"))
    }
