"""Passkeys: who may make one, what is refused, and what needs one. The authenticator is one in software."""

import pytest
from webauthn.helpers import bytes_to_base64url

from server.merchant.studio import history
from tests.support.authenticator import Authenticator
from tests.support.studio import OWNER, STUDIO

pytestmark = pytest.mark.anyio
REMOVE = "/_studio/passkey/remove"


def cookie(client):
    return client.cookies["__Host-studio"]


async def whats(studio):
    return [each.what for each in (await history.read(studio.store)).acts]


async def test_a_first_passkey_needs_the_word_and_the_word_works_once(studio):  # threat 112
    client = await studio.operator()
    word, made = await studio.word(), Authenticator(STUDIO)
    for typed in ("", word[::-1], word[:-1]):
        answer = await studio.register(client, made, typed)
        assert answer.status_code == 422
    assert not await studio.count("studio_passkey")
    assert (await studio.register(client, made, word.lower().replace("-", " "))).status_code == 303
    assert (await studio.store.read("SELECT COUNT(*) FROM studio_word"))[0][0] == 0
    page = await client.get("/_studio/passkey?done=added")
    assert "The passkey was added" in page.text
    assert "Laptop" in page.text
    mails = await studio.store.read("SELECT address FROM outbox WHERE kind = 'passkey_added'")
    assert mails == [(OWNER,)]


async def test_a_word_ends_after_a_week_and_belongs_to_one_operator(studio, clock):  # threat 112
    client, word = await studio.operator(), await studio.word()
    other = await studio.operator("ed@shop.example", "editor", "harbour")
    assert (await studio.register(other, Authenticator(STUDIO), word)).status_code == 422
    clock.forward(days=7, seconds=-60)
    await studio.log_in_to_studio(client)
    asked = await client.post("/_studio/passkey/options", data={"kind": "register", "word": word})
    clock.forward(seconds=61)  # between the two
    form = {"credential": Authenticator(STUDIO).register(asked.json()), "name": "Laptop", "word": word}
    assert (await client.post("/_studio/passkey", data=form)).status_code == 422
    assert (await studio.register(client, Authenticator(STUDIO), word)).status_code == 422
    assert not await studio.count("studio_passkey")


async def test_a_further_passkey_needs_one_that_was_shown_a_moment_ago(studio, clock):  # threats 112, 115
    client = await studio.operator()
    first, further = await studio.with_passkey(client), Authenticator(STUDIO)
    clock.forward(minutes=4, seconds=59)
    asked = await client.post("/_studio/passkey/options", data={"kind": "register"})
    clock.forward(seconds=2)
    form = {"credential": further.register(asked.json()), "name": "Phone"}
    refused = await client.post("/_studio/passkey", data=form)
    assert (refused.status_code, "Show your passkey" in refused.text) == (403, True)
    asked = await client.post("/_studio/passkey/options", data={"kind": "register"})
    assert asked.json() == {"verify": True}
    assert await studio.count("studio_passkey") == 1
    assert (await studio.verify(client, first)).json() == {"ok": True}
    assert (await studio.register(client, further)).status_code == 303
    assert await studio.count("studio_passkey") == 2


async def test_a_session_gets_a_new_token_when_a_passkey_is_shown(studio):  # threat 110
    client = await studio.operator()
    planted = cookie(client)
    made = await studio.with_passkey(client)
    second = cookie(client)
    assert (await studio.verify(client, made)).status_code == 200
    assert len({planted, second, cookie(client)}) == 3
    assert (await client.get("/_studio/")).status_code == 200
    for old in (planted, second):
        thief = studio.visitor()
        thief.cookies.set("__Host-studio", old, domain="studio.example")
        assert (await thief.get("/_studio/")).headers["location"] == "/_studio/login"


async def test_what_was_signed_before_is_never_accepted_again(studio):  # threat 111
    client = await studio.operator()
    made = await studio.with_passkey(client)
    asked = await client.post("/_studio/passkey/options", data={"kind": "verify"})
    signed = {"credential": made.sign(asked.json())}
    assert (await client.post("/_studio/passkey/verify", data=signed)).status_code == 200
    assert (await client.post("/_studio/passkey/verify", data=signed)).status_code == 422
    await client.post("/_studio/passkey/options", data={"kind": "verify"})
    assert (await client.post("/_studio/passkey/verify", data=signed)).status_code == 422
    assert (await whats(studio)).count("passkey_refused") == 1  # what was not asked for is not told


