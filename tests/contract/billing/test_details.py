"""Billing details behind the port, on both stores. Rows D1 to D3."""

import asyncio
from datetime import timedelta

import pytest

from server.billing import Address, BillingAddress, Contact, NotFound, Refused, Shipping
from server.billing.rules import details
from server.brands.features import CustomerUpdate, Features
from server.merchant.importing.files import import_records
from tests.support import exports
from tests.support.backends import allowing
from tests.support.ledger_accounts import NOW, day
from tests.support.pages import ledger_of

pytestmark = pytest.mark.anyio
BROWSER = "Firefox on Linux"
EVERYTHING = ("name", "email", "address", "shipping", "phone", "tax_id")
HAMBURG = Address("Speicherstraße 4", "", "Hamburg", "", "20457", "DE")
PARIS = Address("8 rue de Londres", "", "Paris", "", "75009", "FR")


def that_allows(billing, *allowed):
    return allowing(billing, Features(customer_update=CustomerUpdate(allowed_updates=allowed)))


@pytest.fixture
async def billing(backend):
    records = [
        exports.product(),
        exports.customer(name="Jenny Rosen", invoice_settings={"default_payment_method": "pm_1"}),
        exports.method(),
        exports.subscription(),
    ]
    return that_allows(await backend.begun(records), *EVERYTHING)


async def change(billing, update, key="k1", seen="", customer="cus_1"):
    return (
        await billing.update_customer(billing.by(customer, key=key, now=NOW, browser=BROWSER), update, seen=seen)
    ).customer


async def add(billing, kind="eu_vat", number="DE136695976", key="t1"):
    return (await billing.add_tax_id(billing.by(key=key, now=NOW, browser=BROWSER), kind, number)).customer.tax_ids


async def told(billing):
    return [(each.kind, each.data) for each in await billing.history("cus_1")]


async def test_details_are_kept_and_the_directory_follows_the_name(store, billing):  # D1
    after = await change(billing, Contact("Jenny Rosen GmbH", ""))
    assert (after.name, after.phone) == ("Jenny Rosen GmbH", "")
    after = await change(billing, BillingAddress(HAMBURG), "k2")
    after = await change(billing, Contact(phone="040 1234567"), "k3")
    assert (after.name, after.phone, after.address) == ("Jenny Rosen GmbH", "+49401234567", HAMBURG)
    assert await store.read("SELECT name FROM customer") == [("Jenny Rosen GmbH",)]


async def test_the_history_says_which_details_and_not_what_they_are(store, billing):
    await change(billing, Contact("Somebody Private"))
    await change(billing, BillingAddress(HAMBURG), "k2")
    [new] = await add(billing)
    await billing.remove_tax_id(billing.by(key="t2", now=NOW + timedelta(seconds=1), browser=BROWSER), new.id)
    found = await told(billing)
    assert found[0] == ("customer.tax_id_removed", {"type": "eu_vat"})
    assert ("customer.updated", {"fields": "name"}) in found
    assert ("customer.updated", {"fields": "address"}) in found
    assert ("customer.tax_id_added", {"type": "eu_vat"}) in found
    kept = repr(
        await store.read("SELECT subject, action FROM operation") + await store.read("SELECT data FROM activity")
    )
    assert "Private" not in kept
    assert "Speicher" not in kept
    assert "136695976" not in kept


async def test_two_tabs_with_different_groups_at_once_lose_nothing(billing):
    shipping = Shipping("Front desk", "", HAMBURG)
    groups = [Contact("New Name"), BillingAddress(PARIS), shipping]
    await asyncio.gather(
        *(change(billing, each, f"k{number}") for number, each in enumerate(groups)),
        add(billing),
        add(billing, key="t2", number="ATU13585627"),
    )
    after = (await billing.account("cus_1", NOW)).customer
    assert (after.name, after.address, after.shipping_name, len(after.tax_ids)) == ("New Name", PARIS, "Front desk", 2)


async def test_the_same_details_changed_meanwhile_are_not_silently_undone(billing):
    before = (await billing.account("cus_1", NOW)).customer
    seen = details.mark(before, Contact)
    await change(billing, Contact("First Tab", ""), "k1", seen)
    with pytest.raises(Refused) as refused:
        await change(billing, Contact("Second Tab", ""), "k2", seen)
    assert refused.value.reason == "details_changed"
    assert (await billing.account("cus_1", NOW)).customer.name == "First Tab"


async def test_the_same_form_sent_twice_acts_once(billing):
    await change(billing, Contact("Once"))
    await change(billing, Contact("Once"))
    assert [kind for kind, _ in await told(billing)].count("customer.updated") == 1
    assert await add(billing) == await add(billing)
    with pytest.raises(Refused, match="key_reused"):
        await change(billing, Contact("Twice"))


# threat 78
@pytest.mark.parametrize(
    ("update", "word"),
    [
        (Contact(name="X"), "name"),
        (Contact(phone="+49401234567"), "phone"),
        (BillingAddress(HAMBURG), "address"),
        (Shipping("Front desk", "", HAMBURG), "shipping"),
    ],
)
async def test_what_is_not_allowed_is_refused_below_every_form(billing, update, word):
    others = [each for each in EVERYTHING if each != word]
    with pytest.raises(Refused, match="details_not_allowed"):
        await change(that_allows(billing, *others), update)
    await change(that_allows(billing, word), update, "k2")


