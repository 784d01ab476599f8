"""Logging in, canceling and taking it back: in place, without scripts, and by keyboard alone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.served import Demo
from tests.support.visits import JENNY, Doors, ask_for_code, invoice_links, log_in, menu, send_code

MAX = "max@example.com"
CANCEL = "Cancel subscription"
UNDO = "Keep my subscription"


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def card_names(page: Page) -> list[str]:
    names = page.get_by_role("heading", level=3).all_inner_texts()
    assert len(names) == 3, names
    return names


def remember_everything_outside(page: Page, within: Locator) -> None:
    within.evaluate(
        "card => { window.rest = [...document.querySelectorAll('body *')].filter(each => !card.contains(each)) }"
    )


def everything_outside_is_untouched(page: Page) -> bool:
    return bool(page.evaluate("window.rest.length > 50 && window.rest.every(each => each.isConnected)"))


def test_canceling_and_taking_it_back_in_place_changes_only_the_card(demo: Demo, page: Page, doors: Doors):
    doors.enter(page, "plain", MAX)
    name = card_names(page)[0]
    documents: list[str] = []
    page.on("request", lambda request: documents.append(request.url) if request.is_navigation_request() else None)
    url = page.url

    remember_everything_outside(page, card(page, name))
    card(page, name).get_by_role("link", name=CANCEL).click()
    question = page.get_by_role("heading", name=f"Cancel {name}?")
    expect(question).to_be_focused()
    expect(page.get_by_text("You can undo the cancellation until then.")).to_be_visible()

    page.get_by_role("button", name=CANCEL).click()
    expect(card(page, name).get_by_role("heading", name=name)).to_be_focused()
    expect(card(page, name).get_by_text("Ending")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Your subscription ends on")

    card(page, name).get_by_role("button", name=UNDO).click()
    expect(card(page, name).get_by_role("heading", name=name)).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("Your subscription continues")
    expect(card(page, name).get_by_role("link", name=CANCEL)).to_be_visible()

    assert everything_outside_is_untouched(page)
    assert documents == []
    assert page.url == url


def test_keeping_the_subscription_brings_the_card_back_unchanged(page: Page, doors: Doors):
    doors.enter(page, "plain", MAX)
    name = card_names(page)[1]
    card(page, name).get_by_role("link", name=CANCEL).click()
    page.get_by_role("link", name="Keep my subscription").click()
    expect(card(page, name).get_by_role("heading", name=name)).to_be_focused()
    expect(card(page, name).get_by_role("link", name=CANCEL)).to_be_visible()
    expect(page.get_by_role("button", name=UNDO)).to_have_count(0)


def test_a_double_click_cancels_once_and_says_so_once(page: Page, doors: Doors):
    doors.enter(page, "plain", MAX)
    name = card_names(page)[2]
    card(page, name).get_by_role("link", name=CANCEL).click()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name=CANCEL).dblclick()
    expect(card(page, name).get_by_text("Your subscription ends on")).to_be_visible()
    assert len(sent) == 1
    card(page, name).get_by_role("button", name=UNDO).click()
    expect(card(page, name).get_by_text("Your subscription continues")).to_be_visible()


def test_a_stale_page_shows_the_current_state_and_changes_nothing(page: Page, doors: Doors):
    doors.enter(page, "harbour", MAX)
    name = card_names(page)[0]
    card(page, name).get_by_role("link", name=CANCEL).click()
    other_tab = page.context.new_page()
    other_tab.goto("/harbour/my/overview")
    card(other_tab, name).get_by_role("link", name=CANCEL).click()
    other_tab.get_by_role("button", name=CANCEL).click()
    expect(card(other_tab, name).get_by_text("Ending")).to_be_visible()

    page.get_by_role("button", name=CANCEL).click()
    expect(card(page, name).get_by_text("It was already canceled. Nothing else was done.")).to_be_visible()
    expect(card(page, name).get_by_text("Ending")).to_be_visible()
    card(page, name).get_by_role("button", name=UNDO).click()
    expect(card(page, name).get_by_text("Your subscription continues")).to_be_visible()


def test_orbit_ends_it_at_once_and_credits_the_unused_time(page: Page, doors: Doors):
    doors.enter(page, "orbit", MAX)
    name = card_names(page)[0]
    card(page, name).get_by_role("link", name=CANCEL).click()
    page.get_by_role("link", name="Continue to cancel").click()
    expect(page.get_by_text("It ends as soon as you confirm. You cannot undo this.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^You get \$\d+\.\d\d credit for unused time"))).to_be_visible()
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("status")).to_contain_text("Your subscription has ended")
    expect(page.get_by_role("button", name=UNDO)).to_have_count(0)


def test_the_whole_journey_works_without_scripts(demo: Demo, plain_page: Page):
    page = plain_page
    log_in(page, demo, "harbour", JENNY)
    page.get_by_role("link", name=CANCEL).click()
    expect(page).to_have_url(re.compile(r"/harbour/my/subscriptions/[^/]+/cancel$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel your subscription")
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_text("Your subscription ends on")).to_be_visible()
    page.get_by_role("button", name=UNDO).click()
    expect(page.get_by_text("Your subscription continues")).to_be_visible()
    menu(page, "Invoices").click()
    page.get_by_role("link", name="Show older invoices").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoices")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Email address")).to_be_visible()
    page.goto("/harbour/my/overview")
    expect(page.get_by_label("Email address")).to_be_visible()


def test_without_scripts_the_account_page_leads_to_the_overview(plain_page: Page, doors: Doors):
    plain_page.context.add_cookies(doors.cookies("plain", JENNY))
    plain_page.goto("/plain/account/")
    plain_page.wait_for_url("**/plain/my/overview")
    expect(plain_page.get_by_role("heading", name="Subscriptions")).to_be_visible()


def test_without_scripts_the_brand_leads_to_its_log_in_page(plain_page: Page):
    plain_page.goto("/plain/")
    plain_page.wait_for_url("**/plain/p/login/**")
    expect(plain_page.get_by_label("Email address")).to_have_value("")


def tab_to(page: Page, target: Locator, presses: int = 40) -> None:
    """Press Tab until the target has the focus, unless the page gave it that, and see that the focus shows."""
    if target.get_attribute("autofocus") is not None:
        expect(target).to_be_focused()
    for _ in range(presses + 1):
        if target.evaluate("element => element === document.activeElement"):
            assert is_visibly_focused(target), "the focus cannot be seen"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not reach {target}")


def is_visibly_focused(target: Locator) -> bool:
    style, width = target.evaluate(
        "element => { const look = getComputedStyle(element); return [look.outlineStyle, look.outlineWidth] }"
    )
    return style != "none" and float(width.removesuffix("px")) >= 2


def test_the_whole_journey_works_by_keyboard_alone(demo: Demo, page: Page):
    address = JENNY
    page.goto(demo.portals["plain"])
    demo.forget(address)
    tab_to(page, page.get_by_label("Email address"))
    page.keyboard.press("Control+A")
    page.keyboard.type(address)
    tab_to(page, page.get_by_role("button", name="Send the passcode"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Passcode")).to_be_visible()

    tab_to(page, page.get_by_label("Passcode"))
    page.keyboard.type(demo.passcode(address))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name=CANCEL))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Cancel .+[?]$"))).to_be_focused()
    tab_to(page, page.get_by_role("button", name=CANCEL), presses=1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your subscription ends on")
    tab_to(page, page.get_by_role("button", name=UNDO), presses=2)
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_contain_text("Your subscription continues")

    page.reload()
    tab_to(page, page.get_by_role("button", name="Log out"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email address")).to_be_visible()


def test_older_invoices_are_loaded_on_demand_after_the_newer_ones(page: Page, doors: Doors):
    doors.enter(page, "plain", JENNY)
    page.get_by_role("link", name="All invoices").click()
    rows = invoice_links(page)
    first = rows.count()
    assert 0 < first < 30
    newest = rows.first.inner_text()
    while page.get_by_role("link", name="Show older invoices").is_visible():
        before = rows.count()
        page.get_by_role("link", name="Show older invoices").click()
        expect(rows.nth(before)).to_be_focused()
        expect(page.get_by_role("status")).to_contain_text("more invoice")
    expect(rows).to_have_count(30)
    assert len(set(rows.evaluate_all("links => links.map(link => link.href)"))) == 30
    assert rows.first.inner_text() == newest
    expect(page.get_by_text("You have seen all your invoices.")).to_be_visible()


def test_refreshing_the_overview_keeps_the_page(page: Page, doors: Doors):
    doors.enter(page, "plain", JENNY)
    page.evaluate("window.stays = true")
    with page.expect_response("**/plain/my/overview*") as answered:
        page.get_by_role("link", name="Refresh").click()
    assert answered.value.headers["x-portal-fragment"] == "1"
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    assert page.evaluate("window.stays") is True


def test_the_account_page_loads_the_overview_and_says_whose_it_is(page: Page, doors: Doors):
    page.context.add_cookies(doors.cookies("orbit", JENNY))
    page.goto("/orbit/account/")
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    expect(page.get_by_text(JENNY, exact=True).first).to_be_visible()
    expect(page.get_by_role("main").get_by_text(JENNY)).to_be_visible()


def test_history_lists_what_was_done_and_from_which_browser(demo: Demo, page: Page):
    address = "noa@example.com"
    ask_for_code(page, demo, "harbour", address)
    send_code(page, demo.passcode(address))
    menu(page, "History").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("History")
    expect(page.get_by_role("listitem").filter(has_text=re.compile("Chrom|Firefox"))).not_to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_on_a_phone_the_menu_opens_by_its_button_and_closes_by_escape(new_context, doors: Doors, scripts: bool):
    context = new_context(java_script_enabled=scripts, viewport={"width": 320, "height": 640})
    page = context.new_page()
    doors.enter(page, "plain", "max@example.com")
    button, invoices = page.get_by_role("button", name="Menu"), menu(page, "Invoices")
    expect(button).to_be_visible()
    expect(invoices).to_be_hidden()
    button.focus()
    page.keyboard.press("Enter")
    expect(invoices).to_be_visible()
    page.keyboard.press("Tab")
    expect(menu(page, "Overview")).to_be_focused()
    page.keyboard.press("Escape")
    expect(invoices).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    invoices.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoices")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(button).to_be_hidden()
    expect(invoices).to_be_visible()
