"""What takes long to work out and follows from its inputs alone, kept on disk for the next process.

It lies beside Python's own compiled modules, under the same switches (`PYTHONDONTWRITEBYTECODE`, `PYTHONPYCACHEPREFIX`), in a
folder named after everything that decides what comes out; another version begins another folder and takes the old one away.
The versions of packages count as well: those of all that are installed, since to read one takes longer than to list them.
Where nothing can be written, nothing is kept; nor is anything where the code was changed after the process began, which does
not run it. A file begins with the hash of its key and content, so one that was cut off
when the power went, or that belongs to another key, is as good as none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from time import time_ns

PLACE = Path(importlib.util.cache_from_source(__file__)).parent / "kept"
_HASH = 32
"""Bytes of a hash."""
_BEGAN = time_ns()


def folder(place: Path, deciding: Iterable[Path]) -> Path:
    """The folder in `place` for what follows from these files; made, if that can be."""
    digest = hashlib.sha256(" ".join((sys.version, *_packages())).encode())
    is_other = False
    for path in sorted(deciding):
        is_other |= path.suffix == ".py" and path.stat().st_mtime_ns > _BEGAN
        digest.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    if is_other:
        return place / "no folder"
    found = place / digest.hexdigest()[:16]
    if not sys.dont_write_bytecode and not found.is_dir():
        with suppress(OSError):
            for old in place.glob("*"):
                shutil.rmtree(old, ignore_errors=True)
            found.mkdir(parents=True)
    return found


def _packages() -> list[str]:
    """Name and version of every package, as the names of the folders that say what is installed."""
    found: set[str] = set()
    for each in sys.path:
        with suppress(OSError):
            found.update(os.listdir(each or "."))  # noqa: PTH208 (names alone)
    return sorted(each for each in found if each.endswith((".dist-info", ".egg-info")))


def read(folder: Path, key: str) -> bytes | None:
    """What was kept for this key; None: nothing, or nothing whole."""
    try:
        content = (folder / _name(key)).read_bytes()
    except OSError:
        return None
    return content[_HASH:] if content[:_HASH] == _hash(key, content[_HASH:]) else None


def write(folder: Path, key: str, content: bytes, most: int = 1_000) -> None:
    """Keep this for the key. Where the folder has `most` files already, they are all taken away before."""
    if sys.dont_write_bytecode:
        return
    aside = folder / f".{token_hex(8)}"
    with suppress(OSError):  # the folder cannot be written, or another version has taken it away
        if len(os.listdir(folder)) >= most:  # noqa: PTH208 (only their number)
            for old in folder.iterdir():
                old.unlink(missing_ok=True)
        aside.write_bytes(_hash(key, content) + content)
        aside.replace(folder / _name(key))


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _hash(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + content).digest()
