"""Customers in the studio: the same answer as the command line's, one customer with all that became of them, and what an
operator may do about it."""

import re

import msgspec
import pytest

from server.access import directory
from server.billing import rows
from server.merchant.studio import history

pytestmark = pytest.mark.anyio
CUSTOMERS = "/_studio/b/harbour/customers"


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
    answer = await client.get(f"{CUSTOMERS}/{await filled.id_of('jenny')}")
    assert "Jenny" in answer.text
    assert "Passcode" in answer.text
    assert "Firefox on Linux" in answer.text
    assert "Logged in" in answer.text


async def test_another_brands_customer_is_answered_as_one_that_is_not_there(filled):
    client = await filled.operator()
    other, nobody = [
        await client.get(f"{CUSTOMERS}/{each}") for each in (await filled.id_of("jenny", "plain"), "cus_nobody")
    ]
    assert (other.status_code, other.content) == (404, nobody.content)
    assert (await client.get(f"/_studio/b/plain/customers/{await filled.id_of('jenny', 'plain')}")).status_code == 200


async def acts(studio):
    told = (await history.read(studio.store)).acts
    return [(act.operator, act.what, msgspec.json.decode(act.data)) for act in told if "customer" in act.data]


async def test_sessions_are_ended_with_a_passkey_and_written_down(filled):
    browsers = [filled.client(), filled.client()]
    for each in browsers:
        filled.clock.forward(minutes=2)  # so that the newest code is the one that was asked for last
        await filled.log_in(each)
    client, jenny = await filled.operator(), await filled.id_of("jenny")
    page = await client.get(f"{CUSTOMERS}/{jenny}")
    session = re.search('name="session" value="([^"]+)"', page.text)[1]
    one = {"do": "end", "session": session}
    asked = await client.post(f"{CUSTOMERS}/{jenny}", data=one)
    assert (asked.status_code, "Show your passkey" in asked.text) == (403, True)
    assert await filled.count("session") == 2
    await filled.with_passkey(client)
    for _ in range(2):
        answer = await client.post(f"{CUSTOMERS}/{jenny}", data=one, follow=True)
    assert "It had ended already" in answer.text
    assert await filled.count("session") == 1
    sam = await filled.id_of("sam")
    assert "It had ended already" in (await client.post(f"{CUSTOMERS}/{sam}", data={"do": "end_all"}, follow=True)).text
    await client.post(f"{CUSTOMERS}/{jenny}", data={"do": "end_all"})
    assert await filled.count("session") == 0
    told = {"customer": jenny}
    assert await acts(filled) == [
        ("owner@shop.example", "session_ended", told), ("owner@shop.example", "sessions_ended", told),
    ]  # fmt: skip
    assert (await client.post(f"{CUSTOMERS}/{jenny}", data={"do": "delete"})).status_code == 400


async def test_a_disabled_customer_stays_so_whatever_the_billing_side_writes(filled):
    browser, client, jenny = filled.client(), await filled.operator(), await filled.id_of("jenny")
    await filled.log_in(browser)
    assert (await client.post(f"{CUSTOMERS}/{jenny}", data={"do": "disable"})).status_code == 403
    assert (await browser.get("/harbour/my/history")).status_code == 200
    await filled.with_passkey(client)
    for _ in range(2):
        answer = await client.post(f"{CUSTOMERS}/{jenny}", data={"do": "disable"}, follow=True)
    assert "This customer may not log in any more" in answer.text
    assert answer.text.count(f"Disabled log-in for the customer {jenny}") == 1
    assert (await browser.get("/harbour/my/history")).status_code == 401
    account = await directory.account_of(filled.store, "harbour", jenny)
    for disabled in (False, True, False):
        customer = msgspec.structs.replace(account.customer, disabled=disabled, name=f"Jenny {disabled}")
        values = rows.customer_values("harbour", msgspec.structs.replace(account, customer=customer))
        assert await filled.store.write(lambda it, values=values: [rows.put_customer(it, values) for _ in "12"]) == [
            1,
            0,
        ]
        assert await directory.disabled_by(filled.store, "harbour", jenny) == (disabled, True)
        assert await directory.customer_for(filled.store, "harbour", "jenny@example.com") is None
    await client.post(f"{CUSTOMERS}/{jenny}", data={"do": "enable"})
    assert (await directory.customer_for(filled.store, "harbour", "jenny@example.com")).id == jenny
    assert (await browser.get("/harbour/my/history")).status_code == 401, "a session does not come back"
    assert [what for _, what, _ in await acts(filled)] == ["customer_disabled", "customer_enabled"]
