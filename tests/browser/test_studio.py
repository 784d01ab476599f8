"""The studio in a browser: an operator logs in, registers a passkey, and shows it for what needs one. The authenticator is
the engine's virtual one. Every page at every size, light, dark and from right to left."""

import time
from datetime import UTC, datetime

import msgspec
import pytest
from playwright.sync_api import Page, expect

from server.publishing.rules import html_rules
from tests.browser.test_accessibility import ALL, AXE, COLORS, NARROW, STYLES, WIDE
from tests.support.fingerprints import VirtualAuthenticator
from tests.support.served import Demo

FORMS = ("portal", "portal/subscription_update", "portal/subscription_cancel", "look", "business/site", "writes")
PAGES = (
    "",
    "passkey",
    "b/harbour",
    *(f"b/harbour/{each}" for each in FORMS),
    "b/harbour/preview",
    "b/harbour/link",
    "b/harbour/publish",
    "b/harbour/numbers",
    "new",
    *(f"b/harbour/settings/{each}" for each in ("health", "health/far", "stripe")),
    "b/harbour/settings/people",
    "b/harbour/settings/history",
    "b/harbour/settings/publishing",
    "b/nowhere",
)
OUTSIDE = ("login", "login/code")
LOOKS = {
    "light": ((WIDE, "ltr", ALL), (NARROW, "ltr", STYLES), (NARROW, "rtl", None), (WIDE, "rtl", None)),
    "dark": ((WIDE, "ltr", COLORS),),  # the HTML is the same: only the rules of color are left
}


def log_in(page: Page, demo: Demo) -> None:
    demo.forget(demo.operator)
    page.goto(demo.studio)
    page.get_by_label("Email address").fill(demo.operator)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code").fill(demo.passcode(demo.operator))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Your brands")).to_be_visible()


def age(demo: Demo) -> None:
    """Let five minutes pass since the passkey was shown."""
    assert demo.change("UPDATE studio_session SET verified_at = verified_at - 301000000 WHERE verified_at > 0") == 1


@pytest.fixture(scope="module")
def cookies(browser, demo):
    """Of an operator who logged in once for this file."""
    visitor = browser.new_context()
    log_in(visitor.new_page(), demo)
    kept = visitor.cookies()
    visitor.close()
    return kept


def test_a_passkey_is_made_with_the_word_and_shown_for_what_needs_one(page, demo, cookies):  # threats 111, 112, 115
    page.context.add_cookies(cookies)
    finger = VirtualAuthenticator(page)
    page.goto(f"{demo.studio}passkey")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Word").fill("not the word")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the word")
    page.get_by_label("Word").fill(demo.word)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey was added")).to_be_visible()
    age(demo)
    page.get_by_label("Name").fill("The same again")  # shows the one that is there first
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This device has a passkey for you already")

    age(demo)
    page.goto(f"{demo.studio}b/harbour/settings/people")
    page.get_by_label("Email address").fill("ed@shop.example")
    page.get_by_label("Role", exact=True).select_option("publisher")
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_role("heading", name="Show your passkey")).to_be_visible()
    finger.recognizes_its_user(yes=False)
    page.get_by_role("button", name="Show my passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The browser did not get a passkey")
    finger.recognizes_its_user(yes=True)
    page.get_by_role("button", name="Show my passkey").click()
    expect(page.get_by_text("ed@shop.example is publisher now")).to_be_visible()
    assert "ed@shop.example is publisher now" in page.evaluate("document.activeElement.textContent")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("ed@shop.example became publisher")).to_be_visible()
    cookies[:] = page.context.cookies()  # a shown passkey gave the session another token
    page.get_by_role("button", name="Log out").focus()
    assert [each["name"] for each in cookies if each["domain"] == "localhost"].count("studio") == 1


def test_a_page_of_a_brand_cannot_post_to_the_studio(new_visitor, demo, cookies):  # threat 98
    page = new_visitor().new_page()
    page.context.add_cookies(cookies)
    form = f'<form method="post" action="{demo.studio}logout"><button>Send</button></form>'
    # As if the policy of the brand's page let it.
    page.route(f"{demo.origin}/harbour/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto(f"{demo.origin}/harbour/")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("This form was not sent by our own page")).to_be_visible()
    page.goto(demo.studio)
    expect(page.get_by_role("heading", name="Your brands")).to_be_visible()
    page.goto(f"{demo.studio.removesuffix('/_studio/')}/harbour/")
    expect(page.get_by_text("There is no such page")).to_be_visible()


def test_without_scripts_and_by_keyboard_an_operator_gets_in(plain_page, demo):
    page = plain_page
    page.goto(f"{demo.studio}b/harbour")
    page.get_by_label("Email address").fill(demo.operator)
    page.keyboard.press("Enter")
    page.get_by_label("Code").fill(demo.passcode(demo.operator))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Harbour Coffee")).to_be_visible()
    page.get_by_role("button", name="Brand:").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="orbit").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Harbour Coffee")
    page.goto(f"{demo.studio}passkey")
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    page.get_by_role("button", name="Log out").press("Enter")
    expect(page.get_by_role("heading", name="Log in to the studio")).to_be_visible()


