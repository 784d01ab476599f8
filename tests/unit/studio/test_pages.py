"""The form pages: every key has its place, a form that is posted becomes a draft, and nothing is written before it is shown."""

import pytest

from server.brands.reading.declared import entries
from server.brands.reading.keys import Section
from server.brands.reference import FILES
from server.merchant.studio.declarations import controls
from server.merchant.studio.pages import contents, wording

pytestmark = pytest.mark.anyio
TAGS = ("de", "fr")
BRAND = "/_studio/b/harbour"


def test_every_key_is_asked_for_on_exactly_one_page():
    places: dict[str, list[str]] = {}
    for page in contents.every(TAGS):
        for _, found in contents.controls_of(page, TAGS):
            for each in found:
                places.setdefault(each.path, []).append(page.path)
    every = {each.path: each.declared for file in FILES for each in controls(file, TAGS)}
    assert {path for path in every if path not in places} == {
        path for path in every if path.partition(".")[0] in contents.ELSEWHERE
    }
    assert [path for path, pages in places.items() if len(pages) != 1] == []
    asked = {every[path] for path in places} | {
        column.declared for file in FILES for each in controls(file, TAGS) for column in each.columns
    }
    declared = [each for kind in FILES.values() for each in entries(kind) if not isinstance(each.key, Section)]
    missing = {each.path for each in declared if each.path not in asked}
    assert {each.partition(".")[0] for each in missing} <= set(contents.ELSEWHERE)


async def test_every_page_answers_by_the_house_rules(studio):
    client = await studio.operator()
    viewer = await studio.operator("eye@shop.example", "viewer", "plain")
    for brand in ("harbour", "orbit", "plain"):
        for page in [*contents.every(("de",) if brand != "orbit" else ()), "portal", "change", "writes"]:
            path = page if isinstance(page, str) else page.path
            answer = await client.get(f"/_studio/b/{brand}/{path}")
            assert answer.status_code == 200, path
            if brand == "plain":
                seen = await viewer.get(f"/_studio/b/{brand}/{path}")
                assert seen.status_code == 200
                assert 'value="save"' not in seen.text
