"""`python -m server link`: the address of a brand's log-in page, switched on, off, and shown.

The link is in `[login_page]` of the brand's `portal.toml`. Activating always makes a new token, so a link that was
ever deactivated stays dead. The file keeps its comments and order, is checked before it takes the old one's place, and
takes it at once: a reader sees the old one or the new one.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from server.brands import PORTAL_FILE, Brand, Mistake, ThemeError, load
from server.brands.portal_file import read_portal
from server.brands.reading.tables import Document, Table
from server.paths import Paths


class NotDone(Exception):
    """A command could not do what was asked for; the message says why, and what to do."""


def activate(folder: Path, *, test: bool) -> str:
    """Write a new token into the `portal.toml` of this brand's folder and answer it. Raises `ThemeError`."""
    token = ("test_" if test else "") + secrets.token_urlsafe(18)
    _rewrite(folder / PORTAL_FILE, enabled=True, link=token)
    return token


def deactivate(folder: Path) -> None:
    """Take the link out. Raises `ThemeError`."""
    _rewrite(folder / PORTAL_FILE, enabled=False, link=None)


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
    known = sorted(each.parent.name for each in themes.glob(f"*/{PORTAL_FILE}"))
    if name not in known:
        raise ThemeError([Mistake(themes, 0, "", f"no brand named {name!r}", f"one of {', '.join(known) or '(none)'}")])
    return folder


def brand_named(themes: Path, name: str) -> Brand:
    """Raises `ThemeError`."""
    return load(brand_in(themes, name))


def _rewrite(file: Path, *, enabled: bool, link: str | None) -> None:
    replace_file(file, _edited(file, enabled=enabled, link=link))


def replace_file(file: Path, text: str) -> None:
    """Put this text in the place of a `portal.toml`, at once and only if it can be read. Raises `ThemeError`."""
    file = file.resolve()
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        aside.write_bytes(text.encode())
        _check(aside, file)
        shutil.copymode(file, aside)
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.replace(file)
    except OSError as error:
        found = f"a file that cannot be written ({error.strerror})"
        raise ThemeError([Mistake(file, 0, "", found, "a writable file")]) from None
    finally:
        aside.unlink(missing_ok=True)


def _edited(file: Path, *, enabled: bool, link: str | None) -> str:
    try:
        document = tomlkit.parse(file.read_bytes().decode().removeprefix("\ufeff"))
        page = document.setdefault("login_page", tomlkit.table())
        page["enabled"] = enabled
        if link is not None:
            page["link"] = link
        elif "link" in page:
            del page["link"]
        return tomlkit.dumps(document)
    except (TOMLKitError, UnicodeDecodeError, TypeError, AttributeError) as error:
        found = f"what cannot be edited ({str(error)[:120]})"
        raise ThemeError([Mistake(file, 0, "login_page", found, "TOML 1.0, with [login_page] a table")]) from None


def _check(aside: Path, file: Path) -> None:
    """Raises `ThemeError` where the file, with the link in it, would not be read: nothing is written then."""
    mistakes: list[Mistake] = []
    document = Document(aside, mistakes)
    if document.is_readable:
        document.file = file
        read_portal(Table([(document, document.values)], mistakes))
    if mistakes:
        raise ThemeError([Mistake(file, each.line, each.key, each.found, each.allowed) for each in mistakes])
