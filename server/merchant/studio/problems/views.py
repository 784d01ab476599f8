"""What the studio says when it cannot do what was asked."""

from __future__ import annotations

from typing import ClassVar

from server.rendering.views import View


class Problem(View, frozen=True):
    layout: ClassVar[str] = "visitor"

    what: str
    """`not_allowed`, `not_found`, `too_many`, `too_often`, `unavailable`, `not_understood`, `too_large`, `unreadable` or
    `broken`."""
    minutes: int = 0
    reference: str = ""
    why: tuple[str, ...] = ()
    """Of files that cannot be read: what is wrong with them."""


class Confirm(View, frozen=True):
    """What was asked for needs a passkey; afterwards the same form is sent again."""

    layout: ClassVar[str] = "plain"

    action: str
    fields: dict[str, str]
    """Empty: there was no form, and the page at `action` is opened."""
    is_kept: bool = True
    """Whether the fields are what was entered; a secret is entered again."""


class LoggedOut(View, frozen=True):
    """The session ended while a form was filled in: whoever logs in elsewhere sends it from here."""

    layout: ClassVar[str] = "visitor"

    action: str
    fields: tuple[tuple[str, str], ...]
    """All that was entered, but for files."""
    has_files: bool = False
