"""A mail that failed goes out again when an operator says so: once, however often the button is pressed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from server.access.known_browsers import NewBrowser
from server.mail import outbox
from server.mail.outbox import LEASE
from server.mail.smtp import KeepingMailer, MailPermanent
from server.store import posting
from tests.contract.mail.test_outbox import add_customer, deliver_due, put, state_of

pytestmark = pytest.mark.anyio


async def enqueue(store, now, kind="new_login", id_="out_1"):
    data = msgspec.msgpack.encode(NewBrowser("Firefox on Linux"))
    await store.write(
        lambda transaction: posting.enqueue(
            transaction, brand="plain", customer_id="cus_1", kind=kind, data=data, now=now,
            expires_at=now + timedelta(hours=24), id_=id_,
        )
    )  # fmt: skip


async def again(store, now, id_="out_1", brand="plain"):
    return await store.write(lambda transaction: outbox.again(transaction, brand, id_, now))


async def test_it_leaves_once_however_often_it_is_asked_for(store, clock):
    await add_customer(store)
    await enqueue(store, clock())
    mailer = KeepingMailer()
    mailer.refusal = MailPermanent("550 no such mailbox")
    await deliver_due(store, mailer, clock)
    assert (await state_of(store))[:2] == ("expired", "not sent: 550 no such mailbox")
    clock.forward(hours=30)  # it had a day, and gets another
    [failed] = await outbox.unsent(store, "plain")
    assert (failed.may_go_again, failed.customer_id, failed.attempts) == (True, "cus_1", 1)
    assert await again(store, clock(), brand="harbour") == ""
    answers = await asyncio.gather(*(again(store, clock()) for _ in range(8)))
    assert sorted(answers) == [""] * 7 + ["new_login"]
    mailer.refusal = None
    assert await deliver_due(store, mailer, clock) == 1
    assert await deliver_due(store, mailer, clock) == 0
    assert len(mailer.messages) == 1
    assert await again(store, clock()) == "", "it was sent"
    assert await outbox.unsent(store, "plain") == []


async def test_a_code_is_forgotten_and_never_sent_later(store, clock):
    await add_customer(store)
    await put(store, clock())
    await enqueue(store, clock(), kind="email_code", id_="out_2")
    for job in await outbox.claim(store, clock(), 10):
        await outbox.finish(store, job, "expired", "not sent")
    rows = await store.read("SELECT data FROM outbox")
    assert [data for (data,) in rows] == [None, None]
    assert [each.may_go_again for each in await outbox.unsent(store, "plain")] == [False, False]
    assert [await again(store, clock(), each) for each in ("out_1", "out_2")] == ["", ""]


async def test_one_that_waits_comes_sooner_but_never_into_a_lease(store, clock):
    await add_customer(store)
    await enqueue(store, clock())
    [job] = await outbox.claim(store, clock(), 10)
    assert await again(store, clock()) == "", "somebody is sending it"
    for _ in range(9):
        await outbox.put_back(store, job, clock(), "the mail server is away")
        clock.forward(hours=1)
        [job] = await outbox.claim(store, clock(), 10)
    await outbox.put_back(store, job, clock(), "the mail server is away")
    assert (await outbox.unsent(store, "plain"))[0].next_at - clock() == timedelta(hours=1)
    assert await again(store, clock()) == "new_login"
    assert (await outbox.unsent(store, "plain"))[0].next_at - clock() == LEASE
