"""The gallery, opened from the disk as designers do: what is near is drawn, and a word narrows what is shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.unit.publishing.test_gallery import files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("gallery")
    for path, content in files(made).items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(content)
    return made


@pytest.fixture
def section(browser: Browser, folder: Path) -> Iterator[Page]:
    page = browser.new_page()
    page.goto((folder / "details.html").as_uri())
    yield page
    page.close()


def test_what_is_near_is_drawn_and_the_rest_when_it_comes_near(section: Page):
    frames = section.frame_locator("iframe")
    expect(frames.first.get_by_role("main")).to_be_visible()
    before = len(drawn(section))
    assert before < section.locator("iframe").count()
    section.get_by_role("article").last.scroll_into_view_if_needed()
    expect(frames.last.get_by_role("main")).to_be_visible()
    assert len(drawn(section)) > before


def drawn(page: Page) -> list[str]:
    return [each.url for each in page.frames[1:] if each.url.startswith("file:")]


def test_a_word_leaves_what_has_it_in_its_title(section: Page):
    titles = section.get_by_role("article").get_by_role("heading", level=2)
    every = titles.all_inner_texts()
    section.get_by_role("searchbox", name="Filter by title").fill("Tax ")
    wanted = [each for each in every if "tax " in each.lower()]
    assert 0 < len(wanted) < len(every)
    expect(titles).to_have_text(wanted)
    links = section.get_by_role("main").get_by_role("list").first.get_by_role("link")
    expect(links).to_have_text(wanted)
    section.get_by_role("searchbox", name="Filter by title").fill("no such thing")
    expect(titles).to_have_count(0)
    section.get_by_role("searchbox", name="Filter by title").fill("")
    expect(titles).to_have_text(every)
