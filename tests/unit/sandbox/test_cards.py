"""The numbers that the sandbox takes, and that it takes no other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.features.sandbox import cards
from tests.support.accounts import NOW
from tests.support.leaks import luhn


def test_every_test_card_is_a_number_that_could_be_one():
    assert all(luhn(each.number) for each in cards.CARDS)
    assert len({each.number for each in cards.CARDS}) == len(cards.CARDS)


def test_every_test_iban_has_the_right_check_digits():
    for each in cards.IBANS:
        moved = each.number[4:] + each.number[:4]
        assert int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1, each.number


@pytest.mark.parametrize(
    "typed",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        " 4242-4242-4242-4242\t",
        "４２４２４２４２４２４２４２４２",
        "4242\u00a04242 4242\u200b4242",
    ],
)
def test_a_number_may_be_typed_in_many_ways(typed):
    assert cards.find_card(typed).brand == "visa"


@pytest.mark.parametrize("typed", ["", "4111111111111111", "4242424242424241", "424242424242424", "42424242424242422",
                                   "DE89370400440532013000", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢x", "4242" * 5000])  # fmt: skip
def test_no_other_number_is_a_card(typed):
    assert cards.find_card(typed) is None


def test_an_iban_is_no_card_and_a_card_no_iban():
    assert cards.find_iban("de89 3704 0044 0532 0130 00").last4 == "3000"
    assert cards.find_iban("4242424242424242") is None
    assert cards.find_iban("DE02120300000000202051") is None


@given(st.text(max_size=30))
@settings(max_examples=60)
def test_whatever_is_typed_is_found_or_not(typed):
    known = {each.number for each in cards.CARDS}
    found = cards.find_card(typed)
    assert found is None or found.number in known
    cards.expiry(typed)
    cards.is_cvc(typed, found)


@pytest.mark.parametrize(
    ("typed", "read"),
    [("08/30", (8, 2030)), ("8/30", (8, 2030)), ("08 / 2030", (8, 2030)), ("0830", (8, 2030)), ("１２/３０", (12, 2030)),
     ("13/30", None), ("00/30", None), ("08", None), ("4242424242424242", None), ("", None), ("08/30/01", None)],
)  # fmt: skip
def test_a_date_is_a_month_and_a_year(typed, read):
    assert cards.expiry(typed) == read


def test_a_month_is_past_when_it_is_over():
    assert cards.is_past(2, 2026, NOW)
    assert not cards.is_past(3, 2026, NOW)


def test_an_american_express_card_has_four_digits_on_its_front():
    amex = cards.find_card("378282246310005")
    assert cards.is_cvc("1234", amex)
    assert not cards.is_cvc("123", amex)
    assert amex.spaced == "3782 822463 10005"
