"""The texts that a theme may change: a closed set. Each has its limit in characters and its English default.

`[words]` is in the brand's first language, `[words.<tag>]` in another. Templates read `brand.theme.words`, which the
renderer has made complete for the language of the page: what the theme itself says in that language, and where it says
nothing the default, translated. So no page mixes two languages, and a text of the theme's own is never looked up in a
catalog. No percent sign: templates from before that passed these texts through gettext, which reads it as a placeholder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from server.brands.locales import by_locale
from server.brands.reading.mistakes import shown
from server.brands.reading.tables import Table


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


def read_words(table: Table) -> dict[str, dict[str, str]]:
    """What the theme says itself, by language; `[words]` has no tag, so its texts stand under the empty one."""
    own = {"": _own(table)}
    for tag, below in by_locale(table):
        own[tag] = _own(below)
        below.close()
    table.close()
    return own


def _own(table: Table) -> dict[str, str]:
    words = {}
    for key, word in WORDS.items():
        is_given = key in table
        said = table.text(key, word.default, limit=word.limit, required=is_given and not word.may_be_empty)
        if "%" in said:
            table.refuse(key, shown(said), "a text without a percent sign (write the word)")
        if is_given:
            words[key] = said
    return words


def complete(own: Mapping[str, str], translated: Callable[[str], str]) -> dict[str, str]:
    """Every text: the theme's own, else the default as `translated` says it."""
    defaults = {key: translated(word.default) if word.default else "" for key, word in WORDS.items()}
    return {**defaults, **own}
