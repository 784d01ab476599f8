"""Each row M1 to M4 of the portal's features, as a customer goes through it: with scripts in place, and without any.

`tests/unit/test_rows.py` holds that no row is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from server.mail import messages
from server.publishing import examples
from tests.support import shown
from tests.support.rehearsal import Rehearsal
from tests.support.served import Demo
from tests.support.visits import JENNY, Enter, button, has_scripts, link, reads, send_code

LEE, SAM, TINA = "lee@example.com", "sam@example.com", "tina@example.com"
BEGINS = "2028-01-01T08:30:00Z"
TOLD = {
    "2028-01-01T10:00": (("zoe@example.com", "Your card at Orbit expires soon"),),
    "2028-01-04T10:00": (
        (TINA, "Your trial at Orbit ends on January 10, 2028"),
        ("pat@example.com", "Your payment to Orbit failed"),
    ),
    "2028-02-04T10:00": (
        (JENNY, "Your receipt from Orbit"),
        (LEE, "Orbit Solo has ended"),
        ("bea@example.com", "Please confirm your payment to Orbit"),
        ("kim@example.com", r"Invoice \S+-0001 from Orbit is overdue"),
        ("kim@example.com", r"Invoice \S+-0002 from Orbit"),
    ),
    "2028-08-20T10:00": (("max@example.com", "Orbit Solo, by the year renews on September 3, 2028"),),
}
"""What comes by itself: until when -> to whom, and what the subject says."""


class Later(NamedTuple):
    """A demo in which months have passed, and the mails that came of it."""

    demo: Demo
    mails: dict[tuple[str, str], str]
    """To whom and what about -> where it is shown."""


@pytest.fixture
def stage(ledger_stage: Rehearsal) -> Rehearsal:
    """Mails are the portal's own, whoever bills."""
    return ledger_stage


@pytest.fixture(scope="module")
def later(browser: Browser) -> Iterator[Later]:
    running = Demo("--now", BEGINS)
    mails = {}
    try:
        running.wait()
        with browser.new_context(base_url=running.origin) as visitor:
            page = visitor.new_page()
            for moment, told in TOLD.items():
                page.goto("/_demo/clock")
                page.get_by_label("Or to a moment, in UTC").fill(moment)
                button(page, "Move the clock")
                for address, subject in told:
                    arrived(page, running, address, subject, 1)
                    mails[address, subject] = str(
                        rows(page, address, subject).get_by_role("link").get_attribute("href")
                    )
        yield Later(running, mails)
    finally:
        running.stop()


def rows(page: Page, address: str, subject: str) -> Locator:
    """Of the demo's inbox, which stands open, the newest first."""
    to = page.get_by_role("cell", name=address, exact=True)
    about = page.get_by_role("link", name=re.compile(f"^{subject}$"))
    return page.get_by_role("row").filter(has=to).filter(has=about)


def count(page: Page, demo: Demo, address: str, subject: str) -> int:
    page.goto(f"{demo.origin}/_demo/inbox")
    return rows(page, address, subject).count()


def arrived(page: Page, demo: Demo, address: str, subject: str, times: int) -> None:
    """So many are there. The worker takes a mail within a moment, and looks after the accounts every few seconds."""
    for _ in range(80):
        if count(page, demo, address, subject) >= times:
            break
        page.wait_for_timeout(250)
    expect(rows(page, address, subject)).to_have_count(times)


def leads_in(page: Page, origin: str, url: str, address: str, *, scripts: bool) -> None:
    """The mail says the same as HTML and as text; its button opens the form with the address filled in, and so does the
    portal's link at its foot where scripts run."""
    page.goto(f"{origin}{url}")
    mail, text = page.frame_locator("iframe").get_by_role("article"), page.locator("pre").inner_text()
    expect(mail.get_by_role("heading", level=1)).to_have_count(1)
    way, foot = mail.get_by_role("link").first, mail.get_by_role("link", name=re.compile("^Your account at"))
    hrefs = [str(each.get_attribute("href")) for each in (foot, way)]
    assert [f"{each.inner_text()}:\n{href}" in text for each, href in zip((foot, way), hrefs, strict=True)] == [
        True
    ] * 2
    field, held = page.get_by_label("Email address"), page.context.cookies()
    page.context.clear_cookies()  # who is logged in is led on and sees no form
    page.goto(hrefs[0])
    expect(field).to_have_value(address if scripts else "")
    page.goto(hrefs[1])
    expect(field).to_have_value(address)
    page.context.add_cookies(held)  # type: ignore[arg-type]  # what Playwright gives it also takes


def test_a_passcode_comes_by_mail_once_for_each_time_it_is_asked_for(enter: Enter, stage: Rehearsal):  # M1
    page, subject = enter("harbour", TINA), "Your passcode for Harbour Coffee"
    before = count(page, stage, TINA, subject)
    page.context.clear_cookies()
    page.goto(stage.portals["harbour"])
    page.get_by_label("Email address").fill(TINA)
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_label("Passcode")).to_be_visible()
    mailbox = page.context.new_page()
    arrived(mailbox, stage, TINA, subject, before + 1)
    rows(mailbox, TINA, subject).first.get_by_role("link").click()
    mail = mailbox.frame_locator("iframe")
    code = str(re.search(r"^ +(\d{6})$", mailbox.locator("pre").inner_text(), re.MULTILINE)[1])  # type: ignore[index]
    for said in (
        "Harbour Coffee",
        code,
        "It is valid once",
        "only in the browser you asked from",
        "We never ask you",
    ):
        expect(mail.get_by_role("article")).to_contain_text(said)
    send_code(page, code)
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()


