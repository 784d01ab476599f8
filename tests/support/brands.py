"""Brands in a temporary folder: whole and right, until a test changes what it is about."""

import struct
import zlib
from pathlib import Path

from server import brands

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40v20z"/></svg>'
THEME = """\
[brand]
icon = "icon.svg"
logo = "logo.svg"
color = "#33415c"
"""
PORTAL = """\
[business]
name = "Harbour"
"""


def write_brand(
    themes_folder: Path, name: str = "harbour", *, theme: str = THEME, portal: str | None = PORTAL, **files: bytes
) -> Path:
    """A folder that loads. `files` are named with `__` for the dot: `logo__png=…`."""
    folder = themes_folder / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "theme.toml").write_text(theme, "utf-8")
    if portal is not None:
        (folder / "portal.toml").write_text(portal, "utf-8")
    for key, content in {"icon__svg": SVG, "logo__svg": SVG, **files}.items():
        (folder / key.replace("__", ".")).write_bytes(content)
    return folder


def mistakes(folder: Path) -> list[brands.Mistake]:
    """What `load` has to say; empty when the brand is right."""
    try:
        brands.load(folder)
    except brands.ThemeError as error:
        return list(error.mistakes) or [brands.Mistake(folder, 0, "", "an error that explains nothing", "mistakes")]
    return []


def the_mistake(folder: Path) -> brands.Mistake:
    found = mistakes(folder)
    assert len(found) == 1, found
    return found[0]


def png(width: int, height: int) -> bytes:
    """A whole black PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\0" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, *, segments: bytes = b"\xff\xe0\x00\x04JF") -> bytes:
    """The beginning of a JPEG, as far as its size."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + segments + frame + b"\xff\xd9"


def woff2(size: int = 64, *, magic: bytes = b"wOF2") -> bytes:
    """A font by its header; nothing of ours reads further."""
    return magic + b"\0\1\0\0" + struct.pack(">I", size) + b"\0" * (size - 12)
