"""The brands: `theme.toml` and `portal.toml` of a folder, read strictly, as frozen structs.

    load(folder)  ->  Brand(name, folder, lineage, theme, config)

A brand is a folder with both files. `theme.toml` may extend another theme, key by key; `portal.toml` is never
inherited. A folder with a `theme.toml` alone is a base for others. All mistakes are reported at once, in one
`ThemeError` that names file, line, key, what was found and what is allowed.

    reading/                                               strict tables over TOML, with lines; keys and how to declare them
    writing/                                               one key changed, and nothing else in the text
    theme_file.py, theme_keys.py, words.py, images.py      theme.toml
    styles.py, pictures.py                                 a theme's own rules and pictures
    palette.py, tokens.py                                  colors, and the custom properties that carry them to the style sheet
    portal_file.py, features.py, mail_switches.py          portal.toml
    locales.py                                             languages, of both files
    reference.py                                           every key in words, for themes/README.md

A key is declared once, by the field of a struct. To add one, add the field, and run `python3 build.py reference`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from server.brands.features import Features
from server.brands.palette import PAIRS, TOKENS, Palette
from server.brands.portal_file import PortalConfig, read_portal
from server.brands.reading.declared import fields
from server.brands.reading.mistakes import Mistake, ThemeError, nearest, shown
from server.brands.reading.tables import NOTHING, Document, Overlay, Table
from server.brands.theme_file import NAME, Font, Theme, ThemeFile, read_theme
from server.brands.tokens import tokens_css

__all__ = [
    "PAIRS",
    "RESERVED",
    "TOKENS",
    "Brand",
    "Features",
    "Font",
    "Mistake",
    "Palette",
    "PortalConfig",
    "Theme",
    "ThemeError",
    "examine",
    "folders",
    "inherited",
    "lineage_of",
    "load",
    "load_all",
    "shared_domains",
    "tokens_css",
]

RESERVED = frozenset(
    {"healthz", "readyz", "metrics", "static", "webhooks", "v1", "demo", "gallery", "favicon", "robots"}
)
"""A brand's name is the first part of its URLs; these are taken."""

THEME_FILE, PORTAL_FILE = "theme.toml", "portal.toml"
_DEEPEST = 8
_KEYS = {each.name: each.key for each in fields(ThemeFile)}


class Brand(msgspec.Struct, frozen=True):
    name: str
    """The folder's name."""
    folder: Path
    lineage: tuple[Path, ...]
    """This brand's folder, then those that it extends, nearest first."""
    theme: Theme
    config: PortalConfig
    link_folder: Path | None = None
    """Whose `portal.toml` has the log-in link; None: this folder's. A release does not fix the link."""

    @property
    def base(self) -> str:
        """What its URLs begin with: nothing on its own domain, else `/<name>`."""
        return "" if self.config.site.url else f"/{self.name}"


def load(folder: Path, overlay: Overlay = NOTHING) -> Brand:
    """The brand of one folder; `overlay`: see `examine`. Raises `ThemeError` with everything that is wrong."""
    brand, mistakes = examine(folder, overlay)
    if brand is None:
        raise ThemeError(mistakes)
    return brand


def examine(folder: Path, overlay: Overlay = NOTHING) -> tuple[Brand | None, list[Mistake]]:
    """The brand of one folder, or everything that is wrong. What `overlay` has for a path is read instead of the file
    there, also where there is none: so a draft is seen as it will be, and nothing is written."""
    mistakes: list[Mistake] = []
    _check_name(folder, mistakes)
    _check_other_files(folder, mistakes)
    documents = _lineage(folder, mistakes, overlay)
    # A file that could not be read lacks nothing: what it would have said is not known.
    is_readable = all(each.is_readable for each in documents)
    theme = read_theme(Table([(each, each.values) for each in documents], mistakes)) if is_readable else None
    document = Document(folder / PORTAL_FILE, mistakes, overlay)
    portal = read_portal(Table([(document, document.values)], mistakes)) if document.is_readable else None
    if mistakes or theme is None or portal is None:
        return None, mistakes
    lineage = tuple(each.file.parent for each in documents)
    return Brand(name=folder.name, folder=folder, lineage=lineage, theme=theme, config=portal), mistakes


def inherited(folder: Path) -> dict[str, Any]:
    """What the themes give that this one extends, without what it unsets; of those with mistakes, what can be read."""
    given: dict[str, Any] = {}
    for document in reversed(_lineage(folder, [])[1:]):
        _lay_over(given, {key: each for key, each in document.values.items() if key not in ("extends", "unset")})
    return given


def lineage_of(folder: Path, overlay: Overlay = NOTHING) -> tuple[Path, ...]:
    """The folder, and those of the themes that it extends, nearest first; of a chain with mistakes, what can be read."""
    return tuple(each.file.parent for each in _lineage(folder, [], overlay))