def test_each_mail_comes_once_and_leads_to_what_it_tells_of(enter: Enter, stage: Rehearsal, later: Later):  # M2
    page = enter("orbit", SAM)
    scripts = has_scripts(page)
    changed = "Your plan was changed"
    before = count(page, stage, SAM, changed)
    page.goto(f"{stage.origin}/orbit/my/overview")
    link(page, "Change plan")
    page.get_by_role("textbox", name="Quantity").fill("4")
    button(page, "Continue")
    button(page, "Change and pay £")
    reads(page, "Your plan has been changed")
    arrived(page, stage, SAM, changed, before + 1)
    leads_in(page, stage.origin, address_of(page, SAM, changed), SAM, scripts=scripts)

    for (address, _), url in later.mails.items():
        leads_in(page, later.demo.origin, url, address, scripts=scripts)
    page.context.clear_cookies()
    (url,) = [each for (address, _), each in later.mails.items() if address == JENNY]
    leads_in(page, later.demo.origin, url, JENNY, scripts=scripts)
    later.demo.forget(JENNY)
    page.get_by_label("Email address").press("Enter")
    send_code(page, later.demo.passcode(JENNY))
    expect(page.get_by_role("banner").get_by_text(JENNY)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Invoice .*-0031$"))
    for address, subject in TOLD["2028-01-01T10:00"] + TOLD["2028-08-20T10:00"]:
        assert count(page, later.demo, address, subject) == 1


def address_of(page: Page, address: str, subject: str) -> str:
    return str(rows(page, address, subject).first.get_by_role("link").get_attribute("href"))


def mail_of_a_kept_subscription(page: Page, stage: Rehearsal) -> str:
    """Where it is shown."""
    subject = "Harbour .* continues"
    before = count(page, stage, LEE, subject)
    page.goto("/harbour/my/overview")
    button(page, "Keep my subscription")
    reads(page, "Your subscription continues")
    arrived(page, stage, LEE, subject, before + 1)
    return f"{stage.origin}{address_of(page, LEE, subject)}/html"


def test_a_mail_is_dark_where_its_reader_has_it_dark(enter: Enter, stage: Rehearsal):  # M3
    page = enter("harbour", LEE)
    page.goto(mail_of_a_kept_subscription(page, stage))
    assert brightness(page.get_by_role("article")) > 200
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert brightness(page.get_by_role("article")) < 60


def test_a_mail_has_the_colors_and_the_direction_of_the_brand(enter: Enter, stage: Rehearsal, tmp_path: Path):  # M3
    page = enter("harbour", LEE)
    url = mail_of_a_kept_subscription(page, stage)
    page.goto(stage.portals["harbour"])
    brands = color(page.get_by_role("button", name="Send the passcode"))
    page.goto(url)
    assert color(page.get_by_role("link", name="See your subscription").locator("..")) == brands

    arabic = shown.arabic(tmp_path)
    for each in (mail for mail in examples.load_mails() if mail.name in ("at once, charged", "a month")):
        page.set_content(messages.render(shown.renderer_of(arabic), each.mail).html)
        label, value = (page.get_by_role(role).first.bounding_box() for role in ("rowheader", "cell"))  # type: ignore[arg-type]
        assert label
        assert value
        assert label["x"] > value["x"]


def color(what: Locator) -> str:
    return str(what.evaluate("each => getComputedStyle(each).backgroundColor"))


def brightness(what: Locator) -> float:
    return sum(map(int, re.findall(r"\d+", color(what))[:3])) / 3


def test_a_mail_waits_for_a_worker_and_is_sent_once(enter: Enter, stage: Rehearsal):  # M4
    page, subject = enter("harbour", JENNY), "Harbour .* ends on .*"
    before = count(page, stage, JENNY, subject)
    # As if a worker had taken each mail and died: it is due again when the lease is over.
    stage.change(
        "CREATE TRIGGER died AFTER INSERT ON outbox BEGIN"
        " UPDATE outbox SET not_before = not_before + 3600000000, attempts = 1 WHERE id = new.id; END"
    )
    try:
        page.goto("/harbour/my/overview")
        link(page, "Cancel subscription")
        page.get_by_role("button", name="Cancel subscription").dblclick()
        # Without scripts either click's answer may be the one that is shown; the second says that it was canceled already.
        reads(page, "You can use it until", "It will not renew.")
    finally:
        stage.change("DROP TRIGGER died")
    page.wait_for_timeout(1500)
    assert count(page, stage, JENNY, subject) == before
    stage.change("UPDATE outbox SET not_before = not_before - 3600000000 WHERE state = 'waiting'")
    arrived(page, stage, JENNY, subject, before + 1)
    page.goto("/harbour/my/overview")
    kept = count(page, stage, JENNY, "Harbour .* continues")
    page.goto("/harbour/my/overview")
    button(page, "Keep my subscription")
    reads(page, "Your subscription continues")
    arrived(page, stage, JENNY, "Harbour .* continues", kept + 1)
    assert count(page, stage, JENNY, subject) == before + 1
