"""`python -m tests.stripe.check`: asks a Stripe sandbox what the stand-in assumes, and shows where the two differ.

The sandbox's key stands in `STRIPE_TEST_KEY`: a test key; a live one is refused before anything is sent. It makes a few
customers, products and subscriptions there, named "Postern check". No card is charged for real in a sandbox.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import stripe
from stripe import StripeClient
from tests.stripe.app import Standin
from tests.stripe.client import sdk
from tests.stripe.world import World

Answer = Any
_NAME = "Postern check"


@dataclass
class Sandbox:
    """A shop made for one question, at Stripe or at the stand-in."""

    client: StripeClient

    @cached_property
    def product(self) -> str:
        return self.client.v1.products.create({"name": _NAME}).id

    def price(self, amount: int, interval: Any = "month") -> str:
        recurring: Any = {"interval": interval}
        return self.client.v1.prices.create(
            {"currency": "eur", "product": self.product, "unit_amount": amount, "recurring": recurring}
        ).id

    @cached_property
    def customer(self) -> str:
        made = self.client.v1.customers.create({"name": _NAME, "email": "Postern.Check@example.com"})
        method = self.client.v1.payment_methods.attach("pm_card_visa", {"customer": made.id})
        self.client.v1.customers.update(made.id, {"invoice_settings": {"default_payment_method": method.id}})
        return made.id

    def subscribe(self, price: str, **more: Any) -> Any:
        params: Any = {"customer": self.customer, "items": [{"price": price}], **more}
        return self.client.v1.subscriptions.create(params)

    def coupon(self, **more: Any) -> dict[str, str]:
        params: Any = {"duration": "once", "name": _NAME, **more}
        return {"coupon": self.client.v1.coupons.create(params).id}

    def halfway(self, subscription: Any, **details: Any) -> Any:
        """A preview of a change in the exact middle of the period."""
        item = subscription["items"].data[0]
        at = (item.current_period_start + item.current_period_end) // 2
        params: Any = {"subscription": subscription.id, "subscription_details": {**details, "proration_date": at}}
        return self.client.v1.invoices.create_preview(params)


def refused(action: Callable[[], Any]) -> Answer:
    """The code, or the parameter, of the refusal; "done" if there was none."""
    try:
        action()
    except stripe.StripeError as error:
        return error.code or getattr(error, "param", None) or type(error).__name__
    return "done"


def upgrade(box: Sandbox) -> Answer:
    subscription = box.subscribe(box.price(3000))
    change = [{"id": subscription["items"].data[0].id, "price": box.price(9000)}]
    return [
        line.amount for line in box.halfway(subscription, items=change, proration_behavior="always_invoice").lines.data
    ]


def credit_of_a_discounted_period(box: Sandbox) -> Answer:
    price, found = box.price(3000), []
    for mode in ("flexible", "classic"):
        subscription = box.subscribe(price, discounts=[box.coupon(percent_off=50)], billing_mode={"type": mode})
        found.append(box.halfway(subscription, cancel_now=True, proration_behavior="create_prorations").total)
    return found


def amount_off_in_a_proration(box: Sandbox) -> Answer:
    subscription = box.subscribe(
        box.price(3000), discounts=[box.coupon(amount_off=1000, currency="eur", duration="forever")]
    )
    change = [{"id": subscription["items"].data[0].id, "price": box.price(9000)}]
    return [
        line.amount for line in box.halfway(subscription, items=change, proration_behavior="always_invoice").lines.data
    ]


def interval_change(box: Sandbox) -> Answer:
    subscription = box.subscribe(box.price(3000))
    change = [{"id": subscription["items"].data[0].id, "price": box.price(30000, "year")}]
    return sorted(line.amount for line in box.halfway(subscription, items=change).lines.data)


def taxes(box: Sandbox) -> Answer:
    found = []
    for inclusive, percentage in ((True, 19.0), (False, 8.875)):
        rate = box.client.v1.tax_rates.create({"display_name": "Tax", "inclusive": inclusive, "percentage": percentage})
        subscription = box.subscribe(box.price(1999), default_tax_rates=[rate.id])
        invoice = box.client.v1.invoices.retrieve(subscription.latest_invoice)
        found.append((invoice.total, [each.amount for each in invoice.total_taxes]))
    return found


def end_at_the_period_s_end(box: Sandbox) -> Answer:
    found = []
    for mode in ("flexible", "classic"):
        subscription = box.subscribe(box.price(3000), billing_mode={"type": mode})
        ending = box.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
        found.append((ending.cancel_at is not None, ending.cancel_at_period_end))
    return found


def end_under_a_schedule(box: Sandbox) -> Answer:
    subscription = box.subscribe(box.price(3000))
    box.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    return refused(lambda: box.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True}))


def emptying_a_subscription_s_method(box: Sandbox) -> Answer:
    subscription = box.subscribe(box.price(3000))
    return refused(lambda: box.client.v1.subscriptions.update(subscription.id, {"default_payment_method": ""}))


def setup_without_a_currency(box: Sandbox) -> Answer:
    return refused(lambda: box.client.v1.checkout.sessions.create({
        "mode": "setup", "customer": box.customer, "success_url": "https://example.com/{CHECKOUT_SESSION_ID}",
    }))  # fmt: skip


def five_levels_of_expand(box: Sandbox) -> Answer:
    return refused(lambda: box.client.v1.subscriptions.list({"expand": ["data.items.data.price.product"]})) != "done"


def address_in_another_case(box: Sandbox) -> Answer:
    assert box.customer
    found = box.client.v1.customers.list({"email": "postern.check@example.com"})
    return any(each.id == box.customer for each in found)


def code_for_who_never_paid(box: Sandbox) -> Answer:
    subscription = box.subscribe(box.price(3000))
    code = box.client.v1.promotion_codes.create({
        "promotion": {"type": "coupon", **box.coupon(percent_off=50)},
        "restrictions": {"first_time_transaction": True}, "code": f"CHECK{secrets.token_hex(4)}",
    })  # fmt: skip
    return refused(lambda: box.client.v1.invoices.create_preview(
        {"subscription": subscription.id, "discounts": [{"promotion_code": code.id}]}
    ))  # fmt: skip


def pause(box: Sandbox) -> Answer:
    paused = box.client.v1.subscriptions.pause(box.subscribe(box.price(3000)).id)
    return paused.status, paused.status_details.paused.subscription.type if paused.status_details else None


def waiting_with_an_end(box: Sandbox) -> Answer:
    subscription = box.subscribe(box.price(3000))
    return refused(lambda: box.client.v1.subscriptions.update(
        subscription.id, {"payment_behavior": "pending_if_incomplete", "cancel_at_period_end": True}
    )) != "done"  # fmt: skip


def another_request_under_the_same_key(box: Sandbox) -> Answer:
    key = secrets.token_hex(8)
    box.client.v1.customers.update(box.customer, {"name": _NAME}, {"idempotency_key": key})
    return refused(lambda: box.client.v1.customers.update(box.customer, {"name": "x"}, {"idempotency_key": key}))


def tax_id_at_first(box: Sandbox) -> Answer:
    made = box.client.v1.customers.tax_ids.create(box.customer, {"type": "eu_vat", "value": "DE123456789"})
    return made.verification.status if made.verification else None


QUESTIONS: tuple[Callable[[Sandbox], Answer], ...] = (
    upgrade, credit_of_a_discounted_period, amount_off_in_a_proration, interval_change, taxes, end_at_the_period_s_end,
    end_under_a_schedule, emptying_a_subscription_s_method, setup_without_a_currency, five_levels_of_expand,
    address_in_another_case, code_for_who_never_paid, pause, waiting_with_an_end, another_request_under_the_same_key,
    tax_id_at_first,
)  # fmt: skip


def compared(real: StripeClient) -> Iterator[tuple[str, Answer, Answer]]:
    """Each question with Stripe's answer and the stand-in's; an error that nobody expected is an answer too."""
    for question in QUESTIONS:
        yield (
            question.__name__.replace("_", " "),
            _asked(question, real),
            _asked(question, sdk(Standin(World(int(time.time()))))),
        )


def _asked(question: Callable[[Sandbox], Answer], client: StripeClient) -> Answer:
    try:
        return question(Sandbox(client))
    except stripe.StripeError as error:
        return f"{type(error).__name__}: {error}"


def main() -> int:
    key = os.environ.get("STRIPE_TEST_KEY", "")
    if not key.startswith(("sk_test_", "rk_test_")):
        print(
            "STRIPE_TEST_KEY must hold a key of a sandbox (sk_test_… or rk_test_…); nothing was sent.", file=sys.stderr
        )
        return 2
    differing = 0
    for name, theirs, ours in compared(StripeClient(key, max_network_retries=2)):
        differing += theirs != ours
        print(
            f"{'same  ' if theirs == ours else 'DIFFERS'} {name}: {theirs!r}"
            + ("" if theirs == ours else f", the stand-in: {ours!r}")
        )
    print(f"{len(QUESTIONS)} questions, {differing} answered otherwise by Stripe")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
