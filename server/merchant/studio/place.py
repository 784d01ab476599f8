"""The studio, running: what each of its handlers is given, as `Portal` is for a brand. `app.py` makes it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from server.access.limits import Limits
from server.brands import PORTAL_FILE, Brand
from server.brands.theme_file import NAME as BRAND_NAME
from server.merchant.fetching import Fetch, fetched
from server.merchant.finding import Finding
from server.merchant.studio.computing import Pace
from server.portal import Portal
from server.rendering.printing.printer import Printer
from server.rendering.studio import StudioRenderer
from server.settings import Settings
from server.store import Store
from server.web.studio_guard import BASE

MOST_A_SECOND = 20
"""Requests of one operator: a page with its pictures, or a form at each letter that is typed."""
App = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""
NAME = "_studio"
"""What codes, limits and mails of the studio belong to, where a customer's belong to a brand. No brand can be named so."""


@dataclass(frozen=True, slots=True)
class Studio:
    """Is also the `Entrance` that a passcode opens."""

    settings: Settings
    store: Store
    clock: Callable[[], datetime]
    limits: Limits
    written: Callable[[str], Awaitable[None]] | None = None
    """Called with the brand's name after its files were changed, or it was made: the demo shows it at once."""
    show: Callable[[Brand, Store], tuple[App, Portal]] | None = None
    """Makes the portal of a brand over a store of samples, see `previews`."""
    pace: Pace = field(default_factory=lambda: Pace(MOST_A_SECOND))
    """Of all that an operator asks for."""
    portals: Callable[[], Mapping[str, Portal]] = dict
    """The brands that this server serves, as their customers get them now."""
    as_customer: App | None = None
    """Shows them as a customer sees them, see `server.web.looking`."""
    fetch: Fetch = fetched
    """How the health page asks for what browsers get."""
    asked: dict[str, asyncio.Task[list[Finding]]] = field(default_factory=dict)
    """The brands whose health other machines are asked about at the moment."""
    printer: Printer | None = None
    """Sets the documents of cases."""
    renderer: StudioRenderer = field(default_factory=lambda: StudioRenderer(BASE))

    @property
    def name(self) -> str:
        return NAME

    @property
    def link(self) -> str:
        return ""

    @property
    def origin(self) -> str:
        return self.settings.studio_origin

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def themes(self) -> Path:
        return self.settings.themes

    def brands(self) -> list[str]:
        """The names of the brands that there are now."""
        folders = self.themes.iterdir() if self.themes.is_dir() else ()
        return sorted(each.name for each in folders if self.is_brand(each.name))

    def is_brand(self, name: str) -> bool:
        """Whether there is a brand of that name: a folder of ours, and no symbolic link to another."""
        folder = self.themes / name
        return bool(re.fullmatch(BRAND_NAME, name)) and (folder / PORTAL_FILE).is_file() and not folder.is_symlink()


class Place(msgspec.Struct, frozen=True):
    """An entry of a brand's navigation."""

    name: str
    """Of the folder in `merchant/studio/` and in `site/templates/studio/`."""
    label: str
    path: str
    """Below the brand's start, such as `/look`."""
    right: str = "look"


PLACES = (
    Place("start", "Start", ""),
    Place("portal", "Portal", "/portal"),
    Place("look", "Look", "/look"),
    Place("business", "Business", "/business"),
    Place("mails", "Mails", "/mails"),
    Place("customers", "Customers", "/customers", right="customers"),
    Place("cases", "Cases", "/cases", right="customers"),
    Place("numbers", "Numbers", "/numbers"),
    Place("preview", "Preview", "/preview"),
    Place("link", "Link", "/link"),
    Place("settings", "Settings", "/settings/health"),
)


def start_of(brand: str) -> str:
    """The path of a brand's start; those of its other pages go on from there. The name has been looked up, so it is a
    plain word."""
    return f"{BASE}b/{brand}"
