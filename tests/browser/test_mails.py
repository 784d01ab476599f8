"""A mail about a customer, from what was done on the page to the form that its link opens."""

import re

from playwright.sync_api import Page, expect

from tests.support.visits import Doors

SAM = "sam@example.com"


def newest_mail(page: Page, address: str, subject: str) -> None:
    """Open it in the demo's inbox. The worker takes it within a moment, so the page is asked again until it is there."""
    row = page.get_by_role("row").filter(has_text=address).filter(has_text=subject).first

    def look() -> bool:
        page.goto("/_demo/inbox")
        return row.count() > 0

    for _ in range(40):
        if look():
            break
        page.wait_for_timeout(250)
    row.get_by_role("link").click()


def test_the_link_of_a_mail_opens_the_form_with_the_address_filled_in(page: Page, doors: Doors):  # M2, L5
    doors.enter(page, "harbour", SAM)
    page.get_by_role("link", name=re.compile("^Cancel")).first.click()
    page.get_by_role("button", name=re.compile("^Cancel")).first.click()
    expect(page.get_by_text(re.compile("ends on", re.IGNORECASE)).first).to_be_visible()

    newest_mail(page, SAM, "ends on")
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", level=1)).to_contain_text("Your subscription ends on")
    link = mail.get_by_role("link", name="See your subscription").get_attribute("href")
    assert link is not None
    assert link in page.get_by_text("See your subscription:").inner_text()

    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_label("E-mail address")).to_have_value(SAM)
    expect(page.get_by_role("button", name="Send the passcode")).to_be_visible()
