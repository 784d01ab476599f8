"""`theme.toml`: how a brand looks and what it says. The designer's file; `themes/README.md` lists every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec.structs import replace

from server.brands import palette, pictures, styles
from server.brands.images import Picture
from server.brands.palette import Palette
from server.brands.reading.declared import Keys, read
from server.brands.reading.keys import Number, OneOf, Pattern, Section
from server.brands.reading.mistakes import Mistake
from server.brands.reading.tables import NOTHING, Overlay, Table, content_of
from server.brands.theme_keys import (
    FAMILY,
    NO_PICTURE,
    STACKS,
    Color,
    Family,
    FontFile,
    Paths,
    PictureFile,
    StylesFile,
    Weight,
)
from server.brands.words import OwnWords, Words, complete

NAME = r"[a-z0-9-]{1,40}"
"""A folder's name."""
SHAPES = ("rounded", "sharp", "pill")
MODES = ("light", "dark", "auto")


class BrandLook(Keys, frozen=True):
    """Colors are `#rrggbb`, as the designer gave them; empty where left out."""

    icon: Annotated[Picture, PictureFile("the picture in the browser's tab", required=True, example="icon.svg")]
    logo: Annotated[Picture, PictureFile("the logo at the top of every page", required=True, example="logo.svg")]
    color: Annotated[str, Color("the color that the brand is known by", required=True)]
    accent: Annotated[str, Color("the color of links and of the focus", left_out="`brand.color`")] = ""
    background: Annotated[
        str,
        Color(
            "the color of the page; its OKLCH lightness is at least 85 % (light) or at most 30 % (dark)",
            example="#ffffff",
            left_out="a light tint of `brand.color`",
        ),
    ] = ""
    button: Annotated[str, Color("the color of the main button", left_out="`brand.accent`")] = ""
    dark_logo: Annotated[
        Picture, PictureFile("the logo on dark pages", example="dark-logo.svg", left_out="`brand.logo`")
    ] = NO_PICTURE
    styles: Annotated[
        Path, StylesFile("your own rules, after the portal's own in every page", example="styles.css", left_out="none")
    ] = Path()


class Font(Keys, frozen=True):
    family: Annotated[
        str,
        Pattern(
            "the family's name, for `body` and `heading`",
            pattern=FAMILY,
            shape="letters, digits, spaces and dashes",
            required=True,
            example="My Font",
        ),
    ]
    file: Annotated[Path, FontFile("the font; every visitor loads it", required=True, example="my-font.woff2")]
    weight: Annotated[str, Weight("its weight; a variable font has a range")] = "400"
    """`400`, or a range such as `100 900` for a variable font."""
    style: Annotated[str, OneOf("upright or slanted", among=("normal", "italic"))] = "normal"

    @property
    def kind(self) -> str:
        """`woff2` or `woff`: the file was refused if its name did not say so."""
        return self.file.suffix.lower().removeprefix(".")


class Type(Keys, frozen=True):
    body: Annotated[str, Family("the font of all text", left_out="`system`")] = STACKS["system"]
    """A CSS list of families, ready to be written; so is `heading`."""
    heading: Annotated[str, Family("the font of headings", like="body")] = STACKS["system"]
    scale: Annotated[float, Number("how much larger one level of heading is than the next", bounds=(1, 1.5))] = 1.2
    fonts: Annotated[tuple[Font, ...], Section("the theme's own fonts")] = msgspec.field(name="font", default=())

    @property
    def files(self) -> tuple[Path, ...]:
        """The font files, each once."""
        return tuple(dict.fromkeys(each.file for each in self.fonts))


class Shape(Keys, frozen=True):
    style: Annotated[str, OneOf("the corners of cards, fields and buttons", among=SHAPES)] = "rounded"


class Mode(Keys, frozen=True):
    default: Annotated[str, OneOf("light or dark; `auto` is what the browser prefers", among=MODES)] = "auto"


class ThemeFile(Keys, frozen=True, kw_only=True):
    """What a `theme.toml` says, together with those that it extends."""

    extends: Annotated[
        str,
        Pattern(
            "the theme beside this one that gives every key which this file leaves out; at most eight themes in a row",
            pattern=NAME,
            shape="the name of a folder beside this one",
        ),
    ] = ""
    unset: Annotated[
        tuple[str, ...],
        Paths("the keys that are not taken from that theme: they have their defaults, unless this file gives them"),
    ] = ()
    brand: BrandLook
    type: Type = Type()
    shape: Shape = Shape()
    mode: Mode = Mode()
    words: Annotated[dict[str, dict[str, str]], OwnWords("the texts of the pages", of=Words)] = msgspec.field(
        default_factory=dict
    )


