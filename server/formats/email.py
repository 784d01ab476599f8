"""One reading of what an e-mail address is. An identity is the canonical form; two addresses are one customer's only
when their canonical forms are equal, byte for byte, on every database.

Canonical: one plain mailbox, its local part in ASCII, its domain in ASCII (punycode), all in lower case. Never folded:
``a+b@`` and ``a@``, ``a.b@`` and ``ab@`` are different people at many providers. A character that merely turns into an
``@`` or a dot when it is normalized is refused, not helped: it was typed to be read differently by two programs.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email

LONGEST_ADDRESS = 254


class EmailMistake(StrEnum):
    """What is wrong with what somebody typed: a template turns it into a sentence."""

    EMPTY = "empty"
    NOT_AN_ADDRESS = "not_an_address"


def canonical(typed: str) -> str | EmailMistake:
    """The identity behind what was typed or stored. Blanks around it do not matter."""
    text = typed.strip()
    if not text:
        return EmailMistake.EMPTY
    local, at, _ = text.rpartition("@")
    if not at or len(text) > LONGEST_ADDRESS or not local.isascii() or any(_deceives(each) for each in text):
        return EmailMistake.NOT_AN_ADDRESS
    try:
        read = validate_email(
            unicodedata.normalize("NFKC", text),
            check_deliverability=False,
            allow_quoted_local=False,
            allow_display_name=False,
            allow_domain_literal=False,
            allow_smtputf8=False,
            strict=True,
        )
    except EmailNotValidError:
        return EmailMistake.NOT_AN_ADDRESS
    found = f"{read.local_part}@{read.ascii_domain}".lower()
    return found if len(found) <= LONGEST_ADDRESS else EmailMistake.NOT_AN_ADDRESS


def _deceives(character: str) -> bool:
    """Invisible, a blank, or not ASCII and yet a sign of the address's grammar once normalized."""
    if character.isascii():
        return not character.isprintable() or character == " "
    if unicodedata.category(character)[0] in "CZ":
        return True
    return any(
        each in "@.\u3002" or (each.isascii() and not each.isalnum())
        for each in unicodedata.normalize("NFKC", character)
    )
