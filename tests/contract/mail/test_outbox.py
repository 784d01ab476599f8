"""The outbox on both databases: a row is taken by one worker, decided once, and never lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from server.access.passcodes import Opened
from server.access.sealing import Sealer
from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer, MailPermanent, MailTemporary
from server.store import Store, StoreUnavailable, micros, open_store
from server.worker import Worker
from tests.support import mailing

pytestmark = pytest.mark.anyio

_ROW = """
INSERT INTO outbox (id, brand, kind, address, data, created_at, not_before, expires_at, attempts, state)
VALUES (:id, 'plain', :kind, :address, :data, :now, :now, :expires_at, 0, 'waiting')"""
_CUSTOMER = """
INSERT INTO customer (brand, id, address, email, name, created_at, active, disabled)
VALUES ('plain', :id, :address, :email, '', :created_at, :active, :disabled)"""


async def put(store: Store, now, *, row: str = "out_1", address: str = "jenny@example.com", **changed) -> None:
    plain = msgspec.msgpack.encode(Opened("042817", "Firefox on Linux"))
    values = {
        "id": row,
        "kind": "passcode",
        "address": address,
        "data": Sealer(mailing.SETTINGS.secrets).seal(plain, row.encode()),
        "now": micros(now),
        "expires_at": micros(now + timedelta(minutes=10)),
    }
    await store.write(lambda transaction: transaction.run(_ROW, values | changed))


async def add_customer(store: Store, *, email: str = "Jenny@Example.com", **changed) -> None:
    values = {
        "id": "cus_1",
        "address": "jenny@example.com",
        "email": email,
        "created_at": 1,
        "active": 1,
        "disabled": 0,
    }
    await store.write(lambda transaction: transaction.run(_CUSTOMER, values | changed))


async def state_of(store: Store, row: str = "out_1") -> tuple[str, str, int]:
    sql = "SELECT state, detail, attempts FROM outbox WHERE id = :id"
    return tuple((await store.read(sql, {"id": row}))[0])


def delivery(store: Store, mailer, clock, **changed) -> Delivery:
    return Delivery({"plain": mailing.portal(store, clock=clock, **changed)}, store, mailer, clock)


async def deliver_due(store: Store, mailer, clock, **changed) -> int:
    jobs = await outbox.claim(store, clock(), 10)
    for job in jobs:
        await delivery(store, mailer, clock, **changed).deliver(job)
    return len(jobs)


async def test_a_known_address_gets_its_code_at_the_stored_address(store, clock):  # L4, threats 33, 38
    await add_customer(store, email="Jenny.Stored@Example.com")
    await put(store, clock())
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock)
    [message] = mailer.messages
    assert [each.addr_spec for each in message["To"].addresses] == ["Jenny.Stored@Example.com"]
    text = message.get_body(("plain",)).get_content()
    assert "042817" in text
    assert "jenny@example.com" not in message.as_string() + text
    assert (await state_of(store))[:2] == ("sent", "to customer cus_1")


async def test_an_unknown_address_gets_nothing(store, clock):  # L7
    await put(store, clock(), address="nobody@example.com")
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock)
    assert mailer.messages == []
    assert (await state_of(store))[0] == "nobody"


async def test_a_mail_to_nobody_is_rehearsed_and_tried_again_like_any_other(store, clock):  # threats 26 to 29
    class Noting(KeepingMailer):
        rehearsed = 0

        async def rehearse(self, message):
            await super().rehearse(message)
            message.as_bytes()
            self.rehearsed += 1

    await add_customer(store)
    await put(store, clock())
    await put(store, clock(), row="out_2", address="nobody@example.com")
    mailer = Noting()
    mailer.refusal = MailTemporary("the mail server answered 421")
    assert await deliver_due(store, mailer, clock) == 2
    assert await state_of(store) == await state_of(store, "out_2") == ("waiting", "the mail server answered 421", 1)
    assert len(set(await store.read("SELECT not_before FROM outbox"))) == 1
    mailer.refusal = None
    clock.forward(seconds=2)
    assert await deliver_due(store, mailer, clock) == 2
    assert (len(mailer.messages), mailer.rehearsed) == (1, 1)
    assert (await state_of(store, "out_2"))[0] == "nobody"


async def test_a_disabled_customer_gets_nothing(store, clock):  # threat 24
    await add_customer(store, disabled=1)
    await put(store, clock())
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock)
    assert mailer.messages == []
    assert (await state_of(store))[0] == "nobody"


async def test_of_several_customers_the_one_that_opens_gets_it(store, clock):
    await add_customer(store, id="cus_old", email="old@example.com", created_at=1, active=1)
    await add_customer(store, id="cus_new", email="new@example.com", created_at=2, active=0)
    await put(store, clock())
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock)
    assert mailer.messages[0]["To"] == "old@example.com"


async def test_the_code_is_forgotten_once_the_mail_is_decided(store, clock):
    await add_customer(store)
    await put(store, clock())
    await deliver_due(store, KeepingMailer(), clock)
    assert await store.read("SELECT data FROM outbox") == [(None,)]


async def test_a_failure_is_tried_again_after_a_while_and_ever_longer(store, clock):
    await add_customer(store)
    await put(store, clock())
    mailer = KeepingMailer()
    mailer.refusal = MailTemporary("the mail server answered 421")
    for seconds in (2, 5, 15, 30, 60, 60):
        assert await deliver_due(store, mailer, clock) == 1
        clock.forward(seconds=seconds - 1)
        assert await deliver_due(store, mailer, clock) == 0
        clock.forward(seconds=1)
    assert (await state_of(store))[:2] == ("waiting", "the mail server answered 421")
    mailer.refusal = None
    await deliver_due(store, mailer, clock)
    assert (await state_of(store)) == ("sent", "to customer cus_1", 7)


async def test_a_code_that_lapsed_is_not_mailed(store, clock):
    await add_customer(store)
    await put(store, clock())
    mailer = KeepingMailer()
    mailer.refusal = MailTemporary("the mail server answered 421")
    await deliver_due(store, mailer, clock)
    mailer.refusal = None
    clock.forward(minutes=10)
    await deliver_due(store, mailer, clock)
    assert mailer.messages == []
    state, detail, _ = await state_of(store)
    assert state == "expired"
    assert detail == "not sent before the code lapsed: the mail server answered 421"


async def test_a_mail_refused_for_good_is_not_tried_again(store, clock):
    await add_customer(store)
    await put(store, clock())
    mailer = KeepingMailer()
    mailer.refusal = MailPermanent("the mail server refused the recipient with 550")
    await deliver_due(store, mailer, clock)
    clock.forward(minutes=5)
    assert await deliver_due(store, mailer, clock) == 0
    assert (await state_of(store))[0] == "expired"


async def test_a_stored_address_that_cannot_be_mailed_is_said_so(store, clock):  # threat 37
    await add_customer(store, email="x@example.com\r\nBcc: y@example.com")
    await put(store, clock())
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock)
    assert mailer.messages == []
    assert "cannot be mailed" in (await state_of(store))[1]


async def test_a_row_sealed_for_another_row_is_not_opened(store, clock):
    await add_customer(store)
    plain = msgspec.msgpack.encode(Opened("042817", ""))
    await put(store, clock(), data=Sealer(mailing.SETTINGS.secrets).seal(plain, b"out_2"))
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock)
    assert mailer.messages == []
    assert "cannot be read" in (await state_of(store))[1]


async def test_a_bug_of_ours_neither_loses_the_mail_nor_stops_the_worker(store, clock):
    class Broken:
        async def send(self, _message):
            raise ZeroDivisionError

    await add_customer(store)
    await put(store, clock())
    await deliver_due(store, Broken(), clock)
    assert (await state_of(store))[:2] == ("waiting", "could not be made (ZeroDivisionError)")


async def test_a_database_that_goes_away_in_the_middle_is_no_bug_of_ours(store, clock):
    class Away:
        async def send(self, _message):
            raise StoreUnavailable

    await add_customer(store)
    await put(store, clock())
    with pytest.raises(StoreUnavailable):
        await deliver_due(store, Away(), clock)
    assert (await state_of(store))[:2] == ("waiting", "")


async def test_the_mail_is_in_the_customers_language(store, clock):
    await add_customer(store)
    await put(store, clock())
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock, locales=("en", "de"), billing=mailing.SpeakingBilling("de-AT"))
    assert mailer.messages[0]["Content-Language"] == "de"


async def test_billing_that_is_away_does_not_hold_up_the_code(store, clock):
    await add_customer(store)
    await put(store, clock())
    mailer = KeepingMailer()
    await deliver_due(store, mailer, clock, locales=("en", "de"))
    assert mailer.messages[0]["Content-Language"] == "en"


async def test_a_row_that_was_taken_is_nobody_elses_until_its_lease_is_over(store, clock):
    await put(store, clock())
    assert len(await outbox.claim(store, clock(), 10)) == 1
    clock.forward(seconds=59)
    assert await outbox.claim(store, clock(), 10) == []
    clock.forward(seconds=1)
    assert len(await outbox.claim(store, clock(), 10)) == 1


async def test_a_worker_that_died_after_the_server_took_the_mail_leads_to_the_same_code_again(store, clock):
    await add_customer(store)
    await put(store, clock())

    class Dies(KeepingMailer):
        async def send(self, message):
            await super().send(message)
            raise asyncio.CancelledError  # as if the process were killed here

    first, second = Dies(), KeepingMailer()
    with pytest.raises(asyncio.CancelledError):
        await deliver_due(store, first, clock)
    clock.forward(seconds=60)
    await deliver_due(store, second, clock)
    assert first.messages[0]["Message-ID"] == second.messages[0]["Message-ID"]
    assert "042817" in second.messages[0].get_body(("plain",)).get_content()
    assert (await state_of(store))[0] == "sent"


async def test_whoever_lost_the_lease_does_not_put_a_row_back(store, clock):
    await put(store, clock())
    [late] = await outbox.claim(store, clock(), 10)
    clock.forward(seconds=60)
    [current] = await outbox.claim(store, clock(), 10)
    await outbox.put_back(store, late, clock(), "late")
    assert await outbox.claim(store, clock(), 10) == []
    assert current.attempts == 2


async def test_workers_that_take_at_the_same_time_never_take_the_same_row(store_url, store, clock):
    for number in range(60):
        await put(store, clock(), row=f"out_{number}")
    others = [open_store(store_url) for _ in range(3)]
    try:
        taken: list[str] = []

        async def take(from_store: Store) -> None:
            while jobs := await outbox.claim(from_store, clock(), 7):
                taken.extend(job.id for job in jobs)

        await asyncio.gather(*(take(each) for each in [store, *others]))
    finally:
        for each in others:
            await each.close()
    assert sorted(taken) == sorted(f"out_{number}" for number in range(60))


async def test_two_running_workers_send_each_mail_once(store_url, store, clock):
    await add_customer(store)
    mailer = KeepingMailer()
    other = open_store(store_url)
    workers = [Worker((mailing.portal(each, clock=clock),), each, mailer, clock) for each in (store, other)]
    for number in range(25):
        await put(store, clock(), row=f"out_{number}")
    for worker in workers:
        worker.start()
    while (await outbox.backlog(store))["passcodes"].count:
        await asyncio.sleep(0)
        await asyncio.gather(*(worker.settled() for worker in workers))
    for worker in workers:
        await worker.stop()
    await other.close()
    assert len({str(message["Message-ID"]) for message in mailer.messages}) == len(mailer.messages) == 25


async def test_an_empty_outbox_is_not_written_to(sqlite_store, clock):
    class ReadOnly:
        read = sqlite_store.read

        async def write(self, _work):
            raise AssertionError("nothing is due: nothing to write")

    assert await outbox.claim(ReadOnly(), clock(), 10) == []


async def test_the_last_mails_of_an_address_are_told(store, clock):
    await put(store, clock(), row="first")
    await put(store, clock.forward(minutes=1), row="second")
    records = await outbox.about(store, "plain", "jenny@example.com")
    assert [record.created_at for record in records] == [clock(), clock() - timedelta(minutes=1)]
    assert await outbox.about(store, "other", "jenny@example.com") == []
