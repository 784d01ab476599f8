"""Payment methods at Stripe: added on Checkout's page, chosen, replaced, removed."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from server.billing import NotFound, Refused, Unpin
from server.brands import Features
from server.brands.features import PaymentMethodUpdate
from tests.contract.stripe_writes.counter import Killed
from tests.stripe import hosted
from tests.stripe.app import Request
from tests.stripe.faults import Fault
from tests.stripe.loading import load_samples

pytestmark = pytest.mark.anyio
BACK = "/harbour/my/payment-methods"


def type_card(shop, url: str, number: str = "5555 5555 5555 4444") -> str:
    """What a customer does on Stripe's page; where it leads to then."""
    body = f"number={number.replace(' ', '')}&expires=12/34".encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = hosted.answer(shop.standin, Request("post", urlsplit(url).path, "", headers, body))
    return answer.headers["location"]


async def added(counter, shop, **more) -> str:
    url = await counter.billing.setup(counter.by(), return_to=BACK, **more)
    back = type_card(shop, url)
    assert back.startswith(f"https://portal.example{BACK}/returned/cs_")
    return await counter.billing.returned(counter.by(), back.rpartition("/")[2])


async def test_one_that_was_added_is_the_default(any_counter, shop):
    shop.subscribe()
    method = await added(any_counter, shop)
    account = await any_counter.billing.account("cus_a", any_counter.now)
    assert account.customer.default_payment_method == method
    assert account.payment_method(method).last4 == "4444"
    lines = await any_counter.billing.history("cus_a")
    assert (lines[0].kind, lines[0].data["last4"]) == ("payment_method.added", "4444")


async def test_one_that_is_not_to_be_the_default_is_not(any_counter, shop):
    shop.subscribe()
    url = await any_counter.billing.setup(any_counter.by("form"), return_to=BACK)
    other = await any_counter.billing.setup(any_counter.by("form"), return_to=BACK, as_default=False)
    assert url != other  # the same form, sent again with another answer
    method = await any_counter.billing.returned(any_counter.by(), type_card(shop, other).rpartition("/")[2])
    account = await any_counter.billing.account("cus_a", any_counter.now)
    assert account.customer.default_payment_method == "pm_good"
    assert account.payment_method(method).last4 == "4444"
    shop.customer_row["invoice_settings"]["default_payment_method"] = None
    await any_counter.billing.refetch("cus_a", any_counter.now)
    assert await added(any_counter, shop, as_default=False)
    account = await any_counter.billing.account("cus_a", any_counter.now)
    assert account.customer.default_payment_method not in ("", "pm_good", method)


@pytest.mark.parametrize("kinds", ["", "pmc_1Nx4Ab"])
async def test_stripes_page_offers_the_kinds_of_the_configuration(counter, shop, kinds):
    shop.subscribe()
    own = replace(Features(), payment_method_update=PaymentMethodUpdate(payment_method_configuration=kinds))
    await counter.billing.setup(replace(counter.by(), features=own), return_to=BACK)
    (session,) = shop.standin.world.tables["checkout.session"].values()
    assert (session.get("payment_method_configuration_details") or {}).get("id", "") == kinds


async def test_coming_back_twice_changes_nothing_more(counter, shop):
    shop.subscribe()
    url = await counter.billing.setup(counter.by(), return_to=BACK)
    session = type_card(shop, url).rpartition("/")[2]
    first = await counter.billing.returned(counter.by(), session)
    await counter.billing.set_default(counter.by(), "pm_good", everywhere=False)
    assert await counter.billing.returned(counter.by(), session) == first
    account = await counter.billing.account("cus_a", counter.now)
    assert account.customer.default_payment_method == "pm_good"


async def test_a_session_of_another_customer_and_one_that_is_open_are_not_found(counter, shop):
    other = shop.world.add("customer", id="cus_b", email="b@example.com")
    session = shop.client.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": "eur",
            "customer": other["id"],
            "success_url": "https://portal.example/{CHECKOUT_SESSION_ID}",
        }
    )
    type_card(shop, session.url)
    with pytest.raises(NotFound):
        await counter.billing.returned(counter.by(), session.id)
    assert counter.keys_sent() == []
    assert shop.customer_row["invoice_settings"]["default_payment_method"] == "pm_good"
    url = await counter.billing.setup(counter.by(), return_to=BACK)
    with pytest.raises(NotFound):
        await counter.billing.returned(counter.by(), urlsplit(url).path.rpartition("/")[2])


