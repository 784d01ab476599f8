"""Publishing from the studio: what is not published, key by key, what is in the way, and the way back."""

import re

import pytest

from server.merchant.releases import releasing, rows, sources
from server.merchant.studio import history
from server.publishing import brand_files
from tests.support.filling import press

pytestmark = pytest.mark.anyio
PUBLISH = "/_studio/b/harbour/publish"
ED = "ed@shop.example"


def save(studio, **changes):
    brand_files.change(studio.themes / "harbour", {key.replace("__", "."): value for key, value in changes.items()})


async def add(studio):
    """A first release, without building its pages: they are not what these tests ask for."""
    source = {f"source/{path}": each for path, each in sources.copied(studio.themes, "harbour").items()}
    work = rows.adding("harbour", source, operator="ann@shop.example", now=studio.clock(), allow=releasing.anybody)
    return await studio.store.write(work)


def counted(page):
    """The number at the button in the top bar."""
    return re.findall(r'class="how-many">(\d+)<', page.text)


async def live(studio):
    found = await rows.live_of(studio.store, "harbour")
    return found.n if found else 0


async def test_a_brand_is_published_with_a_passkey_and_gone_back_to(studio, clock):
    client = await studio.operator()
    await studio.with_passkey(client)
    first = await client.get(PUBLISH)
    assert "Not published yet" in first.text
    answer = await client.fill(first, follow=True)
    assert "Release 1 is published" in answer.text
    assert "Nothing to publish" in answer.text
    save(studio, words__footer_note="Foot 1", brand__color="#204060")
    page = await client.get(PUBLISH)
    assert counted(page) == counted(await client.get("/_studio/b/harbour")) == ["2"]
    for words in ("Roasted by the water", "Foot 1", "#204060", "brand"):
        assert words in page.text
    answer = await client.fill(page, follow=True)
    assert ("Release 2 is published" in answer.text, counted(answer)) == (True, [])
    back = await client.post(f"{PUBLISH}/back", data={"release": "1"}, follow=True)
    assert ("Release 1 is served again" in back.text, counted(back), await live(studio)) == (True, ["2"], 1)
    told = await history.read(studio.store)
    assert [each.what for each in told.acts if each.brand == "harbour"] == ["published", "published", "went_back"]
    page = await client.get("/_studio/b/harbour/settings/history")
    assert "Published release 2" in page.text
    assert "Went back to release 1" in page.text


async def test_what_breaks_a_rule_is_named_with_its_file_and_nothing_goes_live(studio):  # threat 120
    client = await studio.operator()
    await studio.with_passkey(client)
    await add(studio)
    (studio.themes / "harbour" / "templates" / "layouts" / "visitor.html").write_text("{% if %}")
    page = await client.get(PUBLISH)
    assert "harbour/templates/layouts/visitor.html" in page.text
    answer = await client.fill(page)
    assert (answer.status_code, "Nothing was published" in answer.text) == (422, True)
    assert re.search(r"<code>\S*harbour/templates/layouts/visitor\.html:1</code>", answer.text), answer.text
    assert await live(studio) == 1
    (studio.themes / "harbour" / "theme.toml").write_text("nonsense = 1\n")
    answer = await client.get(PUBLISH)
    assert "What is not published" in answer.text
    answer = await client.fill(answer)
    assert (answer.status_code, "unknown key" in answer.text) == (422, True)


async def test_nobody_publishes_without_the_right_or_a_fresh_passkey(studio, clock):  # threats 113, 115
    await add(studio)
    save(studio, words__footer_note="Foot 1")
    editor = await studio.operator(ED, "editor", "harbour")
    page = await editor.get(PUBLISH)
    assert "Your role does not allow you to publish" in page.text
    assert f'action="{PUBLISH}"' not in page.text
    client = await studio.operator()
    await studio.with_passkey(client)
    page = await client.get(PUBLISH)
    clock.forward(minutes=5, seconds=1)
    assert (await client.fill(page)).status_code == 403
    assert (await client.post(f"{PUBLISH}/back", data={"release": "1"})).status_code == 403
    assert [each.n for each in await rows.kept(studio.store, "harbour")] == [1]


async def test_a_page_that_is_old_publishes_nothing_else_than_it_showed(studio):
    client = await studio.operator()
    await studio.with_passkey(client)
    await add(studio)
    save(studio, words__footer_note="Foot 1")
    page = await client.get(PUBLISH)
    save(studio, words__footer_note="Foot 2")
    answer = await client.fill(page)
    assert (answer.status_code, "The files were changed since" in answer.text, "Foot 2" in answer.text) == (
        409,
        True,
        True,
    )
    assert await live(studio) == 1
    answer = await client.post(f"{PUBLISH}/back", data={"release": "99999999999"})
    assert (answer.status_code, "not kept any more" in answer.text) == (409, True)


async def test_what_nobody_wrote_yet_and_other_files_are_told_apart(studio):
    client = await studio.operator()
    await add(studio)
    base = studio.themes / "plain" / "theme.toml"
    base.write_text(base.read_text() + "\n# a note\n")
    page = await client.get(PUBLISH)
    assert ("plain/theme.toml" in page.text, counted(page)) == (True, ["1"])
    await press(client, await client.get("/_studio/b/harbour/look/words"), "preview", {"words.footer_note": "Foot 3"})
    page = await client.get(PUBLISH)
    assert "is no part of it" in page.text
    assert "Foot 3" not in page.text


async def test_going_back_never_changes_who_bills(studio):
    client = await studio.operator()
    await studio.with_passkey(client)
    assert await add(studio) == 1
    save(studio, billing__backend="stripe")
    assert await add(studio) == 2
    refused = await client.post(f"{PUBLISH}/back", data={"release": "1"})
    assert (refused.status_code, "does not change who bills" in refused.text, await live(studio)) == (409, True, 2)
    save(studio, billing__backend="ledger")
    assert await add(studio) == 3
    assert (await client.post(f"{PUBLISH}/back", data={"release": "1"})).status_code == 303
    assert await live(studio) == 1
