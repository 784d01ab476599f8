"""Stripe and health in the studio, in a browser: a key is entered, checked and never seen again."""

from playwright.sync_api import Page, expect

from tests.browser.test_studio import age, log_in
from tests.stripe.app import KEY
from tests.support.fingerprints import VirtualAuthenticator
from tests.support.rehearsal import Rehearsal

OWN = f"{KEY}harbour"
"""Of the brand's account at the stand-in."""


def test_a_key_is_checked_kept_and_never_seen_again(page: Page, stripe_stage: Rehearsal):  # T10, T13
    demo = stripe_stage
    log_in(page, demo)
    VirtualAuthenticator(page)
    page.goto(f"{demo.studio}passkey")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Word").fill(demo.word)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey was added")).to_be_visible()
    age(demo)
    page.goto(f"{demo.studio}b/harbour")
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("published, of this build, with every header")).to_be_visible()  # came after the page
    page.get_by_role("link", name="Stripe", exact=True).click()
    key = page.get_by_label("Restricted key")
    expect(key).to_be_hidden()
    page.get_by_role("button", name="Show my passkey").click()
    page.get_by_role("button", name="Show my passkey and go on").click()
    key.fill("rk_test_nobodyKnows0123456789")
    page.get_by_role("button", name="Check the key and keep it").click()
    expect(page.get_by_role("group", name="Please correct one thing")).to_contain_text("Stripe does not know this key")
    expect(key).to_have_value("")
    key.fill(OWN)
    page.get_by_role("button", name="Check the key and keep it").click()
    expect(page.get_by_text("Stripe takes the key, and it may do all that it must")).to_be_visible()
    page.get_by_label("Signing secret").fill("whsec_0123456789abcdefgh")
    page.get_by_role("button", name="Keep it", exact=True).click()
    expect(page.get_by_text("whsec_…efgh")).to_be_visible()
    page.reload()
    assert OWN not in page.content()
    assert "whsec_0" not in page.content()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Gave Stripe’s key rk_test_…bour")).to_be_visible()
    assert demo.change("DELETE FROM kept_secret") == 2
