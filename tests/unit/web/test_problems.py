"""What a customer is told when something could not be done, and what nobody is told."""

import json
import logging
import re
from datetime import timedelta

import pytest

from server import telemetry as logs
from server.access.limits import TooMany
from server.billing import Uncertain
from server.store import StoreUnavailable
from tests.support.accounts import Failing, account, invoice, keep, subscription
from tests.support.pages import ledger_of
from tests.support.rendered import words
from tests.support.world import World

pytestmark = pytest.mark.anyio
HTML = "text/html; charset=utf-8"
OLD_BROWSER = {"sec-fetch-site": None, "sec-fetch-mode": None, "sec-fetch-dest": None}
"""One that says nothing of what it does."""
OVERVIEW, HISTORY = "/harbour/my/overview", "/harbour/my/history"


class Told(Failing):
    """A billing side whose history fails with `error`."""

    async def history(self, customer_id, *, limit=50):
        if self.error:
            raise self.error
        return await super().history(customer_id, limit=limit)


@pytest.fixture
def told():
    return []


@pytest.fixture
def shaky(sqlite_store, clock, told):
    def make(brand, store):
        told.append(Told(ledger_of(store, brand.name, brand.config.features)))
        return told[-1]

    return World(sqlite_store, clock, billing=make)


async def logged_in(world):
    await keep(world, account(subscription(), invoices=(invoice(),)))
    browser = world.client()
    await world.log_in(browser)
    return browser


async def failing(world, told, error):
    browser = await logged_in(world)
    for each in told:
        each.error = error
    return browser


@pytest.mark.parametrize("fragment", [False, True])
@pytest.mark.parametrize("path", ["subscriptions/{}", "subscriptions/{}/cancel", "invoices/{}", "invoices?before={}"])
async def test_anothers_and_nobodys_look_alike_to_the_byte(world, path, fragment):  # threat 75
    theirs = account(subscription("sub_sam"), id="cus_sam", email="sam@example.com")
    await keep(world, theirs, invoice("in_sam"), invoice("in_sam_2"))
    browser = await logged_in(world)
    name = "sub_sam" if "subscriptions" in path else "in_sam"
    foreign = await browser.get(f"/harbour/my/{path.format(name)}", fragment=fragment)
    nothing = await browser.get(f"/harbour/my/{path.format('none')}", fragment=fragment)
    assert foreign.status_code == nothing.status_code == 404
    assert foreign.content == nothing.content
    assert [*foreign.headers] == [*nothing.headers]


async def test_an_address_that_leads_nowhere_is_a_page_of_the_brand(world):
    answer = await world.client().get("/harbour/my/nothing-of-this-name")
    assert answer.status_code == 404
    assert "Page not found" in words(answer.text)
    assert "<nav" not in answer.text


@pytest.mark.parametrize("path", ["/", "/nobrand/my/overview", "/harbourx/login"])
async def test_outside_every_brand_there_is_a_small_page(world, path):
    answer = await world.client().get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, HTML)
    assert "Page not found" in words(answer.text)
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/harbour/logout", "/harbour/my/subscriptions/sub_1/resume", "/nobrand/logout"])
async def test_where_only_forms_go_a_person_gets_a_page_and_a_program_a_sentence(world, path):
    browser = world.client(accept="text/html")
    shown = await browser.get(path, headers=OLD_BROWSER)
    assert "Page not found" in words(shown.text)  # only forms go there: it was typed or kept
    assert shown.headers["content-type"] == HTML
    told = await world.client(accept="*/*").get("/nobrand/logout", headers=OLD_BROWSER)
    assert (told.headers["content-type"], told.text.count("\n")) == ("text/plain; charset=utf-8", 1)


async def test_a_method_that_is_not_taken_is_405_and_says_which_are(world):  # threat 11
    answer = await world.client().request("DELETE", OVERVIEW)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        (b'{"key": "k"}', "application/json", 415, "Nothing was changed"),
        (b"key=1&key=2", "application/x-www-form-urlencoded", 400, "Nothing was changed"),
        (b"key=%00", "application/x-www-form-urlencoded", 400, "Nothing was changed"),
        (b"key=" + b"k" * 20_000, "application/x-www-form-urlencoded", 413, "go back and shorten it"),
    ],
)
async def test_a_form_of_another_shape_is_refused_in_words(world, content, kind, status, says):  # threat 18
    browser = await logged_in(world)
    answer = await browser.post(
        "/harbour/my/subscriptions/sub_1/cancel", content=content, headers={"content-type": kind}
    )
    assert answer.status_code == status
    assert says in words(answer.text)


