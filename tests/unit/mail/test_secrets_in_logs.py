"""A whole log-in with every log switched on, and a crash in the middle: nothing of it lets anybody in."""

import re
from dataclasses import replace

import pytest

from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer
from tests.support.mailing import SpeakingBilling
from tests.support.world import World

pytestmark = pytest.mark.anyio


class Crashing:
    """A billing side that fails with everything it should not say."""

    said = ""

    async def account(self, *_, **__):
        raise ZeroDivisionError(self.said)

    history = invoices = account


async def test_a_log_in_and_a_crash_leave_no_code_cookie_or_address_in_the_logs(
    sqlite_store, clock, stream
):  # threat 16
    billing = Crashing()
    world = World(sqlite_store, clock, billing=lambda *_: billing)
    await world.customer()
    client, mailer = world.client(), KeepingMailer()
    await world.ask(client)
    code = await world.code()
    [job] = await outbox.claim(sqlite_store, clock(), 1)
    portal = replace(world.portal(), billing=SpeakingBilling())
    await Delivery({"harbour": portal}, sqlite_store, mailer, clock).deliver(job)
    assert mailer.messages
    await world.try_code(client, "000000" if code != "000000" else "000001")
    await world.try_code(client, code)
    cookies = [cookie.value for cookie in client.cookies.jar if cookie.value]
    assert cookies
    billing.said = f"jenny@example.com {code} cookie: x={cookies[0]} token {cookies[0]}"
    answer = await client.get("/harbour/my/history")
    assert answer.status_code == 500
    logged = stream.getvalue()
    assert "ZeroDivisionError" in logged
    for secret in (code, "jenny@", *cookies):
        assert secret not in logged
    assert not [secret for secret in (code, *cookies) if secret in answer.text]
    assert not re.search(r"\bjenny\b", logged)
