"""The house rules for HTML: what every page and every fragment must be, and what none may hold.

`build.py check` and the build hold every static page to them, the gallery's examples are rendered through them, and
the test client refuses any answer that breaks one. Pure: text in, problems out. A message says what to change.
The rules about scripts, styles and htmx are in `safety_rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from server.publishing.rules.markup import Document, Element, Found, parse
from server.publishing.rules.safety_rules import htmx_is_plain, nothing_inline, only_our_files

_LANDMARKS = ("header", "nav", "main", "footer", "aside", "dialog")
_UNLABELLED = frozenset({"hidden", "submit", "button", "reset", "image"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NEVER = {
    "iframe": "show it on a page of its own and link to it",
    "object": "use <img> or a link",
    "embed": "use <img> or a link",
    "base": "links carry the whole path already",
    "center": "use a class of portal.css",
    "font": "use a class of portal.css",
    "marquee": "movement that cannot be stopped keeps people from reading",
}
_PREVIEW = "/_studio/preview/"
_TOKENS = {"email": "email", "tel": "tel"}
"""The type of a field, and the word that its `autocomplete` must hold so that browsers can fill it."""


class Problem(msgspec.Struct, frozen=True, order=True):
    where: str
    """The file, or what was rendered; empty where the caller knows."""
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        place = ":".join(str(each) for each in (self.where, self.line) if each)
        return f"{place}: {self.message} [{self.rule}]" if place else f"{self.message} [{self.rule}]"


def check(
    html: str, kind: str = "page", resolves: Callable[[str], bool] | None = None, where: str = ""
) -> list[Problem]:
    """Every rule that `html` breaks, in the order of its lines. `kind` is `page` or `fragment`; `resolves` says whether
    a URL leads somewhere, and without it links are not followed."""
    document = parse(html)
    rules = [*_EVERYWHERE, *(_FRAGMENT if kind == "fragment" else _PAGE)]
    found = [(rule.__name__, place, message) for rule in rules for place, message in rule(document)]
    if resolves:
        found += [("links_resolve", place, message) for place, message in links_resolve(document, resolves)]
    problems = {
        Problem(where, place if isinstance(place, int) else place.line, name.replace("_", "-"), message)
        for name, place, message in found
    }
    return sorted(problems)


# --- pages ---------------------------------------------------------------------------------------------------------


def whole_document(page: Document) -> Found:
    if page.doctype.lower() != "doctype html":
        yield 1, "the page must begin with <!doctype html>"
    html = page.all("html")
    if len(html) != 1:
        yield 1, f"{len(html)} <html>; a page has one, from layouts/base.html"
    for element in html:
        if not element.get("lang"):
            yield element, '<html> has no lang; write lang="{{ locale }}"'
        if element.get("dir") not in {"ltr", "rtl"}:
            yield element, '<html> has no dir; write dir="{{ direction }}"'
    titles = [element for element in page.all("title") if element.inside("head")]
    if len(titles) != 1 or not titles[0].text:
        yield 1, "the page needs one <title> with words in it"
    for element in page.all("meta"):
        if re.search(r"user-scalable\s*=\s*no|maximum-scale", element.get("content")):
            yield element, f"{element} keeps people from zooming; take that part away"


def one_heading_and_main(page: Document) -> Found:
    for tag in ("h1", "main"):
        found = page.all(tag)
        if len(found) != 1:
            yield (found[1] if found else 1), f"{len(found)} <{tag}>; a page has exactly one"


def text_in_landmarks(page: Document) -> Found:
    for body in page.all("body"):
        for element in [body, *body.walk()]:
            words = "".join(child for child in element.children if isinstance(child, str)).strip()
            if not words:
                continue
            chain = [element, *element.ancestors()]
            skip_link = any(each.tag == "a" and each.get("href").startswith("#") for each in chain)
            silent = any(each.tag in {"script", "style"} or each.get("role") == "status" for each in chain)
            if not skip_link and not silent and not any(each.tag in _LANDMARKS for each in chain):
                yield element, f"{words[:40]!r} is outside every landmark; put it into header, nav, main or footer"
    for tag in ("nav", "aside"):
        several = page.all(tag)
        for element in several if len(several) > 1 else []:
            if not element.get("aria-label") and not element.get("aria-labelledby"):
                yield element, f"{element}: there are several <{tag}>; give each its own aria-label"


# --- fragments -----------------------------------------------------------------------------------------------------


def no_page_around(fragment: Document) -> Found:
    for element in fragment.all("html", "head", "body", "main", "title", "h1", "script", "style", "link", "meta"):
        yield element, f"{element} belongs to a layout; a fragment is only what is swapped"
    if fragment.doctype:
        yield 1, "a doctype belongs to layouts/base.html"


def one_root_with_id(fragment: Document) -> Found:
    words = [child for child in fragment.root.children if isinstance(child, str) and child.strip()]
    roots = [each for each in fragment.root.elements if "hx-swap-oob" not in each] or fragment.root.elements
    if len(roots) != 1 or words:
        yield 1, f"{len(roots)} root elements{' and bare text' if words else ''}; wrap all of it in one element"
    elif not roots[0].get("id"):
        yield roots[0], f"{roots[0]} is the root and has no id; give it <feature>-<fragment>, by which it is swapped"


def said_once(fragment: Document) -> Found:
    for element in fragment.elements:
        if "data-focus" in element and ("data-announce" in element or element.get("role") in ("alert", "status")):
            yield element, f"{element} takes the focus, so it is read out; do not announce it besides"
        if "data-focus" in element and not _may_take_focus(element):
            yield element, f'{element} cannot take the focus; add tabindex="-1"'


def _may_take_focus(element: Element) -> bool:
    return "tabindex" in element or element.tag in {"a", "button", "input", "select", "textarea", "summary"}


# --- both ----------------------------------------------------------------------------------------------------------


def tags_fit(document: Document) -> Found:
    yield from document.mistakes
    for element in document.elements:
        if element.tag in _NEVER and not _is_preview(element):
            yield element, f"<{element.tag}> is not used here: {_NEVER[element.tag]}"
        if element.tag == "form" and element.inside("form"):
            yield element, f"{element} is inside another form; browsers drop it"
        if element.tag in {"a", "button"} and element.inside("a", "button"):
            yield element, f"{element} is inside a link or a button; put them side by side"


def _is_preview(element: Element) -> bool:
    """A frame of the studio's preview, in which nothing may be done."""
    is_inert = "sandbox" in element and not element.get("sandbox") and bool(element.get("title"))
    return element.tag == "iframe" and is_inert and (element.get("src") or _PREVIEW).startswith(_PREVIEW)


