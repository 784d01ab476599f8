"""Reading export files: which records are in them, and where each one is.

A file holds JSON in UTF-8: objects, arrays, list answers (``{"object": "list", "data": [...]}``; a search's and v2's
too), one after the other or one inside the other, as `jq`, `jq -s` and `jq '.data[]'` write them. A first line that is
whole JSON by itself begins JSON Lines, which are read line by line; everything else is read as one text.

Refused, with the place: a byte-order mark, text that is not UTF-8, a key twice in one object, NaN, numbers beyond
64 bits, NUL and half characters (no database would keep them), nesting without end, and documents beyond `LARGEST`.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

LARGEST = 256 * 1024 * 1024
"""Bytes of one document: a line of JSON Lines, or a whole file of another kind."""
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST_SAID = 1000
_SPACE = re.compile(r"[ \t\r\n]*")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
Steps = tuple[str | int, ...]


class ImportRefused(Exception):
    """Nothing was imported. The message names the file, the line, the JSON path and what is wrong, a problem a line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is: the file, the line on which its document begins, and the way to it from there."""

    file: Path
    line: int
    steps: Steps = ()

    def refusal(self, problem: str, path: str = "$") -> ImportRefused:
        """The file is read again to find the line: only a mistake pays for that."""
        steps = (*self.steps, *_steps(path))
        return ImportRefused(f"{self.file}:{self._line_of(steps)}: {_path(steps)}: {problem}")

    def at(self, path: str) -> str:
        """In words, with the line of the record: what is no mistake does not read the file again."""
        return f"{self.file}:{self.line}: {_path((*self.steps, *_steps(path)))}"

    def _line_of(self, steps: Steps) -> int:
        try:
            with self.file.open("rb") as file:
                for _ in range(self.line - 1):
                    file.readline()
                text = file.read().decode()
        except (OSError, UnicodeDecodeError):
            return self.line
        return self.line + text.count("\n", 0, _offset(text, steps))


@dataclass(frozen=True, slots=True)
class Problems:
    """What was wrong with a run, all of it; `leave_out`: whether a broken record may be left out for it."""

    leave_out: bool = False
    found: list[str] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)
    """Those that no record can be left out for."""

    def add(self, refusal: ImportRefused, *, is_fatal: bool = False) -> None:
        (self.fatal if is_fatal else self.found).append(str(refusal))

    def check(self) -> None:
        """Raises `ImportRefused` where there are some that nothing was left out for."""
        wrong = [*self.fatal, *([] if self.leave_out else self.found)]
        if wrong:
            more = [f"… and {len(wrong) - _MOST_SAID} more"] if len(wrong) > _MOST_SAID else []
            raise ImportRefused("\n".join(wrong[:_MOST_SAID] + more))


@dataclass(frozen=True, slots=True)
class Lists:
    """Which lists came to their last page: Stripe gives a long one in pages, and an export may lack some."""

    _ended: dict[str, bool] = field(default_factory=dict)

    def note(self, page: dict[str, Any]) -> None:
        url = page.get("url") or page.get("next_page_url") or page.get("previous_page_url")
        name = str(url or "a list").partition("?")[0]
        goes_on = page.get("has_more") is True or bool(page.get("next_page_url"))
        self._ended[name] = self._ended.get(name, False) or not goes_on

    def unfinished(self) -> tuple[str, ...]:
        """By the path that Stripe gives them under, such as `/v1/customers`."""
        return tuple(sorted(name for name, ended in self._ended.items() if not ended))


def records(
    file: Path, lists: Lists | None = None, problems: Problems | None = None
) -> Iterator[tuple[Place, dict[str, Any], int]]:
    """Each record with its place and the bytes read so far; `lists` is told of each page. A line or an entry that is no
    record is told to `problems`; without them it raises `ImportRefused`, as a file that cannot be read does."""
    for place, document, position in _documents(file, problems):
        for steps, record in _flat(document, (), lists or Lists()):
            inside = Place(place.file, place.line, steps)
            if isinstance(record, dict):
                yield inside, record, position
                continue
            refusal = inside.refusal(f"expected an object, got {_kind(record)}")
            if problems is None:
                raise refusal
            problems.add(refusal)


def _flat(document: Any, steps: Steps, lists: Lists) -> Iterator[tuple[Steps, Any]]:
    """The records of an array or a list answer, however deep; anything else is one record."""
    if isinstance(document, list):
        for index, each in enumerate(document):
            yield from _flat(each, (*steps, index), lists)
    elif isinstance(document, dict) and _is_list_answer(document):
        lists.note(document)
        yield from _flat(document["data"], (*steps, "data"), lists)
    else:
        yield steps, document


def _is_list_answer(document: dict[str, Any]) -> bool:
    """Of v1, of a search, or of v2, whose lists do not say what they are."""
    kind = document.get("object", "list" if "next_page_url" in document else "")
    return kind in ("list", "search_result") and isinstance(document.get("data"), list)


def _documents(file: Path, problems: Problems | None) -> Iterator[tuple[Place, Any, int]]:
    try:
        with file.open("rb") as opened:
            first = _line(file, opened.readline(LARGEST + 1), 1)
            if first.startswith(_MARKS):
                raise ImportRefused(f"{file}:1: $: begins with a byte-order mark; save it as UTF-8 without one")
            number = 1
            while first and not first.strip():
                first, number = _line(file, opened.readline(LARGEST + 1), number + 1), number + 1
            if not first:
                raise ImportRefused(f"{file}:1: $: the file is empty; expected JSON or JSON Lines")
            if not _is_whole(first):
                whole = first + opened.read(LARGEST + 1 - len(first))
                place = Place(file, number)
                for at, document in _parsed(place, _line(file, whole, number)):
                    yield at, document, len(whole)
                return
            line = first
            while line:
                for at, document in _of_line(Place(file, number), line, problems):
                    yield at, document, opened.tell()
                line, number = _line(file, opened.readline(LARGEST + 1), number + 1), number + 1
    except OSError as error:
        raise ImportRefused(f"{file}: {error.strerror}") from None


def _of_line(place: Place, line: bytes, problems: Problems | None) -> list[tuple[Place, Any]]:
    """What one of JSON Lines holds; nothing where it is empty, or broken and told to `problems`."""
    if not line.strip():
        return []
    try:
        return _parsed(place, line)
    except ImportRefused as error:
        if problems is None:
            raise
        problems.add(error)
        return []


def _line(file: Path, line: bytes, number: int) -> bytes:
    if len(line) > LARGEST:
        megabytes = LARGEST // 1024 // 1024
        raise ImportRefused(f"{file}:{number}: $: more than {megabytes} MB in one document; write it as JSON Lines")
    return line


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _parsed(place: Place, document: bytes) -> list[tuple[Place, Any]]:
    """The JSON values of a text, one after the other."""
    found: list[tuple[Place, Any]] = []
    try:
        text = document.rstrip().decode()
    except UnicodeDecodeError as error:
        line = place.line + document.count(b"\n", 0, error.start)
        raise ImportRefused(f"{place.file}:{line}: $: not UTF-8 at byte {error.start}") from None
    try:
        at, seen, line = _after_space(text, 0), 0, place.line
        while at < len(text) or not found:
            line, seen = line + text.count("\n", seen, at), at
            value, at = _DECODER.raw_decode(text, at)
            found.append((Place(place.file, line), value))
            at = _after_space(text, at)
    except json.JSONDecodeError as error:
        line = place.line + error.lineno - 1
        raise ImportRefused(f"{place.file}:{line}: $: not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ImportRefused(f"{place.file}:{place.line}: $: nested too deep") from None
    except ValueError as error:
        raise ImportRefused(f"{place.file}:{place.line}: $: {error}") from None
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} appears twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON knows")


def _whole_number(digits: str) -> int:
    if len(digits) > 19 or abs(int(digits)) >= 2**63:
        raise ValueError(f"the number {digits[:40]} is beyond 64 bits")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_whole_number)


def encoded(place: Place, record: dict[str, Any]) -> bytes:
    """The record in one canonical form, for the digest. Raises `ImportRefused` for text that cannot be stored."""
    try:
        document = msgspec.json.encode(record, order="sorted")
    except (UnicodeEncodeError, ValueError, RecursionError):
        raise place.refusal("holds half of a character (a lone surrogate), or is nested too deep") from None
    if b"\\u0000" in document and _NUL.search(document.decode()):
        raise place.refusal("holds a NUL character")
    return document


def _kind(value: Any) -> str:
    return {list: "an array", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _steps(path: str) -> Steps:
    """`$.items.data[0]` -> ("items", "data", 0)."""
    found = re.findall(r"\.([^.\[]+)|\[(\d+)\]", path)
    return tuple(name or int(index) for name, index in found)


def _path(steps: Steps) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _offset(text: str, steps: Steps) -> int:
    """Where the value at the end of these steps begins; as far as they lead."""
    decoder, at = json.JSONDecoder(), _after_space(text, 0)
    try:
        for step in steps:
            inside = _value_of(decoder, text, at, step)
            if inside is None:
                break
            at = inside
    except (ValueError, IndexError, RecursionError):
        pass
    return at


def _value_of(decoder: json.JSONDecoder, text: str, at: int, step: str | int) -> int | None:
    """The offset of one member of the array or object at `at`."""
    if text[at] != ("[" if isinstance(step, int) else "{"):
        return None
    at, index = _after_space(text, at + 1), 0
    while text[at] not in "]}":
        key: str | int = index
        if isinstance(step, str):
            key, at = decoder.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        if key == step:
            return at
        _, at = decoder.raw_decode(text, at)
        at, index = _after_space(text, at), index + 1
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
