"""What somebody sees who declares something without logging in.

Declare    the form, with what is wrong with it; without mistakes it is a static page of the brand
Review     what was entered, before it counts
Received   what was declared, and when
Prove      the page behind the link in the confirmation: whoever has the mail proves the address
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

import msgspec

from server.access.declarations import Case, Content
from server.rendering.views import View

LONGEST = {"name": 100, "contract": 200, "reason": 1000}
"""Characters."""


class Typed(msgspec.Struct, frozen=True):
    """The fields of the form, as they were typed."""

    how: str = ""
    reason: str = ""
    name: str = ""
    contract: str = ""
    when: str = ""
    date: str = ""
    email: str = ""


class Mistake(msgspec.Struct, frozen=True):
    field: str
    why: str
    """`missing`, `long`, `not_an_address`, `no_date`, `past` or `far`."""


class Declare(View, frozen=True):
    layout: ClassVar[str] = "visitor"

    kind: str
    """`cancel` or `withdraw`."""
    typed: Typed
    mistakes: tuple[Mistake, ...] = ()


class Review(View, frozen=True):
    layout: ClassVar[str] = "visitor"

    said: Content
    typed: Typed

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The name of each field that was filled in, with what was typed."""
        found = ((name, getattr(self.typed, name)) for name in self.typed.__struct_fields__)
        return tuple((name, value) for name, value in found if value)


class Received(View, frozen=True):
    layout: ClassVar[str] = "visitor"

    token: str
    id: str
    said: Content
    at: datetime
    due_at: datetime
    hash: str
    state: str = "open"
    is_mailed: bool = True
    """A confirmation leaves; False: the address had as many as it gets for now."""


class Prove(View, frozen=True):
    layout: ClassVar[str] = "visitor"

    token: str
    said: Content
    at: datetime
    due_at: datetime
    outcome: str = ""
    """Empty: nobody said yet that it is theirs; `open`: the merchant decides; `applied`; `answered`."""
    subscription: str = ""
    """What was ended, by its name; of `applied`."""
    ends_at: datetime | None = None
    is_over: bool = False
    """It has ended already."""


def received(case: Case, token: str, *, is_mailed: bool = True) -> Received:
    return Received(token, case.id, case.said, case.declaration.at, case.due_at, case.hash, case.state, is_mailed)


def date_in(typed: str) -> date | None:
    """What a browser's field for dates sends; None: it is no date."""
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        return None
