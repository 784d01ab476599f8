"""What the history says of what happened at Stripe by itself, found when an account is read again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from server.billing import Cancel, Move
from server.brands.features import CustomerUpdate
from tests.contract.stripe_standin.shop import MAY, NOON
from tests.contract.stripe_writes.counter import features
from tests.stripe import hosted
from tests.stripe.app import Request

pytestmark = pytest.mark.anyio


async def kinds(counter) -> list[str]:
    """Newest first."""
    return [each.kind for each in await counter.billing.history("cus_a")]


async def test_a_first_fetch_tells_nothing_and_a_renewal_that_worked_neither(any_counter, shop):
    shop.subscribe()
    shop.advance(MAY + 3601)
    await any_counter.billing.refetch("cus_a", any_counter.now)
    assert await kinds(any_counter) == []
    await any_counter.billing.refetch("cus_a", any_counter.now)
    assert await kinds(any_counter) == []


async def test_a_charge_that_failed_and_one_that_worked_later_have_their_lines_once(any_counter, shop):
    counter = any_counter
    subscription = shop.subscribe()
    await counter.billing.refetch("cus_a", counter.now)
    shop.pays_with("0341")
    shop.advance(MAY + 3601)
    for _ in range(2):
        await counter.billing.refetch("cus_a", counter.now)
        assert await kinds(counter) == ["invoice.charge_failed"]
    shop.advance(MAY + 7200)
    shop.client.v1.invoices.pay(shop.invoice(subscription).id, {"payment_method": "pm_good"})
    for _ in range(2):
        await counter.billing.refetch("cus_a", counter.now)
        assert await kinds(counter) == ["invoice.charge_paid", "invoice.charge_failed"]


async def test_what_ends_by_itself_has_its_line_beside_what_its_customer_did(counter, shop):
    subscription = shop.subscribe()
    await counter.do(subscription, Cancel())
    assert await kinds(counter) == ["subscription.canceled"]
    shop.advance(MAY + 60)
    await counter.billing.refetch("cus_a", counter.now)
    assert await kinds(counter) == ["subscription.ended", "subscription.canceled"]


async def test_a_change_that_was_paid_for_at_the_bank_has_its_line(counter, shop):
    await counter.sell()
    subscription = shop.subscribe()
    shop.pays_with("3155")
    shop.advance(NOON)
    account = await counter.do(subscription, Move(price="price_big"))
    shop.advance(NOON + 60)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    page = f"/i/{account.subscriptions[0].awaiting.invoice}"
    hosted.answer(shop.standin, Request("post", page, "", headers, b"confirm=yes"))
    await counter.billing.refetch("cus_a", counter.now)
    lines = await counter.billing.history("cus_a")
    assert sorted(each.kind for each in lines[:2]) == ["invoice.charge_paid", "subscription.changed"]  # at one moment
    line = next(each for each in lines if each.kind == "subscription.changed")
    assert (line.data["price_before"], line.data["price_after"]) == ("price_basic", "price_big")


async def test_what_an_office_said_of_a_tax_number_has_its_line(counter, shop):
    counter.features = features(customer_update=CustomerUpdate(allowed_updates=("tax_id",)))
    by = replace(counter.by(), features=counter.features)
    await counter.billing.add_tax_id(by, "eu_vat", "DE 136 695 976")
    shop.advance(shop.world.now + 60)
    await counter.billing.refetch("cus_a", counter.now)
    assert await kinds(counter) == ["customer.tax_id_verified", "customer.tax_id_added"]
