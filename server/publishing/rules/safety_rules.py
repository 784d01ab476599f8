"""The house rules about scripts, styles and htmx.

They are not only taste. With the Content-Security-Policy of `policy.py`, most of what they refuse would not run, and a
page must not look as if it did; the rest would work with scripts and not without (security.md, threats 64 to 71).
"""

from __future__ import annotations

import re

from server.publishing.rules.markup import Document, Element, Found

_HX = frozenset(
    [
        "get",
        "post",
        "target",
        "swap",
        "trigger",
        "indicator",
        "disable",
        "sync",
        "preserve",
        "push-url",
        "select",
        "swap-oob",
    ]
)
"""The htmx attributes that we use, without `hx-`. The others inherit or run code; `push-url` puts a step into the history."""
_URLS = frozenset({"href", "src", "action", "formaction", "xlink:href", "hx-get", "hx-post"})
_FILES = frozenset({"src", "srcset", "poster", "data", "background"})
_CODE = re.compile("(javascript|vbscript|data):", re.IGNORECASE)


def nothing_inline(document: Document) -> Found:
    for element in document.elements:
        for name, value in element.attributes.items():
            if name.startswith("on"):
                yield element, f"{element}: {name} is an inline handler; the policy refuses it. Move it to portal.js"
            if name == "style":
                yield element, f"{element}: the policy refuses style attributes; use a class of portal.css"
            # Browsers drop control characters and spaces from a scheme.
            if name in _URLS and _CODE.match(re.sub(r"[\x00-\x20]", "", value)):
                yield element, f"{element}: {name} must not begin with {value.strip().split(':')[0]}:"
        if element.tag == "style" and (element.attributes or not element.inside("head")):
            yield element, f"{element}: the only <style> is the one of layouts/base.html, without attributes"
    for element in document.all("style")[1:]:
        yield element, "a second <style>; the policy knows the hash of one"


def only_our_files(document: Document) -> Found:
    for element in document.all("script"):
        if not element.get("src") or element.text or "".join(map(str, element.children)).strip():
            yield element, "an inline <script>; the policy refuses it. Move it to a file of site/static"
        elif not element.get("integrity").startswith("sha384-"):
            yield element, f'{element}: add integrity="{{{{ asset.integrity(…) }}}}"'
    for element in document.elements:
        for name in _FILES & element.attributes.keys():
            if re.match(r"\s*([a-z][a-z0-9+.-]*:|//|\\)", element.get(name), re.IGNORECASE):
                yield element, f"{element}: {name} leads to another origin; put the file into site/static or the theme"
    for element in document.all("link"):
        if "stylesheet" in element.get("rel").lower():
            yield element, f"{element}: styles are inline, from portal.css; the policy refuses this one"


def htmx_is_plain(document: Document) -> Found:
    for element in document.elements:
        if not any(name.startswith(("hx-", "data-hx-")) for name in element.attributes):
            continue
        attributes = {re.sub("^data-hx-", "hx-", name): value for name, value in element.attributes.items()}
        for name, value in attributes.items():
            word = name.removeprefix("hx-")
            if not name.startswith("hx-"):
                continue
            if ":" in name or word not in _HX:
                known = ", ".join(f"hx-{each}" for each in sorted(_HX))
                yield element, f"{element}: {name} is not used here; there are {known}"
            elif word == "push-url" and value != "true" and not _is_step_of(element, value):
                words = 'write "true", or in a form a URL below its action'
                yield element, f"{element}: {name} is not the URL of what is shown; {words}"
            elif re.search(r"\b(js|javascript):", value, re.IGNORECASE) or (word == "trigger" and "[" in value):
                yield element, f"{element}: {name} runs code; the policy refuses it"
        yield from _works_without_htmx(element, attributes)


def _is_step_of(element: Element, url: str) -> bool:
    """What a form leads to, which has no URL of its own when it is sent to the form's."""
    return element.tag == "form" and url.startswith(f"{element.get('action')}/")


def _works_without_htmx(element: Element, attributes: dict[str, str]) -> Found:
    for name, tag, other in (("hx-get", "a", "href"), ("hx-get", "form", "action"), ("hx-post", "form", "action")):
        if name in attributes and element.tag == tag and attributes[name] != element.get(other):
            yield element, f"{element}: {name} and {other} differ; without scripts another thing would happen"
    asks = [name for name in ("hx-get", "hx-post") if name in attributes]
    for name in asks:
        links = [each.get("href") for each in element.walk() if each.tag == "a"]
        if element.tag == "form":
            fits = element.get("method").lower() == name.removeprefix("hx-")
        else:
            fits = name == "hx-get" and (element.tag == "a" or attributes[name] in links)
        if not fits:
            wanted = "<a href>, or around one" if name == "hx-get" else '<form method="post">'
            yield element, f"{element}: {name} must be on {wanted}, so that it works without scripts"
        for needed in ("hx-target", "hx-swap"):
            if needed not in attributes:
                yield element, f"{element}: add {needed}; nothing is inherited here"
