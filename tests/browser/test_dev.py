"""`build.py dev`: a page in the browser shows what a designer saves, and why something cannot be shown."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.designing import LOGIN, TEMPLATE, designing


@pytest.fixture(scope="module")
def at_work(tmp_path_factory):
    with designing(tmp_path_factory.mktemp("designing")) as found:
        yield found


def test_a_save_is_shown_and_a_mistake_is_said_over_the_page_until_it_is_mended(at_work, browser):
    dev, brand = at_work
    page = browser.new_page()
    page.goto(dev.portals["harbour"])
    (brand / "styles.css").write_text('h1 { color: rgb(1, 2, 3) } main { background: url("pictures/hero.svg") }')
    expect(page.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")
    expect(page.locator("main")).to_have_css("background-image", re.compile(r"/static/pictures-hero\.\w+\.svg"))
    (brand / "portal.toml").write_text((brand / "portal.toml").read_text() + 'headline = "Ahoy"\n')
    expect(page.get_by_text("Ahoy")).to_be_visible()
    page.get_by_label("Email").fill("jenny@example.com")

    (brand / "styles.css").write_text('\n@import "https://cdn.example/x.css";')
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"{brand}/styles.css:2: found @import")
    expect(alert).to_be_visible()
    expect(page.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")
    expect(page.get_by_label("Email")).to_have_value("jenny@example.com")
    (brand / "styles.css").write_text("h1 { color: rgb(4, 5, 6) }")
    expect(page.locator("h1")).to_have_css("color", "rgb(4, 5, 6)")
    expect(alert).to_have_count(0)

    # What can be rendered is shown, and what build would refuse is said.
    (brand / LOGIN).write_text(TEMPLATE.replace("<p>", "<p style='color: red'>"))
    expect(alert).to_contain_text(f"{brand}/{LOGIN}: <p style='color: red'>: the policy refuses")
    (brand / LOGIN).write_text(TEMPLATE.replace("Saved 0", "{{ nobody }}"))
    expect(alert).to_contain_text(f"{brand}/{LOGIN}:1: 'nobody' is undefined")
    (brand / LOGIN).write_text(TEMPLATE.replace("Saved 0", "Done"))
    expect(page.get_by_text("Done")).to_be_visible()
    expect(alert).to_have_count(0)
    page.close()