def test_a_form_says_what_is_wrong_while_it_is_typed_and_forgets_what_is_taken_back(page, demo, cookies):
    page.context.add_cookies(cookies)
    page.goto(f"{demo.studio}b/harbour/look")
    links = page.get_by_label("Links", exact=True)
    links.fill("#e8c9a0")
    nearest = page.get_by_role("button", name="the nearest that passes")
    expect(nearest).to_be_visible()
    expect(links).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Links, picked")).to_have_value("#e8c9a0")
    links.fill("#9a4a1c")  # as it was
    expect(nearest).to_be_hidden()
    expect(links).not_to_have_attribute("aria-invalid", "true")
    page.goto(f"{demo.studio}b/harbour/change")
    expect(page.get_by_text("Nothing changed")).to_be_visible()
    page.goto(f"{demo.studio}b/harbour/portal/subscription_pause")
    longest = page.get_by_label("Longest pause")
    expect(longest).to_be_enabled()
    page.get_by_label("Customers may pause a subscription").click()
    expect(longest).to_be_disabled()
    page.get_by_label("Customers may pause a subscription").click()
    expect(longest).to_be_enabled()
    longest.fill("50")
    longest.press("Enter")
    expect(page.get_by_role("group", name="Please correct one thing")).to_be_focused()
    page.get_by_role("button", name="Drop it").click()
    expect(page.get_by_role("heading", name="Portal")).to_be_visible()


def test_without_scripts_a_change_is_made_and_seen(plain_page, demo, cookies):
    page = plain_page
    page.context.add_cookies(cookies)
    page.goto(f"{demo.studio}b/orbit/portal/subscription_pause")
    page.get_by_label("Customers may pause a subscription").uncheck()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_label("Longest pause")).to_be_disabled()
    expect(page.get_by_text("These count once")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="What will change")).to_be_visible()
    expect(page.get_by_text("-enabled = true")).to_be_visible()
    page.get_by_role("button", name="Drop all changes").click()
    expect(page.get_by_role("heading", name="Portal")).to_be_visible()


def test_the_bar_with_save_covers_nothing_that_the_keyboard_comes_to(page, demo, cookies):
    page.context.add_cookies(cookies)
    page.set_viewport_size({"width": 320, "height": 480})
    behind = """() => {
      const bar = document.querySelector(".save").getBoundingClientRect(), it = document.activeElement;
      const { top, bottom } = it.getBoundingClientRect();
      return !it.closest(".save") && bottom > bar.top && top < bar.bottom && it.outerHTML }"""
    for path in ("look", "portal/subscription_update", "business/site"):
        page.goto(f"{demo.studio}b/harbour/{path}")
        covered = []
        for _ in range(45):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.tagName") not in ("BODY", "IFRAME"):
                covered.append(page.evaluate(behind))
        assert not any(covered), [each for each in covered if each]


def test_what_customers_do_is_drawn_listed_and_taken_along(page, demo, cookies):
    sql = """INSERT INTO activity (id, brand, customer_id, at, kind, subject, data, browser)
    VALUES (:id, 'harbour', :customer, :at, :kind, '', :data, 'Firefox')"""
    told = msgspec.msgpack.encode({"reason": "other", "comment": "I am moving to Lisbon."})
    for number in range(3):
        at = int((time.time() - number * 86400) * 1e6)
        for kind in ("subscription.canceled", "subscription.feedback", "invoice.charge_failed"):
            row = {"id": f"{kind}{number}", "customer": f"cus_{number}", "at": at, "kind": kind, "data": told}
            assert demo.change(sql, row) == 1
    page.context.add_cookies(cookies)
    page.goto(f"{demo.studio}b/harbour")
    page.get_by_role("link", name="Numbers").click()
    expect(page.get_by_role("img", name="Cancellations by day")).to_be_visible()
    page.get_by_role("link", name="12 months").click()
    figure = page.get_by_role("figure").filter(has=page.get_by_role("img", name="Cancellations by month"))
    figure.get_by_text("As a table").click()
    expect(figure.get_by_role("row", name=f"{datetime.now(UTC):%B %Y}")).to_be_visible()
    expect(page.get_by_text("I am moving to Lisbon.").first).to_be_visible()
    expect(page.get_by_role("row", name="Another reason")).to_contain_text("100 %")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download every day").click()
    assert saved.value.suggested_filename.startswith("harbour-days-")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(new_visitor, demo, cookies, scheme):
    inside = new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    inside.add_cookies(cookies)
    outside = new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    asking = outside.new_page()
    asking.goto(f"{demo.studio}login")
    asking.get_by_label("Email address").fill("nobody@shop.example")
    asking.get_by_role("button", name="Send me a code").click()
    expect(asking.get_by_label("Code")).to_be_visible()
    run = "rules => axe.run(document, {...rules, iframes: false})"  # no script answers it from inside a preview
    found = []
    for visitor, paths in ((inside, PAGES), (outside, OUTSIDE)):
        page = visitor.new_page()
        for path in paths:
            page.goto(demo.studio + path)
            text = page.content()
            found += [str(each) for each in html_rules.check(text, "page", None, path)]
            page.evaluate(AXE)
            for size, direction, rules in LOOKS[scheme]:
                page.set_viewport_size(size)
                page.evaluate("direction => { document.documentElement.dir = direction }", direction)
                said = page.evaluate(run, rules)["violations"] if rules else ()
                found += [f"{path} {size} {each['id']}: {each['nodes'][0]['html']}" for each in said]
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                found += [f"{path} {size} {direction}: {wide} pixels over the edge"] if wide > 0 else []
    assert not found, "\n".join(found)
