"""The outbox in the studio: what waits and why, again, and a mail to oneself."""

import re
from datetime import timedelta

import msgspec
import pytest

from server.access.known_browsers import NewBrowser
from server.access.limits import Limits
from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer, MailPermanent
from server.merchant.studio import history, mails
from server.store import posting
from tests.support.studio import OWNER, StudioWorld

pytestmark = pytest.mark.anyio
OUTBOX, TEST = "/_studio/b/harbour/mails/outbox", "/_studio/b/harbour/mails/test"


@pytest.fixture
async def studio(sqlite_store, clock, tmp_path):
    made = StudioWorld(sqlite_store, clock, tmp_path, limits=Limits())
    yield made
    await made.previews.close()


async def deliver(studio, mailer):
    others = {mails.NAME: mails.maker(studio.store, studio.settings)}
    delivery = Delivery({"harbour": studio.portal()}, studio.store, mailer, studio.clock, others)
    for job in await outbox.claim(studio.store, studio.clock(), 50):
        await delivery.deliver(job)


async def acts(studio, what):
    return [act for act in (await history.read(studio.store)).acts if act.what == what]


async def test_a_mail_that_failed_is_sent_again_by_its_button(studio, clock):
    jenny, now = await studio.customer(), clock()
    data = msgspec.msgpack.encode(NewBrowser("Firefox on Linux"))
    await studio.store.write(
        lambda it: posting.enqueue(
            it, brand="harbour", customer_id=jenny, kind="new_login", data=data, now=now, expires_at=now + timedelta(1)
        )
    )
    mailer = KeepingMailer()
    mailer.refusal = MailPermanent("550 no such mailbox")
    await deliver(studio, mailer)
    client = await studio.operator("sue@shop.example", "support", "harbour")
    page = await client.get(OUTBOX)
    assert "New login" in page.text
    assert "550 no such mailbox" in page.text
    mailer.refusal = None
    answers = [await client.fill(page, follow=True) for _ in range(2)]
    assert "It is sent again" in answers[0].text
    assert "It is under way already" in answers[1].text
    await deliver(studio, mailer)
    assert [each["To"] for each in mailer.messages if each["To"] == "jenny@example.com"] == ["jenny@example.com"]
    assert "Every mail was sent" in (await client.get(OUTBOX)).text
    assert len(await acts(studio, "mail_again")) == 1
    foreign = await studio.operator("pat@shop.example", "support", "plain")
    id_ = re.search('name="mail" value="([0-9a-f]+)"', page.text)[1]
    answer = await foreign.post(OUTBOX.replace("harbour", "plain"), data={"mail": id_}, follow=True)
    assert "It is under way already" in answer.text


async def test_a_test_mail_goes_to_oneself_alone_five_times_an_hour(studio, clock):  # threat 121
    client, mailer = await studio.operator(), KeepingMailer()
    await deliver(studio, mailer)  # the code of the log-in
    mailer.messages.clear()
    form = {
        "kind": "passcode",
        "language": "de",
        "email": "thief@example.com",
        "address": "thief@example.com",
        "to": "x@y.example",
    }
    for _ in range(5):
        assert (await client.post(TEST, data=form)).status_code == 303
    refused = await client.post(TEST, data=form)
    assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 3600)
    other = await studio.operator("ed@shop.example", "editor", "harbour")
    assert (await other.post(TEST, data=form)).status_code == 303, "everybody has five"
    await deliver(studio, mailer)
    sent = [each for each in mailer.messages if each["Subject"].startswith("[Test] ")]
    assert sorted(each["To"] for each in sent) == ["ed@shop.example", *[OWNER] * 5]
    assert "Harbour Coffee" in sent[0]["From"]
    assert sent[0]["Content-Language"] == "de"
    assert sent[0].get_body(("html",)) is not None
    assert len(await acts(studio, "test_mail")) == 6
    assert "Sent" in (await client.get(TEST)).text
    clock.forward(minutes=59, seconds=59)
    assert (await client.post(TEST, data=form)).status_code == 429
    clock.forward(seconds=2)
    assert (await client.post(TEST, data=form)).status_code == 303


async def test_only_what_there_is_can_be_sent(studio):
    client = await studio.operator()
    for form in ({"language": "en"}, {"kind": "nothing", "language": "en"}, {"kind": "passcode", "language": "xx"}):
        assert (await client.post(TEST, data=form)).status_code == 400
    support = await studio.operator("sue@shop.example", "support", "harbour")
    assert (await support.post(TEST, data={"kind": "passcode", "language": "en"})).status_code == 403
