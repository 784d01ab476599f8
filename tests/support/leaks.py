"""Finding card numbers where none may be: in a store, a log, a mail, a page."""

from __future__ import annotations


def luhn(digits: str) -> bool:
    """Whether the last digit is the right one for the others."""
    doubled = (int(each) * 2 if place % 2 else int(each) for place, each in enumerate(reversed(digits)))
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0
