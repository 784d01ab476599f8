"""New text for the value of a key: a list in brackets and an inline table keep the text of each element that stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from server.brands.reading.locating import Layout, Member, Path
from server.brands.writing.values import WIDE, meaning, written_key, written_value

Span = tuple[int, int]
Step = tuple[str, int, int, int, int]


class Source(NamedTuple):
    text: str
    layout: Layout
    newline: str

    def rewritten(self, path: Path, span: Span, before: Any, after: Any, *, column: int = 0) -> str:
        """The value at `path`, which is in the text from `span[0]` to `span[1]` and means `before`, as one that means
        `after`."""
        members = self.layout.members.get(path, [])
        if meaning(before) == meaning(after):
            return self.text[span[0] : span[1]]
        if isinstance(before, list) and isinstance(after, list) and before and after and len(members) == len(before):
            return self._list(members, span, before, after, column=column)
        if isinstance(before, dict) and isinstance(after, dict) and before and after:
            return self._table(path, members, before, after)
        return written_value(after, self.newline, column)

    def _table(self, path: Path, members: list[Member], before: dict[str, Any], after: dict[str, Any]) -> str:
        if any(len(each.path) != len(path) + 1 for each in members):
            return written_value(after)
        known = {each.path[-1]: each for each in members}
        parts = []
        for key, value in after.items():
            if member := known.get(key):
                new = self.rewritten(member.path, (member.value, member.end), before[key], value)
                parts.append(f"{self.text[member.start : member.value]}{new}")
            else:
                parts.append(f"{written_key(key)} = {written_value(value)}")
        return f"{{ {', '.join(parts)} }}"

    def _list(self, members: list[Member], span: Span, before: list[Any], after: list[Any], *, column: int) -> str:
        one, other = ([repr(meaning(each)) for each in values] for values in (before, after))
        steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
        inner = self.text[span[0] : span[1]]
        if "\n" not in inner:
            line = f"[{', '.join(self._each(members, steps, after))}]"
            return line if column + len(line) <= WIDE else written_value(after, self.newline, column)
        lines = _Lines(self.text, members, span, self.newline)
        for verb, start, end, new_start, new_end in reversed(steps):
            new = [written_value(each) for each in after[new_start:new_end]]
            if verb != "equal":
                both = min(end - start, len(new))
                lines.insert(start + both, new[both:])
                lines.remove(start + both, end)
                lines.replace(start, new[:both])
        return lines.text

    def _each(self, members: list[Member], steps: Sequence[Step], after: list[Any]) -> Iterator[str]:
        for verb, start, _, new_start, new_end in steps:
            for at, value in enumerate(after[new_start:new_end]):
                member = members[start + at] if verb == "equal" else None
                yield self.text[member.start : member.end] if member else written_value(value)


class _Lines:
    """A list over several lines, as its elements and what is between them."""

    def __init__(self, text: str, members: list[Member], span: Span, newline: str) -> None:
        self.newline = newline
        self.elements = [text[each.start : each.end] for each in members]
        bounds = [span[0] + 1, *(place for each in members for place in (each.start, each.end)), span[1] - 1]
        self.gaps = [text[bounds[at] : bounds[at + 1]] for at in range(0, len(bounds), 2)]
        """`gaps[n]` is before element `n`; the last one is before the bracket."""
        self.is_one_a_line = all("\n" in gap for gap in self.gaps[1:-1])
        self.indent = self.gaps[0].rpartition("\n")[2]
        if self.indent.strip():
            self.indent = "  "

    @property
    def text(self) -> str:
        gaps = [*self.gaps[:-1]]
        inside = "".join(f"{gap}{element}" for gap, element in zip(gaps, self.elements, strict=True))
        return f"[{inside}{self.gaps[-1]}]"

    def replace(self, start: int, new: list[str]) -> None:
        self.elements[start : start + len(new)] = new

    def remove(self, start: int, end: int) -> None:
        """A comment behind or above a removed element stays."""
        for at in reversed(range(start, end)):
            before, behind = self.gaps[at], self.gaps[at + 1]
            is_last = at == len(self.elements) - 1
            rest = _without_comma(behind)
            if is_last:
                gap = f"{before.rstrip()}{rest if '#' in rest else behind}" if "#" in before else behind
            elif "#" in rest:
                gap = f"{before}{rest.lstrip()}"
            else:
                gap = before
            del self.elements[at]
            self.gaps[at : at + 2] = [gap]

    def insert(self, at: int, new: list[str]) -> None:
        """Before element `at`, which is behind an element that stays."""
        if not new:
            return
        between = f",{self.newline}{self.indent}" if self.is_one_a_line else ", "
        gap = self.gaps[at]
        if not at:
            self.elements[:0] = new
            self.gaps[0:1] = [gap, *[between] * len(new)]
            return
        first_line, break_, rest = gap.partition("\n")
        if "#" in first_line:  # the comment is the one of the element before it
            comma = "" if first_line.lstrip().startswith(",") else ","
            head = f"{comma}{first_line}{break_}{self.indent}"
            tail = f",\n{rest}" if at < len(self.elements) else f"{self.newline}{rest}"
        else:
            head, tail = between, gap
        self.elements[at:at] = new
        self.gaps[at : at + 1] = [head, *[between] * (len(new) - 1), tail]


def _without_comma(gap: str) -> str:
    """What is between two elements without its comma, which is the first sign outside of a comment."""
    head, comma, tail = gap.partition(",")
    return f"{head}{tail}" if comma and "#" not in head else gap
