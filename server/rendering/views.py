"""What a template is given: a `View` for each fragment, and a `Frame` for the layout around it.

A template is found by the name of its view: `server.features.subscriptions.views.ConfirmCancel` is shown by
`fragments/subscriptions/confirm_cancel.html`, which gets the view as ``view``.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import ClassVar

import msgspec


class View(msgspec.Struct, frozen=True):
    """What one fragment shows. A subclass holds everything that its template reads; nothing else is passed."""

    layout: ClassVar[str] = "account"
    """The layout around it when it is asked for as a page: `account` or `visitor`."""

    here: ClassVar[str] = ""
    """Its place in the navigation, where that is not the feature."""


class Language(msgspec.Struct, frozen=True):
    """One of the languages that a page is offered in."""

    tag: str
    name: str
    """As its speakers call it."""
    url: str
    """Where the page is in it."""
    is_current: bool


class Frame(msgspec.Struct, frozen=True):
    """What the layout around a fragment shows of who is logged in."""

    address: str = ""
    """The address that logged in; empty: nobody is."""
    customer_name: str = ""
    here: str = ""
    """The feature of the page, such as `invoices`, for the navigation."""
    has_other_accounts: bool = False
    """Other customers have the same address, and may be switched to."""
    languages: tuple[Language, ...] = ()
    """Those that the page can be read in; empty: there is no choice."""
    from_business: bool = False
    """The business' server opened this session: the static pages, which know no session, are not led to."""
    return_url: str = ""
    """Back to the business, where its server named a page."""
    as_of: datetime | None = None
    """How fresh the page is, where it is made of a copy and does not say so itself."""


@cache
def template_of(view: type[View], folder: str = "fragments") -> str:
    """The path of the template that shows this view."""
    feature = view.__module__.split(".")[-2]
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", view.__name__).lower()
    return f"{folder}/{feature}/{name}.html"
