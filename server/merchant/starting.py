"""`build.py new`: a brand to go on from, with a `theme.toml`, a `portal.toml`, a link for test data, and its logo."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from msgspec.structs import replace

from server.brands import PORTAL_FILE, THEME_FILE, Brand, Mistake, ThemeError, load
from server.brands.reference import start
from server.brands.writing.editing import edited
from server.brands.writing.values import written_value
from server.merchant import link


def begin(
    themes: Path,
    name: str,
    *,
    called: str = "",
    color: str = "",
    logo: Path | None = None,
    uploaded: tuple[str, bytes] | None = None,
    is_active: bool = True,
) -> Brand:
    """Make the brand, or nothing at all. `called` is the business's name; what is left out is as in the theme `plain`.
    Its logo is a file, or `uploaded`: the name it gets in the folder, and its bytes. `is_active`: whether its link for test
    data is active at once. Raises `ThemeError`."""
    folder = themes / name
    if folder.parent != themes or Path(name).name != name:
        raise ThemeError([Mistake(folder, 0, "", f"the name {name!r}", "1 to 40 characters from a-z, 0-9 and -")])
    if folder.exists():
        raise ThemeError([Mistake(folder, 0, "", "a folder that is there already", "the name of a new brand")])
    if logo and not logo.is_file():
        raise ThemeError([Mistake(logo, 0, "", "no such file", "an SVG, a PNG or a JPEG")])
    picture = uploaded[0] if uploaded else f"logo{logo.suffix.lower()}" if logo else ""
    aside = themes / f".new-{secrets.token_hex(4)}"
    aside.mkdir()
    try:
        (aside / THEME_FILE).write_text(_theme(color, picture), "utf-8")
        (aside / PORTAL_FILE).write_text(_portal(called or name.replace("-", " ").title()), "utf-8")
        if logo:
            shutil.copyfile(logo, aside / picture)
        elif uploaded:
            (aside / picture).write_bytes(uploaded[1])
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    try:
        if is_active:
            link.activate(folder, test=True)
        return load(folder)
    except ThemeError as error:
        shutil.rmtree(folder)
        raise ThemeError(_as_given(each, logo) for each in error.mistakes) from None
    except BaseException:
        shutil.rmtree(folder)
        raise


def _as_given(mistake: Mistake, logo: Path | None) -> Mistake:
    """About what was given: the files that the mistake names are gone again."""
    key = "brand.logo" if mistake.key == "brand.icon" else mistake.key
    given = {"brand.logo": logo, "brand.color": Path("--color"), "business.name": Path("--called")}.get(key)
    allowed = mistake.allowed.removeprefix("a file of this folder: ")
    return replace(mistake, file=given, line=0, key=key, allowed=allowed) if given else mistake


def _theme(color: str, picture: str) -> str:
    """The theme to start from, with these in their lines; what is empty stays as it is there."""
    given = {"color": color, "logo": picture, "icon": picture}
    lines = []
    for line in start().splitlines(keepends=True):
        key = line.lstrip("#").partition(" = ")[0]
        lines.append(f"{key} = {written_value(given[key])}\n" if given.get(key) else line)
    return "".join(lines)


def _portal(called: str) -> str:
    head = "# What this brand's customers may do. Every key, with its values: themes/README.md.\n"
    return edited(head, {"business.name": called})
