"""A brand that an operator makes, and its link."""

import re

import pytest

from server.brands import load
from server.merchant.studio import history

pytestmark = pytest.mark.anyio
LINK = "/_studio/b/north-sea/link"
HOSTILE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script></svg>'
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z" fill="#123456"/></svg>'


async def make(client, logo=None, **words):
    words = {"brand": "north-sea", "called": "North Sea", "color": "#0a7d4f", **words}
    return await client.post("/_studio/new", data=words, files={"logo": ("../../x.svg", logo or b"", "image/png")})


async def acts(studio):
    return [
        (each.what, each.brand, each.data)
        for each in (await history.read(studio.store)).acts
        if "role" not in each.what
    ]


def folders(studio):
    return sorted(each.name for each in studio.themes.iterdir())


async def test_a_brand_is_made_by_its_name_color_and_logo(studio):
    client, before = await studio.operator(), folders(studio)
    answer = await make(client, LOGO)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{LINK}?made=1")
    assert folders(studio) == sorted([*before, "north-sea"])
    brand = load(studio.themes / "north-sea")
    assert brand.config.business.name == "North Sea"
    assert not brand.config.login_page.enabled
    assert re.fullmatch(r"logo\.[0-9a-f]{12}\.svg", brand.theme.brand.logo.file.name)
    assert (studio.themes / "north-sea" / brand.theme.brand.logo.file.name).read_bytes() == LOGO
    assert await acts(studio) == [("brand_made", "north-sea", "{}")]
    assert "Nobody can log in" in (await client.get(f"{LINK}?made=1")).text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"brand": "harbour"}, "There is a folder named harbour already"),
        ({"brand": "../evil"}, "Use 1 to 40 characters"),
        ({"brand": "North"}, "Use 1 to 40 characters"),
        ({"brand": "metrics"}, "The name metrics is reserved"),
        ({"brand": ""}, "Use 1 to 40 characters"),
        ({"brand": "-north"}, "begin with a letter or digit"),
        ({"color": 'blue"\n[x]'}, "Found"),
        ({"logo": HOSTILE}, "This cannot be the logo"),
        ({"logo": b"GIF89a"}, "This cannot be the logo"),
    ],
)
async def test_what_cannot_be_a_brand_makes_none_and_is_said_beside_its_field(studio, words, said):  # threats 104-106
    client, before = await studio.operator(), folders(studio)
    answer = await make(client, **words)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="North Sea"' in answer.text
    assert folders(studio) == before
    assert await acts(studio) == []


async def test_a_name_full_of_markup_is_a_name(studio):
    client = await studio.operator()
    called = 'A "quote" \\ <b>&amp;</b> [features]'
    await make(client, called=called)
    assert load(studio.themes / "north-sea").config.business.name == called
    answer = await client.get("/_studio/b/north-sea")
    assert "<b>" not in answer.text.partition("<main")[2]


async def test_only_who_may_edit_every_brand_makes_one(studio):
    await studio.role()
    client = await studio.operator("ed@shop.example", "owner", "harbour")
    assert (await make(client)).status_code == 403
    assert "north-sea" not in folders(studio)


async def test_the_link_is_activated_replaced_after_a_question_and_deactivated(studio):
    client = await studio.operator()
    await make(client)
    page = await client.get(LINK)
    answer = await client.fill(page)
    assert answer.headers["location"] == f"{LINK}?done=activated"
    first = load(studio.themes / "north-sea").config.login_page
    assert first.enabled
    assert first.link.startswith("test_")
    page = await client.get(answer.headers["location"])
    assert f"/north-sea/p/login/{first.link}" in page.text
    assert "<svg" in page.text
    asked = await client.fill(page)
    assert "Make a new link?" in asked.text
    assert load(studio.themes / "north-sea").config.login_page == first
    await client.fill(asked)
    second = load(studio.themes / "north-sea").config.login_page
    assert second.enabled
    assert second.link not in {"", first.link}
    await client.fill(await client.fill(await client.get(LINK), form=1))
    assert not load(studio.themes / "north-sea").config.login_page.enabled
    assert "Nobody can log in" in (await client.get(LINK)).text
    assert [what for what, _, _ in await acts(studio)] == [
        "brand_made", "link_activated", "link_activated", "link_deactivated"
    ]  # fmt: skip


async def test_a_link_for_live_data_needs_the_right_to_publish_and_a_passkey(studio):  # threat 115
    client = await studio.operator()
    await make(client)
    live = {"do": "activate", "kind": "live"}
    assert "Show your passkey" in (await client.post(LINK, data=live)).text
    assert not load(studio.themes / "north-sea").config.login_page.enabled
    editor = await studio.operator("ed@shop.example", "editor")
    assert (await editor.post(LINK, data=live)).status_code == 403
    assert await acts(studio) == [("brand_made", "north-sea", "{}")]
    await studio.with_passkey(client)
    await client.post(LINK, data=live)
    now = load(studio.themes / "north-sea").config.login_page
    assert now.enabled
    assert not now.link.startswith("test_")
    for verb in ("activate", "deactivate"):  # nor does who may not publish end one
        assert (await editor.post(LINK, data={"do": verb, "kind": "test", "sure": "yes"})).status_code == 403
    assert load(studio.themes / "north-sea").config.login_page == now


async def test_a_link_that_cannot_be_written_is_not_noted(studio):
    client = await studio.operator()
    await make(client)
    file = studio.themes / "north-sea" / "portal.toml"
    file.write_text(file.read_text("utf-8") + "\n[features]\nunknown = 1\n", "utf-8")
    answer = await client.post(LINK, data={"do": "activate", "kind": "test"})
    assert answer.status_code == 422
    assert "unknown" in answer.text
    assert await acts(studio) == [("brand_made", "north-sea", "{}")]
