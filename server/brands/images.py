"""Logo, icon, pictures and fonts: known by what they contain, not by their names, and refused where they could do harm."""

from __future__ import annotations

import base64
import os
import re
import xml.parsers.expat
from pathlib import Path

import msgspec

from server.brands.reading.tables import NOTHING, Overlay

LIMIT = 512 * 1024
LEAST_PIXELS, MOST_PIXELS = 128, 4096
"""The sides of a bitmap. A few bytes can hold a picture that takes a decoder half a gigabyte, so its header is read first."""
_SVG = "http://www.w3.org/2000/svg"
_XHTML = "http://www.w3.org/1999/xhtml"
_ELEMENTS = frozenset(
    {"script", "foreignobject", "iframe", "embed", "object", "audio", "video", "canvas", "handler", "listener"}
)
_RASTER = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/=\s]*)", re.IGNORECASE)


class Image(msgspec.Struct, frozen=True):
    kind: str
    """`svg`, `png` or `jpeg`."""
    width: int = 0
    """Pixels; 0 where an SVG does not say."""
    height: int = 0


class Picture(msgspec.Struct, frozen=True):
    """A picture of a theme: the file, and what the file itself says about it."""

    file: Path
    image: Image


def image(data: bytes) -> Image:
    """Raises `ValueError` with what is wrong."""
    if len(data) > LIMIT:
        raise ValueError(f"a file of {len(data)} bytes")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        found = _png(data)
    elif data.startswith(b"\xff\xd8\xff"):
        found = _jpeg(data)
    else:
        return _svg(data)
    if min(found.width, found.height) < LEAST_PIXELS:
        raise ValueError(f"{found.width} by {found.height} pixels")
    _check_most(found)
    return found


def picture(data: bytes) -> str:
    """The kind of a picture of any size: `svg`, `png`, `jpeg` or `webp`. Raises `ValueError` with what is wrong."""
    if len(data) > LIMIT:
        raise ValueError(f"a file of more than {LIMIT} bytes")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data).kind
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data).kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return _svg(data).kind


def _check_most(found: Image, what: str = "") -> None:
    if max(found.width, found.height) > MOST_PIXELS:
        raise ValueError(f"{what}{found.width} by {found.height} pixels")


def _png(data: bytes) -> Image:
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise ValueError("a PNG without its header")
    return Image("png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _jpeg(data: bytes) -> Image:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return Image(
                "jpeg", int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
            )
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError("a JPEG without a frame header")


def _bitmap(kind: str, text: str) -> Image:
    """A bitmap inside an SVG, by its header: a browser goes by what it is, not by what it is said to be."""
    try:
        data = base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except ValueError:
        raise ValueError("an SVG with a bitmap that is cut off") from None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith((b"GIF87a", b"GIF89a")) and len(data) > 13:
        return Image("gif", int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) > 30:
        return _webp(data)
    raise ValueError(f"an SVG with a bitmap that is no {kind.upper()} inside")


def _webp(data: bytes) -> Image:
    if data[12:16] == b"VP8X":
        sides = [int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27)]
    elif data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        sides = [(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1]
    else:
        sides = [int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28)]
    return Image("webp", *sides)


_SUFFIXES = {
    "svg": (".svg",), "png": (".png",), "jpeg": (".jpg", ".jpeg"), "webp": (".webp",),
    "woff2": (".woff2",), "woff": (".woff",),
}  # fmt: skip


def check_name(file: Path, kind: str) -> None:
    """A published file is served as what its name says, and no browser looks further. Raises `ValueError`."""
    if file.suffix.lower() not in _SUFFIXES[kind]:
        raise ValueError(f"a file that is {kind.upper()} inside; name it {file.stem}{_SUFFIXES[kind][0]}")


class _Drawing:
    """Handlers of one SVG: the first thing that an image must not hold raises `ValueError`."""

    def __init__(self) -> None:
        self.depth = 0
        self.styles: list[str] = []
        self.in_style = 0
        self.size = (0, 0)

    def doctype(self, *_: object) -> None:
        raise ValueError("an SVG with a DOCTYPE")

    def instruction(self, target: str, _: str) -> None:
        raise ValueError(f"an SVG with a processing instruction <?{target[:20]}")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        local = local.lower()
        if not self.depth and (space != _SVG or local != "svg"):
            raise ValueError(f"a file whose root is <{local[:20]}>, not <svg> of {_SVG}")
        if local in _ELEMENTS or space == _XHTML:
            raise ValueError(f"an SVG with <{local}>")
        if not self.depth:
            self.size = _size(attributes)
        self.depth += 1
        self.in_style += local == "style"
        for key, value in attributes.items():
            _check_attribute(local, key.rpartition(" ")[2].lower(), value)

    def end(self, name: str) -> None:
        self.in_style -= name.rpartition(" ")[2].lower() == "style"

    def text(self, text: str) -> None:
        # Kept and read as one: a browser puts together what elements and comments cut apart.
        if self.in_style:
            self.styles.append(text)


