"""A merchant's first hour, without a file: a brand, its link, Stripe's key, a server that is told of events, a release, an
answer to "I got no code", and a cancellation read with its reason."""

import shutil

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_studio import log_in
from tests.browser.test_studio_brand import LOGO
from tests.stripe.app import KEY
from tests.support.fingerprints import VirtualAuthenticator
from tests.support.served import Demo
from tests.support.visits import JENNY, send_address, send_code
from tests.support.world import ROOT

AT_WORK = "jenny@work.example"
"""Which the business does not know."""
HOOK = "https://localhost:1/hook"
"""Which takes no event: it is no public address."""
WORDS = "I am moving to Lisbon, and you do not ship there."


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Of a merchant who has nothing yet but the brand that the demo needs."""
    themes = tmp_path_factory.mktemp("first-hour") / "themes"
    shutil.copytree(ROOT / "themes" / "plain", themes / "plain")
    made = Demo("--stripe", environment={"PORTAL_THEMES": str(themes)})
    try:
        made.wait()
        yield made
    finally:
        made.stop()


def test_a_merchants_first_hour(new_visitor, demo):
    merchant, customer = new_visitor().new_page(), new_visitor().new_page()
    log_in(merchant, demo)
    passkey_is_added(merchant, demo)
    brand_is_made(merchant)
    link = link_is_activated(merchant)
    stripe_is_connected(merchant)
    endpoint_is_added(merchant)
    customer.goto(link)
    send_address(customer, AT_WORK)  # and waits for a code that does not come
    brand_is_published(merchant)
    no_code_is_explained(merchant)
    customer_cancels(customer, demo, link)
    cancellation_is_read(merchant)
    event_is_read(merchant)


def passkey_is_added(page: Page, demo: Demo) -> None:
    VirtualAuthenticator(page)
    page.get_by_role("link", name=demo.operator).click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Word").fill(demo.word)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey was added")).to_be_visible()


def brand_is_made(page: Page) -> None:
    page.get_by_role("link", name="Postern Studio").click()
    page.get_by_role("link", name="Make a brand").click()
    page.get_by_label("What is the business called?").fill("North Sea")
    for name in ("plain", "north-sea"):
        page.get_by_label("Name in addresses").fill(name)
        page.get_by_label("Logo").set_input_files({"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO})
        page.get_by_role("button", name="Make it").click()
        if name == "plain":
            expect(page.get_by_role("main")).to_contain_text("There is a folder named plain already")
    expect(page.get_by_text("The brand was made")).to_be_visible()


def link_is_activated(page: Page) -> str:
    page.get_by_role("button", name="Activate a link for test data").click()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    link = page.get_by_role("main").get_by_role("link", name="/north-sea/p/login/test_").get_attribute("href")
    assert link
    return link


def stripe_is_connected(page: Page) -> None:
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Stripe", exact=True).click()
    page.get_by_label("Restricted key").fill(KEY)
    page.get_by_role("button", name="Check the key and keep it").click()
    expect(page.get_by_text("Stripe takes the key, and it may do all that it must")).to_be_visible()


def endpoint_is_added(page: Page) -> None:
    page.get_by_role("link", name="Events", exact=True).click()
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_role("button", name="Add to Endpoints").click()
    page.get_by_label("URL").fill(HOOK)
    page.get_by_label("invoice.created").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Write it").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Events", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text=HOOK)).to_contain_text("invoice.finalized")


def brand_is_published(page: Page) -> None:
    page.get_by_role("link", name="Publish", exact=True).click()
    page.get_by_role("main").get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Release 1 is published")).to_be_visible()


def no_code_is_explained(page: Page) -> None:
    page.get_by_role("link", name="Customers").click()
    looked_for(page, AT_WORK)
    expect(page.get_by_text("No customer has this address")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Passcode")).to_contain_text("Went to nobody")
    looked_for(page, "jenny")
    expect(page.get_by_role("main")).to_contain_text(JENNY)


def looked_for(page: Page, what: str) -> None:
    page.get_by_label("Look for a customer").fill(what)
    page.get_by_role("button", name="Search").click()


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
    expect(page.get_by_text("1 customer. Details are shown")).to_be_visible()  # one is not shown by reason
    said = page.get_by_role("listitem").filter(has_text=WORDS)
    expect(said).to_contain_text("Another reason")
    said.get_by_role("link").click()
    expect(page.get_by_role("main")).to_contain_text(JENNY)
    expect(page.get_by_role("listitem").filter(has_text="Said why they canceled")).to_be_visible()


def event_is_read(page: Page) -> None:
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Events", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="invoice.finalized")).to_contain_text("Live")
    told = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="customer.subscription.updated"))
    expect(told.first).to_contain_text("Waiting")
    told.first.get_by_role("link", name="customer.subscription.updated").click()
    expect(page.get_by_role("region", name="The event as JSON")).to_contain_text('"cancel_at_period_end": true')
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("The event is sent again")).to_be_visible()
