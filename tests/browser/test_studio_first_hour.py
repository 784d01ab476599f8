"""A merchant's first hour, without a file: a brand, its link, a customer who logs in and cancels, and why, read."""

import shutil

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_studio import log_in
from tests.browser.test_studio_brand import LOGO
from tests.support.served import Demo
from tests.support.visits import JENNY, send_address, send_code
from tests.support.world import ROOT

WORDS = "I am moving to Lisbon, and you do not ship there."


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Of a merchant who has nothing yet but the brand that the demo needs."""
    themes = tmp_path_factory.mktemp("first-hour") / "themes"
    shutil.copytree(ROOT / "themes" / "plain", themes / "plain")
    made = Demo(environment={"PORTAL_THEMES": str(themes)})
    try:
        made.wait()
        yield made
    finally:
        made.stop()


def test_a_merchants_first_hour(new_visitor, demo):
    merchant = new_visitor().new_page()
    log_in(merchant, demo)
    link = brand_with_link(merchant)
    customer = new_visitor().new_page()
    customer_cancels(customer, demo, link)
    cancellation_is_read(merchant)


def brand_with_link(page: Page) -> str:
    page.get_by_role("link", name="Make a brand").click()
    page.get_by_label("What is the business called?").fill("North Sea")
    for name in ("plain", "north-sea"):
        page.get_by_label("Name in addresses").fill(name)
        page.get_by_label("Logo").set_input_files({"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO})
        page.get_by_role("button", name="Make it").click()
        if name == "plain":
            expect(page.get_by_role("main")).to_contain_text("There is a folder named plain already")
    page.get_by_role("button", name="Activate a link for test data").click()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    link = page.get_by_role("main").get_by_role("link", name="/north-sea/p/login/test_").get_attribute("href")
    assert link
    return link


def customer_cancels(page: Page, demo: Demo, link: str) -> None:
    page.goto(link)
    demo.forget(JENNY)
    send_address(page, JENNY)
    send_code(page, demo.passcode(JENNY))
    page.get_by_role("link", name="Cancel subscription").first.click()
    page.get_by_role("button", name="Cancel subscription").click()
    page.get_by_label("Another reason").check()
    page.get_by_role("textbox").fill(WORDS)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("Thank")


def cancellation_is_read(page: Page) -> None:
    page.get_by_role("link", name="Numbers").click()
    expect(page.get_by_role("img", name="Cancellations by day")).to_be_visible()
    expect(page.get_by_text("1 customer. Details are shown")).to_be_visible()  # too few to be shown by itself
    expect(page.get_by_role("listitem").filter(has_text=WORDS)).to_contain_text("Another reason")
