"""Changing plans, pausing, the offer before a cancellation and the question after it: in place and without scripts."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.support.served import Demo
from tests.support.visits import JENNY, Doors, log_in, menu, mistakes

KIM = "kim@example.com"  # pays by invoice
SAM = "sam@example.com"  # has three seats
TINA = "tina@example.com"  # is in a trial


def choose(page: Page, plan: str) -> None:
    page.get_by_role("radio", name=plan).first.check()


def announced(page: Page) -> Locator:
    return page.get_by_role("status")


def test_a_plan_is_changed_in_place_with_focus_where_the_change_is(page: Page, doors: Doors):
    doors.enter(page, "orbit", JENNY)
    url, posts = page.url, []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.get_by_role("link", name="Change plan").click()
    expect(page.get_by_role("heading", name="Orbit Solo", exact=True)).to_be_focused()
    expect(page.get_by_role("radio", name="Orbit Solo Your plan")).to_be_checked()

    choose(page, "Orbit Business")
    page.get_by_label("Promotion code").fill("EXPIRED10")
    page.get_by_role("button", name="Continue").click()
    expect(mistakes(page).filter(has_text="This promotion code has expired.")).to_be_focused()
    mistakes(page).get_by_role("link", name="This promotion code has expired.").click()
    expect(page.get_by_label("Promotion code")).to_be_focused()
    expect(page.get_by_label("Promotion code")).to_have_value("EXPIRED10")
    expect(page.get_by_role("radio", name="Orbit Business €99.00 a month")).to_be_checked()

    page.get_by_label("Promotion code").fill("spring25")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Change Orbit Solo?")).to_be_focused()
    expect(page.get_by_role("rowheader", name="Credit for unused time: Orbit Solo")).to_be_visible()
    expect(page.get_by_text("Your promotion code gives you 25% off for 3 months.")).to_be_visible()
    assert len(posts) == 2

    pay = page.get_by_role("button", name=re.compile("^Change and pay €"))
    due = str(pay.text_content()).split()[-1]
    pay.dblclick()
    expect(page.get_by_role("heading", name="Orbit Business")).to_be_focused()
    expect(announced(page)).to_contain_text("Your plan has been changed")
    assert len(posts) == 3
    assert page.url.partition("#")[0] == url
    expect(page.get_by_role("region", name="Invoices").get_by_role("listitem").first).to_contain_text(due)


def test_fewer_seats_wait_for_the_end_of_the_period_and_can_be_kept(page: Page, doors: Doors):
    doors.enter(page, "orbit", SAM)
    page.get_by_role("link", name="Change plan").click()
    page.get_by_role("textbox", name="Quantity").fill("2")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Nothing is due now.")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"^Change on \w+ \d")).click()
    expect(announced(page)).to_contain_text("Your plan changes on")
    page.get_by_role("button", name="Keep my current plan").click()
    expect(announced(page)).to_contain_text("You keep your current plan")
    expect(page.get_by_role("button", name="Keep my current plan")).to_have_count(0)


def test_two_tabs_with_different_changes_have_one_effect_each(page: Page, doors: Doors):
    doors.enter(page, "orbit", TINA)
    address = page.get_by_role("link", name="Change plan").get_attribute("href")
    tabs = [page, page.context.new_page()]
    for tab, plan in zip(tabs, ("Orbit Solo", "Orbit Starter"), strict=True):
        tab.goto(str(address))
        choose(tab, plan)
        tab.get_by_role("button", name="Continue").click()
        expect(tab.get_by_text("Your trial continues until")).to_be_visible()
    tabs[0].get_by_role("button", name=re.compile("^Change")).click()
    expect(announced(tabs[0])).to_contain_text("Your plan has been changed")
    tabs[1].get_by_role("button", name=re.compile("^Change")).click()
    expect(announced(tabs[1])).to_contain_text("The price has changed")


def test_what_cannot_be_changed_says_why(page: Page, doors: Doors):
    doors.enter(page, "orbit", KIM)
    expect(page.get_by_role("link", name="Change plan")).to_have_count(0)
    expect(page.get_by_text("It is paid by invoice. Orbit can change the plan for you.")).to_be_visible()
    address = page.get_by_role("link", name="Cancel subscription").get_attribute("href")
    page.goto(str(address).replace("/cancel", "/change"))
    expect(page.get_by_text("It is paid by invoice. Orbit can change the plan for you.")).to_be_visible()


def test_the_offer_the_question_why_and_a_new_start_work_without_scripts(demo: Demo, plain_page: Page):
    page = plain_page
    log_in(page, demo, "orbit", "noa@example.com")
    page.get_by_role("link", name="Cancel subscription").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Before you cancel")
    page.get_by_role("link", name="Continue to cancel").click()
    page.get_by_role("button", name="Cancel subscription").click()
    expect(page.get_by_text("Your subscription has ended")).to_be_visible()

    expect(page.get_by_label("Tell us more")).to_be_hidden()
    page.get_by_label("Another reason").check()
    page.get_by_label("Tell us more").fill("Moving abroad")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Thank you for your answer")).to_be_visible()

    page.get_by_role("link", name="Restart").click()
    page.get_by_role("button", name=re.compile("^Restart and pay")).click()
    expect(page.get_by_text("Your subscription is active again")).to_be_visible()
    menu(page, "History").click()
    expect(page.get_by_text("Restarted a subscription")).to_be_visible()


def test_more_of_it_and_a_pause_work_without_scripts(demo: Demo, plain_page: Page):
    page = plain_page
    log_in(page, demo, "harbour", JENNY)
    page.get_by_role("link", name="Change plan").click()
    page.get_by_role("textbox", name="Quantity").fill("3")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile(r"/change$"))
    page.get_by_role("button", name=re.compile("^Change")).click()
    expect(page.get_by_text("Your plan has been changed")).to_be_visible()

    page.get_by_role("link", name="Pause").click()
    page.get_by_role("radio", name="2 billing periods").check()
    page.get_by_role("button", name="Pause subscription").click()
    expect(page.get_by_text("Your subscription pauses on")).to_be_visible()
    page.get_by_role("link", name="End the pause").click()
    page.get_by_role("button", name="Continue without a pause").click()
    expect(page.get_by_text("Your pause is undone.")).to_be_visible()
