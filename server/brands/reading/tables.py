"""Strict reading of a TOML file: a table is asked for its keys one by one, and whatever it was not asked for is refused.

A table may have layers, nearest first: a theme's own file, then those of the themes it extends. A key comes from the
first layer that has it, and a mistake names that layer's file and line. Reading goes on after a mistake with the
default, so that one run finds them all; look at the list of mistakes before you use a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from server.brands.reading.locating import lines_of
from server.brands.reading.mistakes import Mistake, nearest, shown
from server.brands.reading.parsing import loads

Overlay = Mapping[Path, bytes]
"""What files are taken to hold, by their paths: a change can be read before it is written."""
NOTHING: Overlay = {}


FILE_LIMIT = 128 * 1024
UNKNOWN, MISSING = "an unknown key", "nothing"
"""What a mistake says that it found, where there is no such key, or no value."""


def content_of(file: Path, overlay: Overlay) -> bytes:
    """Raises `OSError`."""
    return overlay[file] if file in overlay else file.read_bytes()


class Document:
    """One TOML file. Broken ones are empty documents, with the reason among `mistakes`. What `overlay` has for a path is
    read instead of the file there."""

    def __init__(self, file: Path, mistakes: list[Mistake], overlay: Overlay = NOTHING) -> None:
        self.file, self.text, self.overlay = file, "", overlay
        self.values: dict[str, Any] = {}
        self.is_readable = False
        text = _text(file, mistakes, overlay)
        if text is None:
            return
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        try:
            self.values = loads(self.text)
            self.is_readable = True
        except (ValueError, RecursionError, OverflowError) as error:
            mistakes.append(_not_toml(file, error))

    @classmethod
    def of(cls, values: dict[str, Any]) -> Document:
        """Values that come from no file."""
        made = cls.__new__(cls)
        made.file, made.text, made.overlay, made.values, made.is_readable = Path(), "", NOTHING, values, True
        return made

    @cached_property
    def _lines(self) -> dict[tuple[str | int, ...], int]:
        return lines_of(self.text)

    def line(self, path: tuple[str | int, ...]) -> int:
        """The line of a key, else of the table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines[path]


def _text(file: Path, mistakes: list[Mistake], overlay: Overlay) -> str | None:
    try:
        if file in overlay:
            data = overlay[file]
        elif not file.is_file():
            mistakes.append(Mistake(file, 0, "", "no such file", "a TOML file"))
            return None
        else:
            with file.open("rb") as stream:
                data = stream.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            mistakes.append(Mistake(file, 0, "", f"more than {FILE_LIMIT} bytes", f"at most {FILE_LIMIT} bytes"))
            return None
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        mistakes.append(Mistake(file, line, "", f"the byte 0x{data[error.start]:02x}", "text in UTF-8"))
    except OSError as error:
        mistakes.append(Mistake(file, 0, "", f"a file that cannot be read ({error.strerror})", "a readable TOML file"))
    return None


def _not_toml(file: Path, error: Exception) -> Mistake:
    if isinstance(error, RecursionError):
        return Mistake(file, 0, "", "tables or lists nested too deep", "TOML with a few levels")
    place = re.search(r"\(at line (\d+), column \d+\)", str(error))
    reason = str(error).replace(place[0], "").strip() if place else str(error)
    return Mistake(file, int(place[1]) if place else 0, "", f"broken TOML ({reason[:120]})", "TOML 1.0")


class Table:
    def __init__(
        self, layers: list[tuple[Document, dict[str, Any]]], mistakes: list[Mistake], path: tuple[str | int, ...] = ()
    ) -> None:
        self.layers, self.mistakes, self.path = layers, mistakes, path
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        for _, values in self.layers:  # noqa: SIM110 (a server asks a hundred times for each of its brands)
            if key in values:
                return True
        return False

    def source(self, key: str) -> Document:
        """The file that a key comes from; the nearest one for a key that is nowhere."""
        return next((document for document, values in self.layers if key in values), self.layers[0][0])

    def get(self, key: str) -> Any:
        """The value as the file has it, or None."""
        self._asked.add(key)
        for _, values in self.layers:
            if key in values:
                return values[key]
        return None

    def ask(self, keys: Iterable[str]) -> None:
        """These may be there."""
        self._asked.update(keys)

    def refuse(self, key: str, found: str, allowed: str, *below: str | int, also: tuple[str, ...] = ()) -> None:
        """Notes a mistake at this key, or at something below it; `also`: the other keys of the rule, from this table on."""
        document, path = self.source(key), (*self.path, key, *below)
        others = self._paths(also)
        self.mistakes.append(Mistake(document.file, document.line(path), _dotted(path), found, allowed, others))

    def missing(self, key: str, allowed: str, *, also: tuple[str, ...] = ()) -> None:
        document = self.layers[0][0]
        path = (*self.path, key)
        others = self._paths(also)
        self.mistakes.append(Mistake(document.file, document.line(path), _dotted(path), MISSING, allowed, others))

    def _paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_dotted((*self.path, *each.split("."))) for each in keys)

    def table(self, key: str) -> Table:
        """The table below a key; an empty one where there is none."""
        self._asked.add(key)
        layers = []
        for document, values in self.layers:
            below = values.get(key, {})
            if isinstance(below, dict):
                layers.append((document, below))
            else:
                line = document.line((*self.path, key))
                self.mistakes.append(
                    Mistake(document.file, line, _dotted((*self.path, key)), shown(below), f"a table [{key}]")
                )
                layers.append((document, {}))
        return Table(layers, self.mistakes, (*self.path, key))

    def tables(self, key: str) -> list[Table]:
        """The tables of a list, one layer each, nearest layer first."""
        self._asked.add(key)
        found = []
        for document, values in self.layers:
            below = values.get(key, [])
            here = Table([(document, values)], self.mistakes, self.path)
            if not isinstance(below, list):
                here.refuse(key, shown(below), f"tables, each under [[{_dotted((*self.path, key))}]]")
                continue
            for position, each in enumerate(below):
                if isinstance(each, dict):
                    found.append(Table([(document, each)], self.mistakes, (*self.path, key, position)))
                else:
                    here.refuse(key, shown(each), "a table", position)
        return found

    def other_tables(self) -> list[str]:
        """The keys of tables that were not asked for yet."""
        keys = [key for _, values in self.layers for key, value in values.items() if isinstance(value, dict)]
        return [key for key in dict.fromkeys(keys) if key not in self._asked]

    def close(self) -> None:
        """Refuses every key that was not asked for."""
        for document, values in self.layers:
            for key in values:
                if key not in self._asked:
                    path = (*self.path, key)
                    allowed = nearest(key, self._asked)
                    self.mistakes.append(Mistake(document.file, document.line(path), _dotted(path), UNKNOWN, allowed))


def _dotted(path: tuple[str | int, ...]) -> str:
    written = ""
    for each in path:
        if isinstance(each, int):
            written += f"[{each}]"
        else:
            key = each if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", each) else shown(each)
            written += f".{key}" if written else key
    return written