def stamps(folder: Path, overlay: Overlay = NOTHING) -> tuple[tuple[str, int, int, int], ...]:
    """Of every file that the brand is made of, those of the themes that it extends included: others after any change."""
    found = []
    for theme in lineage_of(folder, overlay):
        for file in sorted(theme.rglob("*")):
            with suppress(OSError):  # gone meanwhile
                status = file.lstat()
                found.append((str(file), status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)


def _lay_over(values: dict[str, Any], nearer: dict[str, Any]) -> None:
    for key, each in nearer.items():
        below = values.get(key)
        if isinstance(below, dict) and isinstance(each, dict):
            _lay_over(below, each)
        else:
            values[key] = each


def is_base(folder: Path) -> bool:
    """Whether it is a theme that others extend, and no brand."""
    return (folder / THEME_FILE).exists() and not (folder / PORTAL_FILE).exists()


def check_base(folder: Path) -> None:
    """Raises `ThemeError` with the mistakes of a theme that others extend. It may leave out keys that they give."""
    mistakes: list[Mistake] = []
    _check_name(folder, mistakes)
    _check_other_files(folder, mistakes)
    documents = _lineage(folder, mistakes)
    if all(each.is_readable for each in documents):
        read_theme(Table([(each, each.values) for each in documents], mistakes))
    if found := [each for each in mistakes if each.found != "nothing"]:
        raise ThemeError(found)


def folders(themes: Path) -> list[Path]:
    """The folders of brands and bases. Raises `ThemeError`."""
    try:
        return sorted(each for each in themes.iterdir() if each.is_dir() and each.name[0] not in "._")
    except OSError as error:
        found = f"a folder that cannot be read ({error.strerror})"
        raise ThemeError([Mistake(themes, 0, "", found, "a folder of themes")]) from None


def load_all(folder: Path, instead: Callable[[Path], Brand | None] = lambda _: None) -> tuple[Brand, ...]:
    """Every brand in a folder of themes, by name. Raises `ThemeError` with the mistakes of all. What `instead` answers for a
    brand's folder is taken in its place, whatever the folder holds."""
    brands: list[Brand] = []
    mistakes: list[Mistake] = []
    for each in folders(folder):
        try:
            if is_base(each):
                check_base(each)
            else:
                brands.append(instead(each) or load(each))
        except ThemeError as error:
            mistakes.extend(error.mistakes)
    if not brands and not mistakes:
        allowed = f"at least one folder with {THEME_FILE} and {PORTAL_FILE}"
        mistakes.append(Mistake(folder, 0, "", "no brand", allowed))
    mistakes.extend(shared_domains(brands))
    if mistakes:
        raise ThemeError(mistakes)
    return tuple(brands)


def shared_domains(brands: Iterable[Brand]) -> Iterator[Mistake]:
    """Two brands at one domain, of which only one could be reached."""
    owners: dict[str, Brand] = {}
    for brand in brands:
        url = brand.config.site.url
        owner = owners.setdefault(url, brand)
        if url and owner is not brand:
            file = brand.folder / PORTAL_FILE
            yield Mistake(file, 0, "site.url", f"{url!r}, which {owner.name} has too", "its own domain")


def _check_other_files(folder: Path, mistakes: list[Mistake]) -> None:
    """A misspelt `portal.toml` must not make a brand vanish without a word."""
    for file in sorted(folder.glob("*.toml")):
        if file.name not in (THEME_FILE, PORTAL_FILE):
            allowed = nearest(file.name, (THEME_FILE, PORTAL_FILE))
            mistakes.append(Mistake(file, 0, "", f"a file named {shown(file.name)}", allowed))


def _check_name(folder: Path, mistakes: list[Mistake]) -> None:
    if not re.fullmatch(NAME, folder.name):
        allowed = "a name of 1 to 40 characters from a-z, 0-9 and -"
        mistakes.append(Mistake(folder, 0, "", f"a folder named {shown(folder.name)}", allowed))
    elif folder.name in RESERVED:
        allowed = f"another name; reserved are {', '.join(sorted(RESERVED))}"
        mistakes.append(Mistake(folder, 0, "", f"a folder named {folder.name!r}", allowed))


def _lineage(folder: Path, mistakes: list[Mistake], overlay: Overlay = NOTHING) -> list[Document]:
    """The theme files of a brand and of those it extends, nearest first, each without what one before it unsets."""
    documents = [Document(folder / THEME_FILE, mistakes, overlay)]
    while "extends" in documents[-1].values:
        child = documents[-1]
        here = Table([(child, child.values)], mistakes)
        parent = _KEYS["extends"].read(here, "extends", "")
        if not parent:
            break
        if parent in [each.file.parent.name for each in documents]:
            round_trip = " -> ".join([*(each.file.parent.name for each in documents), parent])
            here.refuse(
                "extends", f"{parent!r}, which goes in a circle ({round_trip})", "a theme that does not extend this one"
            )
            break
        if len(documents) == _DEEPEST:
            here.refuse("extends", f"{parent!r} as the ninth theme in a row", f"at most {_DEEPEST} themes in a row")
            break
        file = folder.parent / parent / THEME_FILE
        if not file.is_file():
            here.refuse("extends", repr(parent), f"a folder beside this one that has a {THEME_FILE}")
            break
        documents.append(Document(file, mistakes, overlay))
    if all(each.is_readable for each in documents):
        _unset(documents, mistakes)
    return documents


def _unset(documents: list[Document], mistakes: list[Mistake]) -> None:
    for number, child in enumerate(documents, start=1):
        here = Table([(child, child.values)], mistakes)
        extended = [each.values for each in documents[number:]]
        given = [path for values in extended for path in _paths(values)]
        for position, path in enumerate(_KEYS["unset"].read(here, "unset", ())):
            if path not in given:
                allowed = f"a key that an extended theme gives: {nearest(path, set(given))}"
                here.refuse("unset", shown(path), allowed, position)
            for values in extended:
                _remove(values, path.split("."))


def _paths(values: dict[str, Any], before: str = "") -> Iterator[str]:
    for key, value in values.items():
        if f"{before}{key}" not in ("extends", "unset"):
            yield f"{before}{key}"
        if isinstance(value, dict):
            yield from _paths(value, f"{before}{key}.")


def _remove(values: dict[str, Any], path: list[str]) -> None:
    for key in path[:-1]:
        below = values.get(key)
        if not isinstance(below, dict):
            return
        values = below
    values.pop(path[-1], None)
