"""Payments that work, are declined or want the customer; what time does with them."""

from __future__ import annotations

import pytest
import stripe

from tests.contract.stripe_standin.shop import DAY, MAY, NOON, Shop, item_of
from tests.stripe.app import Request


def _up(subscription: stripe.Subscription, **more: object) -> dict[str, object]:
    change = {"items": [{"id": item_of(subscription), "price": "price_big"}], "proration_behavior": "always_invoice"}
    return change | more


def _press(shop: Shop, url: str, body: str = "") -> tuple[int, str]:
    """What the hosted page answers to this form, or to nothing."""
    path = url.removeprefix(shop.world.base)
    from tests.stripe import hosted

    answer = hosted.answer(shop.standin, Request("post" if body else "get", path, "", {}, body.encode()))
    return answer.status, answer.headers.get("location", "") or answer.body.decode()


def test_a_declined_renewal_is_tried_again_and_then_ends_the_subscription(shop: Shop):
    subscription = shop.subscribe()
    shop.pays_with("9995")
    shop.advance(MAY + 3600)
    late = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (late.status, shop.invoice(subscription).next_payment_attempt) == ("past_due", MAY + 3600 + 3 * DAY)
    shop.advance(MAY + 3600 + 14 * DAY)
    tried = shop.client.v1.invoices.list({"customer": "cus_a"}).data[0]
    assert tried.attempt_count == 3
    shop.advance(MAY + 3600 + 15 * DAY)
    ended = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")


def test_an_open_invoice_says_why_it_failed_and_can_be_paid_with_another_card(shop: Shop):
    subscription = shop.subscribe()
    shop.pays_with("9995")
    shop.advance(MAY + 3600)
    invoice = shop.invoice(subscription)
    with pytest.raises(stripe.CardError) as refused:
        shop.client.v1.invoices.pay(invoice.id)
    assert (refused.value.code, refused.value.error.decline_code) == ("card_declined", "insufficient_funds")
    payment = shop.client.v1.invoice_payments.list({
        "invoice": invoice.id, "expand": ["data.payment.payment_intent.latest_charge"],
    }).data[0]  # fmt: skip
    assert payment.payment.payment_intent.last_payment_error.decline_code == "insufficient_funds"
    paid = shop.client.v1.invoices.pay(invoice.id, {"payment_method": "pm_good"})
    assert (paid.status, shop.client.v1.subscriptions.retrieve(subscription.id).status) == ("paid", "active")
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        shop.client.v1.invoices.pay(invoice.id)


def test_a_change_waits_for_the_bank_s_confirmation_and_then_comes_true(shop: Shop):
    subscription = shop.subscribe()
    shop.pays_with("3184")
    shop.advance(NOON)
    waiting = shop.update(subscription, **_up(subscription, payment_behavior="pending_if_incomplete"))
    assert waiting["items"].data[0].price.id == "price_basic"
    assert waiting.pending_update.subscription_items[0].price.id == "price_big"
    assert (waiting.pending_update.expires_at, waiting.status) == (NOON + 23 * 3600, "active")
    status, html = _press(shop, shop.invoice(subscription).hosted_invoice_url)
    assert status == 200
    assert "Complete authentication" in html
    _press(shop, shop.invoice(subscription).hosted_invoice_url, "confirm=yes")
    changed = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (changed.pending_update, changed["items"].data[0].price.id) == (None, "price_big")
    assert shop.invoice(subscription).status == "paid"


def test_a_change_that_nobody_confirms_is_given_up_after_23_hours(shop: Shop):
    subscription = shop.subscribe()
    shop.pays_with("3184")
    shop.advance(NOON)
    shop.update(subscription, **_up(subscription, payment_behavior="pending_if_incomplete"))
    shop.advance(NOON + 23 * 3600)
    kept = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (kept.pending_update, kept["items"].data[0].price.id) == (None, "price_basic")
    assert shop.invoice(subscription).status == "void"


def test_error_if_incomplete_leaves_everything_as_it_was(shop: Shop):
    subscription = shop.subscribe()
    shop.pays_with("0341")
    shop.advance(NOON)
    before = shop.client.v1.subscriptions.retrieve(subscription.id).to_dict()
    with pytest.raises(stripe.CardError):
        shop.update(subscription, **_up(subscription, payment_behavior="error_if_incomplete"))
    assert shop.client.v1.subscriptions.retrieve(subscription.id).to_dict() == before
    assert len(shop.client.v1.invoices.list({"customer": "cus_a"}).data) == 1


def test_what_may_not_wait_is_refused(shop: Shop):
    subscription = shop.subscribe()
    with pytest.raises(stripe.InvalidRequestError, match="cancel_at_period_end"):
        shop.update(subscription, payment_behavior="pending_if_incomplete", cancel_at_period_end=True)


def test_a_card_is_added_on_the_hosted_page(shop: Shop):
    session = shop.client.v1.checkout.sessions.create({
        "mode": "setup", "customer": "cus_a", "currency": "eur", "ui_mode": "hosted_page", "metadata": {"brand": "b"},
        "success_url": "http://127.0.0.1/my/returned/{CHECKOUT_SESSION_ID}", "cancel_url": "http://127.0.0.1/my",
    })  # fmt: skip
    status, html = _press(shop, session.url)
    assert (status, "Add this card" in html) == (200, True)
    assert "declined" in _press(shop, session.url, "number=4000000000000002")[1]
    status, where = _press(shop, session.url, "number=4000 0000 0000 9995&expires=07/31")
    assert (status, where) == (303, f"http://127.0.0.1/my/returned/{session.id}")
    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    method = done.setup_intent.payment_method
    assert (done.status, method.card.last4, method.card.exp_year, method.customer) == (
        "complete",
        "9995",
        2031,
        "cus_a",
    )
    assert shop.client.v1.customers.retrieve("cus_a").invoice_settings.default_payment_method == "pm_good"
    assert _press(shop, session.url)[0] == 410


def test_a_detached_method_is_no_default_any_more_and_cannot_come_back(shop: Shop):
    subscription = shop.subscribe(default_payment_method="pm_good")
    detached = shop.client.v1.payment_methods.detach("pm_good")
    assert detached.customer is None
    assert shop.client.v1.subscriptions.retrieve(subscription.id).default_payment_method is None
    assert shop.client.v1.customers.retrieve("cus_a").invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        shop.client.v1.payment_methods.attach("pm_good", {"customer": "cus_a"})


def test_a_refund_and_a_credit_note_are_seen_at_the_invoice(shop: Shop):
    invoice = shop.invoice(shop.subscribe())
    path = "payments.data.payment.payment_intent"
    intent = shop.client.v1.invoices.retrieve(invoice.id, {"expand": [path]}).payments.data[0].payment.payment_intent
    shop.client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert shop.client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 500
    shop.client.v1.credit_notes.create({"invoice": invoice.id, "amount": 700, "credit_amount": 700})
    assert shop.client.v1.invoices.retrieve(invoice.id).post_payment_credit_notes_amount == 700
    assert shop.client.v1.customers.retrieve("cus_a").balance == -700
