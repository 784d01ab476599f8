"""One HTML answer as a tree, with the line of each element: what the house rules look at.

Stricter than a browser, which repairs in silence: an element that is not closed, or closed twice, is a mistake here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str]
    line: int
    source: str = ""
    """The start tag as it was written."""
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")

    def __contains__(self, attribute: str) -> bool:
        return attribute in self.attributes

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.children if isinstance(child, Element)]

    def walk(self) -> Iterator[Element]:
        """The elements inside, in the order of the document."""
        for child in self.elements:
            yield child
            yield from child.walk()

    def ancestors(self) -> Iterator[Element]:
        element = self.parent
        while element is not None:
            yield element
            element = element.parent

    def inside(self, *tags: str) -> bool:
        return any(element.tag in tags for element in self.ancestors())

    @property
    def text(self) -> str:
        """The words in it, with white space made single."""
        return " ".join("".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag == "img":
                yield f" {child.get('alt')} "
            elif child.get("aria-hidden") != "true" and child.tag not in {"script", "style", "template"}:
                yield from child._words()  # noqa: SLF001 (our own class)

    def __str__(self) -> str:
        """The start tag, short enough for a message."""
        source = " ".join(self.source.split())
        return source if len(source) <= 100 else source[:99] + "…"


@dataclass
class Document:
    root: Element
    """Holds the top-level elements and texts; it is no tag itself."""
    doctype: str
    mistakes: list[tuple[int, str]]
    """Line and sentence, of tags that do not fit together."""

    @cached_property
    def elements(self) -> list[Element]:
        return list(self.root.walk())

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    @cached_property
    def ids(self) -> dict[str, Element]:
        return {element.get("id"): element for element in reversed(self.elements) if "id" in element}


Found = Iterator[tuple[Element | int, str]]
"""What a rule finds: where (an element or a line) and what to change there."""


def parse(html: str) -> Document:
    parser = _Parser()
    parser.feed(html)
    parser.close()
    for element in parser.open[1:]:
        parser.mistakes.append((element.line, f"{element} is never closed; write </{element.tag}>"))
    return Document(parser.open[0], parser.doctype, parser.mistakes)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {}, 1)]
        self.doctype = ""
        self.mistakes: list[tuple[int, str]] = []

    @property
    def line(self) -> int:
        return self.getpos()[0]

    def handle_decl(self, decl: str) -> None:
        if len(self.open) == 1 and not self.open[0].elements:
            self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if tag not in VOID and tag != "svg" and not element.inside("svg"):
            self.mistakes.append((self.line, f"{element}: HTML has no <{tag}/>; write <{tag}></{tag}>"))

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag == tag and len(self.open) > 1:
            self.open.pop()
        elif any(element.tag == tag for element in self.open[1:]):
            while self.open[-1].tag != tag:
                element = self.open.pop()
                self.mistakes.append((element.line, f"{element} is not closed before </{tag}>; write </{element.tag}>"))
            self.open.pop()
        else:
            self.mistakes.append((self.line, f"</{tag}> closes nothing; take it away"))

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        attributes = {name: value or "" for name, value in reversed(attrs)}
        element = Element(tag, attributes, self.line, self.get_starttag_text() or f"<{tag}>", self.open[-1])
        if len(attributes) < len(attrs):
            self.mistakes.append((self.line, f"{element} has one attribute twice; browsers take the first, keep one"))
        self.open[-1].children.append(element)
        return element
