"""The sandbox's provider page: what it takes, what it refuses, and that it keeps nothing of what it refuses."""

import itertools
import logging

import pytest
from msgspec.structs import replace

from server.app import create_app
from server.billing.ledger.sandbox import LIFE
from server.features.sandbox.cards import CARDS
from server.settings import StripeSecrets, stripe_suffix
from tests.support.accounts import account, keep, subscription
from tests.support.leaks import CANARIES, spellings
from tests.support.provider import CARD, begun, typed
from tests.support.selling import stored
from tests.support.world import BRAND, SETTINGS, brands

pytestmark = pytest.mark.anyio
LIST = f"/{BRAND}/my/payment-methods"


@pytest.fixture
async def browser(world):
    await keep(world, account(subscription()))
    found = world.client()
    await world.log_in(found)
    return found


async def methods_of(world):
    return [(each.brand or each.kind, each.last4, each.behavior) for each in (await stored(world)).payment_methods]


async def test_a_card_is_added_on_the_providers_page_and_is_the_default_then(world, browser):  # P2
    url = await begun(browser)
    page = await browser.get(url)
    assert page.status_code == 200
    assert "This is a test page. No money moves." in page.text
    assert "4242 4242 4242 4242" in page.text
    answer = await typed(browser, url)
    assert answer.status_code == 303
    it = await stored(world)
    new = it.payment_methods[0]
    assert (new.brand, new.last4, new.exp_month, new.exp_year, new.behavior) == ("visa", "4242", 8, 2030, "")
    assert it.customer.default_payment_method == new.id  # P3
    assert answer.headers["location"] == f"{LIST}/{new.id}/added"
    there = await browser.get(answer.headers["location"])
    assert "It is now your default" in there.text


@pytest.mark.parametrize("it", [each for each in CARDS if each.outcome not in ("", "confirm")], ids=lambda it: it.note)
async def test_a_card_that_declines_at_once_is_not_added(world, browser, it):  # P2
    url = await begun(browser)
    answer = await typed(browser, url, cardnumber=it.number, cvc="123")
    assert answer.status_code == 200
    assert "It was not added" in answer.text
    assert 'value="08/30"' in answer.text
    assert await methods_of(world) == [("visa", "4242", "")]
    assert (await typed(browser, url)).status_code == 303  # another one may be tried


async def test_a_card_that_declines_later_is_added_and_fails_when_it_is_charged(world, browser):  # P2
    await typed(browser, await begun(browser), cardnumber="4000 0000 0000 0341")
    assert (await methods_of(world))[0] == ("visa", "0341", "card_declined")


async def test_the_bank_asks_and_yes_adds_it(world, browser):  # P2
    url = await begun(browser)
    asked = await typed(browser, url, cardnumber="4000 0027 6000 3184")
    assert asked.headers["location"] == f"{url}/confirm"
    assert "Is this you?" in (await browser.get(f"{url}/confirm")).text
    assert await methods_of(world) == [("visa", "4242", "")]
    done = await browser.post(f"{url}/confirm", data={"outcome": "complete"})
    assert done.status_code == 303
    assert (await methods_of(world))[0] == ("visa", "3184", "requires_action")


async def test_the_bank_asks_and_no_adds_nothing(world, browser):  # P2
    url = await begun(browser)
    await typed(browser, url, cardnumber="4000 0025 0000 3155")
    again = await browser.post(f"{url}/confirm", data={"outcome": "fail"}, follow=True)
    assert "could not confirm that it was you" in again.text
    assert await methods_of(world) == [("visa", "4242", "")]
    assert (await typed(browser, url)).status_code == 303


async def test_a_bank_account_is_added_by_its_iban(world, browser):  # P2
    await browser.post(await begun(browser), data={"method": "sepa_debit", "iban": "de89 3704 0044 0532 0130 00"})
    assert (await methods_of(world))[0] == ("sepa_debit", "3000", "")
    await browser.post(await begun(browser), data={"method": "sepa_debit", "iban": "AT86 1904 3002 3547 3202"})
    assert (await methods_of(world))[0] == ("sepa_debit", "3202", "generic_decline")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"cardnumber": ""}, "Enter one of the test numbers below."),
        ({"exp": "13/30"}, "Enter month and year, such as 08/30."),
        ({"exp": "02/26"}, "This month is in the past. Enter a later one."),
        ({"exp": ""}, "Enter month and year."),
        ({"cvc": "12"}, "Enter the three digits of the code"),
        ({"cvc": ""}, "Enter the code."),
        ({"method": "sepa_debit", "iban": ""}, "Enter one of the test IBANs below."),
        ({"method": "sepa_debit", "iban": "4242424242424242"}, "This is not one of the test numbers below."),
    ],
)
async def test_what_is_odd_is_said_beside_its_field(world, browser, words, says):
    answer = await typed(browser, await begun(browser), **words)
    assert answer.status_code == 200
    assert says in answer.text
    assert await methods_of(world) == [("visa", "4242", "")]


