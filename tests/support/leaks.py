"""Finding card numbers where none may be: in a store, a log, a mail, a page.

A number is told from a timestamp or an id by three things together: it stands alone between other signs, its last
digit is the right one for the others, and it begins as the cards of a known brand of that length do. The public test
numbers are no leak; neither is what the tests say they typed elsewhere on purpose (`ELSEWHERE`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from server.sandbox.cards import CARDS

CANARIES = ("4539578763621486", "5425233430109903", "374245455400126", "6011000991300009")
"""Numbers that no page and no document of ours shows, and that the tests type where they must be refused."""

_PUBLIC = frozenset(each.number for each in CARDS)
_STANDING_ALONE = re.compile(rb"(?<![0-9A-Za-z_.\-])[3-6](?:[ \-]?[0-9]){12,18}(?![0-9A-Za-z_\-]|\.[0-9])")
_BRANDS = re.compile(
    r"4\d{12}|4\d{15}|4\d{18}|5[1-5]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|35[2-8]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
)


def luhn(digits: str) -> bool:
    """Whether the last digit is the right one for the others."""
    doubled = (int(each) * 2 if place % 2 else int(each) for place, each in enumerate(reversed(digits)))
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0


def spellings(number: str) -> tuple[str, ...]:
    """As people and programs write it."""
    groups = [number[at : at + 4] for at in range(0, len(number), 4)]
    return number, " ".join(groups), "-".join(groups), "".join(chr(ord(each) + 0xFEE0) for each in number)


def card_numbers(content: bytes) -> Iterator[str]:
    """The card numbers in there, and any canary however it stands there."""
    for number in CANARIES:
        if any(each.encode() in content for each in spellings(number)):
            yield number
    for found in _STANDING_ALONE.finditer(content):
        digits = re.sub(rb"[ \-]", b"", found[0]).decode()
        if digits not in _PUBLIC and digits not in CANARIES and _BRANDS.fullmatch(digits) and luhn(digits):
            yield digits
