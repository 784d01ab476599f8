"""The cuts that `editing.py` makes in a TOML text: one key at a time, each after a new look at the text.

It does not judge the result: `editing.py` reads it again and compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from server.brands.reading.locating import Header, Layout, Pair, Path, layout_of
from server.brands.reading.parsing import loads
from server.brands.writing.lists import Source
from server.brands.writing.values import is_tables, meaning, written_key, written_value

_DEPTH = 2
"""Tables of this many names have a header; those below are written with dotted keys of theirs."""
Tables = list[dict[str, Any]]


class Splicer:
    def __init__(self, text: str, order: tuple[str, ...] = ()) -> None:
        self.text, self.order = text, order
        self.newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
        self.dropped: list[str] = []
        """The comments that went with an element of a list of tables."""
        self.was_reordered = False

    def set(self, path: Path, value: Any) -> None:
        """Make the key at `path` hold this; None: take it out."""
        layout = layout_of(self.text)
        for length in range(len(path), 0, -1):
            if pair := next((each for each in layout.pairs if each.path == path[:length]), None):
                self._edit(layout, pair, path[length:], value)
                return
        tables = [each for each in layout.headers if each.is_list and each.path[:-1] == path]
        if tables:
            self._set_tables(layout, path, value if isinstance(value, list) else [])
        elif value is not None:
            self._add(layout, path, value)

    # --- a key that is there ---------------------------------------------------------------------------------------

    def _edit(self, layout: Layout, pair: Pair, below: Path, value: Any) -> None:
        """Replace what differs in the value of this pair; `below`: the place in it."""
        before = value_at(loads(self.text), pair.path)
        after = changed(before, below, value)
        if after in (None, {}):
            self._take_out(layout, pair)
        else:
            column = pair.value - self._line_start(pair.start)
            source = Source(self.text, layout, self.newline)
            text = source.rewritten(pair.path, (pair.value, pair.end), before, after, column=column)
            self._replace(pair.value, pair.end, text)

    def _take_out(self, layout: Layout, pair: Pair) -> None:
        """Its comments stay where they are; a comment above it gets an empty line below it, so that it does not seem to
        describe what comes next."""
        start, end = self._line_start(pair.start), self._line_end(pair.end)
        comments = [comment for at, comment in layout.comments if start <= at < end]
        kept = "".join(f"{comment}{self.newline}" for comment in comments)
        above = self.text[:start].rpartition(self.newline)[0].rpartition(self.newline)[2].strip()
        is_followed = any(self._line_start(each.start) == end for each in layout.pairs)
        if is_followed and (kept or above.startswith("#")):
            kept += self.newline
        self._replace(start, end, kept)

    # --- a new key -------------------------------------------------------------------------------------------------

    def _add(self, layout: Layout, path: Path, value: Any) -> None:
        table = path[:-1]
        if (section := _dotted(layout, table)) is not None:
            self._insert(layout, section, path, value)
        elif is_tables(value):
            self._add_tables(layout, path, value)
        elif not table or any(each.path == table for each in layout.headers):
            self._insert(layout, table, path, value)
        elif len(table) > _DEPTH and not _headers_below(layout, table):
            # A header inside of a list's element would be as long as its path.
            section = next(
                (table[:at] for at in range(len(table), 0, -1) if isinstance(table[at - 1], int)), table[:_DEPTH]
            )
            if any(each.path == section for each in layout.headers):
                self._insert(layout, section, path, value)
            else:
                self._add_section(layout, section, f"{_key(path[len(section) :])} = ", value)
        else:
            self._add_section(layout, table, f"{_key(path[-1:])} = ", value)

    def _insert(self, layout: Layout, section: Path, path: Path, value: Any) -> None:
        """A line in the section of this header, after its last key of the same table, or else its last key."""
        key = f"{_key(path[len(section) :])} = "
        line = f"{key}{written_value(value, self.newline, len(key))}{self.newline}"
        pairs = [each for each in layout.pairs if each.table == section]
        beside = [each for each in pairs if each.path[:-1] == path[:-1]] or pairs
        header = next((each for each in layout.headers if each.path == section), None)
        if beside:
            start = self._line_start(beside[-1].start)
            indent = re.match(r"[ \t]*", self.text[start:])[0]  # type: ignore[index]
            self._put(self._line_end(beside[-1].end), f"{indent}{line}")
        elif header:
            self._put(self._line_end(header.end), line)
        else:
            first = self._above(layout.headers[0]) if layout.headers else len(self.text)
            self._put(first, f"{line}{self.newline if layout.headers else ''}")

    def _add_section(self, layout: Layout, table: Path, key: str, value: Any) -> None:
        line = f"{key}{written_value(value, self.newline, len(key))}"
        self._add_block(layout, table, f"[{_key(table)}]{self.newline}{line}{self.newline}")

    def _add_tables(self, layout: Layout, path: Path, tables: Tables) -> None:
        blocks = [self._block(path, each) for each in tables]
        self._add_block(layout, path, self.newline.join(blocks))

    def _block(self, path: Path, table: dict[str, Any]) -> str:
        lines = [f"[[{_key(path)}]]"]
        for name, each in table.items():
            key = f"{written_key(name)} = "
            lines.append(f"{key}{written_value(each, self.newline, len(key))}")
        return "".join(f"{line}{self.newline}" for line in lines)

    def _add_block(self, layout: Layout, table: Path, block: str) -> None:
        """Before the tables below it; else after the last of its relatives; else where `order` has it; else at the end."""
        names = _named(table)
        below = next((each for each in layout.headers if _named(each.path)[: len(names)] == names), None)
        if below:
            self._put(self._above(below), f"{block}{self.newline}")
            return
        for length in range(len(names) - 1, 0, -1):
            relatives = [at for at, each in enumerate(layout.headers) if _named(each.path)[:length] == names[:length]]
            if relatives:
                self._put_after(layout, relatives[-1], block)
                return
        later = self.order[self.order.index(str(names[0])) + 1 :] if str(names[0]) in self.order else ()
        if follower := next((each for each in layout.headers if each.path[0] in later), None):
            self._put(self._above(follower), f"{block}{self.newline}")
        elif layout.headers:
            self._put_after(layout, len(layout.headers) - 1, block)
        else:
            gap = self.newline if self.text.strip() else ""
            self._put(len(self.text), f"{gap}{block}")

    def _put_after(self, layout: Layout, at: int, block: str) -> None:
        end = self._section_end(layout, at)
        goes_on = bool(self.text[end:].strip()) and not self.text[end:].startswith(("\n", "\r\n"))
        self._put(end, f"{self.newline}{block}{self.newline if goes_on else ''}")

    # --- a list of tables ------------------------------------------------------------------------------------------

    def _set_tables(self, layout: Layout, path: Path, wanted: Tables) -> None:
        before: Tables = value_at(loads(self.text), path)
        sources = matched(before, wanted)
        if sources != list(range(len(before))):
            self._arrange(layout, path, wanted, sources)
        for position, (source, table) in enumerate(zip(sources, wanted, strict=True)):
            if source is not None:
                for below, value in differences(before[source], table):
                    self.set((*path, position, *below), value)

    def _arrange(self, layout: Layout, path: Path, wanted: Tables, sources: list[int | None]) -> None:
        """Put the tables into their order, without those that are gone and with the new ones. The tables of the list must
        follow each other."""
        mine = [at for at, each in enumerate(layout.headers) if each.path[: len(path)] == path]
        if mine != list(range(mine[0], mine[-1] + 1)):
            raise ValueError(f"the tables [[{_key(path)}]] do not follow each other")
        firsts = [at for at in mine if len(layout.headers[at].path) == len(path) + 1]
        lasts = [*(at - 1 for at in firsts[1:]), mine[-1]]
        starts = [self._above(layout.headers[at]) for at in firsts]
        ends = [self._section_end(layout, at) for at in lasts]
        # What is between two tables, such as an empty line or a comment for both, belongs to the second.
        gaps = ["", *(self.text[end:start] for end, start in zip(ends, starts[1:], strict=False))]
        pieces = []
        for source, table in zip(sources, wanted, strict=True):
            gap = self.newline if source is None else gaps[source] or self.newline
            body = self._block(path, table) if source is None else self.text[starts[source] : ends[source]]
            pieces.append((gap, body if body.endswith("\n") else body + self.newline))
        for source in set(range(len(starts))) - set(sources):
            inside = range(starts[source], ends[source])
            self.dropped += [comment for at, comment in layout.comments if at in inside]
            if gaps[source].strip():
                pieces.append((gaps[source], ""))
        kept = [each for each in sources if each is not None]
        self.was_reordered |= kept != sorted(kept)
        text = "".join(f"{gap}{body}" for gap, body in pieces)
        start = starts[0]
        if not wanted:
            start -= len(self.text[:start]) - len(self.text[:start].rstrip("\r\n")) - len(self.newline)
            start = max(start, 0)
        self._replace(start, ends[-1], text.removeprefix(pieces[0][0]) if pieces and pieces[0][1] else text)

    # --- places ----------------------------------------------------------------------------------------------------

    def _replace(self, start: int, end: int, text: str) -> None:
        self.text = f"{self.text[:start]}{text}{self.text[end:]}"

    def _put(self, at: int, lines: str) -> None:
        """Insert whole lines; the last line of a file may lack its end."""
        ends = not at or self.text[at - 1] == "\n"
        self._replace(at, at, lines if ends else f"{self.newline}{lines}")

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Behind the line break."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def _above(self, header: Header) -> int:
        """Where the lines of a header begin, with the comments directly above it."""
        start = self._line_start(header.start)
        while start:
            before = self._line_start(start - 1)
            if not self.text[before:start].lstrip(" \t").startswith("#"):
                break
            start = before
        return start

    def _section_end(self, layout: Layout, at: int) -> int:
        """Behind the last line of what is below a header, with the comments that follow directly, unless they are above
        another header."""
        is_last = at + 1 == len(layout.headers)
        following = len(self.text) if is_last else self._line_start(layout.headers[at + 1].start)
        start = layout.headers[at].start
        end = self._line_end(
            max([layout.headers[at].end, *(each.end for each in layout.pairs if start < each.start < following)])
        )
        behind = end
        while behind < following and self.text[behind:].lstrip(" \t").startswith("#"):
            behind = self._line_end(behind)
        return behind if is_last or behind < following else end


def value_at(values: Any, path: Path) -> Any:
    for key in path:
        values = values[key]
    return values


def changed(value: Any, below: Path, new: Any) -> Any:
    """The value with `new` at the place below; None takes a key out of its inline table."""
    if not below:
        return new
    if not isinstance(value, dict):
        raise TypeError(f"{below[0]} is below what is no table")
    made = dict(value)
    after = changed(made.get(str(below[0]), {}), below[1:], new)
    if after is None:
        made.pop(str(below[0]), None)
    else:
        made[str(below[0])] = after
    return made


def differences(before: dict[str, Any], after: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The keys that differ; a table in both is gone through key by key."""
    for key in [*before, *(each for each in after if each not in before)]:
        one, other = before.get(key), after.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from differences(one, other, (*path, key))
        elif isinstance(one, dict):
            yield from ((each, None) for each, _ in differences(one, {}, (*path, key)))
            if other is not None:
                yield (*path, key), other
        elif meaning(one) != meaning(other):
            yield (*path, key), other


