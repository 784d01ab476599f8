"""A reminder that the customer does not want, on both databases: it is handled, not sent, and nothing else is missing."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from server.brands.mail_switches import OPTIONAL, MailSwitches
from server.mail import outbox, reminder_choices
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer, MailTemporary
from server.store import Store
from tests.contract.mail.test_letters import deliver, portal
from tests.contract.mail.test_posting import post
from tests.support.history import happen, outbox_of

pytestmark = pytest.mark.anyio


async def choose(
    store: Store, clock, kind: str, *, wanted: bool, customer: str = "cus_1", brand: str = "plain"
) -> bool:
    return await store.write(
        lambda transaction: reminder_choices.choose(
            transaction, brand, customer, kind, wanted=wanted, now=clock(), browser="Firefox on Linux"
        )
    )


@pytest.mark.parametrize("kind", OPTIONAL)
async def test_what_was_switched_off_counts_as_handled_and_does_not_come_later(store, clock, kind):  # M2, M4
    mailer = KeepingMailer()
    clock.at = await happen(store, kind)
    assert await choose(store, clock, kind, wanted=False)
    await deliver(store, clock, mailer)
    assert await outbox_of(store) == [(kind, "unwanted")]
    assert await choose(store, clock, kind, wanted=True)
    await deliver(store, clock.forward(days=1) and clock, mailer)
    assert mailer.messages == []
    assert (await outbox.about(store, "plain", "jenny@example.com"))[0].detail == "the customer has switched these off"


async def test_the_choice_counts_until_the_mail_is_taken_also_for_the_last_of_many_tries(store, clock):
    clock.at = await happen(store, "renewal_reminder")
    mailer = KeepingMailer()
    mailer.refusal = MailTemporary("the mail server answered 421")
    await deliver(store, clock, mailer)
    assert await choose(store, clock, "renewal_reminder", wanted=False)
    mailer.refusal = None
    clock.forward(hours=1)
    await deliver(store, clock, mailer)
    assert (mailer.messages, await outbox_of(store)) == ([], [("renewal_reminder", "unwanted")])


async def test_a_choice_is_of_one_kind_of_one_customer_of_one_brand(store, clock):
    await happen(store, "receipt")
    for changed in ({"kind": "renewal_reminder"}, {"brand": "orbit"}, {"customer_id": "cus_2"}, {}):
        await post(store, clock(), event=str(changed), **{"kind": "card_expiring"} | changed)
    assert await choose(store, clock, "card_expiring", wanted=False)
    taken = await outbox.claim(store, clock(), 10)
    found = {(each.kind, each.brand, each.customer_id): each.is_unwanted for each in taken if each.kind in OPTIONAL}
    assert found.pop(("card_expiring", "plain", "cus_1")) is True
    assert list(found.values()) == [False] * 3


async def test_what_tells_of_money_comes_whatever_rows_say(store, clock):
    clock.at = await happen(store, "receipt")
    assert await choose(store, clock, "receipt", wanted=False)
    mailer = KeepingMailer()
    await deliver(store, clock, mailer)
    assert await outbox_of(store) == [("receipt", "sent")]


async def test_a_business_that_keeps_its_reminders_sends_them_and_offers_no_stop(sqlite_store, clock):
    clock.at = await happen(sqlite_store, "card_expiring")
    await choose(sqlite_store, clock, "card_expiring", wanted=False)
    made = portal(sqlite_store, clock)
    config = replace(made.brand.config, mail=MailSwitches(optional=()))
    object.__setattr__(made, "brand", replace(made.brand, config=config))
    mailer = KeepingMailer()
    [job] = await outbox.claim(sqlite_store, clock(), 10)
    await Delivery({"plain": made}, sqlite_store, mailer, clock).deliver(job)
    assert "List-Unsubscribe" not in mailer.messages[0]
    assert "Stop these reminders" not in mailer.messages[0].as_string()


async def test_a_choice_is_noted_once_and_for_nobody_who_is_not_there(store, clock):
    await happen(store, "receipt")
    assert await choose(store, clock, "card_expiring", wanted=False)
    assert not await choose(store, clock, "card_expiring", wanted=False)
    assert not await choose(store, clock, "renewal_reminder", wanted=True)
    assert not await choose(store, clock, "card_expiring", wanted=False, customer="cus_nobody")
    assert not await choose(store, clock, "card_expiring", wanted=False, brand="orbit")
    assert await reminder_choices.switched_off(store, "plain", "cus_1") == {"card_expiring": clock()}
    assert await store.read("SELECT COUNT(*) FROM mail_choice") == [(1,)]
    assert await store.read("SELECT COUNT(*) FROM activity WHERE kind LIKE 'reminder%'") == [(1,)]


async def test_the_header_is_one_line_that_holds_one_https_address(sqlite_store, clock):
    """As RFC 8058 wants it; the standard library would have written the long word as an encoded one."""
    clock.at = await happen(sqlite_store, "renewal_reminder")
    mailer = KeepingMailer()
    await deliver(sqlite_store, clock, mailer)
    head = mailer.messages[0].as_bytes().partition(b"\r\n\r\n")[0].decode()
    assert re.findall(r"^List-.*$", head, re.MULTILINE) == [
        f"List-Unsubscribe: {mailer.messages[0]['List-Unsubscribe']}\r",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r",
    ]
    url = r"<https://portal\.example/plain/mails/renewal_reminder/[A-Za-z0-9_-]+>"
    assert re.fullmatch(url, mailer.messages[0]["List-Unsubscribe"])
