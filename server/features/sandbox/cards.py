"""The numbers that the sandbox page takes: Stripe's public test cards and test IBANs, and what each of them does. Pure.

Nothing else is taken, and nothing else is kept: `find_card` and `find_iban` answer one of ours or None, and no error
here says what was typed. What a number does at set-up and what it does when it is charged later are two things, as at
Stripe: most of the declining cards cannot be attached at all, 4000 0000 0000 0341 can and fails with each charge.

Sources: docs.stripe.com/testing (cards) and docs.stripe.com/payments/sepa-debit/set-up-payment (IBANs), read 2026.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

import msgspec

_SPACES = re.compile(r"[\s\u200b-\u200f\u2060\ufeff.·/_-]+")
_EXPIRY = re.compile(r"(\d{1,2})(?:\s*[/.-]\s*|\s+)?(\d{4}|\d{2})")
_LONGEST_FIELD = 64


class Card(msgspec.Struct, frozen=True):
    """A test number and what it does."""

    number: str
    brand: str
    kind: str = "card"
    """`card` or `sepa_debit`."""
    outcome: str = ""
    """At set-up: empty, it is taken; `confirm`, the bank asks first; else a decline code."""
    behavior: str = ""
    """When it is charged later, see `PaymentMethod.behavior`."""
    note: str = ""
    """A word for what makes it special; the page turns it into a sentence."""

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        """As it is printed on a card: in groups."""
        sizes = (4, 6, 5) if self.brand == "amex" else (4,) * 9
        groups, rest = [], self.number
        for size in sizes:
            groups.append(rest[:size])
            rest = rest[size:]
        return " ".join(filter(None, groups))


CARDS = (
    Card("4242424242424242", "visa", note="works"),
    Card("4000056655665556", "visa", note="works"),
    Card("5555555555554444", "mastercard", note="works"),
    Card("2223003122003222", "mastercard", note="works"),
    Card("5200828282828210", "mastercard", note="works"),
    Card("5105105105105100", "mastercard", note="works"),
    Card("378282246310005", "amex", note="works"),
    Card("371449635398431", "amex", note="works"),
    Card("6011111111111117", "discover", note="works"),
    Card("6011000990139424", "discover", note="works"),
    Card("3056930009020004", "diners", note="works"),
    Card("36227206271667", "diners", note="works"),
    Card("3566002020360505", "jcb", note="works"),
    Card("6200000000000005", "unionpay", note="works"),
    Card("4000000000000002", "visa", outcome="generic_decline", note="declined"),
    Card("4000000000009995", "visa", outcome="insufficient_funds", note="insufficient_funds"),
    Card("4000000000009987", "visa", outcome="lost_card", note="lost"),
    Card("4000000000009979", "visa", outcome="stolen_card", note="stolen"),
    Card("4000000000000069", "visa", outcome="expired_card", note="expired"),
    Card("4000000000000127", "visa", outcome="incorrect_cvc", note="incorrect_cvc"),
    Card("4000000000000119", "visa", outcome="processing_error", note="processing_error"),
    Card("4000000000000341", "visa", behavior="card_declined", note="declined_later"),
    Card("4000002500003155", "visa", outcome="confirm", note="confirm_once"),
    Card("4000002760003184", "visa", outcome="confirm", behavior="requires_action", note="confirm_always"),
    Card("4000008260003178", "visa", outcome="confirm", behavior="insufficient_funds", note="confirm_then_funds"),
    Card("4000000000003220", "visa", outcome="confirm", note="confirm_once"),
)

_WORKING_IBANS = (
    "AT611904300234573201",
    "BE62510007547061",
    "CH9300762011623852957",
    "DE89370400440532013000",
    "EE382200221020145685",
    "ES0700120345030000067890",
    "FI2112345600000785",
    "FR1420041010050500013M02606",
    "GB82WEST12345698765432",
    "HR7624020064583467589",
    "IE29AIBK93115212345678",
    "LI0508800636123378777",
    "LT121000011101001000",
    "LU280019400644750000",
    "NL39RABO0300065264",
    "NO9386011117947",
    "PT50000201231234567890154",
    "SE3550000000054910000003",
)
_FAILING_IBANS = (
    "AT861904300235473202",
    "BE68539007547034",
    "DE62370400440532013001",
    "EE762200221020145680",
    "ES9121000418450200051332",
    "FI9112345600000786",
    "FR8420041010050500013M02607",
    "IE02AIBK93115212345679",
    "LT821000011101001001",
    "LU980019400644750001",
    "NL91ABNA0417164300",
    "PT23000201231234567890155",
)
_EMPTY_IBANS = (
    "AT981904300002222227",
    "BE90510002222227",
    "DE65370400440002222227",
    "ES1700120345000002222227",
    "FR9720041010050000002222227",
)

IBANS = (
    *(Card(each, "", "sepa_debit", note="works") for each in _WORKING_IBANS),
    *(Card(each, "", "sepa_debit", behavior="generic_decline", note="declined_later") for each in _FAILING_IBANS),
    *(Card(each, "", "sepa_debit", behavior="insufficient_funds", note="funds_later") for each in _EMPTY_IBANS),
)

# What the page lists; the others of the tables are taken as well.
SHOWN_CARDS = tuple(
    each
    for each in CARDS
    if each.note != "works" or each.number in ("4242424242424242", "5555555555554444", "378282246310005")
)
SHOWN_IBANS = tuple(each for each in IBANS if each.number[:2] in ("DE", "AT", "FR"))

_BY_NUMBER = {each.number: each for each in (*CARDS, *IBANS)}


def find_card(typed: str) -> Card | None:
    """The test card of that number, however it was spaced; None for any other."""
    found = _BY_NUMBER.get(_folded(typed))
    return found if found and found.kind == "card" else None


def find_iban(typed: str) -> Card | None:
    """The test account of that IBAN, however it was spaced; None for any other."""
    found = _BY_NUMBER.get(_folded(typed))
    return found if found and found.kind == "sepa_debit" else None


def by_last4(kind: str, note: str, last4: str) -> Card | None:
    """The test number again, from what a session may keep of it."""
    return next(
        (each for each in _BY_NUMBER.values() if (each.kind, each.note, each.last4) == (kind, note, last4)), None
    )


def expiry(typed: str) -> tuple[int, int] | None:
    """Month and year of `MM/YY` or `MM/YYYY`; None for anything else."""
    found = _EXPIRY.fullmatch(unicodedata.normalize("NFKC", typed[:_LONGEST_FIELD]).strip())
    if found is None or not found[0].isascii():
        return None
    month, year = int(found[1]), int(found[2])
    year += 2000 if year < 100 else 0
    return (month, year) if 1 <= month <= 12 and 2000 <= year <= 2099 else None


def is_past(month: int, year: int, now: datetime) -> bool:
    return (year, month) < (now.year, now.month)


def is_cvc(typed: str, card: Card | None) -> bool:
    """Any digits, as many as the brand has; three or four where the card is not known."""
    digits = unicodedata.normalize("NFKC", typed[:_LONGEST_FIELD]).strip()
    lengths = (3, 4) if card is None else ((4,) if card.brand == "amex" else (3,))
    return digits.isascii() and digits.isdigit() and len(digits) in lengths


def _folded(typed: str) -> str:
    return _SPACES.sub("", unicodedata.normalize("NFKC", typed[:_LONGEST_FIELD])).upper()