async def test_tax_numbers_are_refused_below_every_form(billing):
    [new] = await add(billing)
    forbidden = that_allows(billing, "name", "address")
    with pytest.raises(Refused, match="details_not_allowed"):
        await add(forbidden, key="t2")
    with pytest.raises(Refused, match="details_not_allowed"):
        await forbidden.remove_tax_id(forbidden.by(key="t3", now=NOW), new.id)
    for kind, number, reason in (
        ("eu_vat", "de 136 695 976", "tax_id_taken"),
        ("eu_vat", "DE136695977", "tax_id_invalid"),
        ("zz_vat", "DE136695976", "tax_id_invalid"),
    ):
        with pytest.raises(Refused, match=reason):
            await add(billing, kind, number, key=f"{reason}{kind}")


async def test_a_customer_has_five_tax_numbers_at_most(billing):
    numbers = ["DE136695976", "ATU13585627", "BE0428759497", "FR40303265045", "NL004495445B01"]
    await asyncio.gather(*(add(billing, number=each, key=each) for each in numbers))
    with pytest.raises(Refused) as refused:
        await add(billing, number="DK13585628", key="t6")
    assert (refused.value.reason, refused.value.detail) == ("too_many_tax_ids", "5")


async def test_what_cannot_be_kept_is_refused_below_every_form(billing):
    for number, update in enumerate(
        (
            Contact("a\x1bb"),
            Contact("x" * 257),
            Contact(phone="nobody"),
            BillingAddress(Address(country="DE")),
            BillingAddress(Address("1", "", "A", "", "1", "QQ")),
        )
    ):
        with pytest.raises(Refused, match="details_invalid"):
            await change(billing, update, f"k{number}")


async def test_another_customer_has_no_such_tax_number(backend, billing):  # threat 75
    [new] = await add(billing)
    await backend.add([exports.customer("cus_2", email="sam@example.com")])
    with pytest.raises(NotFound):
        await billing.remove_tax_id(billing.by("cus_2", key="t2", now=NOW), new.id)


async def test_invoices_that_were_issued_keep_their_details_and_the_next_has_the_new_ones(billing):  # D3
    await change(billing, Contact("Old Name"), "k1")
    await change(billing, BillingAddress(HAMBURG), "k2")
    [old] = (await billing.account("cus_1", day(2026, 4, 2))).invoices
    later = day(2026, 4, 3)
    await billing.update_customer(billing.by(key="k3", now=later), Contact("New Name"))
    await billing.update_customer(billing.by(key="k4", now=later), BillingAddress(PARIS))
    new, kept = (await billing.account("cus_1", day(2026, 5, 2))).invoices
    assert kept == old
    assert (kept.customer_name, kept.customer_address) == ("Old Name", HAMBURG)
    assert (new.customer_name, new.customer_address) == ("New Name", PARIS)


@pytest.fixture
async def ledger(store):
    records = [
        exports.product(),
        exports.customer(name="Jenny Rosen", invoice_settings={"default_payment_method": "pm_1"}),
        exports.method(),
        exports.subscription(),
    ]
    await import_records(store, "plain", records, now=NOW)
    return ledger_of(store, "plain", Features(customer_update=CustomerUpdate(allowed_updates=EVERYTHING)))


async def said(ledger, state, tax_id, key, *whose):
    name, address = whose or ("", "")
    by = ledger.by(key=key, now=NOW)
    return (await ledger.verify_tax_id(by, tax_id, state, name=name, address=address)).customer.tax_ids


# D1
async def test_what_an_office_says_of_a_number_arrives_once_and_in_the_history(ledger):
    [new] = await add(ledger)
    assert new.verification == "pending"
    for key in ("v1", "v1", "v2"):
        [now] = await said(ledger, "verified", new.id, key, "Rösterei GmbH", "Hamburg")
        assert (now.verification, now.verified_name, now.verified_address) == ("verified", "Rösterei GmbH", "Hamburg")
    [now] = await said(ledger, "unverified", new.id, "v3")
    assert (now.verification, now.verified_name, now.verified_address) == ("unverified", "", "")
    kinds = ("added", "unverified", "verified")
    assert sorted(await told(ledger)) == [(f"customer.tax_id_{each}", {"type": "eu_vat"}) for each in kinds]
    with pytest.raises(NotFound):
        await said(ledger, "verified", "txi_gone", "v4")
    with pytest.raises(Refused):
        await said(ledger, "verified", new.id, "v3")


async def test_an_import_brings_what_an_office_said(store, ledger):
    alone = {"id": "txi_1", "object": "tax_id", "customer": "cus_1", "type": "eu_vat", "value": "DE136695976"}
    for state, name in (("pending", None), ("verified", "Rösterei GmbH")):
        verification = {"status": state, "verified_name": name, "verified_address": name}
        await import_records(store, "plain", [{**alone, "verification": verification}], now=NOW)
        [now] = (await ledger.account("cus_1", NOW)).customer.tax_ids
        assert (now.verification, now.verified_name, now.verified_address) == (state, name or "", name or "")
