"""Folders that are whole or not there: written aside, then renamed into place.

A failure at any point leaves what stood there before and nothing else. A process that is killed may leave a hidden
folder; the next write of the same name clears it away, and puts back what had been moved aside.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

MARK = "_headers"
"""Every build holds this file. A folder without it is somebody else's and is never replaced."""


class NotOurs(Exception):
    """The folder to be replaced was not written by a build."""


def write_folder(folder: Path, files: Mapping[str, bytes], mark: str = MARK) -> None:
    """Make `folder` hold exactly these files, given by their paths in it; `mark` is one of them. A folder that holds them
    already is not touched. Raises `NotOurs` and `OSError`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _recover(folder)
    if folder.is_symlink() or (folder.exists() and not (folder / mark).is_file()):
        raise NotOurs(f"{folder}: was not written by a build; move it away, or choose another folder")
    if _holds(folder, files):
        return
    aside = folder.with_name(f".{folder.name}.new.{token_hex(4)}")
    try:
        for parent in {(aside / name).parent for name in files}:
            parent.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (aside / name).write_bytes(content)
        _swap(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_file(path: Path, content: bytes) -> None:
    """Make `path` hold this, at once, also where the power fails in between; a file that is there keeps its mode. A link
    is replaced, not followed. Raises `OSError`."""
    aside = path.with_name(f".{path.name}.new.{token_hex(4)}")
    try:
        with aside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if path.is_file():
            shutil.copymode(path, aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    if not folder.is_dir():
        return False
    there = [Path(at) / name for at, _, names in os.walk(folder) for name in names]
    if {path.relative_to(folder).as_posix() for path in there} != set(files):
        return False
    return all((folder / name).read_bytes() == content for name, content in files.items())


def _swap(aside: Path, folder: Path) -> None:
    if not folder.exists():
        aside.rename(folder)
        return
    old = folder.with_name(f".{folder.name}.old.{token_hex(4)}")
    folder.rename(old)
    try:
        aside.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old)


def _recover(folder: Path) -> None:
    """Finish or undo what a killed build left."""
    for old in sorted(folder.parent.glob(f".{folder.name}.old.*")):
        if folder.exists():
            shutil.rmtree(old)
        else:
            old.rename(folder)
    for new in folder.parent.glob(f".{folder.name}.new.*"):
        shutil.rmtree(new)
