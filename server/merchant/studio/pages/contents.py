"""Which page of the studio asks for which key: every key of both files has one place, but for those of `ELSEWHERE`.

A key is named as in its file; a table stands for all keys in it. In a page of one language, the keys are those of its table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec

from server.brands import PORTAL_FILE, THEME_FILE
from server.brands.locales import is_locale, own_name
from server.merchant.studio.declarations import Control, controls

ELSEWHERE = {
    "billing": "the settings set it, beside the key of the Stripe account",
    "events.allow_private": "it lets events be posted into a private network: only who may write the file decides that",
}
"""Tables and keys that no page of these sets, and why."""


class Part(msgspec.Struct, frozen=True):
    """Some keys under a heading of their own."""

    title: str
    keys: tuple[str, ...]
    about: str = ""


class Page(msgspec.Struct, frozen=True):
    path: str
    """Below the brand's start, such as `portal/subscription_cancel`."""
    title: str
    lead: str
    parts: tuple[Part, ...]
    tag: str = ""
    """The language whose texts it asks for; empty: the brand's first, or no texts."""
    right: str = "look"
    """Who may see it; to post it, the right `edit` is needed too."""

    @property
    def place(self) -> str:
        return self.path.partition("/")[0]


def _feature(name: str, title: str, lead: str) -> Page:
    return Page(f"portal/{name}", title, lead, (Part("", (f"features.{name}",)),))


_ADDRESSES = ("privacy_policy_url", "terms_of_service_url", "default_return_url", "support_url")

PAGES: tuple[Page, ...] = (
    Page("portal/login_page", "Log-in", "How customers get in: by a link of yours, and a code in an email.", (Part("", ("login_page",)),)),
    _feature("customer_update", "Billing details", "What customers may change about themselves."),
    _feature("payment_method_update", "Payment methods", "Whether customers add, choose and remove cards and accounts."),
    _feature("invoice_history", "Invoices", "Whether customers see, pay and download their invoices."),
    _feature("subscription_update", "Plan changes", "What customers may move to by themselves, when, and how it is counted."),
    _feature("subscription_cancel", "Cancellation", "How a subscription ends, and what is asked and offered before it does."),
    _feature("subscription_pause", "Pauses", "Whether customers may stop paying for a while."),
    _feature("subscription_restart", "Restarts", "Whether a subscription that has ended can begin again."),
    Page("portal/doors", "Without logging in", "What the law lets consumers declare without an account: a cancellation, a withdrawal.", (Part("", ("doors",)),)),
    Page("portal/dunning", "Failed payments", "What is done about a charge that did not work.", (Part("", ("dunning",)),)),
    Page(
        "look",
        "Colors and logo",
        "Every other color is made from these, so that all of it can be read, on light pages and on dark ones.",
        (
            Part("Colors", ("brand.color", "brand.accent", "brand.background", "brand.button")),
            Part("Logo", ("brand.logo", "brand.dark_logo", "brand.icon")),
            Part("Character", ("shape", "mode")),
        ),
    ),
    Page("look/type", "Type", "The letters of your pages and mails.", (Part("", ("type.body", "type.heading", "type.scale")), Part("", ("type.font",)))),
    Page("look/words", "Words", "What your pages say. A text that is left out says what is shown in gray.", (Part("", ("words",)),)),
    Page("look/base", "Base", "Where this look begins, and rules beyond what these pages set.", (Part("", ("extends", "unset", "brand.styles")),)),
    Page(
        "business",
        "Public details",
        "What customers see of your business, on every page and in every mail.",
        (
            Part("", ("business.name", "business.headline")),
            Part("Help", ("business.support_email", "business.support_phone", "business.support_url")),
            Part("Links", tuple(f"business.{each}" for each in _ADDRESSES[:3])),
        ),
    ),
    Page(
        "business/invoices",
        "Invoices",
        "Who issues the invoices, and where they can be paid by transfer.",
        (
            Part("Who issues them", ("business.legal_name", "business.tax_id", "business.invoice_footer")),
            Part("Address", ("business.address",)),
            Part("Bank account", ("business.bank_account",)),
        ),
    ),
    Page("business/site", "Site", "Where your pages are, in which languages, and what time it is there.", (Part("", ("site",)),)),
    Page("mails", "Mails", "What customers are written about. The code to log in is always sent.", (
        Part("What is sent", ("mail",)),
    )),
    Page(
        "settings/endpoints",
        "Endpoints",
        "Servers of yours that are told what happens. Each event holds what your API shows of the customer.",
        (Part("", ("events.endpoints",)),),
        right="keys",
    ),
)  # fmt: skip

_BY_LANGUAGE = {
    "business/texts": ("business", "Public details", "What the pages in {name} say in place of the first language's."),
    "look/words": ("words", "Words", "What your pages in {name} say. A text that is left out says what is shown in gray."),
}  # fmt: skip


def is_elsewhere(key: str) -> bool:
    return any(f"{key}.".startswith(f"{each}.") for each in ELSEWHERE)


def find(path: str, tags: Iterable[str]) -> Page | None:
    """The page at this path; `tags`: the languages that have pages of their own."""
    known = next((each for each in PAGES if each.path == path), None)
    if known:
        return known
    before, _, tag = path.rpartition("/")
    return in_language(before, tag) if before in _BY_LANGUAGE and tag in tags else None


def in_language(before: str, tag: str) -> Page:
    table, title, lead = _BY_LANGUAGE[before]
    name = own_name(tag) if is_locale(tag) else tag
    return Page(f"{before}/{tag}", title, lead.format(name=name), (Part("", (f"{table}.{tag}",)),), tag)


def above(path: str) -> str:
    """The page that the tab of this one leads to: of a page of one language, that of the first language."""
    before = path.rpartition("/")[0]
    return {"business/texts": "business", "look/words": "look/words"}.get(before, path)


def every(tags: Sequence[str]) -> Iterator[Page]:
    yield from PAGES
    yield from (in_language(before, tag) for before in _BY_LANGUAGE for tag in tags)


def controls_of(page: Page, tags: Sequence[str]) -> tuple[tuple[Part, tuple[Control, ...]], ...]:
    """The controls of each part of a page, in the order of its keys."""
    mine = [each for each in _every_control(tuple(tags)) if each.tag == page.tag]
    return tuple(
        (part, tuple(each for key in part.keys for each in mine if f"{each.path}.".startswith(f"{key}.")))
        for part in page.parts
    )


@lru_cache(maxsize=32)
def _every_control(tags: tuple[str, ...]) -> tuple[Control, ...]:
    return (*controls(THEME_FILE, tags), *controls(PORTAL_FILE, tags))


def page_of(key: str, tags: Sequence[str]) -> Page | None:
    """Where a key, as a mistake names it, is set; None: on none of these pages."""
    bare = key.partition("[")[0]
    for page in reversed(list(every(tags))):  # a language's page before that of its table
        if any(f"{bare}.".startswith(f"{each}.") for part in page.parts for each in part.keys):
            return page
    return None
