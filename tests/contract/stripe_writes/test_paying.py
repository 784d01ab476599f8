"""Paying an open invoice at Stripe, and the details that invoices show."""

from __future__ import annotations

import pytest

from server.billing import BillingAddress, Contact, NotFound, Refused, Shipping
from server.billing.model.account import Address
from server.billing.rules.paying import MOST_TRIES
from server.brands.features import CustomerUpdate
from server.formats.money import Money
from tests.contract.stripe_standin.shop import MAY
from tests.contract.stripe_writes.counter import features
from tests.stripe.faults import Fault

pytestmark = pytest.mark.anyio
EVERYTHING = CustomerUpdate(allowed_updates=("name", "address", "phone", "shipping", "tax_id"))
BERLIN = Address(line1="Unter den Linden 1", city="Berlin", postal_code="10117", country="DE")


async def unpaid(counter, shop) -> str:
    """An invoice that could not be collected."""
    subscription = shop.subscribe()
    shop.pays_with("0341")
    shop.advance(MAY + 3601)
    await counter.billing.refetch("cus_a", counter.now)
    invoice = shop.invoice(subscription)
    assert invoice.status == "open"
    return str(invoice.id)


async def test_an_open_invoice_is_paid_once(any_counter, shop):
    invoice = await unpaid(any_counter, shop)
    by = any_counter.by()
    for _ in range(2):
        done = await any_counter.billing.pay(by, invoice, "pm_good")
        assert (done.payment.status, done.invoice.status) == ("paid", "paid")
        assert done.invoice.amount_paid == Money(3000, "EUR")
    assert done.account.subscriptions[0].status == "active"
    assert any_counter.wrote() == [f"post /v1/invoices/{invoice}/pay"]
    lines = await any_counter.billing.history("cus_a")
    assert [each.kind for each in lines] == ["invoice.paid"]
    with pytest.raises(Refused, match="already_paid"):
        await any_counter.billing.pay(any_counter.by(), invoice, "pm_good")


@pytest.mark.parametrize("fault", ["lost", "500_done"])
async def test_a_payment_whose_answer_was_lost_is_not_asked_for_again(counter, shop, fault):
    invoice = await unpaid(counter, shop)
    shop.standin.faults.append(Fault(fault, "invoice.pay"))
    done = await counter.billing.pay(counter.by(), invoice, "pm_good")
    assert done.payment.status == "paid"
    assert shop.standin.faults[-1].times == 0
    assert await counter.later(minutes=1) == 0


async def test_a_payment_that_failed_says_why_and_too_many_are_refused(counter, shop):
    invoice = await unpaid(counter, shop)
    for _ in range(MOST_TRIES):
        done = await counter.billing.pay(counter.by(), invoice, "pm_0341")
        assert (done.payment.status, done.payment.failure) == ("failed", "generic_decline")
        assert done.invoice.status == "open"
    with pytest.raises(Refused, match="too_many_tries"):
        await counter.billing.pay(counter.by(), invoice, "pm_good")


async def test_a_payment_that_the_bank_asks_about_leads_to_the_invoice_s_page(counter, shop):
    invoice = await unpaid(counter, shop)
    shop.card("pm_asks", "3155")
    done = await counter.billing.pay(counter.by(), invoice, "pm_asks")
    assert (done.payment.status, done.payment.failure) == ("open", "authentication_required")
    assert done.confirm_at == f"https://stripe.test/i/{invoice}"


async def test_somebody_else_s_method_and_invoice_are_not_found(counter, shop):
    invoice = await unpaid(counter, shop)
    shop.world.add("customer", id="cus_b", email="b@example.com")
    shop.world.add("payment_method", id="pm_b", type="card", customer="cus_b",
                   card={"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030, "funding": "credit"})  # fmt: skip
    with pytest.raises(Refused, match="payment_method_missing"):
        await counter.billing.pay(counter.by(), invoice, "pm_b")
    with pytest.raises(NotFound):
        await counter.billing.pay(counter.by(), "in_of_somebody", "pm_good")


async def test_details_are_kept_at_stripe(any_counter, shop):
    any_counter.features = features(customer_update=EVERYTHING)
    billing, by = any_counter.billing, any_counter.by
    await billing.update_customer(by(), Contact(name="Ada Lovelace", phone="+49 30 901820"))
    await billing.update_customer(by(), BillingAddress(BERLIN))
    account = await billing.update_customer(by(), Shipping("Ada", "", BERLIN))
    assert (account.customer.name, account.customer.address, account.customer.shipping) == (
        "Ada Lovelace",
        BERLIN,
        BERLIN,
    )
    assert shop.customer_row["phone"] == "+4930901820"
    assert shop.customer_row["email"] == "a@example.com"
    account = await billing.update_customer(by(), Shipping())
    assert (account.customer.shipping_name, account.customer.shipping) == ("", Address())
    lines = await billing.history("cus_a")
    assert {each.kind for each in lines} == {"customer.updated"}


async def test_what_is_not_allowed_or_out_of_date_changes_nothing(counter, shop):
    counter.features = features(customer_update=CustomerUpdate(allowed_updates=("name",)))
    with pytest.raises(Refused, match="details_not_allowed"):
        await counter.billing.update_customer(counter.by(), BillingAddress(BERLIN))
    with pytest.raises(Refused, match="details_changed"):
        await counter.billing.update_customer(counter.by(), Contact(name="Ada"), seen="of another page")
    assert counter.wrote() == []


async def test_a_tax_number_is_added_and_removed(any_counter, shop):
    any_counter.features = features(customer_update=EVERYTHING)
    billing, by = any_counter.billing, any_counter.by
    account = await billing.add_tax_id(by(), "eu_vat", "DE 136 695 976")
    kept = account.customer.tax_ids[0]
    assert (kept.kind, kept.value, kept.verification) == ("eu_vat", "DE136695976", "pending")
    with pytest.raises(Refused, match="tax_id_taken"):
        await billing.add_tax_id(by(), "eu_vat", "DE136695976")
    shop.advance(shop.world.now + 60)
    await billing.refetch("cus_a", any_counter.now)
    shop.advance(shop.world.now + 60)
    account = await billing.remove_tax_id(by(), kept.id)
    assert account.customer.tax_ids == ()
    lines = await billing.history("cus_a")
    assert [(each.kind, each.data["type"]) for each in lines] == [
        ("customer.tax_id_removed", "eu_vat"), ("customer.tax_id_verified", "eu_vat"), ("customer.tax_id_added", "eu_vat"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        await billing.remove_tax_id(by(), kept.id)
