"""Texts that attack whatever shows them, and what a page is made of: its elements must not depend on its texts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

PLAIN = "Plain words"
HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)><b>",
    "an attribute": '" onmouseover="alert(1)" x=\'" \' autofocus onfocus=alert(1) `',
    "the end of things": "</span></h1></main></title></style></template><!-- ]]> -->",
    "a template": "{{7*7}}{% for x in y %}{%raw%}${7*7}#{7*7}{#<%= 7*7 %>",
    "our own words": "%(name)s %s {0} {name} %% \\u003cscript\\u003e",
    "entities": "&lt;script&gt; &amp;amp; &#x3c;b&#62; &copy",
    "another direction": "\u202egro.live\u202c \u2066x\u2069 \u200f\u061c",
    "htmx": "<p hx-get=/x hx-on:load=alert(1) hx-vals='js:{a:1}'>javascript:alert(1)",
    "odd signs": "\u2028\u2029\ufeff\x1b[31m\x7f\x85 \U0001f9a0 e\u0301",
}


class Tree(HTMLParser):
    """The elements of a page with their attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple((name, value or "") for name, value in attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.elements.append((f"<!--{data}", ()))

    def handle_decl(self, decl: str) -> None:
        self.elements.append((f"<!{decl}", ()))

    handle_pi = unknown_decl = handle_comment


def tree(html: str) -> Tree:
    return Tree(re.sub(r'(name="(?:key|fingerprint)" value=")[^"]*', r"\1…", html))
