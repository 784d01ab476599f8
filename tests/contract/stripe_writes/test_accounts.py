"""Billing details of a customer of the v2 API: the account holds them, its tax numbers are v1's."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from server.billing import BillingAddress, Contact, NotFound, Refused, Shipping
from server.billing.model.account import Address
from server.brands.features import CustomerUpdate
from tests.contract.stripe_writes.counter import features
from tests.stripe.loading import load_samples

pytestmark = pytest.mark.anyio
EVERYTHING = CustomerUpdate(allowed_updates=("name", "address", "phone", "shipping", "tax_id"))
ROMA = Address(line1="Via del Corso 1", city="Roma", postal_code="00186", country="IT", state="RM")


@pytest.fixture
def row(counter, shop):
    """The account that is a customer."""
    load_samples(shop.world, "harbour", counter.now)
    counter.features = features(customer_update=EVERYTHING)
    found = next(iter(shop.world.tables["v2.core.account"].values()))
    found["configuration"] = {"customer": {"applied": True}}
    return found


def by_of(counter, row):
    return lambda: replace(counter.by(), customer_id=row["id"])


async def test_its_details_are_kept_in_the_account(counter, shop, row):
    billing, by = counter.billing, by_of(counter, row)
    await billing.update_customer(by(), Contact(name="Officina Bianchi", phone="+39 02 7397"))
    await billing.update_customer(by(), BillingAddress(ROMA))
    account = await billing.update_customer(by(), Shipping("Anna", "", ROMA))
    kept = account.customer
    assert (kept.name, kept.phone, kept.address) == ("Officina Bianchi", "+39027397", ROMA)
    assert (kept.shipping_name, kept.shipping) == ("Anna", ROMA)
    assert (row["display_name"], row["contact_email"]) == ("Officina Bianchi", "ivy@example.com")
    assert row["identity"]["business_details"]["address"]["line1"] == "Via del Corso 1"
    assert row["identity"]["business_details"]["registered_name"] == "Officina Ferrari S.r.l."
    account = await billing.update_customer(by(), Shipping())
    assert (account.customer.shipping_name, account.customer.shipping) == ("", Address())
    with pytest.raises(Refused, match="details_changed"):
        await billing.update_customer(by(), Contact(name="Ada"), seen="of another page")
    writes = [each.path for each in shop.standin.log if each.verb == "post" and each.path.startswith("/v2")]
    assert writes == [f"/v2/core/accounts/{row['id']}"] * 4


async def test_a_person_s_address_is_the_person_s(counter, row):
    ivy = {"given_name": "Ivy", "id": "person_1", "object": "v2.core.account_person", "account": row["id"]}
    ivy |= {"created": "2025-07-24T12:00:00Z", "updated": "2025-07-24T12:00:00Z"}
    row["identity"] = {"country": "it", "entity_type": "individual", "individual": ivy}
    account = await counter.billing.update_customer(by_of(counter, row)(), BillingAddress(ROMA))
    assert account.customer.address == ROMA
    assert row["identity"]["individual"]["given_name"] == "Ivy"
    assert row["identity"].keys() == {"country", "entity_type", "individual"}


async def test_its_tax_numbers_are_added_verified_and_removed(counter, shop, row):
    billing, by = counter.billing, by_of(counter, row)
    account = await billing.add_tax_id(by(), "eu_vat", "IT 12345670785")
    kept = account.customer.tax_ids[0]
    assert (kept.kind, kept.value, kept.verification) == ("eu_vat", "IT12345670785", "pending")
    with pytest.raises(Refused, match="tax_id_taken"):
        await billing.add_tax_id(by(), "eu_vat", "IT12345670785")
    shop.advance(shop.world.now + 60)
    account = await billing.refetch(row["id"], counter.now)
    assert account.customer.tax_ids[0].verification == "verified"
    with pytest.raises(NotFound):
        await billing.remove_tax_id(counter.by(), kept.id)  # of another customer
    account = await billing.remove_tax_id(by(), kept.id)
    assert account.customer.tax_ids == ()
    paths = [(each.verb, each.path) for each in shop.standin.log if "tax_ids" in each.path and each.verb != "get"]
    assert paths == [("post", "/v1/tax_ids"), ("delete", f"/v1/tax_ids/{kept.id}")]
