"""The kinds of values that only `theme.toml` has: colors, own files, font families, weights, paths of keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from server.brands import images
from server.brands.images import Picture
from server.brands.reading.keys import Key, ListOf, Pattern, Shaped, Text
from server.brands.reading.tables import Table

FAMILY = r"[A-Za-z][A-Za-z0-9 _-]{0,60}"
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
"""Names for stacks of fonts that devices have, so that a theme can have a character without a byte to load."""


class Color(Pattern, frozen=True):
    pattern: str = r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})"
    shape: str = "a color such as #1f6feb or #fff"
    example: str = "#2456c9"

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
            source = table.source(name)
            file, content = images.own_file(source.file.parent, written, source.overlay)
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


NO_PICTURE = Picture(Path(), images.Image(""))


class PictureFile(OwnFile, frozen=True):
    shape: str = (
        "a file of this folder: an SVG (without scripts, links or a DOCTYPE), a PNG or a JPEG, at most 512 KB, bitmaps from "
        "128 by 128 to 4096 by 4096 pixels"
    )
    blank: ClassVar[Any] = NO_PICTURE

    def look(self, file: Path, content: bytes) -> Picture:
        image = images.image(content)
        images.check_name(file, image.kind)
        return Picture(file, image)


class FontFile(OwnFile, frozen=True):
    shape: str = "a WOFF2 or WOFF file of this folder, at most 512 KB"

    def look(self, file: Path, content: bytes) -> Path:
        images.check_name(file, images.font(content))
        return file


class StylesFile(OwnFile, frozen=True):
    """`styles.py` reads what is in it."""

    shape: str = "a style sheet of this folder, at most 16 KB without comments"

    def look(self, file: Path, content: bytes) -> Path:
        if file.suffix.lower() != ".css":
            raise ValueError("a file that is no .css by its name")
        if len(content) > images.LIMIT:
            raise ValueError(f"a file of more than {images.LIMIT} bytes")
        return file


class Family(Shaped, frozen=True):
    """A stack, or font families; read as a CSS list of families, ready to be written."""

    shape: str = "the name of a stack, or font families separated by commas"
    example: str = "system"

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


class Paths(ListOf, frozen=True):
    """Paths of keys, such as `brand.accent`."""

    shape: str = "the path of a key, such as brand.accent"

    def accept_one(self, value: Any) -> str:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", value):
            return value
        raise ValueError(self.shape)


def _stack(value: str) -> str:
    if value in STACKS:
        return STACKS[value]
    families = [each.strip().strip("'\"").strip() for each in value.split(",")]
    if not all(re.fullmatch(FAMILY, each) for each in families):
        raise ValueError(f"one of {', '.join(STACKS)}, or font families separated by commas")
    if families[-1] not in _GENERIC:
        families.append("sans-serif")
    return ", ".join(each if each in _GENERIC else f"'{each}'" for each in families)


def _is_weight(written: str) -> bool:
    weights = written.split(" ")
    if not all(re.fullmatch(r"[1-9]\d{0,3}", each) and int(each) <= 1000 for each in weights):
        return False
    return len(weights) == 1 or (len(weights) == 2 and int(weights[0]) < int(weights[1]))