def matched(before: Tables, after: Tables) -> list[int | None]:
    """For each table after, the one before that it comes from: the same one, else the one with the same first value, else,
    where as many are left on both sides, the one at its place."""
    sources: list[int | None] = [None] * len(after)
    free = list(range(len(before)))
    for is_same in (_is_equal, _is_of_the_same):
        for position, table in enumerate(after):
            found = next((each for each in free if is_same(before[each], table)), None)
            if sources[position] is None and found is not None:
                sources[position] = found
                free.remove(found)
    if len(before) == len(after):
        for position in free:
            if sources[position] is None:
                sources[position] = position
    return sources


def _is_equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(meaning(one) == meaning(other))


def _is_of_the_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first = next(iter(one), None)
    return first is not None and first in other and one[first] == other[first]


def _dotted(layout: Layout, table: Path) -> Path | None:
    """The section whose dotted keys make this table, or one around it."""
    for length in range(len(table), 0, -1):
        for pair in layout.pairs:
            if len(pair.table) < length < len(pair.path) and pair.path[:length] == table[:length]:
                return pair.table
    return None


def _headers_below(layout: Layout, table: Path) -> bool:
    return any(each.path[: len(table)] == table for each in layout.headers)


def _named(path: Path) -> Path:
    return tuple(each for each in path if isinstance(each, str))


def _key(path: Path) -> str:
    return ".".join(written_key(each) for each in path if isinstance(each, str))
