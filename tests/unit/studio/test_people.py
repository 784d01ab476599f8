"""Who gives and takes roles, what happens to whose role it is, and the history of it."""

import pytest

from server.merchant.studio import history
from tests.support.authenticator import Authenticator
from tests.support.studio import OWNER, STUDIO

pytestmark = pytest.mark.anyio
ED, EVE = "ed@shop.example", "eve@shop.example"
PEOPLE = "/_studio/b/harbour/settings/people"


async def give(client, address, role, where="here", brand="harbour"):
    form = {"address": address, "role": role, "where": where}
    return await client.post(f"/_studio/b/{brand}/settings/people", data=form)


async def roles(studio):
    rows = await studio.store.read("SELECT address, brand, role FROM studio_operator ORDER BY address, brand")
    return {(address, brand): role for address, brand, role in rows}


async def test_an_owner_gives_a_role_with_a_word_for_the_passkey_and_takes_it_away(studio):
    client = await studio.operator()
    await studio.with_passkey(client)
    page = await client.get(PEOPLE)
    given = await client.fill(page, form=1, address=" Ed@Shop.example ", role="editor")
    assert "ed@shop.example is editor now" in given.text
    word = given.text.partition('<strong class="code-word">')[2].partition("<")[0]
    assert (await roles(studio))[ED, "harbour"] == "editor"
    other = await studio.log_in_to_studio(studio.visitor(), ED)
    assert (await studio.register(other, Authenticator(STUDIO), word)).status_code == 303
    removed = await client.post(f"{PEOPLE}/remove", data={"address": ED, "where": "here"})
    assert "was taken away" in removed.text
    assert (ED, "harbour") not in await roles(studio)
    assert not await studio.store.read("SELECT 1 FROM studio_passkey WHERE address = :address", {"address": ED})
    told = await client.get("/_studio/b/harbour/settings/history")
    assert "ed@shop.example became editor" in told.text
    assert "ed@shop.example was editor and has no role any more" in told.text
    assert "The history is whole" in told.text


async def test_whose_role_changes_or_goes_is_logged_out(studio):  # threat 110
    client = await studio.operator()
    await studio.with_passkey(client)
    other = await studio.operator(ED, "publisher", "harbour")
    planted = other.cookies["__Host-studio"]
    await give(client, ED, "viewer")
    assert (await other.get("/_studio/b/harbour")).headers["location"].startswith("/_studio/login")
    await studio.log_in_to_studio(other, ED)
    assert other.cookies["__Host-studio"] != planted
    assert (await other.get("/_studio/b/harbour")).status_code == 200
    await client.post(f"{PEOPLE}/remove", data={"address": ED, "where": "here"})
    assert (await other.get("/_studio/b/harbour")).headers["location"].startswith("/_studio/login")
    code = await studio.studio_code(ED) if await other.post("/_studio/login", data={"email": ED}) else ""
    assert (await other.post("/_studio/login/code", data={"code": code})).status_code == 422


async def test_a_session_planted_before_log_in_is_worth_nothing(studio):  # threat 110
    await studio.role()
    planted = "planted-by-somebody-who-waits"
    client = studio.visitor()
    client.cookies.set("__Host-studio", planted, domain="studio.example")
    await studio.log_in_to_studio(client)
    thief = studio.visitor()
    thief.cookies.set("__Host-studio", planted, domain="studio.example")
    assert (await thief.get("/_studio/")).headers["location"] == "/_studio/login"


async def test_without_a_passkey_shown_a_moment_ago_no_role_changes(studio, clock):  # threats 112, 115
    client = await studio.operator()
    assert (await give(client, ED, "owner")).status_code == 403  # a mailbox alone
    made = await studio.with_passkey(client)
    clock.forward(minutes=5, seconds=1)
    refused = await give(client, ED, "owner", "everywhere")
    assert (refused.status_code, set(await roles(studio))) == (403, {(OWNER, "")})
    await studio.verify(client, made)
    assert "ed@shop.example is owner now" in (await client.fill(refused)).text
    assert (await roles(studio))[ED, ""] == "owner"


async def test_an_owner_of_one_brand_gives_nothing_for_others(studio):  # threat 113
    await studio.role()
    await studio.role(EVE, "editor", "plain")
    client = await studio.operator(ED, "owner", "harbour")
    await studio.with_passkey(client, ED)
    before = await roles(studio)
    for where, brand in (("everywhere", "harbour"), ("here", "plain")):
        assert (await give(client, ED, "owner", where, brand)).status_code in {403, 404}
        form = {"address": OWNER, "where": where}
        answer = await client.post(f"/_studio/b/{brand}/settings/people/remove", data=form)
        assert answer.status_code in {403, 404}
    assert await roles(studio) == before
    # Somebody with roles elsewhere gets one here, and the word for that one's passkey is not for this owner.
    given = await give(client, EVE, "viewer")
    assert "eve@shop.example is viewer now" in given.text
    assert "first passkey" not in given.text
    page = await client.get(PEOPLE)
    assert "Every brand" not in page.text
    assert f"Take the role away from {OWNER}" not in page.text
    told = (await client.get("/_studio/b/harbour/settings/history")).text
    assert "eve@shop.example became viewer" in told
    assert "plain" not in told
    assert OWNER not in told


async def test_a_right_that_is_taken_meanwhile_is_asked_in_the_transaction(studio):  # threat 113
    client = await studio.operator(ED, "owner", "harbour")
    await studio.with_passkey(client, ED)
    write = studio.store.write

    async def after(work):  # between `admit` and the transaction, somebody takes the role away
        studio.store.write = write
        await studio.store.write(
            lambda it: it.count("UPDATE studio_operator SET role = 'editor' WHERE address = :address", {"address": ED})
        )
        return await write(work)

    studio.store.write = after
    try:
        assert (await give(client, EVE, "owner")).status_code == 403
    finally:
        studio.store.write = write
    assert (EVE, "harbour") not in await roles(studio)


async def test_the_last_owner_stays_and_what_is_odd_is_said(studio):
    client = await studio.operator()
    await studio.with_passkey(client)
    last = await client.post(f"{PEOPLE}/remove", data={"address": OWNER, "where": "everywhere"})
    assert (last.status_code, "last owner" in last.text) == (422, True)
    odd = await give(client, "ed", "editor", "everywhere")
    assert (odd.status_code, "not an email address" in odd.text) == (422, True)
    assert '<option value="everywhere" selected>' in odd.text
    assert (await give(client, ED, "king")).status_code == 422
    assert "it was so already" in (await give(client, OWNER, "owner", "everywhere")).text
    assert set(await roles(studio)) == {(OWNER, "")}


async def test_a_changed_history_is_said_on_its_page_and_by_its_head(studio):  # threat 116
    client = await studio.operator()
    for role in ("viewer", "editor"):
        await studio.role(ED, role)
    page = await client.get("/_studio/b/harbour/settings/history?before=3")
    assert "became viewer" in page.text
    assert "became editor" not in page.text
    assert str((await history.read(studio.store)).head) in page.text
    sql = "UPDATE studio_act SET data = 'no JSON' WHERE n = 2"
    await studio.store.write(lambda transaction: transaction.count(sql, {}))
    page = await client.get("/_studio/b/harbour/settings/history")
    assert "Act 2 of the history was changed" in page.text