def headings_do_not_jump(document: Document) -> Found:
    before = 0
    for element in document.all(*_HEADINGS):
        level = int(element.tag[1])
        if before and level > before + 1:
            yield element, f"<{element.tag}> comes after <h{before}>; use <h{before + 1}>"
        before = level
        if not element.text:
            yield element, f"{element} has no words"


def ids_are_unique(document: Document) -> Found:
    seen: dict[str, Element] = {}
    for element in document.elements:
        name = element.get("id")
        if "id" in element and not re.fullmatch(r"\S+", name):
            yield element, f"{element}: an id must not be empty or hold a space"
        elif name in seen and "id" in element:
            yield element, f'id="{name}" is on line {seen[name].line} already; add the id of the thing itself'
        seen.setdefault(name, element)


def fields_are_labelled(document: Document) -> Found:
    labels = {element.get("for") for element in document.all("label") if element.text}
    for element in document.all("input", "select", "textarea"):
        if element.tag == "input" and element.get("type") in _UNLABELLED:
            continue
        wrapped = any(each.tag == "label" and each.text for each in element.ancestors())
        if not (wrapped or element.get("id") in labels or element.get("aria-label") or element.get("aria-labelledby")):
            yield element, f"{element} has no label; use components/field.html or add <label for=…>"
    for element in document.all("label"):
        if "for" in element and element.get("for") not in document.ids:
            yield element, f"{element} is for a field that is not there"


def references_exist(document: Document) -> Found:
    for element in document.elements:
        for name in ("aria-describedby", "aria-labelledby", "aria-errormessage"):
            for reference in element.get(name).split():
                if reference not in document.ids:
                    yield element, f'{element}: {name} names "{reference}", and no element has that id'