async def test_after_a_wrong_answer_the_right_one_to_the_same_question_is_refused(studio):  # threat 111
    client = await studio.operator()
    made = await studio.with_passkey(client)
    asked = await client.post("/_studio/passkey/options", data={"kind": "verify"})
    right = made.sign(asked.json())
    for credential in ("{}", right):
        answer = await client.post("/_studio/passkey/verify", data={"credential": credential})
        assert answer.status_code == 422


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"origin": "https://studio.example:444"}, "origin"),
        ({"origin": "https://portal.example"}, "origin"),
        ({"host": "portal.example"}, "RP ID"),
        ({"verified": False}, "verification"),
        ({"count": -1}, "sign count"),
        ({"id": b"another one's id"}, "none of this operator's"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
async def test_another_origin_no_verification_or_a_copied_key_is_refused_and_noted(studio, wrong, said):  # threat 111
    client = await studio.operator()
    made = await studio.with_passkey(client)
    await studio.verify(client, made)
    before = await studio.rows("studio_session")
    for name, value in wrong.items():
        setattr(made, name, value)
    assert (await studio.verify(client, made)).status_code == 422
    acts = (await history.read(studio.store)).acts
    assert (acts[-1].what, acts[-1].operator) == ("passkey_refused", OWNER)
    assert said.lower() in acts[-1].data.lower()
    assert await studio.rows("studio_session") == before


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://portal.example"}, {"host": "portal.example"}, {"verified": False}]
)
async def test_a_new_passkey_for_elsewhere_or_without_its_user_is_refused(studio, wrong):  # threat 111
    client, made, word = await studio.operator(), Authenticator(STUDIO), await studio.word()
    for name, value in wrong.items():
        setattr(made, name, value)
    assert (await studio.register(client, made, word)).status_code == 422
    assert not await studio.count("studio_passkey")
    assert await studio.count("studio_word") == 1


@pytest.mark.parametrize("credential", ["[" * 5000, '{"id":' * 1000], ids=["lists", "hashes"])
async def test_a_credential_of_great_depth_is_refused_like_any_other(studio, credential):  # threat 111
    client, word = await studio.operator(), await studio.word()
    await client.post("/_studio/passkey/options", data={"kind": "register", "word": word})
    first = await client.post("/_studio/passkey", data={"credential": credential, "name": "x", "word": word})
    await studio.with_passkey(client)
    await client.post("/_studio/passkey/options", data={"kind": "verify"})
    shown = await client.post("/_studio/passkey/verify", data={"credential": credential})
    assert (first.status_code, shown.status_code) == (422, 422)


async def test_a_ceremony_of_another_session_or_of_long_ago_is_none(studio, clock):  # threat 111
    client = await studio.operator()
    made = await studio.with_passkey(client)
    asked = await client.post("/_studio/passkey/options", data={"kind": "verify"})
    signed = {"credential": made.sign(asked.json())}
    elsewhere = await studio.log_in_to_studio(studio.visitor())
    assert (await elsewhere.post("/_studio/passkey/verify", data=signed)).status_code == 422
    clock.forward(minutes=5, seconds=1)
    assert (await client.post("/_studio/passkey/verify", data=signed)).status_code == 422


async def test_what_needs_a_passkey_is_refused_after_five_minutes_and_the_form_is_kept(studio, clock):  # threat 115
    client = await studio.operator()
    first, further = await studio.with_passkey(client), Authenticator(STUDIO)
    await studio.register(client, further)
    page = await client.get("/_studio/passkey")
    clock.forward(minutes=4, seconds=59)
    asked = await client.fill(page, key="no such key")  # the last second in which it is asked at all
    assert "One has to stay" in asked.text
    clock.forward(seconds=2)
    refused = await client.fill(page)
    assert (refused.status_code, await studio.count("studio_passkey")) == (403, 2)
    # In another tab the same: the time is on the session.
    assert (await client.post(REMOVE, data={"key": "x"})).status_code == 403
    await studio.verify(client, first)
    assert (await client.fill(refused)).headers["location"] == "/_studio/passkey?done=removed"
    assert await studio.count("studio_passkey") == 1


async def test_the_last_passkey_stays(studio):
    client = await studio.operator()
    await studio.with_passkey(client)
    ((key,),) = await studio.store.read("SELECT id FROM studio_passkey")
    answer = await client.post(REMOVE, data={"key": bytes_to_base64url(bytes(key))})
    assert (answer.status_code, await studio.count("studio_passkey")) == (422, 1)
