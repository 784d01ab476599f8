"""`python -m server link`: the address of a brand's log-in page, switched on, off, and shown.

The link is in `[login_page]` of the brand's `portal.toml`. Activating always makes a new token, so a link that was
ever deactivated stays dead.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from server.brands import PORTAL_FILE, Brand, Mistake, ThemeError, folders, load
from server.paths import Paths
from server.publishing import brand_files


class NotDone(Exception):
    """A command could not do what was asked for; the message says why, and what to do."""


def activate(folder: Path, *, test: bool) -> str:
    """Write a new token into the `portal.toml` of this brand's folder and answer it. Raises `ThemeError`."""
    token = ("test_" if test else "") + secrets.token_urlsafe(18)
    brand_files.change(folder, {"login_page.enabled": True, "login_page.link": token})
    return token


def deactivate(folder: Path) -> None:
    """Take the link out. Raises `ThemeError`."""
    brand_files.change(folder, {"login_page.enabled": False, "login_page.link": None})


def url(brand: Brand, origin: str) -> str:
    """Where the log-in page is; empty: no link is active. `origin` is for brands without a domain of their own; where
    it is not known the answer is the path alone."""
    page = brand.config.login_page
    if not page.enabled:
        return ""
    return (brand.config.site.url or origin) + Paths(brand.base).login_page(page.link)


def brand_in(themes: Path, name: str) -> Path:
    """The folder of a brand. Raises `ThemeError` naming those that there are."""
    folder = themes / name
    known = [each.name for each in folders(themes) if (each / PORTAL_FILE).is_file()]
    if name not in known:
        raise ThemeError([Mistake(themes, 0, "", f"no brand named {name!r}", f"one of {', '.join(known) or '(none)'}")])
    return folder


def brand_named(themes: Path, name: str) -> Brand:
    """Raises `ThemeError`."""
    return load(brand_in(themes, name))
