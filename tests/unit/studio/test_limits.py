"""The limits of codes hold at the studio as they do for customers, and leave its operators a way in."""

import pytest

from server.access.limits import Limits
from server.access.request_keys import request_key
from server.merchant.studio import computing, place
from tests.support.studio import OWNER, StudioWorld

pytestmark = pytest.mark.anyio


@pytest.fixture
def studio(sqlite_store, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(place, "MOST_A_SECOND", 1000)  # nobody types here: it goes as fast as it can
    return StudioWorld(sqlite_store, clock, tmp_path, limits=Limits())


async def ask(client, **more):
    return await client.post("/_studio/login", data={"email": OWNER, **more})


async def test_strangers_use_up_their_codes_and_the_owner_gets_one_by_the_request_key(studio, clock):
    await studio.role()
    stranger = studio.visitor()
    for _ in range(2):
        assert (await ask(stranger)).status_code == 303
        clock.forward(minutes=1)
    refused = await ask(stranger)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 60) == (429, True)
    owner = studio.visitor(peer="198.51.100.9")
    await ask(owner)  # the last of the strangers' share, with the key in its mail
    another = studio.visitor(peer="198.51.100.9")
    page = await ask(another)
    assert page.status_code == 303  # no code leaves, and no answer says so
    page = await another.get("/_studio/login")
    wrong = await ask(another, request_key="BBBB-BBBB-BBBB")
    assert (wrong.status_code, "This is not the request key" in wrong.text) == (422, True)
    key = request_key(studio.settings, OWNER, clock())
    entered = await another.fill(wrong, request_key=key.lower())
    assert entered.status_code == 303
    code = await studio.studio_code()
    assert (await another.post("/_studio/login/code", data={"code": code})).status_code == 303
    # From now on this browser is a known one: strangers cannot use up its codes.
    await another.post("/_studio/logout")
    clock.forward(minutes=2)
    assert (await ask(another)).status_code == 303
    code = await studio.studio_code()
    assert (await another.post("/_studio/login/code", data={"code": code})).status_code == 303


async def test_another_code_is_sent_after_a_minute_and_five_tries_end_one(studio, clock):
    await studio.role()
    client = studio.visitor()
    asked = await ask(client)
    page = await client.get(asked.headers["location"])
    soon = await client.fill(page, form=1)
    assert (soon.status_code, "less than a minute ago" in soon.text) == (429, True)
    right = await studio.studio_code()
    for left in ("4 tries are left", "3 tries", "2 tries", "1 try is left"):
        wrong = await client.fill(page, code="000000" if right != "000000" else "111111")
        assert (wrong.status_code, left in wrong.text) == (422, True)
    over = await client.fill(page, code="000000" if right != "000000" else "111111")
    assert "That code has ended" in over.text
    late = await client.post("/_studio/login/code", data={"code": right})
    assert (late.status_code, "That code has ended" in late.text) == (422, True)
    clock.forward(minutes=1)
    assert (await client.fill(page, form=1)).status_code == 303
    clock.forward(minutes=10)
    lapsed = await client.post("/_studio/login/code", data={"code": await studio.studio_code()})
    assert "That code has ended" in lapsed.text


async def test_nobody_fills_the_history_with_passkeys_that_are_refused(studio, clock):
    client = await studio.operator()
    made = await studio.with_passkey(client)
    made.verified = False
    statuses = [(await studio.verify(client, made)).status_code for _ in range(29)]
    assert set(statuses) == {422}
    asked = await client.post("/_studio/passkey/options", data={"kind": "verify"})
    assert (asked.status_code, "too often" in asked.text) == (422, True)
    assert await studio.count("studio_act") < 35
    clock.forward(minutes=10)
    await client.post("/_studio/login", data={"email": OWNER})
    made.verified = True
    assert (await studio.verify(client, made)).status_code == 200