def controls_have_names(document: Document) -> Found:
    for element in document.all("a", "button", "summary"):
        if not (element.text or element.get("aria-label") or element.get("aria-labelledby")):
            yield element, f"{element} has no words; write what it does, if need be in class visually-hidden"
    for element in document.all("img"):
        if "alt" not in element:
            yield element, f'{element} has no alt; say what it shows, or alt="" where it is decoration'
    for element in document.all("svg"):
        hidden = any(each.get("aria-hidden") == "true" for each in [element, *element.ancestors()])
        if not hidden and not element.get("aria-label") and not element.get("aria-labelledby"):
            yield element, f'{element}: add aria-hidden="true", or role="img" and an aria-label'
    for element in document.elements:
        if element.get("tabindex").isdigit() and element.get("tabindex") != "0":
            yield element, f"{element}: a positive tabindex breaks the order of the page; use 0 or -1"


def errors_are_linked(document: Document) -> Found:
    described = {name for element in document.elements for name in element.get("aria-describedby").split()}
    for element in document.elements:
        if element.get("id").endswith("-error") and element.get("id") not in described:
            yield element, f"{element} is an error message; name its id in the field's aria-describedby"
        if element.get("aria-invalid") == "true" and not element.get("aria-describedby"):
            yield element, f"{element} is invalid and says not why; point aria-describedby at the message"
        names = element.get("aria-describedby").split()
        if any(name.endswith("-error") for name in names) and element.get("aria-invalid") != "true":
            yield element, f'{element} shows an error; add aria-invalid="true"'


def forms_work_alone(document: Document) -> Found:
    for element in document.all("form"):
        if element.get("method").lower() not in {"post", "get"}:
            yield element, f"{element} needs a method: post where it changes something, get where it only asks"
        if not element.get("action"):
            yield element, f"{element} needs an action from paths, so that it works without scripts"
    for element in document.all("button"):
        if element.get("type") not in {"submit", "button"}:
            yield element, f'{element}: write type="submit" (or "button")'
        if "formaction" in element or "formmethod" in element:
            yield element, f"{element}: use a form of its own instead of formaction and formmethod"


def fields_can_be_filled(document: Document) -> Found:
    for element in document.all("form", "input", "select", "textarea"):
        tokens = element.get("autocomplete").split()
        kind = element.get("type")
        wanted = "one-time-code" if element.get("name") == "code" and kind != "hidden" else _TOKENS.get(kind, "")
        if "off" in tokens:
            yield element, f'{element}: autocomplete="off" keeps password managers and helpers out; take it away'
        elif element.tag == "input" and wanted and wanted not in tokens:
            yield element, f'{element}: add autocomplete="{wanted}"'
        if "readonly" not in element and element.get("type") == "password":
            yield element, f"{element}: there are no passwords here"


def links_are_links(document: Document) -> Found:
    for element in document.all("a"):
        href = element.get("href")
        if not href or href == "#":
            yield element, f"{element} leads nowhere; give it an href from paths, or make it a <button>"
        if element.get("target") == "_blank" and "noopener" not in element.get("rel").split():
            yield element, f'{element} opens a new tab; add rel="noopener"'


# --- links ---------------------------------------------------------------------------------------------------------


def links_resolve(document: Document, resolves: Callable[[str], bool]) -> Found:
    for element in document.elements:
        for name in ("href", "src", "action", "hx-get", "hx-post"):
            url = element.get(name)
            if not url or url.lower().startswith("javascript:"):
                continue
            here = url[1:] in document.ids or not document.all("body")
            if not (here if url.startswith("#") else resolves(url)):
                yield element, f"{element}: {name} leads to {url}, and nothing is there; take it from paths or asset"
        refresh = re.fullmatch(r"\d+;\s*url=(.+)", element.get("content"), re.IGNORECASE)
        if element.get("http-equiv").lower() == "refresh" and refresh and not resolves(refresh[1]):
            yield element, f"{element}: leads to {refresh[1]}, and nothing is there"


_PAGE = (whole_document, one_heading_and_main, text_in_landmarks)
_FRAGMENT = (no_page_around, one_root_with_id, said_once)
_EVERYWHERE = (
    tags_fit,
    headings_do_not_jump,
    ids_are_unique,
    fields_are_labelled,
    references_exist,
    controls_have_names,
    errors_are_linked,
    forms_work_alone,
    fields_can_be_filled,
    links_are_links,
    nothing_inline,
    only_our_files,
    htmx_is_plain,
)
