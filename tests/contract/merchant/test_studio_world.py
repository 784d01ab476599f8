"""A whole day of an operator over both stores: code by mail, passkey, roles, log-out, a backup put back, the clean-up."""

import asyncio
import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from server import app
from server.mail.smtp import KeepingMailer
from server.merchant import restored, studio_findings
from server.merchant.studio import history, passkeys, sessions
from server.store import cleaning
from tests.support.authenticator import Authenticator
from tests.support.studio import OWNER, STUDIO, StudioWorld

pytestmark = pytest.mark.anyio
ED = "ed@shop.example"


@pytest.fixture
def studio(store, clock, tmp_path):
    return StudioWorld(store, clock, tmp_path)


@pytest.fixture
def mailed(studio, store, clock):
    """Lets the worker send what is due; the messages by whom they go to."""
    mailer = KeepingMailer()
    worker = app.worker_of(studio.settings, (), store, clock=clock, mailer=mailer)

    async def mailed():
        await worker.mail()
        await worker.settled()
        return {str(each["To"]): each for each in mailer.messages}

    return mailed


async def test_from_the_first_code_to_a_role_of_somebody_else(studio, mailed, clock):
    await studio.role()
    client = studio.visitor()
    await client.post("/_studio/login", data={"email": OWNER})
    await studio.visitor().post("/_studio/login", data={"email": "nobody@shop.example"})
    sent = await mailed()
    assert set(sent) == {OWNER}
    text = sent[OWNER].get_content()
    assert str(sent[OWNER]["Subject"]) == "Your code for Postern Studio"
    code = text.split()[2]
    assert text.strip().endswith(f"@studio.example #{code}")
    states = await studio.store.read("SELECT address, state FROM outbox ORDER BY address DESC")
    assert states == [(OWNER, "sent"), ("nobody@shop.example", "nobody")]
    assert (await client.post("/_studio/login/code", data={"code": code})).status_code == 303
    made = await studio.with_passkey(client)
    assert "added the passkey “Laptop”" in (await mailed())[OWNER].get_content()
    clock.forward(minutes=6)
    form = {"address": ED, "role": "editor", "where": "here"}
    assert (await client.post("/_studio/b/harbour/settings/people", data=form)).status_code == 403
    assert (await studio.verify(client, made)).status_code == 200
    assert (await client.post("/_studio/b/harbour/settings/people", data=form)).status_code == 200
    other = await studio.log_in_to_studio(studio.visitor(), ED)
    await studio.register(client, Authenticator(STUDIO))
    # Only who works on a brand of the owner's hears of a passkey; an owner of every brand works with everybody.
    assert {OWNER, ED} <= set(await mailed())
    assert (await other.get("/_studio/b/harbour")).status_code == 200


async def test_a_mail_to_no_operator_is_rehearsed(studio, store, clock):  # threats 26 to 29
    heard = []

    class Noting(KeepingMailer):
        async def rehearse(self, message):
            heard.append(message)

    await studio.role()
    await studio.visitor().post("/_studio/login", data={"email": "nobody@shop.example"})
    worker = app.worker_of(studio.settings, (), store, clock=clock, mailer=(mailer := Noting()))
    await worker.mail()
    await worker.settled()
    assert (len(heard), mailer.messages) == (1, [])


async def test_a_session_ends_by_itself(studio, clock):
    client = await studio.operator()
    for _ in range(15):
        clock.forward(minutes=31)
        assert (await client.get("/_studio/")).status_code == 200
    clock.forward(minutes=31)  # eight hours, whatever happens
    assert (await client.get("/_studio/")).status_code == 303
    await studio.log_in_to_studio(client)
    clock.forward(minutes=60)
    assert (await client.get("/_studio/")).status_code == 303


async def test_a_backup_brings_back_no_session_and_no_word_and_old_rows_go(studio, clock):
    client = await studio.operator()
    made = await studio.with_passkey(client)
    await client.post("/_studio/passkey/options", data={"kind": "verify"})
    await studio.role(ED, "editor")
    word = await studio.word(ED)
    await restored.end_everything(studio.store)
    assert (await client.get("/_studio/")).status_code == 303
    assert not await studio.count("studio_ceremony")
    other = await studio.log_in_to_studio(studio.visitor(), ED)
    assert (await studio.register(other, Authenticator(STUDIO), word)).status_code == 422
    await studio.log_in_to_studio(client)
    assert (await studio.verify(client, made)).status_code == 200
    await client.post("/_studio/passkey/options", data={"kind": "verify"})
    await studio.word(ED)
    await cleaning.clean(studio.store, clock(), timedelta(hours=1))
    tables = ("studio_session", "studio_ceremony", "studio_word")
    assert [await studio.count(each) for each in tables] == [2, 1, 1]
    await cleaning.clean(studio.store, clock.forward(days=9), timedelta(hours=1))
    assert [await studio.count(each) for each in tables] == [0, 0, 0]
    assert await studio.count("studio_passkey") == 1


async def test_a_tail_that_is_cut_off_is_found_by_the_head_in_the_log(studio, store, clock, stream):  # threat 116
    await studio.role()
    await studio.role(ED, "viewer")
    log_head = history.logging_of(store)
    await log_head()
    head = next(line for line in map(json.loads, stream.getvalue().splitlines()) if "head" in line)["head"]

    async def looked(head):
        settings = replace(studio.settings, studio_origin="")
        return await studio_findings.look(settings, store, head)

    assert [each.is_fine for each in await looked(head)] == [True]
    before = (await history.read(store)).acts[0]
    for sql in ("DELETE FROM studio_act WHERE n = 2", "UPDATE studio_head SET n = 1, hash = :hash"):
        values = {"hash": before.hash} if ":hash" in sql else {}
        await store.write(lambda transaction, sql=sql, values=values: transaction.count(sql, values))
    assert (await looked(""))[0].is_fine
    (found,) = await looked(head)
    assert (found.is_fine, "act 2 of the history" in found.words) == (False, True)
    assert not (await looked("7"))[0].is_fine
    await store.write(lambda transaction: transaction.count("UPDATE studio_act SET data = '{}'", {}))
    (found,) = await looked("")
    assert (found.is_fine, "act 1 of the history was changed" in found.words) == (False, True)
    await log_head()
    assert "the history of the studio is not what was written" in stream.getvalue()


async def test_of_many_at_once_one_uses_a_word_a_ceremony_or_a_counter(studio, store, clock):  # threats 111, 112
    client = await studio.operator()
    made = await studio.with_passkey(client)
    await studio.role(ED, "editor")
    word, now = await studio.word(ED), clock()

    async def at_once(work):
        done = await asyncio.gather(*(store.write(work) for _ in range(32)), return_exceptions=True)
        return [each for each in done if each and not isinstance(each, passkeys.NotAsked)]

    assert len(await at_once(lambda it: passkeys.use_word(it, ED, word, now))) == 1
    await client.post("/_studio/passkey/options", data={"kind": "verify"})
    visit = await sessions.find(studio.place, client.cookies["__Host-studio"])
    assert len(await at_once(lambda it: passkeys.take(it, visit, passkeys.VERIFY, now))) == 1
    (known,) = await passkeys.of(store, OWNER)
    assert known.id == made.id
    assert len(await at_once(lambda it: passkeys.used(it, known, known.sign_count + 1, now))) == 1
    assert len(await at_once(lambda it: sessions.verified(it, studio.place, visit, now))) == 1
