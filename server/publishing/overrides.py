"""The contract of a template override: it may look as it likes, and must still do what the site's template does.

Both are rendered, from every page and every example, and what the site's offers must be there in the brand's: forms
with their actions and named fields, the ids by which a part is swapped, what a script of ours looks for, and the blocks
that other templates fill. What is said, in which order and in which elements is the designer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from server.brands import Brand
from server.paths import Paths
from server.publishing.examples import Example
from server.publishing.publishing import page_templates, render_page
from server.publishing.rules import template_rules
from server.publishing.rules.html_rules import Problem
from server.publishing.rules.markup import Document, parse
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from server.rendering.views import Frame

_FOR_SCRIPTS = ("main", "announcements", "failure", "account-address")
"""The ids that portal.js looks for."""
_HOOKS = ("data-focus", "data-announce", "data-address")
_FRAME = Frame(address="jenny@example.com", customer_name="Jenny Rosen")


def contract_problems(brand: Brand, assets: Assets, examples: Sequence[Example]) -> list[Problem]:
    """What the brand's overrides, and those of the themes it extends, lost."""
    files = _files(brand)
    if not files:
        return []
    problems = list(_lost_blocks(files))
    paths = Paths(brand.base)
    ours, original = Renderer(brand, assets, paths), Renderer(msgspec.structs.replace(brand, lineage=()), assets, paths)
    both = zip(_rendered(brand, original, examples), _rendered(brand, ours, examples), strict=True)
    try:
        for (template, what, html), (_, _, mine) in both:
            where = str(files.get(template) or ", ".join(str(path) for path in files.values()))
            # Most pages of most overrides are the same, and comparing texts is much faster than reading them.
            lost = sorted(promises(html) - promises(mine)) if html != mine else ()
            problems += [Problem(where, 0, "override-contract", f"has lost {each}; see {what}") for each in lost]
    except template_rules.MISTAKES as error:
        message = template_rules.template_mistake(error, "an override")
        problems.append(Problem(brand.name, 0, "override-contract", message))
    return _once(problems)


def promises(html: str) -> set[str]:
    """What one page or fragment offers to browsers, to scripts and to the server, as phrases."""
    document = parse(html)
    return {*_forms(document), *_hooks(document)}


def _forms(document: Document) -> Iterator[str]:
    for form in document.all("form"):
        to = f"the form that sends to {form.get('action')}"
        yield to if form.get("method").lower() == "get" else f"{to} by post"
        for field in form.walk():
            if field.tag in {"input", "select", "textarea", "button"} and field.get("name"):
                value = f" with the value {field.get('value')!r}" if field.get("type") in {"radio", "hidden"} else ""
                yield f"the field {field.get('name')!r}{value} in {to}"


def _hooks(document: Document) -> Iterator[str]:
    for element in document.elements:
        for name in _HOOKS:
            if name in element:
                yield f"an element with {name}"
        target = element.get("hx-target")
        if target == "this" and "id" in element:
            yield f"the element with id={element.get('id')!r}, which is swapped"
        elif target.startswith("#") and target[1:] in document.ids:
            yield f"the element with id={target[1:]!r}, which is swapped"
    for name in _FOR_SCRIPTS:
        if name in document.ids:
            yield f"the element with id={name!r}, which portal.js looks for"
    roots = document.root.elements
    if not document.all("html") and roots and "id" in roots[0]:
        yield f"the root element with id={roots[0].get('id')!r}"


def _rendered(brand: Brand, renderer: Renderer, examples: Sequence[Example]) -> Iterator[tuple[str, str, str]]:
    """Template, what it shows, and HTML of everything there is to compare."""
    for path, page in page_templates(brand).items():
        if page.locale == renderer.default_locale:
            yield f"pages/{page.template}.html", path, render_page(renderer, page)
    in_layout: set[str] = set()
    for example in examples:
        what = f"{example.template}, example {example.name!r}"
        yield example.template, what, renderer.fragment(example.view)
        if example.template not in in_layout:
            in_layout.add(example.template)
            yield f"layouts/{example.view.layout}.html", what, renderer.page(example.view, _FRAME)


def _files(brand: Brand) -> dict[str, Path]:
    """The override that is used at each path."""
    found: dict[str, Path] = {}
    for theme in reversed(brand.lineage):
        for path in template_rules.template_files(theme / "templates"):
            found[path.relative_to(theme / "templates").as_posix()] = path
    return found


def _lost_blocks(files: dict[str, Path]) -> Iterator[Problem]:
    for name, path in files.items():
        original = template_rules.SITE_TEMPLATES / name
        if not original.exists() or template_rules.extends(path) == f"site:{name}":
            continue
        for block in sorted(template_rules.blocks(original) - template_rules.blocks(path)):
            message = f"has lost the block {block}, which others fill; or begin with {{% extends 'site:{name}' %}}"
            yield Problem(str(path), 0, "override-contract", message)


def _once(problems: list[Problem]) -> list[Problem]:
    """One line for each thing that is lost, however many examples show it."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.where, problem.message.partition("; see ")[0]), problem)
    return list(first.values())
