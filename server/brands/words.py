"""The texts that a theme may change: a closed set. Each has its limit in characters and its English default.

`[words]` is in the brand's first language, `[words.<tag>]` in another. Templates read `brand.theme.words`, which the
renderer has made complete for the language of the page: what the theme itself says in that language, and where it says
nothing the default, translated. So no page mixes two languages, and a text of the theme's own is never looked up in a
catalog. No percent sign: older templates passed these texts through gettext, which reads it as a placeholder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from server.brands.locales import by_locale
from server.brands.reading.declared import Keys, fields, given
from server.brands.reading.keys import Section, Text
from server.brands.reading.tables import Table


class Word(Text, frozen=True):
    may_be_empty: bool = False
    """The page leaves it out then; the others hold a place that must say something."""

    @property
    def allowed(self) -> str:
        return f"{super().allowed}{', or none' if self.may_be_empty else ''}"

    def accept(self, value: Any) -> str:
        text = super().accept(value)
        if not text and not self.may_be_empty:
            raise ValueError("a text that is not empty")
        if "%" in text:
            raise ValueError("a text without a percent sign (write the word)")
        return text


class Words(Keys, frozen=True):
    login_heading: Annotated[str, Word("the heading of the log-in page", limit=60)] = "Log in"
    login_intro: Annotated[str, Word("below that heading", limit=300)] = (
        "Enter your email address and we will send you a passcode."
    )
    login_button: Annotated[str, Word("the log-in page's button", limit=30)] = "Send the passcode"
    code_heading: Annotated[str, Word("the heading of the passcode page", limit=60)] = "Check your email"
    code_help: Annotated[str, Word("below the passcode field; left out when empty", limit=300, may_be_empty=True)] = (
        "No email? Look in your spam folder, and check that this is the address you use with us."
    )
    account_heading: Annotated[str, Word("the heading of the overview", limit=60)] = "Your account"
    subscriptions_empty: Annotated[str, Word("the overview without a subscription", limit=200)] = (
        "You have no subscriptions."
    )
    invoices_empty: Annotated[str, Word("the list of invoices, when there are none", limit=200)] = (
        "You have no invoices yet."
    )
    cancel_heading: Annotated[str, Word("the heading of the page before a cancellation", limit=60)] = (
        "Cancel your subscription"
    )
    cancel_intro: Annotated[str, Word("below that heading; left out when empty", limit=300, may_be_empty=True)] = ""
    cancel_keep_button: Annotated[str, Word("the way back from that page", limit=30)] = "Keep my subscription"
    canceled_note: Annotated[
        str, Word("said after a cancellation; left out when empty", limit=300, may_be_empty=True)
    ] = ""
    help_heading: Annotated[str, Word("the heading of the help page", limit=60)] = "Help"
    help_text: Annotated[
        str, Word("at the top of the help page; left out when empty", limit=500, may_be_empty=True)
    ] = "Questions about an invoice or a subscription? We are happy to help."
    footer_note: Annotated[
        str, Word("at the foot of every page; left out when empty", limit=200, may_be_empty=True)
    ] = ""


class OwnWords(Section, frozen=True):
    """`[words]` and `[words.<tag>]`: what the theme says itself, by language; `[words]` itself is the empty tag."""

    def read(self, table: Table, name: str, default: Any) -> Any:  # noqa: ARG002 (a `Key` is asked so)
        below = table.table(name)
        own = {"": given(Words, below)}
        for tag, translated in by_locale(below):
            own[tag] = given(Words, translated)
            translated.close()
        below.close()
        return own


def complete(own: Mapping[str, str], translated: Callable[[str], str]) -> dict[str, str]:
    """Every text: the theme's own, else the default as `translated` says it."""
    defaults = {each.name: translated(each.default) if each.default else "" for each in fields(Words)}
    return {**defaults, **own}
