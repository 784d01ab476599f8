"""The page on which a customer chooses the reminders."""

from __future__ import annotations

import re

import pytest

from server.brands.mail_switches import OPTIONAL, MailSwitches
from server.mail import reminder_choices
from server.mail.kinds import KINDS
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
URL = f"/{BRAND}/my/mails"
RENEWAL, CARD = OPTIONAL


@pytest.fixture
async def browser(world: World):
    await world.customer()
    found = world.client()
    await world.log_in(found)
    return found


async def off(world: World) -> set[str]:
    return set(await reminder_choices.switched_off(world.store, BRAND, "cus_jenny"))


def checked(text: str) -> list[str]:
    return re.findall(r'type="checkbox" name="(\w+)" value="on" checked', text)


def whole(text: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))


async def test_all_reminders_are_on_until_they_are_switched_off(browser):  # M2
    text = (await browser.get(URL)).text
    assert checked(text) == [RENEWAL, CARD]
    assert "jenny@example.com" in text


@pytest.mark.parametrize("fragment", [True, False])
async def test_a_choice_is_saved_and_shown(world, browser, fragment):  # M2
    form = whole((await browser.get(URL)).text)
    answer = await browser.post(URL, data={**form, CARD: "on"}, fragment=fragment, follow=True)
    assert "Your choice is saved" in answer.text
    assert (checked(answer.text), await off(world)) == ([CARD], {RENEWAL})
    history = (await browser.get(f"/{BRAND}/my/history")).text
    assert re.search(r"Turned a reminder off.*Before a renewal.*Firefox on Linux", history, re.DOTALL)
    exported = (await browser.get(f"/{BRAND}/my/details/export")).json()  # D4
    assert [each["kind"] for each in exported["reminders_off"]] == [RENEWAL]
    both = await browser.post(URL, data={**form, RENEWAL: "on", CARD: "on"}, follow=True)
    assert (checked(both.text), await off(world)) == ([RENEWAL, CARD], set())
    assert "Turned a reminder on" in (await browser.get(f"/{BRAND}/my/history")).text


async def test_a_form_that_is_not_whole_changes_nothing_and_keeps_what_was_chosen(world, browser):
    form = whole((await browser.get(URL)).text)
    for broken in ({**form, "key": ""}, {**form, "customer": ""}, {CARD: "on"}):
        answer = await browser.post(URL, data={**broken, CARD: "on"})
        assert (answer.status_code, checked(answer.text)) == (422, [CARD])
        assert "Please save again" in answer.text
    answer = await browser.post(URL, data={**form, "customer": "cus_else"})
    assert (answer.status_code, await off(world)) == (409, set())


async def test_what_is_no_reminder_cannot_be_switched_off(world, browser):
    form = whole((await browser.get(URL)).text)
    await browser.post(URL, data={**form, RENEWAL: "on", CARD: "on", "receipt": "off", "passcode": ""})
    assert await off(world) == set()


async def test_a_session_that_ended_comes_back_to_the_form_with_what_was_chosen(world, browser, clock):  # L14
    form = whole((await browser.get(URL)).text)
    clock.forward(hours=9)
    answer = await browser.post(URL, data={**form, CARD: "on"})
    assert answer.status_code == 401
    assert 'value="mails"' in answer.text
    assert f'name="kept.{CARD}" value="on"' in answer.text


async def test_every_customer_finds_it(browser):
    assert f'href="{URL}"' in (await browser.get(f"/{BRAND}/my/overview")).text
    assert f'href="{URL}"' in (await browser.get(f"/{BRAND}/my/details")).text


def test_the_page_names_every_mail_there_is():
    from server.features.mails.views import ALWAYS
    from server.features.mails.views import choices as view

    told_where_the_address_is_changed = {"email_code", "email_changed"}
    of_customers = {name for name, kind in KINDS.items() if not kind.is_of_no_customer}
    assert {*ALWAYS, *OPTIONAL, "passcode"} | told_where_the_address_is_changed == of_customers
    kept = view("cus_1", "x@example.com", MailSwitches(optional=(CARD,), receipt=False), (), key="k" * 16)
    assert [each.kind for each in kept.reminders] == [CARD]
    assert RENEWAL in kept.always
    assert "receipt" not in kept.always
