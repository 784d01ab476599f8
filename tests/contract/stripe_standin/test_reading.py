"""The sample customers, read through the official SDK."""

from __future__ import annotations

import pytest
import stripe
from stripe import StripeClient

from tests.stripe.app import Standin
from tests.stripe.client import sdk
from tests.stripe.keys import EVERYTHING, Key
from tests.stripe.world import World


def _id(world: World, email: str) -> str:
    return next(row["id"] for row in world.tables["customer"].values() if row.get("email") == email)


def test_a_customer_is_found_only_in_the_case_it_was_written(client: StripeClient):
    assert [each.name for each in client.v1.customers.list({"email": "Sam@Example.com"})] == ["Sam Okafor (studio)"]
    found = client.v1.customers.search({"query": "email:'SAM@example.com'"})
    assert {each.email for each in found} == {"sam@example.com", "Sam@Example.com"}


def test_pages_bring_every_invoice_once(client: StripeClient, world: World):
    jenny = _id(world, "jenny@example.com")
    first = client.v1.invoices.list({"customer": jenny, "limit": 7})
    assert first.has_more
    every = [each.number for each in first.auto_paging_iter()]
    assert len(every) == len(set(every)) == 30
    assert every[0].endswith("-0030")


def test_tiers_come_only_when_they_are_expanded(client: StripeClient):
    plain = client.v1.prices.list({"limit": 100})
    assert all("tiers" not in each.to_dict() for each in plain)
    expanded = client.v1.prices.list({"limit": 100, "expand": ["data.tiers"]})
    assert any(each.tiers for each in expanded)


def test_four_levels_of_expand_are_allowed_and_five_refused(client: StripeClient, world: World, standin: Standin):
    pat = _id(world, "pat@example.com")
    open_invoice = client.v1.invoices.list({"customer": pat, "status": "open"}).data[0]
    path = "data.payment.payment_intent.latest_charge"
    payment = client.v1.invoice_payments.list({"invoice": open_invoice.id, "expand": [path]}).data[0]
    assert payment.payment.payment_intent.last_payment_error.decline_code == "insufficient_funds"
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        client.v1.subscriptions.list({"expand": ["data.items.data.price.product"]})
    assert standin.violations.pop()


def test_a_parameter_that_the_types_do_not_know_is_refused_at_any_depth(client: StripeClient, standin: Standin):
    with pytest.raises(stripe.InvalidRequestError, match=r"unknown parameter: items\[0\]\[amount\]"):
        client.v1.subscriptions.create({"customer": "cus_1", "items": [{"amount": 3}]})  # type: ignore[typeddict-unknown-key]
    assert standin.violations.pop() == "subscription.create: request: items.0.amount: is not known"


def test_an_answer_of_another_shape_is_refused_with_its_path(client: StripeClient, world: World, standin: Standin):
    jenny = _id(world, "jenny@example.com")
    world.tables["customer"][jenny]["balance"] = "12.00"
    with pytest.raises(stripe.APIError, match="balance"):
        client.v1.customers.retrieve(jenny)
    assert standin.violations.pop() == "customer.retrieve: answer: balance: is '12.00'; it must be int"


def test_an_account_of_the_v2_api_shows_its_parts_when_they_are_included(client: StripeClient, world: World):
    ivy = next(iter(world.tables["v2.core.account"]))
    account = client.v2.core.accounts.retrieve(ivy, {"include": ["identity"]})
    assert account.contact_email == "ivy@example.com"
    assert account.identity.business_details.registered_name == "Officina Ferrari S.r.l."
    invoices = client.v1.invoices.list({"customer_account": ivy})
    assert {(each.customer_account, each.customer) for each in invoices} == {(ivy, f"cus_{ivy}")}
    client.v2.core.accounts.update(ivy, {"contact_email": "new@example.com"})
    assert client.v1.customers.retrieve(f"cus_{ivy}").email == "new@example.com"


def test_a_restricted_key_is_told_which_permission_it_lacks(standin: Standin):
    standin.keys["rk_test_poor"] = Key("rk_test_poor", EVERYTHING - {"subscription_read", "subscription_write"})
    poor = sdk(standin, "rk_test_poor")
    poor.v1.customers.list()
    with pytest.raises(stripe.PermissionError, match="rak_subscription_read"):
        poor.v1.subscriptions.list()


@pytest.mark.parametrize("key", ["rk_test_unknown", "rk_live_standin_0123456789"])
def test_another_key_is_refused_and_never_repeated_whole(standin: Standin, key: str):
    standin.keys["rk_live_standin_0123456789"] = Key("rk_live_standin_0123456789")
    with pytest.raises(stripe.AuthenticationError) as refused:
        sdk(standin, key).v1.customers.list()
    assert key not in str(refused.value)


def test_another_api_version_is_refused(client: StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version: 2020-08-27"):
        client.v1.customers.list(options={"stripe_version": "2020-08-27"})