class Theme(msgspec.Struct, frozen=True):
    """A theme as pages, mails and documents use it."""

    brand: BrandLook
    type: Type
    shape: str
    mode: str
    words: dict[str, str]
    """Every text, in the brand's first language; the renderer puts those of a page's language here."""
    unwritten: Overlay = NOTHING
    """Files that are seen as this although they are not written: those of a draft."""
    own_words: dict[str, dict[str, str]] = {}
    """What the theme itself says, by the tag of the language; under the empty one what `[words]` says."""
    pictures: dict[str, Path] = {}
    """The files of `pictures/` by their names, such as `pictures/hero.jpg`."""
    styles: str = ""
    """The theme's own rules; each `url()` in them names a picture."""

    @property
    def palette(self) -> Palette:
        """Derived when it is first asked for: it takes longer than reading all the rest, and a server has many brands."""
        look = self.brand
        return palette.palette_of(look.color, look.accent, look.background, look.button, self.mode)

    def content(self, file: Path) -> bytes:
        """What is in a picture or font of the theme. Raises `OSError`."""
        return content_of(file, self.unwritten)


def read_theme(table: Table) -> Theme | None:
    """The theme of the merged layers; None where the mistakes leave nothing to show."""
    mistakes_before = len(table.mistakes)
    file = read(ThemeFile, table)
    fonts = _fonts(table, file.type)
    shown = pictures.read([document.file.parent for document, _ in table.layers], table.mistakes)
    unwritten = table.layers[0][0].overlay
    sheet = file.brand.styles
    rules = styles.read(sheet, content_of(sheet, unwritten), shown, table.mistakes) if sheet.name else ""
    if len(table.mistakes) > mistakes_before:
        return None
    for clash in palette.clashes_of(file.brand.accent, file.brand.background, file.mode.default):
        _refuse_clash(table, clash)
    return Theme(
        brand=_own_dark_logo(table, file.brand),
        type=replace(file.type, fonts=fonts),
        shape=file.shape.style,
        mode=file.mode.default,
        words=complete(file.words[""], str),
        own_words=file.words,
        unwritten=unwritten,
        pictures=shown,
        styles=rules,
    )


def _own_dark_logo(table: Table, look: BrandLook) -> BrandLook:
    """A theme with a logo of its own does not show the dark one of the theme that it extends."""
    extended = [document for document, _ in table.layers]
    brand = table.table("brand")
    is_older = extended.index(brand.source("dark_logo")) > extended.index(brand.source("logo"))
    return replace(look, dark_logo=NO_PICTURE) if is_older else look


_CAUSES = (("brand", "accent"), ("brand", "background"), ("mode", "default"))
"""What two colors that cannot be read on each other come from."""


def _refuse_clash(table: Table, clash: palette.Clash) -> None:
    """Names the color in the file that brought the two together, even if that file inherits the color."""
    allowed = f"{clash.allowed}; the nearest color that passes is {clash.nearest}"
    document, cause = next(
        (document, cause)
        for document, values in table.layers
        for cause in _CAUSES
        if cause[1] in values.get(cause[0], {})
    )
    brand = table.table("brand")
    if brand.source(clash.key) is document:
        brand.refuse(clash.key, clash.problem, allowed)
        return
    found = f"{clash.problem}; it is inherited from {brand.source(clash.key).file.parent.name}"
    mistake = Mistake(document.file, document.line(cause), f"brand.{clash.key}", found, f"in this file, {allowed}")
    table.mistakes.append(mistake)


def _fonts(table: Table, given: Type) -> tuple[Font, ...]:
    """The theme's own fonts, and of those it inherits the ones in use that it does not replace."""
    folder = table.layers[0][0].file.parent
    fonts: dict[tuple[str, str, str], Font] = {}
    names: dict[str, Path] = {}
    below = table.table("type")
    for position, font in enumerate(given.fonts):
        is_own = font.file.is_relative_to(folder)
        if not font.file.name or not (is_own or f"'{font.family}'" in f"{given.body}, {given.heading}"):
            continue
        face = (font.family, font.weight, font.style)
        if face in fonts:
            if is_own:
                found = f"{font.family!r} twice with the same weight and style"
                below.refuse("font", found, "each face once", position, "family")
            continue
        other = names.setdefault(font.file.name, font.file)
        if other != font.file:
            at = next(i for i, each in enumerate(given.fonts) if each.file == other)
            below.refuse("font", f"{other.name!r}, a name that {font.file} has too", "another file name", at, "file")
        fonts[face] = font
    return tuple(fonts.values())
