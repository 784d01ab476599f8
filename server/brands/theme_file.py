"""`theme.toml`: how a brand looks and what it says. The designer's file; `themes/README.md` lists every key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec.structs import replace

from server.brands import images, palette
from server.brands.images import Picture
from server.brands.palette import Palette
from server.brands.reading.declared import Keys, read
from server.brands.reading.keys import Key, ListOf, Number, OneOf, Pattern, Section, Shaped, Text
from server.brands.reading.mistakes import Mistake
from server.brands.reading.tables import Table
from server.brands.words import OwnWords, Words, complete

NAME = r"[a-z0-9-]{1,40}"
"""A folder's name."""
SHAPES = ("rounded", "sharp", "pill")
MODES = ("light", "dark", "auto")
_FAMILY = r"[A-Za-z][A-Za-z0-9 _-]{0,60}"
_GENERIC = frozenset(
    {"serif", "sans-serif", "monospace", "system-ui", "ui-serif", "ui-sans-serif", "ui-monospace", "ui-rounded"}
)

STACKS = {
    "system": "system-ui, sans-serif",
    "humanist": "Seravek, 'Gill Sans Nova', Ubuntu, Calibri, 'DejaVu Sans', source-sans-pro, sans-serif",
    "geometric": "Avenir, Montserrat, Corbel, 'URW Gothic', source-sans-pro, sans-serif",
    "grotesque": "Inter, Roboto, 'Helvetica Neue', 'Arial Nova', 'Nimbus Sans', Arial, sans-serif",
    "industrial": "Bahnschrift, 'DIN Alternate', 'Franklin Gothic Medium', 'Nimbus Sans Narrow', sans-serif-condensed, sans-serif",
    "rounded": "ui-rounded, 'Hiragino Maru Gothic ProN', Quicksand, Comfortaa, Manjari, 'Arial Rounded MT', Calibri, source-sans-pro, sans-serif",
    "serif": "Charter, 'Bitstream Charter', 'Sitka Text', Cambria, serif",
    "old-style": "'Iowan Old Style', 'Palatino Linotype', 'URW Palladio L', P052, serif",
    "slab": "Rockwell, 'Rockwell Nova', 'Roboto Slab', 'DejaVu Serif', 'Sitka Small', serif",
    "mono": "ui-monospace, 'Cascadia Code', 'Source Code Pro', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
}
"""Names for stacks of fonts that devices have, so that a theme has a voice of its own without a byte to load."""


class Color(Pattern, frozen=True):
    pattern: str = r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})"
    shape: str = "a color such as #1f6feb or #fff"

    def accept(self, value: Any) -> str:
        color = super().accept(value).lower()
        return color if len(color) != 4 else "#" + "".join(each * 2 for each in color[1:])


class OwnFile(Text, frozen=True):
    """A file in the folder of the theme that names it; `look` says what it has to be."""

    shape: str = ""

    blank: ClassVar[Any] = Path()

    @property
    def allowed(self) -> str:
        return self.shape

    def read(self, table: Table, name: str, default: Any) -> Any:
        written = super().read(table, name, "")
        if not written:
            return default
        try:
            file, content = images.own_file(table.source(name).file.parent, written)
        except ValueError as error:
            table.refuse(name, str(error), "a file in the folder of this theme")
            return default
        try:
            return self.look(file, content)
        except ValueError as error:
            table.refuse(name, f"{written}: {error}", self.allowed)
            return default

    def look(self, file: Path, content: bytes) -> Any:
        """What the field holds for this file. Raises `ValueError` with what is wrong."""
        raise NotImplementedError


class PictureFile(OwnFile, frozen=True):
    shape: str = (
        "a file of this folder: an SVG (without scripts, links or a DOCTYPE), a PNG or a JPEG, at most 512 KB, bitmaps at "
        "least 128 by 128 pixels"
    )
    blank: ClassVar[Any] = Picture(Path(), images.Image(""))

    def look(self, file: Path, content: bytes) -> Picture:
        image = images.image(content)
        images.check_name(file, image.kind)
        return Picture(file, image)


class FontFile(OwnFile, frozen=True):
    shape: str = "a WOFF2 or WOFF file of this folder, at most 512 KB"

    def look(self, file: Path, content: bytes) -> Path:
        images.check_name(file, images.font(content))
        return file


