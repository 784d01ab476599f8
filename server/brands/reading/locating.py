"""The line of each key of a TOML file. `tomllib` reads the values but forgets the lines; this finds them again.

It is asked only for a file that `tomllib` has accepted, and only to explain a mistake, so it may be simple: it walks
over tokens and notes the line where each key, table and list element begins.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'''(?P<space>[ \t\r]+|\#[^\n]*)
      |(?P<newline>\n)
      |(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
      |(?P<mark>[\[\]{},=.])
      |(?P<bare>[^\s\[\]{},=.\#"']+)''',
    re.VERBOSE | re.DOTALL,
)


def lines_of(text: str) -> dict[Path, int]:
    """The line of every path in a valid TOML document; `()` is its first line."""
    found: dict[Path, int] = {(): 1}
    # What was found before a failure is still right; a path without a line is shown at its table's.
    with suppress(IndexError, RecursionError, tomllib.TOMLDecodeError):
        _Walk(text, found).document()
    return found


class _Walk:
    def __init__(self, text: str, found: dict[Path, int]) -> None:
        self.found = found
        self.tokens: list[tuple[str, str, int]] = []
        self.at = 0
        line = 1
        for match in _TOKEN.finditer(text):
            kind = str(match.lastgroup)
            if kind != "space":
                self.tokens.append((kind, match[0], line))
            line += match[0].count("\n")

    def document(self) -> None:
        table: Path = ()
        counts: dict[Path, int] = {}
        while self.at < len(self.tokens):
            kind, text, line = self.tokens[self.at]
            if kind == "newline":
                self.at += 1
            elif text == "[":
                table = self.header(line, counts)
            else:
                self.pair(table)

    def header(self, line: int, counts: dict[Path, int]) -> Path:
        is_list = self.tokens[self.at + 1][1] == "["
        self.at += 2 if is_list else 1
        table: Path = ()
        keys = self.key()
        for position, key in enumerate(keys):
            table = (*table, key)
            if is_list and position == len(keys) - 1:
                self.found.setdefault(table, line)
                counts[table] = counts.get(table, -1) + 1
            if table in counts:
                table = (*table, counts[table])
            self.found.setdefault(table, line)
        self.at += 2 if is_list else 1
        return table

    def pair(self, table: Path) -> None:
        line = self.tokens[self.at][2]
        path = table
        for key in self.key():
            path = (*path, key)
            self.found.setdefault(path, line)
        self.at += 1
        self.value(path)

    def key(self) -> list[str]:
        keys = []
        while True:
            kind, text, _ = self.tokens[self.at]
            keys.append(str(tomllib.loads(f"key = {text}")["key"]) if kind == "string" else text)
            self.at += 1
            if self.tokens[self.at][1] != ".":
                return keys
            self.at += 1

    def value(self, path: Path) -> None:
        opening = self.tokens[self.at][1]
        if opening not in "[{":
            while self.at < len(self.tokens) and self.tokens[self.at][0] in ("string", "bare"):
                self.at += 1
                while self.at < len(self.tokens) and self.tokens[self.at][1] == ".":
                    self.at += 1
            return
        self.at += 1
        position = 0
        while self.tokens[self.at][1] not in "]}":
            kind, text, line = self.tokens[self.at]
            if kind == "newline" or text == ",":
                self.at += 1
            elif opening == "{":
                self.pair(path)
            else:
                self.found.setdefault((*path, position), line)
                before = self.at
                self.value((*path, position))
                position += 1
                self.at += self.at == before  # no TOML, so no value here: go on all the same
        self.at += 1
