"""The mails about a customer, on both databases: written with what they tell of, once, and never lost on their way."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from dataclasses import replace as changed_portal
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from server.billing import Cancel
from server.billing import rows as ledger_rows
from server.brands import Features
from server.brands.mail_switches import OPTIONAL, MailSwitches
from server.brands.portal_file import LoginPage
from server.features.login import nextpage
from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.letters import LETTERS
from server.mail.smtp import KeepingMailer, MailTemporary, SmtpMailer
from server.merchant.importing.files import import_records
from server.publishing.samples import records
from server.store import Store, StoreUnavailable, open_store
from server.worker import Worker
from tests.contract.mail.test_smtp import Peer, started
from tests.support import mailing
from tests.support.history import CASES, happen, keep, ledger, outbox_of
from tests.support.ledger_accounts import APRIL, CARD, account, day, item, subscription
from tests.support.pages import cancellation

pytestmark = pytest.mark.anyio
KINDS = [each.template for each in LETTERS]
LINK = "test_0123456789abcdefghijkl"
LEADS_TO = {
    "invoice": "invoice:in_.*",
    "receipt": "invoice:in_.*",
    "payment_failed": "invoice_pay:in_.*",
    "payment_action_required": "invoice_pay:in_.*",
    "card_expiring": "payment_methods",
    "subscription_canceled": "invoices|subscription:sub_.*",
    **dict.fromkeys(("trial_ending", "renewal_reminder", "plan_changed"), "subscription:sub_.*"),
}


def portal(store: Store, clock, link: str = LINK, **changed):
    made = mailing.portal(store, clock=clock, billing=ledger(store), **changed)
    return changed_portal(made, login_page=lambda: LoginPage(enabled=bool(link), link=link))


async def deliver(store: Store, clock, mailer, **changed) -> None:
    for job in await outbox.claim(store, clock(), 10):
        await Delivery({"plain": portal(store, clock, **changed)}, store, mailer, clock).deliver(job)


def parsed(content: bytes) -> EmailMessage:
    assert content.isascii()
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert not [part.defects for part in message.walk() if part.defects]
    assert isinstance(message, EmailMessage)
    return message


def bodies(message: EmailMessage) -> tuple[str, str]:
    return tuple(message.get_body((kind,)).get_content() for kind in ("plain", "html"))


def test_there_is_a_case_for_every_kind():
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_written_with_what_it_tells_of_and_arrives(store, clock, kind):  # M2, M3
    clock.at = await happen(store, kind)
    peer = Peer()
    async with started(peer) as running:
        await deliver(store, clock, running.mailer())
    assert await outbox_of(store) == [(kind, "sent")]
    [envelope] = peer.taken
    assert envelope.rcpt_tos == ["jenny@example.com"]  # threat 35
    message = parsed(envelope.content)
    assert message["To"].addresses[0].addr_spec == "jenny@example.com"
    assert message["From"].addresses[0].display_name == "Plain"
    assert message["Reply-To"].addresses[0].addr_spec == "help@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text, html = bodies(message)
    found = re.findall(r"https://\S+", text)
    assert all(f'href="{each}"' in html.replace("&amp;", "&") for each in found)
    way, link, stop = found[0], found[-1], found[1:-1]
    assert [f"<{each}>" for each in stop] == message.get_all("List-Unsubscribe", [])
    assert bool(stop) == (kind in OPTIONAL)
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "portal.example", f"/plain/p/login/{LINK}/")
    assert parts.query == "prefilled_email=jenny%40example.com"
    assert re.search(rf'class="button"[^>]*><a href="{re.escape(way.replace("&", "&amp;"))}"', html)
    asked = parse_qs(urlsplit(way).query)
    assert (urlsplit(way).path, asked.pop("prefilled_email")) == ("/plain/login", ["jenny@example.com"])
    assert re.fullmatch(LEADS_TO[kind], asked.pop("next")[0])
    assert nextpage.known(parse_qs(urlsplit(way).query)["next"][0])
    assert not re.search(r"<(img|script|link|iframe)\b|\bsrc=|url\(|@import|Jenny", html)
    assert "prefers-color-scheme: dark" in html
    assert 'style="' in html


async def test_an_address_with_every_sign_it_may_have_is_filled_in_as_it_is(store, clock):
    address = "o'neil+a&b=c%d@example.com"
    await keep(store, CASES["receipt"][0], email=address)
    clock.at = APRIL
    await ledger(store).account("cus_1", APRIL)
    mailer = KeepingMailer()
    await deliver(store, clock, mailer)
    found = re.findall(r"https://\S+", bodies(parsed(mailer.messages[0].as_bytes()))[0])
    assert [parse_qs(urlsplit(each).query)["prefilled_email"] for each in found] == [[address], [address]]


async def test_where_log_in_may_open_another_customer_a_mail_leads_to_the_overview(store, clock):  # L13, M2
    await keep(store, CASES["receipt"][0])
    await keep(store, replace(CASES["receipt"][0], customer=replace(CASES["receipt"][0].customer, id="cus_other")))
    clock.at = APRIL
    await ledger(store).account("cus_1", APRIL)
    mailer = KeepingMailer()
    await deliver(store, clock, mailer)
    assert "/plain/login?next=home&" in bodies(parsed(mailer.messages[0].as_bytes()))[0]


@pytest.mark.parametrize("kind", KINDS)
async def test_without_an_active_link_there_is_none_and_the_words_fit(sqlite_store, clock, kind):
    clock.at = await happen(sqlite_store, kind)
    mailer = KeepingMailer()
    await deliver(sqlite_store, clock, mailer, link="")
    text, html = bodies(parsed(mailer.messages[0].as_bytes()))
    assert not re.search(r"https?://(?!portal\.example/plain/mails/)|your account", text)
    assert 'class="button"' not in html


async def test_a_kind_that_is_switched_off_is_not_written(store, clock):
    for switches in (MailSwitches(receipt=False), MailSwitches()):
        customer = replace(CASES["receipt"][0].customer, id=f"cus_{switches.receipt}")
        await keep(store, replace(CASES["receipt"][0], customer=customer))
        await ledger(store, switches).account(customer.id, APRIL)
    assert await store.read("SELECT customer_id FROM outbox") == [("cus_True",)]


async def test_a_kind_that_was_switched_off_since_is_not_sent(sqlite_store, clock):
    clock.at = await happen(sqlite_store, "receipt")
    made = portal(sqlite_store, clock)
    config = replace(made.brand.config, mail=MailSwitches(receipt=False))
    quiet = changed_portal(made, brand=replace(made.brand, config=config))
    [job] = await outbox.claim(sqlite_store, clock(), 10)
    await Delivery({"plain": quiet}, sqlite_store, KeepingMailer(), clock).deliver(job)
    assert await outbox_of(sqlite_store) == [("receipt", "expired")]


async def test_a_customer_who_was_switched_off_gets_no_mail(store, clock):  # threat 24
    await keep(store, CASES["receipt"][0], disabled=True)
    clock.at = APRIL
    await ledger(store).account("cus_1", APRIL)
    mailer = KeepingMailer()
    await deliver(store, clock, mailer)
    assert (mailer.messages, await outbox_of(store)) == ([], [("receipt", "nobody")])


async def test_paying_on_the_page_gives_a_receipt_and_a_refusal_there_no_mail(store, clock):  # I4, M2
    declined = replace(CARD, id="pm_2", behavior="card_declined")
    await keep(
        store,
        replace(CASES["payment_failed"][0], payment_methods=(*CASES["payment_failed"][0].payment_methods, declined)),
    )
    its = ledger(store)
    invoice = (await its.account("cus_1", APRIL)).invoices[0]
    await its.pay(its.by(key="k1", now=APRIL), invoice.id, "pm_2")
    assert await outbox_of(store) == [("payment_failed", "waiting")]
    works = replace(CARD, id="pm_3")
    await its.add_payment_method(its.by(key="k2", now=APRIL), works, replaces="")
    await its.pay(its.by(key="k3", now=APRIL), invoice.id, "pm_3")
    assert await outbox_of(store) == [("payment_failed", "waiting"), ("receipt", "waiting")]
    clock.at, mailer = APRIL, KeepingMailer()
    await deliver(store, clock, mailer)
    assert [str(each["Subject"]) for each in mailer.messages] == ["Your receipt from Plain"]


async def test_many_who_look_at_once_give_each_mail_once(store_url, store, clock):  # M4
    stores = [store, *(open_store(store_url) for _ in range(3))]
    await keep(store, account(subscription(), subscription(item(unit_amount="500"), id="sub_2")))
    try:
        looks = [ledger(each).account("cus_1", day(2026, 4, 20)) for each in stores for _ in range(4)]
        await asyncio.gather(*looks)
    finally:
        for each in stores[1:]:
            await each.close()
    assert await outbox_of(store) == [("receipt", "waiting")] * 2


async def test_two_workers_bring_accounts_up_to_date_and_mail_each_event_once(store_url, store, clock):  # M4
    other, mailer = open_store(store_url), KeepingMailer()
    for number in range(12):
        customer = replace(CASES["receipt"][0].customer, id=f"cus_{number}")
        await keep(store, replace(CASES["receipt"][0], customer=customer))
    clock.at = APRIL
    workers = [Worker((portal(each, clock),), each, mailer, clock) for each in (store, other)]
    await asyncio.gather(*(worker.bring_accounts_up_to_date() for worker in workers))
    while (await outbox.backlog(store))["others"].count:
        await asyncio.gather(*(worker.mail() for worker in workers))
        await asyncio.gather(*(worker.settled() for worker in workers))
    await other.close()
    assert len(mailer.messages) == len({str(message["Message-ID"]) for message in mailer.messages}) == 12


async def test_a_process_that_dies_before_it_is_stored_leaves_no_mail_and_the_next_one_makes_it(
    store, clock, monkeypatch
):
    await keep(store, CASES["receipt"][0])

    def dies(*_args, **_more):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(ledger_rows, "encode_account", dies)
        with pytest.raises(ZeroDivisionError):
            await ledger(store).account("cus_1", APRIL)
    assert await outbox_of(store) == []
    await ledger(store).account("cus_1", APRIL)
    assert await outbox_of(store) == [("receipt", "waiting")]


async def test_a_worker_that_is_killed_after_the_server_took_a_mail_leads_to_the_same_mail_again(store, clock):  # M4
    clock.at = await happen(store, "receipt")

    class Dies(KeepingMailer):
        async def send(self, message):
            await super().send(message)
            raise asyncio.CancelledError  # as if the process were killed here

    first, second = Dies(), KeepingMailer()
    with pytest.raises(asyncio.CancelledError):
        await deliver(store, clock, first)
    await deliver(store, clock, second)
    assert second.messages == []
    clock.forward(seconds=60)
    await deliver(store, clock, second)
    assert [str(each["Message-ID"]) for each in second.messages] == [str(first.messages[0]["Message-ID"])]
    assert bodies(parsed(second.messages[0].as_bytes())) == bodies(parsed(first.messages[0].as_bytes()))


async def test_a_database_that_is_away_for_a_moment_makes_no_second_mail(store, clock):  # M4
    clock.at = await happen(store, "receipt")

    class Blinks:
        read, away = store.read, 2

        async def write(self, work):
            if Blinks.away and mailer.messages:
                Blinks.away -= 1
                raise StoreUnavailable("gone for a moment")
            return await store.write(work)

    mailer = KeepingMailer()
    [job] = await outbox.claim(store, clock(), 10)
    await Delivery({"plain": portal(store, clock)}, Blinks(), mailer, clock).deliver(job)
    assert await outbox_of(store) == [("receipt", "sent")]


@pytest.mark.parametrize(
    "trouble",
    [
        {"at_mail": "421 closing"},
        {"at_rcpt": "450 later"},
        {"at_data": "451 no room"},
        {"drops": True},
        {"hangs": True},
    ],
)
async def test_a_server_in_trouble_delays_a_mail_and_neither_loses_nor_doubles_it(store, clock, trouble):  # M4
    clock.at = await happen(store, "receipt")
    peer = Peer()
    async with started(peer) as running:
        mailer = running.mailer(timeout=0.3, total=0.6)
        for name, value in trouble.items():
            setattr(peer, name, value)
        for _ in range(3):
            await deliver(store, clock, mailer)
            assert await outbox_of(store) == [("receipt", "waiting")]
            clock.forward(minutes=1)
        for name in trouble:
            setattr(peer, name, "" if name.startswith("at_") else False)
        await deliver(store, clock, mailer)
        await deliver(store, clock.forward(hours=2) and clock, mailer)
    assert (len(peer.taken), await outbox_of(store)) == (1, [("receipt", "sent")])


async def test_nobody_listening_for_days_loses_no_mail(store, clock):
    clock.at = await happen(store, "receipt")
    nowhere, tries = SmtpMailer("smtp://127.0.0.1:1", timeout=0.2, total=0.4), 0
    for _ in range(3 * 24):
        tries += len(jobs := await outbox.claim(store, clock(), 10))
        for job in jobs:
            await Delivery({"plain": portal(store, clock)}, store, nowhere, clock).deliver(job)
        clock.forward(hours=1)
    assert tries == 3 * 24
    mailer = KeepingMailer()
    await deliver(store, clock, mailer)
    assert len(mailer.messages) == 1


async def test_a_mail_that_is_refused_for_good_is_told_to_the_merchant(store, clock):
    clock.at = await happen(store, "receipt")
    peer = Peer()
    peer.at_rcpt = "550 no such user"
    async with started(peer) as running:
        await deliver(store, clock, running.mailer())
    [record] = await outbox.about(store, "plain", "jenny@example.com")
    assert (record.kind, record.state) == ("receipt", "expired")
    assert "refused the recipient with 550" in record.detail


async def test_a_mail_is_not_sent_once_it_is_stale(store, clock):
    clock.at = await happen(store, "trial_ending")
    mailer = KeepingMailer()
    mailer.refusal = MailTemporary("the mail server answered 421")
    await deliver(store, clock, mailer)
    mailer.refusal = None
    clock.at = day(2026, 4, 15)
    await deliver(store, clock, mailer)
    assert mailer.messages == []


@pytest.mark.parametrize("kind", ["trial_ending", "renewal_reminder"])
async def test_a_reminder_that_is_settled_before_it_leaves_is_not_sent(store, clock, kind):
    clock.at = await happen(store, kind)
    its = await ledger(store).account("cus_1", clock())
    token = cancellation(its, "sub_1", Features().subscription_cancel, clock()).fingerprint
    asked = ledger(store)
    await asked.apply(asked.by(key="k", now=clock()), "sub_1", Cancel(), shown=token)
    mailer = KeepingMailer()
    await deliver(store, clock, mailer)
    assert [message["Subject"] for message in mailer.messages if "ends on" not in str(message["Subject"])] == []
    assert (kind, "expired") in await outbox_of(store)


async def test_an_account_that_nobody_looked_at_for_a_year_gets_the_last_months_mail(store, clock):
    await keep(store, account(subscription()))
    await ledger(store).account("cus_1", day(2027, 4, 2))
    assert await outbox_of(store) == [("receipt", "waiting")]


async def test_an_import_mails_nobody_and_what_lies_before_it_is_never_told(store, clock):
    now = clock()
    await import_records(store, "plain", records("plain", now), now=now)
    assert await outbox_of(store) == []
    customers = [row[0] for row in await store.read("SELECT customer_id FROM account")]
    before = len(customers)
    for customer in customers:
        await ledger(store).account(customer, now + timedelta(seconds=1))
    told = await store.read("SELECT data FROM outbox")
    assert before > 10
    assert [msgspec.msgpack.decode(bytes(data))["at"] for (data,) in told if data] == []
