"""The one way by which `theme.toml` and `portal.toml` of a brand are written: by `link`, `config import` and the studio.

    files  = read(folder)                      the bytes of both files
    edits  = proposed(folder, files, changes)  what they would hold; `differences(edits)` is what a person reads
    checked(folder, edits)                     what the strict reader would say
    write(folder, edits)                       compares, checks and replaces, while it holds the folder's lock

A write is refused (`ChangedMeanwhile`) where a file is not what it was when the change was worked out. Each file is replaced
at once: a reader sees the old one or the new one. Of two files, the one that was not replaced yet is found unchanged, and
the same change again finishes it. On several hosts that share the folder, the comparison still holds; the lock does not.
"""

from __future__ import annotations

import difflib
import fcntl
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from server.brands import PORTAL_FILE, THEME_FILE, Mistake, ThemeError, examine
from server.brands.reading.declared import fields
from server.brands.reading.mistakes import shown
from server.brands.reading.parsing import loads
from server.brands.reading.tables import FILE_LIMIT
from server.brands.reference import FILES
from server.brands.writing.editing import NotEdited, edited
from server.brands.writing.values import meaning
from server.publishing.atomic_files import write_file

_BOM = "\ufeff"
_TABLES = {name: tuple(each.written for each in fields(kind)) for name, kind in FILES.items()}
"""The keys of the first level of each file, in their order."""


