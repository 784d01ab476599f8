"""What a customer needs to transfer money: numbers that were not mistyped, and the code that banking apps read."""

import re

import pytest
import segno

from server.formats.bank_transfers import bic, epc_code, iban, in_fours
from server.formats.money import Money

HOLDER, NUMBER = "Röstbär GmbH", "DE02120300000000202051"


def test_an_iban_is_kept_without_spaces_and_printed_in_fours():
    assert iban("de02 1203 0000 0000 2020 51") == NUMBER
    assert in_fours(NUMBER) == "DE02 1203 0000 0000 2020 51"


@pytest.mark.parametrize("typed", ["DE02120300000000202052", "DE0212030000000020205", "XX00", "1234", "DE"])
def test_a_mistyped_iban_is_refused(typed):
    with pytest.raises(ValueError, match="check digits"):
        iban(typed)


def test_a_bic_has_its_form():
    assert bic("byladem1001") == "BYLADEM1001"
    with pytest.raises(ValueError, match="BIC"):
        bic("BYLADEM10")


def test_the_code_says_what_the_standard_wants():
    """The payload is written here by hand, line by line as EPC069-12 has it."""
    found = epc_code(HOLDER, NUMBER, "BYLADEM1001", Money(2749, "EUR"), "HC-1")
    payload = f"BCD\n002\n2\nSCT\nBYLADEM1001\n{HOLDER}\n{NUMBER}\nEUR27.49\n\n\nHC-1"
    right = segno.make_qr(payload.encode("iso-8859-1"), error="m", boost_error=False, encoding="iso-8859-1")
    size = len(right.matrix)
    assert found.size == size + 8
    drawn = [[0] * size for _ in range(size)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", found.path):
        for place in range(int(length)):
            drawn[int(y) - 4][int(x) - 4 + place] = 1
    assert drawn == [list(row) for row in right.matrix]


@pytest.mark.parametrize(
    ("holder", "number", "due", "reference"),
    [
        (HOLDER, NUMBER, Money(2749, "USD"), "HC-1"),
        (HOLDER, NUMBER, Money(0, "EUR"), "HC-1"),
        (HOLDER, NUMBER, Money(10**11, "EUR"), "HC-1"),
        (HOLDER, "BR1800360305000010009795493C1", Money(1, "EUR"), "HC-1"),
        ("x" * 71, NUMBER, Money(1, "EUR"), "HC-1"),
        (HOLDER, NUMBER, Money(1, "EUR"), " "),
        ("東" * 70, NUMBER, Money(1, "EUR"), "京" * 140),
    ],
)
def test_what_the_standard_has_no_code_for_has_none(holder, number, due, reference):
    assert epc_code(holder, number, "", due, reference) is None
