"""The texts that a theme may change: a closed set. Each has its limit in characters and its English default.

Templates read `brand.theme.words`, which is always complete, and pass it through gettext, so that a default is
translated like any other text. Hence no percent sign: gettext would read it as a placeholder.
"""

from __future__ import annotations

import msgspec

from server.themes.mistakes import shown
from server.themes.reading import Table


class Word(msgspec.Struct, frozen=True):
    default: str
    limit: int
    where: str
    may_be_empty: bool = False
    """The page leaves it out then; the others hold a place that must say something."""


WORDS: dict[str, Word] = {
    "login_heading": Word("Log in", 60, "the heading of the log-in page"),
    "login_intro": Word(
        "Enter your e-mail address and we will send you a passcode to log in with.", 300, "below that heading"
    ),
    "login_button": Word("Send the passcode", 30, "the log-in page's button"),
    "code_heading": Word("Check your mail", 60, "the heading of the passcode page"),
    "code_help": Word(
        "No mail? Look in your spam folder, and check that the address is the one you use with us.",
        300,
        "below the passcode field; left out when empty",
        may_be_empty=True,
    ),
    "account_heading": Word("Your account", 60, "the heading of the overview"),
    "subscriptions_empty": Word("You have no subscriptions.", 200, "the overview without a subscription"),
    "invoices_empty": Word("You have no invoices yet.", 200, "the list of invoices, when there are none"),
    "cancel_heading": Word("Cancel your subscription", 60, "the heading of the page before a cancellation"),
    "cancel_intro": Word("", 300, "below that heading; left out when empty", may_be_empty=True),
    "cancel_keep_button": Word("Keep my subscription", 30, "the way back from that page"),
    "canceled_note": Word("", 300, "said after a cancellation; left out when empty", may_be_empty=True),
    "help_heading": Word("Help", 60, "the heading of the help page"),
    "help_text": Word(
        "Questions about an invoice or a subscription? We are happy to help.",
        500,
        "at the top of the help page; left out when empty",
        may_be_empty=True,
    ),
    "footer_note": Word("", 200, "at the foot of every page; left out when empty", may_be_empty=True),
}


def read_words(table: Table) -> dict[str, str]:
    words = {}
    for key, word in WORDS.items():
        required = key in table and not word.may_be_empty
        words[key] = table.text(key, word.default, limit=word.limit, required=required)
        if "%" in words[key]:
            table.refuse(key, shown(words[key]), "a text without a percent sign (write the word)")
    table.close()
    return words