class Family(Shaped, frozen=True):
    """A stack, or font families; read as a CSS list of families, ready to be written."""

    shape: str = "the name of a stack, or font families separated by commas"

    def accept(self, value: Any) -> str:
        text = super().accept(value)
        return _stack(text) if text else ""


class Weight(Key, frozen=True):
    @property
    def allowed(self) -> str:
        return 'a weight from 1 to 1000, or a range such as "100 900"'

    def accept(self, value: Any) -> str:
        if isinstance(value, bool) or not _is_weight(str(value)):
            raise ValueError(self.allowed)
        return str(value)


class BrandLook(Keys, frozen=True):
    """Colors are `#rrggbb`, as the designer gave them; empty where left out."""

    icon: Annotated[Picture, PictureFile("the picture in the browser's tab", required=True)]
    logo: Annotated[Picture, PictureFile("the logo at the top of every page", required=True)]
    color: Annotated[str, Color("the color that the brand is known by", required=True)]
    accent: Annotated[str, Color("the color of links and of the focus", left_out="`brand.color`")] = ""
    background: Annotated[
        str,
        Color(
            "the color of the page; its OKLCH lightness is at least 85 % (light) or at most 30 % (dark)",
            left_out="a light tint of `brand.color`",
        ),
    ] = ""
    button: Annotated[str, Color("the color of the main button", left_out="`brand.accent`")] = ""


class Font(Keys, frozen=True):
    family: Annotated[
        str,
        Pattern(
            "the family's name, for `body` and `heading`",
            pattern=_FAMILY,
            shape="letters, digits, spaces and dashes",
            required=True,
        ),
    ]
    file: Annotated[Path, FontFile("the font; every visitor loads it", required=True)]
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


class Paths(ListOf, frozen=True):
    """Paths of keys, such as `brand.accent`."""

    shape: str = "the path of a key, such as brand.accent"

    def accept_one(self, value: Any) -> str:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", value):
            return value
        raise ValueError(self.shape)


class ThemeFile(Keys, frozen=True, kw_only=True):
    """What a `theme.toml` says, together with those that it extends."""

    extends: Annotated[
        str,
        Pattern(
            "the theme beside this one that gives every key which is not here; at most eight in a row",
            pattern=NAME,
            shape="the name of a folder beside this one",
        ),
    ] = ""
    unset: Annotated[
        tuple[str, ...],
        Paths("the keys that are not taken from it: they have their defaults, unless this file gives them"),
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
    palette: Palette
    own_words: dict[str, dict[str, str]] = {}
    """What the theme itself says, by the tag of the language; under the empty one what `[words]` says."""


def read_theme(table: Table) -> Theme | None:
    """The theme of the merged layers; None where the mistakes leave nothing to show."""
    mistakes_before = len(table.mistakes)
    file = read(ThemeFile, table)
    fonts = _fonts(table, file.type)
    if len(table.mistakes) > mistakes_before:
        return None
    return Theme(
        brand=file.brand,
        type=replace(file.type, fonts=fonts),
        shape=file.shape.style,
        mode=file.mode.default,
        words=complete(file.words[""], str),
        palette=_palette(table, file),
        own_words=file.words,
    )


def _palette(table: Table, file: ThemeFile) -> Palette:
    look = file.brand
    colors, clashes = palette.derive(look.color, look.accent, look.background, look.button, file.mode.default)
    for clash in clashes:
        _refuse_clash(table, clash)
    return colors


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


def _stack(value: str) -> str:
    if value in STACKS:
        return STACKS[value]
    families = [each.strip().strip("'\"").strip() for each in value.split(",")]
    if not all(re.fullmatch(_FAMILY, each) for each in families):
        raise ValueError(f"one of {', '.join(STACKS)}, or font families separated by commas")
    if families[-1] not in _GENERIC:
        families.append("sans-serif")
    return ", ".join(each if each in _GENERIC else f"'{each}'" for each in families)


def _is_weight(written: str) -> bool:
    weights = written.split(" ")
    if not all(re.fullmatch(r"[1-9]\d{0,3}", each) and int(each) <= 1000 for each in weights):
        return False
    return len(weights) == 1 or (len(weights) == 2 and int(weights[0]) < int(weights[1]))
