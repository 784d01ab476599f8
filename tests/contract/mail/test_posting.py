"""Mails about a customer in the outbox, on both databases: one row an event, and those that can wait do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.mail import outbox
from server.mail.smtp import KeepingMailer
from server.store import Store, posting
from tests.contract.mail.test_outbox import add_customer, deliver_due, put, state_of

pytestmark = pytest.mark.anyio


async def post(store: Store, now, *, event: str | None = None, kind: str = "receipt", **changed) -> bool:
    values = {"brand": "plain", "customer_id": "cus_1", "data": b"", "expires_at": now + timedelta(days=3)} | changed
    return await store.write(
        lambda transaction: posting.enqueue(transaction, kind=kind, event=event, now=now, **values)
    )


async def test_the_same_event_gives_one_mail(store, clock):
    assert await post(store, clock(), event="receipt in_1")
    assert not await post(store, clock(), event="receipt in_1")
    assert await post(store, clock(), event="receipt in_1", customer_id="cus_2")
    assert await post(store, clock(), event="receipt in_1", brand="orbit")
    assert len(await outbox.claim(store, clock(), 10)) == 3


async def test_what_is_no_event_may_come_again(store, clock):
    assert await post(store, clock())
    assert await post(store, clock())
    assert len(await outbox.claim(store, clock(), 10)) == 2


async def test_a_passcode_does_not_wait_behind_a_night_of_receipts(store, clock):
    for number in range(30):
        await post(store, clock(), event=f"receipt {number}")
    await put(store, clock.forward(minutes=5))
    jobs = await outbox.claim(store, clock(), 10)
    assert [each.kind for each in jobs] == ["passcode", *["receipt"] * 7]
    assert await outbox.claim(store, clock(), outbox.SPARE) == []


async def test_a_mail_that_may_wait_for_days_is_tried_ever_more_seldom(store, clock):
    await post(store, clock())
    for step in (*outbox.LONG_BACKOFF, outbox.LONG_BACKOFF[-1]):
        [job] = await outbox.claim(store, clock(), 10)
        await outbox.put_back(store, job, clock(), "the mail server answered 421")
        clock.at += step - timedelta(seconds=1)
        assert await outbox.claim(store, clock(), 10) == []
        clock.forward(seconds=1)


async def test_a_kind_that_this_server_does_not_know_is_said_so(store, clock):
    await add_customer(store)
    await post(store, clock(), kind="carrier_pigeon")
    await deliver_due(store, KeepingMailer(), clock)
    [(row,)] = await store.read("SELECT id FROM outbox")
    assert (await state_of(store, row))[:2] == (
        "expired",
        "not sent: this server knows no mail of the kind carrier_pigeon",
    )


async def test_the_mails_about_a_customer_are_told_with_the_codes_of_its_address(store, clock):
    await add_customer(store)
    await add_customer(store, id="cus_2")
    await put(store, clock())
    await post(store, clock.forward(minutes=1), kind="receipt")
    await post(store, clock.forward(minutes=1), kind="invoice", customer_id="cus_2")
    await post(store, clock.forward(minutes=1), kind="invoice", customer_id="cus_3")
    found = await outbox.about(store, "plain", "jenny@example.com")
    assert [each.kind for each in found] == ["invoice", "receipt", "passcode"]
    of_one = await outbox.about(store, "plain", "jenny@example.com", customer="cus_1")
    assert [each.kind for each in of_one] == ["receipt", "passcode"]