async def test_a_new_one_takes_the_place_of_another(any_counter, shop):
    shop.card("pm_pinned", "1111")
    subscription = shop.subscribe(default_payment_method="pm_pinned")
    method = await added(any_counter, shop, replaces="pm_pinned")
    account = await any_counter.billing.account("cus_a", any_counter.now)
    assert account.subscription(subscription.id).default_payment_method == method
    assert account.customer.default_payment_method == "pm_good"
    assert account.payment_method("pm_pinned") is None


async def test_the_default_is_chosen_for_everything(counter, shop):
    shop.card("pm_pinned", "1111")
    subscription = shop.subscribe(default_payment_method="pm_pinned")
    account = await counter.billing.set_default(counter.by(), "pm_pinned", everywhere=False)
    assert account.customer.default_payment_method == "pm_pinned"
    account = await counter.billing.set_default(counter.by(), "pm_good", everywhere=True)
    assert account.customer.default_payment_method == "pm_good"
    assert account.subscription(subscription.id).default_payment_method == ""


async def test_a_subscription_goes_back_to_the_default(counter, shop):
    shop.card("pm_pinned", "1111")
    subscription = shop.subscribe(default_payment_method="pm_pinned")
    account = await counter.do(subscription, Unpin())
    assert account.subscription(subscription.id).default_payment_method == ""


async def test_the_default_is_removed_and_the_other_one_takes_over(counter, shop):
    shop.card("pm_other", "1111")
    shop.subscribe()
    account = await counter.billing.remove_payment_method(counter.by(), "pm_good")
    assert account.customer.default_payment_method == "pm_other"
    assert account.payment_method("pm_good") is None
    with pytest.raises(NotFound):
        await counter.billing.remove_payment_method(counter.by(), "pm_good")
    with pytest.raises(Refused, match="last_method"):
        await counter.billing.remove_payment_method(counter.by(), "pm_other")


@pytest.mark.parametrize("write", [1, 2, 3])
@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
async def test_a_process_that_dies_while_removing_leaves_something_to_charge(any_counter, shop, write, when):
    shop.card("pm_other", "1111")
    subscription = shop.subscribe(default_payment_method="pm_good")
    setattr(any_counter.wire, when, write)
    with pytest.raises(Killed):
        await any_counter.billing.remove_payment_method(any_counter.by(), "pm_good")
    default = shop.customer_row["invoice_settings"]["default_payment_method"]
    assert shop.world.tables["payment_method"][default].get("customer") == "cus_a"
    any_counter.begun()
    assert await any_counter.later(minutes=1) == 1
    account = await any_counter.billing.account("cus_a", any_counter.now)
    assert (account.customer.default_payment_method, account.payment_method("pm_good")) == ("pm_other", None)
    assert account.subscription(subscription.id).default_payment_method == ""
    assert len(any_counter.wrote()) == 3


async def test_a_removal_whose_answer_was_lost_is_done(counter, shop):
    shop.card("pm_other", "1111")
    shop.subscribe()
    shop.standin.faults.append(Fault("lost", "payment_method.detach"))
    account = await counter.billing.remove_payment_method(counter.by(), "pm_good")
    assert account.payment_method("pm_good") is None
    assert shop.standin.faults[-1].times == 0


async def test_the_method_of_an_account_of_the_other_api_is_chosen(counter, shop):
    load_samples(shop.world, "harbour", counter.now)
    row = next(iter(shop.world.tables["v2.core.account"].values()))
    row["configuration"], owner = {"customer": {"applied": True}}, row["id"]
    shop.world.add("payment_method", type="card", id="pm_v2", customer=f"cus_{owner}", customer_account=owner,
                   card={"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030, "funding": "credit"})  # fmt: skip
    by = counter.by()
    by = type(by)(owner, by.features, by.now, by.key)
    account = await counter.billing.set_default(by, "pm_v2", everywhere=False)
    assert account.customer.default_payment_method == "pm_v2"