class ChangedMeanwhile(Exception):
    """Somebody wrote these files after the change was worked out; nothing was written."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(f"{', '.join(names)}: changed meanwhile")


class Edit(msgspec.Struct, frozen=True):
    """One file, as it is and as it would be."""

    before: bytes
    after: bytes


def file_of(path: str) -> str:
    """Which of the two files has the key at this path."""
    return THEME_FILE if path.partition(".")[0] in _TABLES[THEME_FILE] else PORTAL_FILE


def read(folder: Path, *, follow_links: bool = False) -> dict[str, bytes]:
    """The bytes of both files, by name. Raises `ThemeError` where one cannot be read, or is a link and may not be."""
    if folder.is_symlink() and not follow_links:
        raise ThemeError([Mistake(folder, 0, "", "a link to a folder", "a folder of its own")])
    return {name: _read(folder / name, follow_links=follow_links) for name in (THEME_FILE, PORTAL_FILE)}


def _read(file: Path, *, follow_links: bool) -> bytes:
    try:
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW))
        with os.fdopen(opened, "rb") as stream:
            content = stream.read(FILE_LIMIT + 1)
    except OSError as error:
        found = "a link" if file.is_symlink() else f"a file that cannot be read ({error.strerror})"
        raise ThemeError([Mistake(file, 0, "", found, "a readable TOML file of the folder")]) from None
    if len(content) > FILE_LIMIT:
        raise ThemeError([Mistake(file, 0, "", f"more than {FILE_LIMIT} bytes", f"at most {FILE_LIMIT} bytes")])
    return content


def held(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The values of both files together: no key of the first level is in both. A file that is no TOML holds nothing."""
    values: dict[str, Any] = {}
    for content in files.values():
        try:
            values |= loads(content.decode().removeprefix(_BOM))
        except (ValueError, RecursionError):
            continue
    return values


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that differ, as `proposed` takes them: by their paths, with the value after or None. A list of tables is one
    key."""
    old, new = dict(_keys(before)), dict(_keys(after))
    return {path: new.get(path) for path in old | new if meaning(old.get(path)) != meaning(new.get(path))}


def _keys(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def proposed(folder: Path, files: Mapping[str, bytes], changes: Mapping[str, Any]) -> dict[str, Edit]:
    """What each file would hold with these keys changed; a value of None takes the key out. Files that would stay as they
    are are left out. Raises `ThemeError` for what cannot be edited, with the lines to write by hand."""
    edits = {}
    for name, before in files.items():
        own = {path: value for path, value in changes.items() if file_of(path) == name}
        try:
            text = before.decode()
            mark = _BOM if text.startswith(_BOM) else ""
            after = (mark + edited(text.removeprefix(_BOM), own, order=_TABLES[name])).encode() if own else before
        except UnicodeError:
            raise ThemeError([Mistake(folder / name, 0, "", "what is no text in UTF-8", "text in UTF-8")]) from None
        except NotEdited as error:
            allowed = f"these lines, written by hand: {error.lines.strip()}"
            raise ThemeError([Mistake(folder / name, 0, next(iter(own)), str(error), allowed)]) from None
        if after != before:
            edits[name] = Edit(before, after)
    return edits


def overlay(folder: Path, edits: Mapping[str, Edit], pictures: Mapping[str, bytes] | None = None) -> dict[Path, bytes]:
    """The change as `brands.load` and `brands.examine` take it, so that the brand is seen as it would be."""
    files = {folder / name: each.after for name, each in edits.items()}
    return files | {folder / name: content for name, content in (pictures or {}).items()}


class Found(msgspec.Struct, frozen=True):
    """What the strict reader says about the brand after a change."""

    new: tuple[Mistake, ...]
    """What it did not say before: the change cannot be written."""
    standing: tuple[Mistake, ...]
    """What it said before too: a value that nobody touched is in the way of no other."""


def checked(folder: Path, edits: Mapping[str, Edit], pictures: Mapping[str, bytes] | None = None) -> Found:
    _, after = examine(folder, overlay(folder, edits, pictures))
    if not after:
        return Found((), ())
    _, before = examine(folder, {folder / name: each.before for name, each in edits.items()})
    known = Counter(map(_as_known, before))
    new: list[Mistake] = []
    standing: list[Mistake] = []
    for each in dict.fromkeys(after):
        known[_as_known(each)] -= 1
        (new if known[_as_known(each)] < 0 else standing).append(each)
    return Found(tuple(new), tuple(standing))


def _as_known(mistake: Mistake) -> tuple[Path, str, str]:
    """The same mistake wherever the change moved its line, or its table in a list."""
    return mistake.file, re.sub(r"\[\d+\]", "[]", mistake.key), mistake.found


def write(
    folder: Path,
    edits: Mapping[str, Edit],
    pictures: Mapping[str, bytes] | None = None,
    *,
    is_strict: bool = False,
    follow_links: bool = False,
) -> None:
    """Write the change, with the pictures and fonts that it names; with `is_strict`, only where the files that it is for
    hold no mistake at all. Raises `ChangedMeanwhile` and `ThemeError`; then nothing was written."""
    own = [folder / name for name in edits]
    for name in pictures or {}:
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", name) or name.endswith(".toml"):
            raise ThemeError([Mistake(folder, 0, "", f"a file named {shown(name)}", "a picture or font of the folder")])
    with _locked(folder):
        now = read(folder, follow_links=follow_links)
        if changed := [name for name, each in edits.items() if now[name] != each.before]:
            raise ChangedMeanwhile(changed)
        found = checked(folder, edits, pictures)
        if mistakes := (*found.new, *(each for each in found.standing if is_strict and each.file in own)):
            raise ThemeError(mistakes)
        try:
            for left in (left for name in edits for left in folder.glob(f".{name}.new.*")):
                left.unlink(missing_ok=True)  # by a process that was killed
            for name, content in (pictures or {}).items():
                write_file(folder / name, content)
            for name, each in edits.items():
                write_file((folder / name).resolve(), each.after)
        except OSError as error:
            reason = f"a folder that cannot be written ({error.strerror})"
            raise ThemeError([Mistake(folder, 0, "", reason, "a writable folder")]) from None


def change(folder: Path, changes: Mapping[str, Any]) -> None:
    """Change keys of a brand at once, as the merchant's commands do. Raises `ThemeError` for any mistake in the file."""
    edits = proposed(folder, read(folder, follow_links=True), changes)
    try:
        write(folder, edits, is_strict=True, follow_links=True)
    except ChangedMeanwhile as error:
        found = "a file that was changed at the same moment"
        raise ThemeError([Mistake(folder / error.names[0], 0, "", found, "the same command again")]) from None


def is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def differences(brand: str, edits: Mapping[str, Edit]) -> str:
    """The change as a patch: what a person reads before it is written, and `git apply` or `patch -p1` takes."""
    return "".join(line for name, each in edits.items() for line in _patch(f"{brand}/{name}", each))


def _patch(name: str, edit: Edit) -> Iterator[str]:
    # Not `splitlines`: what it takes for a line break may be in the middle of a text.
    before, after = (
        re.findall(r"[^\n]*\n|[^\n]+", each.decode(errors="replace")) for each in (edit.before, edit.after)
    )
    for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer of a folder at a time, on this host; a process that dies gives it up."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        found = f"a folder that cannot be read ({error.strerror})"
        raise ThemeError([Mistake(folder, 0, "", found, "a brand's folder")]) from None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
