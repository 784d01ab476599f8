"""“I got no code”: an operator finds the customer, reads what became of the mail, and looks at the portal as they see it,
where nothing can be done. With scripts and without."""

import pytest
from playwright.sync_api import expect

from server.publishing.rules import html_rules
from tests.browser.test_accessibility import ALL, AXE, COLORS
from tests.browser.test_studio import log_in
from tests.support.visits import JENNY, send_address


@pytest.fixture(scope="module")
def cookies(browser, demo):
    visitor = browser.new_context()
    log_in(visitor.new_page(), demo)
    kept = visitor.cookies()
    visitor.close()
    return kept


@pytest.mark.parametrize("scripts", [True, False])
def test_a_customers_question_is_answered(new_visitor, demo, cookies, scripts):  # threat 114
    customer = new_visitor().new_page()
    customer.goto(demo.portals["harbour"].partition("?")[0])
    demo.forget(JENNY)
    send_address(customer, JENNY)
    demo.passcode(JENNY)
    visitor = new_visitor(java_script_enabled=scripts)
    visitor.add_cookies(cookies)
    page = visitor.new_page()
    page.goto(f"{demo.studio}b/harbour")
    page.get_by_role("link", name="Customers").click()
    page.get_by_label("Look for a customer").fill("Jenny@Example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_text("A log-in opens this one")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Passcode").first).to_contain_text("Sent")
    page.get_by_role("link", name="Jenny Rosenbaum").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jenny Rosenbaum")
    page.get_by_role("button", name="Look as this customer").click()
    expect(page.get_by_role("link", name="Say why")).to_be_visible()
    page.get_by_label("Why do you look?").fill("Ticket 12")
    page.get_by_role("button", name="Look as this customer").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Harbour Espresso, 500 g")).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    frame.get_by_role("button", name="Log out").click()
    frame.get_by_role("link", name="Cancel subscription").click()
    expect(frame.get_by_text("This page is not shown when you look as a customer")).to_be_visible()
    page.get_by_role("link", name="Payment methods").click()
    expect(frame.get_by_text("Mastercard").first).to_be_visible()
    assert set(asked) == {"GET"}
    page.get_by_role("link", name="Back to the customer").click()
    expect(page.get_by_role("listitem").filter(has_text="“Ticket 12”").first).to_contain_text(demo.operator)
    page.get_by_role("button", name="Disable log-in").click()
    expect(page.get_by_role("heading", name="Show your passkey")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_about_a_customer_and_nothing_runs_over_the_edge(new_visitor, demo, cookies, scheme):
    visitor = new_visitor(
        color_scheme=scheme, bypass_csp=True, reduced_motion="reduce", viewport={"width": 320, "height": 700}
    )
    visitor.add_cookies(cookies)
    page = visitor.new_page()
    found = []

    def look(name):
        if scheme == "light":
            found.extend(str(each) for each in html_rules.check(page.content(), "page", None, name))
        page.evaluate(AXE)
        # The frame is a page of the portal, which has its own tests.
        rules = ALL if scheme == "light" else COLORS
        said = page.evaluate("rules => axe.run({exclude: ['iframe']}, rules)", rules)["violations"]
        found.extend(f"{name} {each['id']}: {each['nodes'][0]['html']}" for each in said)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found.extend([f"{name}: {wide} pixels over the edge"] if wide > 0 else [])

    for path in ("mails/outbox", "mails/test", "customers", "customers?q=nobody@shop.example", "customers?q=sam"):
        page.goto(f"{demo.studio}b/harbour/{path}")
        look(path)
    page.get_by_role("link", name="Sam Okafor").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sam Okafor")
    look("customer")
    page.get_by_label("Why do you look?").fill("Ticket 13")
    page.get_by_role("button", name="Look as this customer").click()
    expect(page.frame_locator("iframe").get_by_text("sam@example.com").first).to_be_visible()
    look("look")
    assert not found, "\n".join(found)
