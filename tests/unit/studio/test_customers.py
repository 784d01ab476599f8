"""Customers in the studio: the same answer as the command line's, one customer with all that became of them, and what an
operator may do about it."""

import pytest

from server.merchant.importing.files import import_records
from server.publishing import samples

pytestmark = pytest.mark.anyio
CUSTOMERS = "/_studio/b/harbour/customers"


@pytest.fixture
async def filled(studio, clock):
    for brand in ("harbour", "plain"):
        await import_records(studio.store, brand, samples.records(brand, clock()), now=clock(), source="samples")
    return studio


async def id_of(studio, who, brand="harbour"):
    sql = "SELECT id FROM customer WHERE brand = :brand AND address = :address ORDER BY disabled, active DESC"
    return (await studio.store.read(sql, {"brand": brand, "address": f"{who}@example.com"}))[0][0]


async def test_an_address_says_which_customer_a_log_in_opens_and_why(filled):
    client = await filled.operator("sue@shop.example", "support", "harbour")
    answer = await client.get(f"{CUSTOMERS}?q=SAM@example.com")
    assert answer.text.count("A log-in opens this one") == 1
    assert "the only one of this address with an active subscription" in answer.text
    assert "another customer of this address has an active subscription" in answer.text
    assert "no mail was sent, in the last 30 days" in answer.text
    await filled.ask(filled.client(), "sam@example.com")
    answer = await client.get(f"{CUSTOMERS}?q=sam@example.com")
    assert "Passcode" in answer.text
    assert "Waiting" in answer.text


async def test_a_part_of_a_name_is_found_and_nobody_is_said_to_be(filled):
    client = await filled.operator()
    answer = await client.get(f"{CUSTOMERS}?q=okaf")
    assert answer.text.count("Sam Okafor") == 2
    answer = await client.get(f"{CUSTOMERS}?q=noone@example.com")
    assert "No customer has this address" in answer.text
    assert "You looked for noone@example.com" in answer.text
    assert "“zzz&lt;b&gt;”" in (await client.get(f"{CUSTOMERS}?q=zzz<b>")).text
    assert "customers-found" not in (await client.get(CUSTOMERS)).text


async def test_one_customer_with_mails_sessions_and_history(filled):
    client = await filled.operator()
    await filled.log_in(filled.client())
    answer = await client.get(f"{CUSTOMERS}/{await id_of(filled, 'jenny')}")
    assert "Jenny" in answer.text
    assert "Passcode" in answer.text
    assert "Firefox on Linux" in answer.text
    assert "Logged in" in answer.text


async def test_another_brands_customer_is_answered_as_one_that_is_not_there(filled):
    client = await filled.operator()
    other, nobody = [
        await client.get(f"{CUSTOMERS}/{each}") for each in (await id_of(filled, "jenny", "plain"), "cus_nobody")
    ]
    assert (other.status_code, other.content) == (404, nobody.content)
    assert (await client.get(f"/_studio/b/plain/customers/{await id_of(filled, 'jenny', 'plain')}")).status_code == 200
