"""`theme.toml`: how a brand looks and what it says. The designer's file; `themes/README.md` lists every key."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from server.brands import images, palette
from server.brands.palette import Palette
from server.brands.reading.mistakes import shown
from server.brands.reading.tables import Table
from server.brands.words import complete, read_words

SHAPES = ("rounded", "sharp", "pill")
MODES = ("light", "dark", "auto")
_HEX = r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})"

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


class BrandLook(msgspec.Struct, frozen=True):
    icon: Path
    logo: Path
    icon_image: images.Image
    logo_image: images.Image
    """Kind and size, as the file itself says."""
    color: str
    """`#rrggbb`, as the designer gave it; so are the other three, which are empty where left out."""
    accent: str
    background: str
    button: str


class Font(msgspec.Struct, frozen=True):
    family: str
    file: Path
    kind: str
    """`woff2` or `woff`."""
    weight: str
    """`400`, or a range such as `100 900` for a variable font."""
    style: str
    """`normal` or `italic`."""


class Type(msgspec.Struct, frozen=True):
    body: str
    """A CSS list of families, ready to be written."""
    heading: str
    fonts: tuple[Font, ...]
    scale: float
    """How much larger one level of heading is than the next."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The font files, each once."""
        return tuple(dict.fromkeys(each.file for each in self.fonts))


class Theme(msgspec.Struct, frozen=True):
    brand: BrandLook
    type: Type
    shape: str
    mode: str
    words: dict[str, str]
    """Every text, in the brand's first language; the renderer puts those of a page's language here."""
    palette: Palette
    own_words: dict[str, dict[str, str]] = {}
    """What the theme itself says, by the tag of the language; under the empty one what stands in `[words]`."""


def read_theme(table: Table) -> Theme | None:
    """The theme of the merged layers; None where the mistakes leave nothing to show."""
    table.get("extends")
    mistakes_before = len(table.mistakes)
    brand_table = table.table("brand")
    brand = _read_brand(brand_table)
    mode = _one_key(table, "mode", "default", MODES, "auto")
    theme_type = _read_type(table.table("type"))
    shape = _one_key(table, "shape", "style", SHAPES, "rounded")
    own = read_words(table.table("words"))
    table.close()
    if brand is None or len(table.mistakes) > mistakes_before:
        return None
    colors = _palette(brand_table, brand, mode)
    words = complete(own[""], str)
    return Theme(brand, theme_type, shape, mode, words, colors, own)


def _one_key(table: Table, name: str, key: str, allowed: tuple[str, ...], default: str) -> str:
    below = table.table(name)
    value = below.word(key, allowed, default)
    below.close()
    return value


def _palette(table: Table, brand: BrandLook, mode: str) -> Palette:
    colors, clashes = palette.derive(brand.color, brand.accent, brand.background, brand.button, mode)
    for clash in clashes:
        table.refuse(clash.key, clash.problem, f"{clash.allowed}; the nearest color that passes is {clash.nearest}")
    return colors


def _read_brand(table: Table) -> BrandLook | None:
    colors = {key: _color(table, key) for key in ("color", "accent", "background", "button")}
    if "color" not in table:
        table.missing("color", "a color such as #1f6feb: it is required")
    icon, logo = _image(table, "icon"), _image(table, "logo")
    table.close()
    if icon is None or logo is None or not colors["color"]:
        return None
    return BrandLook(icon=icon[0], logo=logo[0], icon_image=icon[1], logo_image=logo[1], **colors)


def _color(table: Table, key: str) -> str:
    value = table.pattern(key, _HEX, "a color such as #1f6feb or #fff").lower()
    return value if len(value) != 4 else "#" + "".join(each * 2 for each in value[1:])


def _image(table: Table, key: str) -> tuple[Path, images.Image] | None:
    name = table.text(key, required=True)
    if not name:
        return None
    try:
        file, content = images.own_file(table.source(key).file.parent, name)
    except ValueError as error:
        table.refuse(key, str(error), "a file in the folder of this theme")
        return None
    try:
        image = images.image(content)
        images.check_name(file, image.kind)
        return file, image
    except ValueError as error:
        allowed = "an SVG without scripts, a PNG or a JPEG, at most 512 KB, bitmaps at least 128 by 128 pixels"
        table.refuse(key, f"{name}: {error}", allowed)
        return None


def _read_type(table: Table) -> Type:
    body = table.checked("body", _stack, STACKS["system"])
    heading = table.checked("heading", _stack, body)
    scale = table.number("scale", 1.0, 1.5, 1.2)
    fonts = _read_fonts(table, f"{body}, {heading}")
    table.close()
    return Type(body=body, heading=heading, fonts=fonts, scale=scale)


def _read_fonts(table: Table, used: str) -> tuple[Font, ...]:
    """The theme's own fonts, and of those it inherits the ones in use that it does not replace."""
    fonts: dict[tuple[str, str, str], Font] = {}
    names: dict[str, Path] = {}
    for each in table.tables("font"):
        font = _font(each)
        is_own = each.layers[0][0] is table.layers[0][0]
        if font is None or not (is_own or f"'{font.family}'" in used):
            continue
        face = (font.family, font.weight, font.style)
        if face in fonts:
            if is_own:
                each.refuse("family", f"{font.family!r} twice with the same weight and style", "each face once")
            continue
        if names.setdefault(font.file.name, font.file) != font.file:
            each.refuse("file", f"{font.file.name!r}, a name that {names[font.file.name]} has too", "another file name")
        fonts[face] = font
    return tuple(fonts.values())


def _stack(value: str) -> str:
    if value in STACKS:
        return STACKS[value]
    families = [each.strip().strip("'\"").strip() for each in value.split(",")]
    if not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9 _-]{0,60}", each) for each in families):
        raise ValueError(f"one of {', '.join(STACKS)}, or font families separated by commas")
    generic = {
        "serif",
        "sans-serif",
        "monospace",
        "system-ui",
        "ui-serif",
        "ui-sans-serif",
        "ui-monospace",
        "ui-rounded",
    }
    if families[-1] not in generic:
        families.append("sans-serif")
    return ", ".join(each if each in generic else f"'{each}'" for each in families)


def _is_weight(written: str) -> bool:
    weights = written.split(" ")
    if not all(re.fullmatch(r"[1-9]\d{0,3}", each) and int(each) <= 1000 for each in weights):
        return False
    return len(weights) == 1 or (len(weights) == 2 and int(weights[0]) < int(weights[1]))


def _font(table: Table) -> Font | None:
    family = table.pattern("family", r"[A-Za-z][A-Za-z0-9 _-]{0,60}", "letters, digits, spaces and dashes")
    name = table.text("file", required=True)
    weight = table.get("weight")
    style = table.word("style", ("normal", "italic"), "normal")
    table.close()
    if "family" not in table:
        table.missing("family", "the name of the font family: it is required")
    written = "400" if weight is None else str(weight)
    if isinstance(weight, bool) or not _is_weight(written):
        table.refuse("weight", shown(weight), 'a weight from 1 to 1000, or a range such as "100 900"')
    if not family or not name:
        return None
    try:
        file, content = images.own_file(table.source("file").file.parent, name)
        kind = images.font(content)
        images.check_name(file, kind)
        return Font(family=family, file=file, kind=kind, weight=written, style=style)
    except ValueError as error:
        table.refuse("file", f"{name}: {error}", "a WOFF2 or WOFF file in the folder of this theme, at most 512 KB")
        return None