async def test_names_full_of_markup_are_text(studio):
    client = await studio.operator()
    made = await studio.with_passkey(client)
    sql = "UPDATE studio_passkey SET name = :name"
    evil = '"><script>alert(1)</script>'
    await studio.store.write(lambda transaction: transaction.count(sql, {"name": evil}))
    await studio.verify(client, made)
    assert "&lt;script&gt;" in (await client.get("/_studio/passkey")).text
    kept = await studio.visitor().post("/_studio/login", data={"email": f"{evil}@shop.example"})
    assert (kept.status_code, "<script>alert" in kept.text) == (422, False)
    refused = await client.get(f"/_studio/b/{evil.replace('/', '')}")
    assert (refused.status_code, "alert" in refused.text) == (404, False)
    form = {"address": evil, "role": evil, "where": evil}
    answer = await client.post("/_studio/b/harbour/settings/people", data=form)
    assert (answer.status_code, "<script>alert" in answer.text) == (422, False)
    assert (await client.get(f"/_studio/login?next=//evil.example/{OWNER}")).text.count("evil") == 0


@pytest.mark.parametrize(
    "page",
    [
        "//evil.example",
        "https://evil.example",
        "/_studio/../harbour",
        "/harbour/login",
        "/_studio/login",
        "/_studio/b/x?y",
    ],
)
async def test_log_in_leads_to_pages_of_the_studio_only(studio, page):
    await studio.role()
    client = studio.visitor()
    await ask(client, next=page)
    answer = await client.post("/_studio/login/code", data={"code": await studio.studio_code(), "next": page})
    assert answer.headers["location"] == "/_studio/"


async def test_who_floods_is_refused_without_a_look_up_and_nobody_else_is(sqlite_store, clock, tmp_path, monkeypatch):
    # threat 119
    now = 0.0
    monkeypatch.setattr(computing, "monotonic", lambda: now)
    studio = StudioWorld(sqlite_store, clock, tmp_path, limits=Limits())
    flooding, page = await studio.operator(), "/_studio/b/harbour/settings/people"
    form = {"address": "nobody"}
    await studio.role("ed@shop.example", "owner")
    neighbor = await studio.log_in_to_studio(studio.visitor(), "ed@shop.example")
    for _ in range(place.MOST_A_SECOND):
        assert (await flooding.post(page, data=form)).status_code == 422
    said, read, write = [], studio.store.read, studio.store.write
    monkeypatch.setattr(studio.store, "read", lambda *given: said.append(given) or read(*given))
    monkeypatch.setattr(studio.store, "write", lambda *given: said.append(given) or write(*given))
    refused = [await flooding.post(page, data=form), await flooding.get("/_studio/")]
    assert [(each.status_code, each.headers["retry-after"]) for each in refused] == [(429, "1")] * 2
    assert all("Too much at once" in each.text for each in refused)
    assert not said
    # at the same client address: another operator, somebody with a token of nobody's, and one without any
    assert (await neighbor.post(page, data=form)).status_code == 422
    for cookie in ("x" * 43, ""):
        stranger = studio.visitor(cookie=f"__Host-studio={cookie}")
        assert (await stranger.get("/_studio/")).headers["location"] == "/_studio/login"
    assert (await stranger.get("/_studio/login")).status_code == 200
    now += 1
    assert (await flooding.post(page, data=form)).status_code == 422


def test_of_a_thousand_operators_the_pace_forgets_who_asked_longest_ago(monkeypatch):  # threat 119
    monkeypatch.setattr(computing, "monotonic", lambda: 0.0)
    pace = computing.Pace(1)
    for number in range(computing.MOST_KNOWN + 5):
        pace.use(str(number), b"%d" % number)
    assert len(pace._times) == len(pace._whose) == computing.MOST_KNOWN
    assert [pace.is_spent(b"%d" % number) for number in (0, 4, 5, 6)] == [False, False, True, True]
    assert not pace.is_spent(b"nobody's")