async def test_our_own_mistake_has_a_reference_that_the_log_has_too(shaky, told, caplog):
    browser = await failing(shaky, told, RuntimeError("a bolt came loose"))
    with caplog.at_level(logging.ERROR):
        answer = await browser.get(HISTORY)
    assert answer.status_code == 500
    reference = re.search(r"quote ([0-9a-f]{8})", words(answer.text))[1]
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    line = json.loads(logs.JsonLines().format(record))
    assert (line["reference"], line["path"]) == (reference, HISTORY)
    assert "a bolt came loose" in line["error"]


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("a bolt"), 500), (StoreUnavailable(), 503), (Uncertain(), 503)]
)
async def test_a_page_that_failed_is_asked_for_again(shaky, told, error, status):
    browser = await failing(shaky, told, error)
    for fragment in (False, True):
        answer = await browser.get(f"{HISTORY}?before=<b>&language=de", fragment=fragment)
        assert answer.status_code == status
        assert f'href="{HISTORY}?before=%3Cb%3E&amp;language=de"' in answer.text


async def test_a_form_without_a_key_may_have_been_taken(world, monkeypatch):
    browser = await logged_in(world)
    form = await browser.get("/harbour/my/mails")

    async def broken(*_, **__):
        raise RuntimeError("a bolt came loose")

    monkeypatch.setattr(world.store, "write", broken)
    answer = await browser.fill(form)
    assert answer.status_code == 500
    assert "may not have been saved" in words(answer.text)
    assert ">Try again</a>" not in answer.text


@pytest.mark.parametrize("fragment", [False, True])
async def test_a_change_that_we_failed_over_is_repeated_with_its_key(shaky, told, fragment):
    browser = await logged_in(shaky)
    form = await browser.get("/harbour/my/subscriptions/sub_1/cancel")
    for each in told:
        each.error = RuntimeError("a bolt came loose")
    answer = await browser.fill(form, fragment=fragment)
    assert (answer.status_code, "cannot be done twice" in words(answer.text)) == (500, True)
    for each in told:
        each.error = None
    assert (await browser.fill(answer, follow=True)).status_code == 200
    (keys,) = [each.keys for each in told if each.keys]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_our_own_mistake_shows_nothing_of_itself(shaky, told, caplog):
    browser = await failing(shaky, told, RuntimeError("a bolt came loose"))
    answer = await browser.get(HISTORY, fragment=True)
    assert answer.headers["x-portal-fragment"] == "1"
    assert "bolt" not in answer.text
    assert "Traceback" not in answer.text
    assert caplog.records


async def test_without_the_database_nothing_was_changed_and_it_says_when_to_come_back(shaky, told):
    browser = await failing(shaky, told, StoreUnavailable())
    answer = await browser.get(HISTORY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Nothing was changed" in words(answer.text)


async def test_too_often_says_when(shaky, told, clock):
    browser = await failing(shaky, told, TooMany(clock() + timedelta(minutes=2, seconds=5)))
    answer = await browser.get(HISTORY)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "125")
    assert "Please try again in 3 minutes." in words(answer.text)


async def test_a_page_about_a_problem_still_shows_who_is_logged_in(shaky, told):  # threat 52
    browser = await failing(shaky, told, StoreUnavailable())
    assert "jenny@example.com" in (await browser.get(HISTORY)).text


async def test_nobody_logged_in_gets_the_form_and_goes_on_from_there(world):
    await keep(world, account(subscription()))
    browser = world.client()
    answer = await browser.get("/harbour/my/invoices")
    assert answer.status_code == 401
    code_form = await browser.fill(answer, follow=True, email="jenny@example.com")
    there = await browser.fill(code_form, follow=True, code=await world.code())
    assert there.url.path == "/harbour/my/invoices"


async def test_a_fragment_opens_log_in_in_its_place(world):
    answer = await world.client().get(OVERVIEW, fragment=True)
    assert (answer.status_code, answer.headers["x-portal-fragment"]) == (401, "1")
    assert 'name="next" value="overview"' in answer.text


async def test_the_address_of_an_ended_session_is_filled_in(world, clock):
    browser = await logged_in(world)
    clock.forward(hours=2)
    assert 'value="jenny@example.com"' in (await browser.get(OVERVIEW)).text


async def test_a_navigation_never_gets_a_bare_fragment(world):  # threat 72
    browser = await logged_in(world)
    answer = await browser.get(OVERVIEW, headers={"hx-request": "true"})
    assert answer.text.startswith("<!doctype html>")
