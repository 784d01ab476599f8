"""Rows L13 and L15 of the portal's features, as a customer goes through them: with scripts in place, and without any.

`tests/unit/test_rows.py` holds that none is left out.
"""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.support.rehearsal import Rehearsal
from tests.support.visits import (
    JENNY,
    Enter,
    ask_for_code,
    button,
    has_scripts,
    link,
    log_in,
    menu,
    product,
    reads,
    send_code,
)

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
SAM, ZOE = "sam@example.com", "zoe@example.com"


def test_who_has_several_accounts_is_asked_which_and_switches_at_any_time(enter: Enter, stage: Rehearsal):  # L13
    page = enter("plain", JENNY)
    expect(page.get_by_role("link", name="Switch account")).to_have_count(0)
    page.context.clear_cookies()
    ask_for_code(page, stage, "plain", SAM)
    send_code(page, stage.passcode(SAM))
    expect(page.get_by_role("heading", level=1)).to_have_text("Which account?")
    older = page.get_by_role("region", name="Sam Okafor", exact=True)
    studio = page.get_by_role("region", name="Sam Okafor (studio)")
    expect(older).to_contain_text(re.compile("Open now.*Active", re.DOTALL))
    expect(studio).to_contain_text("All have ended")
    button(studio, "Open")
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    menu(page, "Billing details").click()
    reads(page, "Sam Okafor (studio)")

    other_tab = page.context.new_page()
    other_tab.goto("/plain/my/accounts")
    button(other_tab, "Open")
    expect(other_tab.get_by_role("link", name="Cancel subscription")).to_be_visible()
    link(page, "Edit name and phone")
    reads(page, "Name on your invoices")  # the form is of the account that is open now
    expect(page.get_by_label("Name or company")).to_have_value("Sam Okafor")

    page.goto("/plain/account/")  # static: it learns of the others by what it loads, and without scripts it leads on
    link(page, "Switch account")
    expect(older).to_contain_text("Open now")
    link(page, "Continue")
    menu(page, "History").click()
    reads(page, "Switched from another account")


def test_where_i_am_logged_in_is_seen_and_ended_and_a_new_browser_is_told_of(enter: Enter, stage: Rehearsal):  # L15
    page = enter("plain", JENNY)
    page.context.clear_cookies()
    log_in(page, stage, "plain", ZOE)
    menu(page, "Log-ins").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where you are logged in")
    for each in ("This browser", f"{product(page)} on Linux", "This is your first log-in here."):
        reads(page, each)
    before = told(page, stage)
    page.goto("/plain/my/sessions")
    button(page, "Log out")
    expect(page.get_by_label("Email address")).to_be_visible()

    log_in(page, stage, "plain", ZOE)
    phones = [other_browser(page, stage) for _ in range(2)]
    assert told(page, stage, before + 2) == before + 2  # one for each browser that is new, none for this one
    it_leads_to_the_sessions(page)

    page.goto("/plain/my/sessions")
    reads(page, "Your last log-in before this one:")
    there = page.get_by_role("listitem").filter(has_text="Safari on iPhone")
    expect(there).to_have_count(2)
    there.first.get_by_role("button", name=re.compile("^End: Safari on iPhone, logged in")).click()
    is_said(page, "That browser is logged out")
    expect(there).to_have_count(1)
    assert sorted(is_in(each) for each in phones) == [False, True]
    button(page, "Log out all other browsers")
    is_said(page, "All other browsers are logged out")
    expect(there).to_have_count(0)
    assert [is_in(each) for each in phones] == [False, False]
    button(page, "Log out everywhere")
    expect(page.get_by_label("Email address")).to_be_visible()
    for each in phones:
        each.close()


def is_said(page: Page, text: str) -> None:
    reads(page, text)
    if has_scripts(page):
        page.bring_to_front()  # in Firefox no tab behind another has the focus
        expect(page.get_by_text(text).first.locator("..")).to_be_focused()


def other_browser(page: Page, stage: Rehearsal) -> BrowserContext:
    """A phone, logged in to the same account."""
    assert page.context.browser
    phone = page.context.browser.new_context(base_url=stage.origin, user_agent=IPHONE, locale="en-US")
    log_in(phone.new_page(), stage, "plain", ZOE)
    return phone


def is_in(phone: BrowserContext) -> bool:
    phone.pages[0].goto("/plain/my/overview")
    way_in, inside = phone.pages[0].get_by_label("Email address"), phone.pages[0].get_by_role("button", name="Log out")
    expect(way_in.or_(inside)).to_be_visible()
    return inside.is_visible()


def mails(page: Page) -> Locator:
    return page.get_by_role("row").filter(has_text=ZOE).filter(has_text="New log-in")


def told(page: Page, stage: Rehearsal, at_least: int = 0) -> int:
    """How many mails of the inbox tell of a new browser; it stands open then."""
    for _ in range(40):
        page.goto("/_demo/inbox")
        if mails(page).count() >= at_least:
            break
        page.wait_for_timeout(250)
    return mails(page).count()


def it_leads_to_the_sessions(page: Page) -> None:
    mails(page).first.get_by_role("link").click()
    mail = page.frame_locator("iframe").get_by_role("article")
    expect(mail).to_contain_text("Safari on iPhone")
    way = mail.get_by_role("link").first.get_attribute("href")
    assert f"{way}" in page.locator("pre").inner_text()
    page.goto(str(way))
    expect(page.get_by_role("heading", level=1)).to_have_text("Where you are logged in")
