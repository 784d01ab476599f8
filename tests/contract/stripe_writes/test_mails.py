"""Which mails an account at Stripe gives when it is read again: of what is new in it, once, where the brand sends them."""

from __future__ import annotations

import pytest

from server.billing import Cancel, Move
from server.brands.mail_switches import MailSwitches
from tests.contract.stripe_standin.shop import APRIL, DAY, MAY

pytestmark = pytest.mark.anyio
JUNE = APRIL + 61 * DAY


async def mailed(counter) -> list[str]:
    found = await counter.store.read("SELECT kind FROM outbox ORDER BY created_at, kind")
    return [kind for (kind,) in found]


async def read_again(counter, times=2) -> None:
    for _ in range(times):
        await counter.billing.refetch("cus_a", counter.now)


async def test_a_first_fetch_mails_nothing_and_what_is_new_later_once(any_counter, shop):
    counter = any_counter
    shop.subscribe()
    shop.advance(MAY + 3601)
    await read_again(counter)
    assert await mailed(counter) == []  # two invoices were paid before
    shop.advance(JUNE + 3601)
    await read_again(counter)
    assert await mailed(counter) == ["receipt"]


async def test_a_charge_that_failed_is_mailed_once_and_then_its_receipt(counter, shop):
    subscription = shop.subscribe()
    await read_again(counter)
    shop.pays_with("0341")
    shop.advance(MAY + 3601)
    await read_again(counter)
    assert await mailed(counter) == ["payment_failed"]
    shop.advance(MAY + 7200)
    shop.client.v1.invoices.pay(shop.invoice(subscription).id, {"payment_method": "pm_good"})
    await read_again(counter)
    assert await mailed(counter) == ["payment_failed", "receipt"]


async def test_what_a_customer_does_is_mailed_as_over_the_ledger(counter, shop):
    await counter.sell()
    subscription = shop.subscribe()
    await counter.do(subscription, Move(price="price_big"))
    assert await mailed(counter) == ["plan_changed", "receipt"]
    shop.advance(APRIL + DAY)
    await counter.do(subscription, Cancel())
    await read_again(counter)
    assert await mailed(counter) == ["plan_changed", "receipt", "subscription_canceled"]


async def test_what_is_switched_off_is_not_mailed(counter, shop):
    counter.billing.mail = MailSwitches().beside_stripe(())
    await counter.sell()
    subscription = shop.subscribe()
    await read_again(counter)
    shop.advance(MAY + 3601)
    await read_again(counter)
    assert await mailed(counter) == []
    await counter.do(subscription, Move(price="price_big"))
    assert await mailed(counter) == ["plan_changed"]