def _check_attribute(element: str, key: str, value: str) -> None:
    plain = re.sub(r"[\x00-\x20]", "", value).lower()
    if key.startswith("on"):
        raise ValueError(f"an SVG with the handler {key[:20]}")
    if "javascript:" in plain or "vbscript:" in plain:
        raise ValueError(f"an SVG with a script in {key[:20]}")
    if key == "base":
        raise ValueError("an SVG with xml:base")
    if key in ("href", "src") and not plain.startswith("#"):
        raster = _RASTER.fullmatch(value.strip())
        if not raster:
            raise ValueError(f"an SVG that points outside itself with {key}")
        _check_most(_bitmap(raster[1].lower(), raster[2]), "an SVG with a bitmap of ")
    if key == "attributename" and (plain.startswith("on") or plain.endswith("href")):
        raise ValueError(f"an SVG whose <{element}> changes {plain[:20]}")
    if key != "d":
        _check_style(value)


def _check_style(text: str) -> None:
    plain = re.sub(r"\s", "", text).lower()
    if "@import" in plain or re.search(
        r"url\(['\"]?(?!#)", plain.replace("url('#", "url(#").replace('url("#', "url(#")
    ):
        raise ValueError("an SVG that loads something by its styles")
    if "\\" in plain or "expression(" in plain:
        raise ValueError("an SVG with an escape or expression in its styles")


def _size(attributes: dict[str, str]) -> tuple[int, int]:
    lengths = [re.fullmatch(r"\s*(\d{1,5})(\.\d+)?(px)?\s*", attributes.get(key, "")) for key in ("width", "height")]
    if all(lengths):
        return int(lengths[0][1]), int(lengths[1][1])  # type: ignore[index]
    box = re.split(r"[\s,]+", attributes.get("viewBox", "").strip())
    if len(box) == 4 and all(re.fullmatch(r"\d{1,5}(\.\d+)?", each) for each in box[2:]):
        return round(float(box[2])), round(float(box[3]))
    return 0, 0


def _svg(data: bytes) -> Image:
    drawing = _Drawing()
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = drawing.doctype
    parser.ProcessingInstructionHandler = drawing.instruction
    parser.StartElementHandler = drawing.start
    parser.EndElementHandler = drawing.end
    parser.CharacterDataHandler = drawing.text
    try:
        parser.Parse(data, True)
    except xml.parsers.expat.ExpatError as error:
        raise ValueError(f"neither PNG nor JPEG nor a well-formed SVG ({error})") from None
    _check_style("".join(drawing.styles))
    return Image("svg", *drawing.size)


def font(data: bytes) -> str:
    """`woff2` or `woff`. Raises `ValueError` with what is wrong."""
    if len(data) > LIMIT:
        raise ValueError(f"a file of {len(data)} bytes")
    kind = {b"wOF2": "woff2", b"wOFF": "woff"}.get(data[:4])
    if kind is None:
        raise ValueError("neither WOFF2 nor WOFF")
    if len(data) < 44 or int.from_bytes(data[8:12], "big") != len(data):
        raise ValueError(f"a {kind} file that is cut off or padded")
    return kind


def _has_link(folder: Path, name: str) -> bool:
    """Whether a link is on the way from the folder to the file. To look is much faster than to resolve both."""
    path = str(folder)
    for each in name.split("/"):
        path = f"{path}/{each}"
        if os.path.islink(path):  # noqa: PTH114 (the path is a text)
            return True
    return False


def own_file(folder: Path, name: str, overlay: Overlay = NOTHING) -> tuple[Path, bytes]:
    """A file of a theme's folder and what is in it, at most one byte more than `LIMIT`. Raises `ValueError`."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", name) or ".." in Path(name).parts:
        raise ValueError(
            f"the name {name[:80]!r} (a name has letters, digits, . _ - and / before what is in a subfolder)"
        )
    file = folder / name
    if file in overlay:
        return file, overlay[file]
    try:
        if _has_link(folder, name) and not file.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{name!r}, which is a link out of the folder")
        if not file.is_file():
            raise ValueError(f"{name!r}, and there is no such file")
        with file.open("rb") as stream:
            return file, stream.read(LIMIT + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, in Python 3.11
        reason = getattr(error, "strerror", None) or "a circle of links"
        raise ValueError(f"{name[:80]!r}, which cannot be read ({reason})") from None