async def test_any_other_number_is_refused_and_nothing_of_it_is_kept(world, browser, caplog):  # P2
    caplog.set_level(logging.DEBUG)
    url, said = await begun(browser), []
    for number, field in itertools.product(CANARIES, ("cardnumber", "exp", "cvc", "iban", "method", "outcome", "name")):
        for written in spellings(number):
            form = {**CARD, "cardnumber": "", field: written, **({"method": "sepa_debit"} if field == "iban" else {})}
            for where in (url, f"{url}/confirm"):
                answer = await browser.post(where, data=form)
                assert answer.status_code < 500
                said.append(answer.text + repr(answer.headers.multi_items()))
        said.append((await browser.get(url, params={field: number})).text)
    # A stranger's browser, whose log-in died: the way back carries no word of that form.
    said += [(await typed(world.client(), url, cardnumber=each)).text for each in CANARIES]
    ours = [record for record in caplog.records if record.name != "httpx"]  # that one is the test's own browser
    said += [record.getMessage() + repr(vars(record)) for record in ours]
    for table in ("provider_session", "operation", "activity", "account", "outbox", "session", "challenge", "budget"):
        said += map(repr, await world.rows(table))
    for number in CANARIES:
        for written in (*spellings(number), number):
            assert not any(written in each for each in said), written


async def test_the_number_comes_back_in_no_field_even_where_it_was_right(browser):
    answer = await typed(browser, await begun(browser), exp="nonsense")
    before = answer.text.split("sandbox-cards")[0]
    assert "4242" not in before
    assert "nonsense" not in answer.text


async def test_what_was_typed_is_answered_by_a_redirect_so_that_no_browser_keeps_it(browser):
    url = await begun(browser)
    for words in ({}, {"cardnumber": CANARIES[0]}, {"cardnumber": "4000000000000002"}, {"exp": "x"}):
        assert (await browser.post(await begun(browser), data={**CARD, **words})).status_code == 303
    assert (await browser.post(url, data={"method": "sepa_debit", "iban": "x"})).headers["location"] == url


async def test_a_page_is_used_once(world, browser):
    url = await begun(browser)
    first = await typed(browser, url)
    again = await typed(browser, url, cardnumber="5555555555554444")
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert len(await methods_of(world)) == 2
    over = await browser.get(url)
    assert (over.status_code, "This page is over" in over.text) == (404, True)


async def test_a_page_lapses(world, browser, clock):
    url = await begun(browser)
    clock.forward(seconds=LIFE.total_seconds() - 60)
    await world.log_in(browser)
    assert (await browser.get(url)).status_code == 200
    clock.forward(seconds=60)
    assert (await browser.get(url)).status_code == 404
    assert (await typed(browser, url)).status_code == 404
    assert len(await methods_of(world)) == 1


async def test_a_page_is_its_customers_alone(world, browser):  # threat 75
    await keep(world, account(id="cus_sam", email="sam@example.com"))
    url = await begun(browser)
    sam = world.client()
    await world.log_in(sam, "sam@example.com")
    made_up = await sam.get(f"/{BRAND}/sandbox/made-up")
    theirs = await sam.get(url)
    assert (theirs.status_code, theirs.content) == (404, made_up.content)
    assert (await typed(sam, url)).status_code == 404
    assert len(await methods_of(world)) == 1


async def test_its_address_is_not_in_the_store(world, browser):
    token = (await begun(browser)).rpartition("/")[2]
    assert len(token) >= 43
    assert token not in repr(await world.rows("provider_session"))


async def test_another_site_can_post_nothing_to_it(browser):  # threat 54
    url = await begun(browser)
    answer = await browser.post(
        url, data=CARD, headers={"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    )
    assert answer.status_code == 403


async def test_a_log_in_that_dies_leads_back_to_the_page(world, browser):
    url = await begun(browser)
    await browser.post(f"/{BRAND}/logout")
    answer = await typed(browser, url)
    assert answer.status_code == 401
    assert f'value="sandbox:{url.rpartition("/")[2]}"' in answer.text
    assert "4242" not in answer.text


async def test_it_is_not_there_for_a_brand_with_a_provider_of_its_own(world, browser):
    url = await begun(browser)
    others = [
        replace(each, config=replace(each.config, billing=replace(each.config.billing, backend="stripe")))
        for each in brands()
    ]
    keyed = replace(SETTINGS, stripe={stripe_suffix(each.name): StripeSecrets("rk_test_0123456789") for each in others})
    world.app = create_app(keyed, others, world.store, clock=world.clock, billing=None)
    elsewhere = world.client()
    elsewhere.cookies = browser.cookies
    assert (await elsewhere.get(url)).status_code == 404
    assert "This page is over" not in (await elsewhere.get(url)).text


async def test_a_card_that_replaces_another_takes_its_place(world, browser):  # P7
    answer = await typed(browser, await begun(browser, "pm_1/replace"), cardnumber="5555555555554444")
    it = await stored(world)
    assert [each.last4 for each in it.payment_methods] == ["4444"]
    assert it.customer.default_payment_method == it.payment_methods[0].id
    assert "It is now your default" in (await browser.get(answer.headers["location"])).text
