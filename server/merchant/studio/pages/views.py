"""What the form pages show: a page of controls, the change that they make, and the writes that can be undone."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from server.merchant.studio.forms import Field
from server.merchant.studio.pages.contrasts import Met
from server.rendering.views import View


class Option(msgspec.Struct, frozen=True):
    value: str
    label: str
    hint: str = ""
    is_chosen: bool = False
    is_default: bool = False


class Asked(msgspec.Struct, frozen=True):
    """One control, as it is shown."""

    field: Field
    id: str
    label: str
    hint: str
    """Names of keys and values are in `backticks`."""
    default: str = ""
    """What holds where the key is left out."""
    errors: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    """Where one or some of them are chosen, or where typing is helped by them."""
    met: Met = Met()
    """Of a color: what it meets."""
    picture: str = ""
    """The URL of the picture that is there now."""
    rows: tuple[Row, ...] = ()
    suggestions: str = ""
    """The id of the list that helps typing."""
    begins: tuple[Option, ...] = ()
    """Of rows: what a new one may begin with."""

    @property
    def kind(self) -> str:
        return self.field.control.kind

    @property
    def is_on(self) -> bool:
        """Of a switch."""
        return self.field.texts == ("on",)


class Row(msgspec.Struct, frozen=True):
    id: str
    name: str
    number: int
    """In the list that is shown."""
    title: str
    short: str
    """What is in it, in short: for the row that is closed."""
    columns: tuple[Asked | Group, ...]
    is_first: bool
    is_last: bool
    is_open: bool


class Group(msgspec.Struct, frozen=True):
    """Controls that belong together: those that a switch must be on for, or those of one table."""

    title: str = ""
    switch: Asked | None = None
    items: tuple[Asked | Group, ...] = ()

    @property
    def is_off(self) -> bool:
        return self.switch is not None and not self.switch.is_on


class Section(msgspec.Struct, frozen=True):
    """One part of a page under its heading; the first may have none."""

    id: str
    title: str
    items: tuple[Asked | Group, ...]


class Link(msgspec.Struct, frozen=True):
    label: str
    url: str
    is_current: bool = False


class Wrong(msgspec.Struct, frozen=True):
    """For the summary of errors."""

    field: str
    message: str


class Elsewhere(msgspec.Struct, frozen=True):
    """A mistake that belongs to another page, or to none."""

    key: str
    message: str
    page: Link | None = None


class Unsaved(msgspec.Struct, frozen=True):
    """What the operator changed and did not write yet."""

    count: int
    wrong: int
    """How many mistakes are in them."""
    since: datetime
    is_old: bool
    """From an earlier visit: the page asks whether to go on."""
    url: str
    """Where all of it is shown, written or dropped."""


class Frame(msgspec.Struct, frozen=True):
    """What every page of a brand's files says around its own part."""

    brand: str
    place: str
    tabs: tuple[Link, ...] = ()
    unsaved: Unsaved | None = None
    may_edit: bool = True
    is_writable: bool = True
    undo: str = ""
    """The URL of the last writes."""


class Form(View, frozen=True):
    """One page of controls."""

    layout: ClassVar[str] = "brand"

    place: str
    around: Frame
    heading: str
    lead: str
    url: str
    languages: tuple[Link, ...]
    sections: tuple[Section, ...]
    wrong: tuple[Wrong, ...] = ()
    """What must be corrected before it can be saved; only after an attempt."""
    elsewhere: tuple[Elsewhere, ...] = ()
    tag: str = ""
    """The language whose texts it asks for; empty: the brand's first, or no texts."""
    lacks: tuple[str, ...] | None = None
    """What electronic invoices lack; None: the page is not about them."""
    has_files: bool = False
    datalists: tuple[tuple[str, tuple[Option, ...]], ...] = ()
    """What typing is helped by, by id."""


class Live(View, frozen=True):
    """What htmx puts into the page while somebody types: errors, hints, and what depends on a switch."""

    around: Frame
    url: str
    asked: tuple[Asked, ...]
    groups: tuple[Group, ...] = ()
    """Those whose switch is not as the browser shows it."""
    lacks: tuple[str, ...] | None = None
    files: tuple[Asked, ...] = ()
    """The controls that a file came for: they show it now."""


class Summary(msgspec.Struct, frozen=True):
    """One page of a place, and what is so there now."""

    link: Link
    lead: str
    state: str
    """`on`, `off`, or empty where it has no switch."""
    is_touched: bool = False
    is_wrong: bool = False


class Overview(View, frozen=True):
    """Every page of the portal's features."""

    layout: ClassVar[str] = "brand"

    place: str
    around: Frame
    summaries: tuple[Summary, ...]


class Changed(msgspec.Struct, frozen=True):
    """One key that will be another."""

    label: str
    key: str
    page: Link | None
    was: str
    becomes: str
    """Empty: it is left out."""
    errors: tuple[str, ...] = ()


class Contested(msgspec.Struct, frozen=True):
    """A key that somebody else changed meanwhile."""

    id: str
    label: str
    key: str
    mine: str
    theirs: str


class Line(msgspec.Struct, frozen=True):
    text: str
    kind: str
    """`added`, `removed`, `place` or `same`."""


class Change(View, frozen=True):
    """What will change in the files, before anything is written."""

    layout: ClassVar[str] = "brand"

    place: str
    around: Frame
    url: str
    changed: tuple[Changed, ...]
    contested: tuple[Contested, ...]
    elsewhere: tuple[Elsewhere, ...]
    """Mistakes that no change of the list explains."""
    lines: tuple[Line, ...]
    pictures: tuple[str, ...]
    fingerprint: str
    patch_url: str
    problem: str = ""
    """`stale`: the files changed since the page was shown; `undecided`: a choice is missing; `refused`: they could not
    be written, with `why`."""
    why: str = ""
    back: str = ""

    @property
    def may_write(self) -> bool:
        return bool(self.lines) and not (self.contested or self.elsewhere or any(each.errors for each in self.changed))


class Write(msgspec.Struct, frozen=True):
    operator: str
    at: datetime
    url: str
    lines: tuple[Line, ...]


class Writes(View, frozen=True):
    """The last writes of the studio into a brand's files, newest first."""

    layout: ClassVar[str] = "brand"

    place: str
    around: Frame
    writes: tuple[Write, ...]
    written: bool = False


class Undo(View, frozen=True):
    """What taking one write back would change."""

    layout: ClassVar[str] = "brand"

    place: str
    around: Frame
    url: str
    write: Write
    lines: tuple[Line, ...]
    contested: tuple[Contested, ...]
    elsewhere: tuple[Elsewhere, ...]
    fingerprint: str
    problem: str = ""
    why: str = ""
