"""Each row S1 to S15 of the portal's features, as a customer goes through it: with scripts in place, and without any.

`tests/unit/test_rows.py` holds that no row is left out.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.rehearsal import Rehearsal
from tests.support.visits import JENNY, Enter, button, card, link, menu, reads

BEA = "bea@example.com"  # the bank wants each payment confirmed
KIM, LEE, MAX, NOA = "kim@example.com", "lee@example.com", "max@example.com", "noa@example.com"
RAY, SAM, TINA = "ray@example.com", "sam@example.com", "tina@example.com"


def preview(page: Page, plan: str = "", quantity: str = "", code: str = "") -> None:
    """From the overview to the page before a change."""
    link(page, "Change plan")
    if plan:
        page.get_by_role("radio", name=plan).first.check()
    if quantity:
        page.get_by_role("textbox", name="Quantity").fill(quantity)
    if code:
        page.get_by_label("Promotion code").fill(code)
    button(page, "Continue")


def test_a_subscription_says_what_it_is_what_it_costs_and_what_comes(enter: Enter):  # S1
    page = enter("orbit", NOA)
    reads(
        page,
        "Orbit Team",
        "Quantity: 2 × seat",
        "Up to 5: €18.00 each",
        "You will not be charged until",
        "Discount",
        "20%",
    )
    reads(enter("orbit", TINA), "Free trial until", "€99.00 a month", "American Express")
    reads(enter("orbit", LEE), "Ending", "You can use it until", "¥1,920 a month")
    page = enter("orbit", MAX)
    reads(
        page, "This payment method is for this subscription only.", "Nightly backups", "Build minutes", "$120.00 a year"
    )


def test_a_cancellation_says_before_what_ends_and_what_it_costs(enter: Enter):  # S2
    page = enter("harbour", JENNY)
    link(page, "Cancel subscription")
    reads(page, "You can use it until then.", "You will not be charged the €16.50 due on")
    button(page, "Cancel subscription")
    reads(page, "Your subscription ends on", "Ending")

    page = enter("orbit", MAX)
    link(page, "Cancel subscription")
    link(page, "Continue to cancel")
    reads(page, "It ends as soon as you confirm.", "credit for unused time")
    button(page, "Cancel subscription")
    reads(page, "Your subscription has ended")


def test_the_reason_is_asked_after_a_cancellation_and_may_be_left_out(enter: Enter):  # S3
    page = enter("harbour", JENNY)
    link(page, "Cancel subscription")
    button(page, "Cancel subscription")
    expect(page.get_by_role("group").get_by_role("radio")).to_have_count(8)
    button(page, "Send")
    reads(page, "Choose a reason.")  # the answer is here: while it is under way a second click counts for nothing
    page.get_by_role("radio", name="Another reason").check()
    page.get_by_label("Tell us more").fill("Moving abroad")
    button(page, "Send")
    reads(page, "Thank you for your answer")
    expect(page.get_by_role("button", name="Send")).to_have_count(0)


def test_an_offer_is_made_once_before_a_cancellation_and_taken_or_declined(enter: Enter):  # S4
    page = enter("orbit", JENNY)
    link(page, "Cancel subscription")
    reads(page, "30% off for 3 months", "you pay €8.40 instead of €12.00")
    link(page, "Continue to cancel")
    reads(page, "It ends as soon as you confirm.")
    page = enter("orbit", JENNY)
    link(page, "Cancel subscription")
    button(page, "Keep it with the discount")
    reads(page, "Your discount applies now", "€8.40 on")
    link(page, "Cancel subscription")
    reads(page, "It ends as soon as you confirm.")


def test_an_end_is_taken_back_whoever_decided_it(enter: Enter):  # S5
    page = enter("harbour", LEE)
    button(page, "Keep my subscription")
    reads(page, "Your subscription continues", "¥2,640")
    page = enter("harbour", RAY)
    button(page, "Keep my subscription")
    reads(page, "Your subscription continues")


def test_a_plan_is_changed_for_what_the_page_before_said(enter: Enter):  # S6
    page = enter("orbit", JENNY)
    preview(page, "Orbit Business")
    reads(page, "Credit for unused time: Orbit Solo", "Next charge: €99.00 on")
    pay = page.get_by_role("button", name=re.compile("^Change and pay €")).inner_text()
    link(page, "Choose another plan")
    expect(page.get_by_role("radio", name="Orbit Business €99.00 a month")).to_be_checked()
    button(page, "Continue")
    button(page, "Change and pay")
    reads(page, "Your plan has been changed", "€99.00 a month")
    menu(page, "Invoices").click()
    expect(page.get_by_role("main").get_by_role("listitem").first).to_contain_text(pay.removeprefix("Change and pay "))


def confirm(page: Page, stage: Rehearsal, overview: str) -> None:
    """On the bank's page, and back. Stripe's leads nowhere: the customer comes back by themselves."""
    button(page, "Complete")
    if stage.stripe:
        reads(page, "in minor units, paid.")
        page.goto(overview.replace("overview", f"invoices/{page.url.rpartition('/')[2]}/pay"))
    reads(page, "This invoice is paid")
    page.goto(overview)


def test_what_the_bank_wants_confirmed_is_said_before_and_waits_for_that(enter: Enter, stage: Rehearsal):  # S6
    page = enter("orbit", BEA)
    overview = page.url
    link(page, "Pay now")
    button(page, "Pay €")
    confirm(page, stage, overview)

    preview(page, "Orbit Business")
    reads(page, "Your bank may ask you to confirm it")
    button(page, "Change and pay €")
    expect(page.get_by_role("button", name="Complete")).to_be_visible()
    page.goto(overview)  # who does not confirm it has what they had
    reads(page, "Your change to Orbit Business waits for its payment", "€12.00 a month")
    page.get_by_role("link", name=re.compile("^Pay €")).click()
    reads(page, "Your plan changes to")
    button(page, "Pay €")
    confirm(page, stage, overview)
    reads(page, "€99.00 a month")


def test_more_and_fewer_within_the_limits(enter: Enter):  # S7
    page = enter("orbit", SAM)
    preview(page, quantity="201")
    reads(page, "Enter a quantity of at most 200.")
    page.get_by_role("textbox", name="Quantity").fill("5")
    button(page, "Continue")
    button(page, "Change and pay £")
    reads(page, "Your plan has been changed", "Quantity: 5 × seat")


def test_each_promotion_code_gets_its_own_sentence(enter: Enter):  # S8
    page = enter("orbit", JENNY)
    preview(page, "Orbit Business", code="NOSUCH")
    reads(page, "That code is not valid.")
    for code, said in (
        ("EXPIRED10", "This promotion code has expired."),
        ("FULL50", "has been used up."),
        ("SEATSONLY", "This promotion code is for another plan."),
        ("NEWHERE", "This promotion code is for a first purchase only."),
        ("spring25", "Your promotion code gives you 25% off for 3 months."),
    ):
        page.get_by_label("Promotion code").fill(code)
        button(page, "Continue")
        reads(page, said)
    button(page, "Change and pay")
    reads(page, "Your plan has been changed", "25% off")


def test_a_change_that_waits_is_shown_and_taken_back_and_locks_nobody_out(enter: Enter):  # S9
    page = enter("orbit", SAM)
    preview(page, quantity="2")
    reads(page, "Nothing changes until then, and you can undo it.", "Nothing is due now.")
    button(page, "Change on")
    reads(page, "Your plan changes on", "Quantity: 2 × seat")
    expect(page.get_by_role("link", name="Cancel subscription")).to_be_visible()
    button(page, "Keep my current plan")
    reads(page, "You keep your current plan", "Quantity: 3 × seat")


def test_what_becomes_of_a_trial_is_said_before(enter: Enter):  # S10
    page = enter("orbit", TINA)
    preview(page, "Orbit Solo")
    reads(page, "Your trial continues until", "You will not be charged before then.")
    button(page, "Change now")
    reads(page, "Your plan has been changed", "Free trial until", "€12.00 a month")


def test_what_can_only_be_canceled_says_why(enter: Enter):  # S11
    for address, name, why in (
        (KIM, "Orbit Business", "It is paid by invoice."),
        (MAX, "Orbit Team and 2 more", "It has several products, which you cannot change here."),
    ):
        page = enter("orbit", address)
        cancel = card(page, name).get_by_role("link", name="Cancel subscription")
        expect(card(page, name).get_by_role("link", name="Change plan")).to_have_count(0)
        page.goto(str(cancel.get_attribute("href")).removesuffix("/cancel"))
        reads(page, why)
        page.goto(f"{page.url}/change")
        reads(page, why, "You can cancel it here.")


def a_pause_cannot_be_ended_by_a_card_that_is_declined(page: Page) -> None:
    card(page, "Orbit Business").get_by_role("link", name="End the pause").click()
    button(page, "Continue and pay €99.00")
    reads(page, "Nothing was changed", "There was not enough money in the account.")
    link(page, "Your payment methods")
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment methods")


def test_each_state_says_what_is_wrong_and_what_leads_out_of_it(enter: Enter):  # S12
    page = enter("orbit", RAY)
    reads(page, "It starts when the first payment succeeds.", "€12.00 is due")
    reads(page, "Pay the invoice to continue.", "€18.00 is due")
    reads(page, "There was not enough money in the account.")
    expect(page.get_by_role("link", name="Pay now")).to_have_count(2)
    expect(page.get_by_role("link", name="Use another payment method").first).to_be_visible()
    expect(card(page, "Orbit Business").get_by_role("link", name="End the pause")).to_be_visible()
    a_pause_cannot_be_ended_by_a_card_that_is_declined(page)
    page.goto(page.url.partition("/my/")[0] + "/my/subscriptions")
    reads(page, "so it never started. Nothing was charged.")
    reads(enter("orbit", "pat@example.com"), "Overdue", "$13.07 is due")
    reads(enter("orbit", "uma@example.com"), "We cannot show this state.")


def test_two_tabs_with_different_changes_and_a_form_sent_twice_leave_one_result(enter: Enter):  # S13
    page = enter("orbit", JENNY)
    tabs = [page, page.context.new_page(), page.context.new_page()]
    for tab, plan in zip(tabs, ("Orbit Business", "Orbit Starter", "Orbit Business"), strict=True):
        tab.goto("/orbit/my/overview")
        preview(tab, plan)
    button(tabs[0], "Change and pay")
    reads(tabs[0], "Your plan has been changed")
    button(tabs[1], "Change")
    reads(tabs[1], "The price has changed")
    button(tabs[2], "Change")
    reads(tabs[2], "Orbit Business")
    menu(page, "History").click()
    expect(page.get_by_role("main").get_by_text("Changed the plan")).to_have_count(1)


def test_a_pause_its_end_and_a_new_start(enter: Enter):  # S14
    page = enter("harbour", JENNY)
    link(page, "Pause")
    page.get_by_role("radio", name="2 billing periods").check()
    button(page, "Pause subscription")
    reads(page, "Your subscription pauses on")
    link(page, "End the pause")
    button(page, "Continue without a pause")
    reads(page, "Your pause is undone.")

    page = enter("orbit", JENNY)
    link(page, "Cancel subscription")
    link(page, "Continue to cancel")
    button(page, "Cancel subscription")
    link(page, "Restart")
    button(page, "Restart and pay €")
    reads(page, "Your subscription is active again", "€12.00 a month")


def test_the_history_says_what_was_done_when_and_from_where(enter: Enter):  # S15
    page = enter("orbit", SAM)
    preview(page, quantity="2")
    button(page, "Change on")
    reads(page, "Your plan changes on")
    button(page, "Keep my current plan")
    reads(page, "You keep your current plan")
    preview(page, quantity="4")
    button(page, "Change and pay")
    reads(page, "Your plan has been changed")
    link(page, "Cancel subscription")
    button(page, "Keep it with the discount")
    reads(page, "Your discount applies now")
    menu(page, "History").click()
    said = page.get_by_role("main").get_by_role("listitem")
    for text in (
        "Scheduled a plan change",
        "Undid a plan change",
        "Changed the plan",
        "Accepted an offer",
    ):
        expect(said.filter(has_text=text)).to_contain_text("Chrome")
    expect(said.filter(has_text="Changed the plan")).to_contain_text("Quantity: 4")
