"""Templates as compiled Python, kept in memory for all brands and on disk for the next process.

Compiling the templates of one locale takes over a second and reading them a few milliseconds, so a server, a build or a
test that starts would mostly do again what another one has done. `server.brands.disk_cache` says where they lie; the words are
kept there too, as reading a catalog takes 35 ms.
"""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket

from server.brands import disk_cache

SITE = Path(__file__).parents[2] / "site"
FOLDER = disk_cache.PLACE / "templates"
_DECIDING = (Path(__file__).parent, Path(__file__).parents[1] / "formats", SITE / "locales")
"""The compiler, the filters that it works out where they stand on a constant, and the words."""
_NOT_OURS = "brand_"


@cache
def compiled(kind: str) -> jinja2.BytecodeCache:
    """`kind` is the locale, or the studio, and the compiler: the same template is other code in each."""
    return _Compiled(kind)


class _Compiled(jinja2.FileSystemBytecodeCache):
    """Brands share whatever they do not override. Only the site's own templates go to the disk: they are so many and no more."""

    def __init__(self, kind: str) -> None:
        super().__init__(str(folder()), f"%s.{kind}")
        self._kept: dict[tuple[str, str], Any] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        is_ours = filename is not None and Path(filename).is_relative_to(SITE)
        return super().get_cache_key(name, filename) if is_ours else _NOT_OURS + super().get_cache_key(name, filename)

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))
        if bucket.code is None and not bucket.key.startswith(_NOT_OURS):
            with suppress(OSError, EOFError, pickle.UnpicklingError):  # cut off when the power went: compiled again
                super().load_bytecode(bucket)
            if bucket.code:
                self._kept[bucket.key, bucket.checksum] = bucket.code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code
        if not bucket.key.startswith(_NOT_OURS) and not sys.dont_write_bytecode:
            with suppress(OSError):  # the folder cannot be written, or another version has taken it away
                super().dump_bytecode(bucket)


@cache
def folder() -> Path:
    """Where templates and words are kept."""
    files = (file for each in _DECIDING for file in each.rglob("*.p[yo]"))
    return disk_cache.folder(FOLDER, files)
