"""Sending by SMTP, against a real server on loopback that can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from server.mail.smtp import MailPermanent, MailTemporary, NoMailer, SmtpMailer, explained, mailer_for
from tests.support import mailing
from tests.support.served import free_port

pytestmark = [
    pytest.mark.anyio,
    # aiosmtpd warns about its own login over plain text, which here never leaves the machine.
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),
]


class Peer:
    """Keeps what it takes, and answers what it is told to."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.at_rcpt = self.at_data = self.at_mail = ""
        self.drops = False
        self.hangs = False

    async def handle_MAIL(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.at_mail:
            return self.at_mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.at_rcpt:
            return self.at_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.drops:
            server.transport.abort()
            return "250 never heard"
        if self.hangs:
            await asyncio.Event().wait()
        if self.at_data:
            return self.at_data
        self.taken.append(envelope)
        return "250 OK"


class Running:
    def __init__(self, port: int) -> None:
        self.port = port

    def mailer(self, url: str = "smtp://127.0.0.1:{port}", **options) -> SmtpMailer:
        return SmtpMailer(url.format(port=self.port), **{"timeout": 2, "total": 4} | options)


@asynccontextmanager
async def started(peer: Peer, speaks: type[SMTP] = SMTP, **options) -> AsyncIterator[Running]:
    """The peer in the test's own event loop."""
    made: list[SMTP] = []

    def protocol() -> SMTP:
        made.append(speaks(peer, hostname="peer.example", **options))
        return made[-1]

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    try:
        yield Running(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for each in made:
            if each._handler_coroutine:
                each._handler_coroutine.cancel()
            if each.transport and not each.transport.is_closing():  # one that is gone cannot be aborted
                each.transport.abort()
        await server.wait_closed()


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
async def running(peer: Peer) -> AsyncIterator[Running]:
    async with started(peer) as made:
        yield made


async def test_a_mail_arrives_as_it_was_made(running, peer):
    message = mailing.message()
    await running.mailer().send(message)
    [envelope] = peer.taken
    assert envelope.mail_from == "billing@portal.example"
    assert envelope.rcpt_tos == ["jenny@example.com"]
    assert b"Subject: Your passcode for" in envelope.content
    assert b"Your passcode" in envelope.content or b"base64" in envelope.content


async def test_a_rehearsal_says_as_much_as_a_mail_and_leaves_nothing(peer):  # threats 26 to 29
    answered: list[object] = []

    class Heard(SMTP):
        async def push(self, status):
            answered.append(status)
            await super().push(status)

    async with started(peer, Heard) as running:
        await running.mailer().send(mailing.message())
        of_a_mail = len(answered)
        await running.mailer().rehearse(mailing.message())
    assert len(answered) == 2 * of_a_mail
    assert len(peer.taken) == 1


@pytest.mark.parametrize(("answer", "error"), [("450 later", MailTemporary), ("550 never", MailPermanent)])
async def test_a_rehearsal_fails_as_a_mail_does(running, peer, answer, error):
    peer.at_mail = answer
    with pytest.raises(error):
        await running.mailer().rehearse(mailing.message())
    with pytest.raises(MailTemporary):
        await SmtpMailer(f"smtp://127.0.0.1:{free_port()}", timeout=2).rehearse(mailing.message())


async def test_a_mail_has_one_recipient_whatever_its_headers_say(running, peer):  # threat 35
    message = mailing.message()
    message["Cc"] = "other@example.com"
    with pytest.raises(MailPermanent):
        await running.mailer().send(message)
    assert peer.taken == []


@pytest.mark.parametrize("step", ["at_mail", "at_rcpt", "at_data"])
async def test_a_refusal_with_421_or_450_is_tried_again(running, peer, step):
    setattr(peer, step, "450 later please")
    with pytest.raises(MailTemporary, match="450"):
        await running.mailer().send(mailing.message())


@pytest.mark.parametrize("step", ["at_mail", "at_rcpt", "at_data"])
async def test_a_refusal_with_550_is_final(running, peer, step):
    setattr(peer, step, "550 no such user jenny@example.com")
    with pytest.raises(MailPermanent, match="550") as caught:
        await running.mailer().send(mailing.message())
    assert "jenny" not in str(caught.value)


async def test_a_server_that_is_closing_down_is_tried_again(running, peer):
    peer.at_rcpt = "421 closing"
    with pytest.raises(MailTemporary):
        await running.mailer().send(mailing.message())


async def test_a_connection_lost_in_the_middle_of_the_text_is_tried_again(running, peer):
    peer.drops = True
    with pytest.raises(MailTemporary):
        await running.mailer().send(mailing.message())


async def test_a_server_that_never_answers_is_given_up(running, peer):
    peer.hangs = True
    with pytest.raises(MailTemporary):
        await running.mailer(timeout=0.2, total=0.5).send(mailing.message())


async def test_nobody_listening_is_tried_again():
    with pytest.raises(MailTemporary):
        await SmtpMailer(f"smtp://127.0.0.1:{free_port()}", timeout=2).send(mailing.message())


async def test_a_server_that_stumbles_over_our_goodbye_still_has_the_mail(peer):
    class Rude(SMTP):
        async def smtp_QUIT(self, _arg):  # noqa: N802
            await asyncio.Event().wait()

    async with started(peer, Rude) as running:
        await running.mailer(timeout=0.2, total=0.4).send(mailing.message())
    assert len(peer.taken) == 1


async def test_beyond_loopback_a_server_without_starttls_gets_no_mail(running, peer):
    mailer = running.mailer()
    mailer._options["start_tls"] = SmtpMailer("smtp://mail.example:587")._options["start_tls"]
    with pytest.raises(MailTemporary):
        await mailer.send(mailing.message())
    assert peer.taken == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(peer, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with started(peer, tls_context=context) as running:
        with pytest.raises(MailTemporary):
            await running.mailer().send(mailing.message())
    assert peer.taken == []


async def test_starttls_is_used_where_the_server_offers_it(peer, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with started(peer, tls_context=context, require_starttls=True) as running:
        mailer = running.mailer(tls_context=trusting)
        assert "encrypted" in await mailer.check()
        await mailer.send(mailing.message())
    assert len(peer.taken) == 1


def knows_the_password(_server, _session, _envelope, _mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"us@er", b"p@ss:word")
    return AuthResult(success=right, handled=False)


async def test_the_password_of_the_url_may_hold_any_sign(peer):
    async with started(peer, authenticator=knows_the_password, auth_required=True, auth_require_tls=False) as running:
        mailer = running.mailer("smtp://us%40er:p%40ss%3Aword@127.0.0.1:{port}")
        assert "takes the password" in await mailer.check()
        await mailer.send(mailing.message())
    assert len(peer.taken) == 1


async def test_a_wrong_password_is_tried_again_since_the_operator_can_mend_it(peer):
    async with started(peer, authenticator=knows_the_password, auth_required=True, auth_require_tls=False) as running:
        with pytest.raises(MailTemporary, match="535") as caught:
            await running.mailer("smtp://user:secret-word@127.0.0.1:{port}").send(mailing.message())
        words, remedy = explained(caught.value)
        assert "Authentication credentials invalid" in words, "the server's own"
        assert "the password in PORTAL_SMTP_URL" in remedy
        assert "secret-word" not in str(caught.value) + words


async def test_checking_sends_nothing(running, peer):
    assert "answers" in await running.mailer().check()
    assert peer.taken == []


async def test_without_a_mail_server_every_mail_waits():
    mailer = mailer_for(mailing.SETTINGS)
    assert isinstance(mailer, NoMailer)
    with pytest.raises(MailTemporary, match="PORTAL_SMTP_URL"):
        await mailer.send(mailing.message())
