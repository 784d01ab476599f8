"""What a template override may be: it may look as it likes, keeps the house rules, and must do what the site's does.

Both are rendered, from every page, every example and every mail. Where the brand's comes out differently it is held to
the rules, and what the site's offers must be there in it: forms with their actions and named fields, the ids by which a
part is swapped, what a script of ours looks for, and the blocks that other templates fill. What is said, in which order
and in which elements is the designer's. `build`, `check`, `dev` and `serve` all ask here; what they tell names the
designer's file, and each thing once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from server.brands import Brand
from server.mail import messages
from server.paths import Paths
from server.publishing import examples
from server.publishing.examples import Example, MailExample
from server.publishing.pages import links_of, page_templates, render_page, words_problems
from server.publishing.rules import html_rules, mail_rules, override_rules, template_rules
from server.publishing.rules.html_rules import Problem
from server.publishing.rules.markup import Document, parse
from server.rendering.assets import AssetError, Assets
from server.rendering.renderer import Renderer
from server.rendering.views import Frame

_FOR_SCRIPTS = ("main", "announcements", "failure", "try-again", "account-address")
"""The ids that portal.js looks for."""
_HOOKS = ("data-focus", "data-announce", "data-address", "data-page")
_FRAME = Frame(address="jenny@example.com", customer_name="Jenny Rosen")
_passed: set[object] = set()
"""Sets of overrides that were found right: many brands share theirs."""


class _Rendered(msgspec.Struct, frozen=True):
    template: str
    kind: str
    """`page`, `fragment` or `mail`."""
    what: str
    html: str
    subject: str = ""


def problems(brand: Brand, assets: Assets) -> list[Problem]:
    """Everything that is wrong with the brand's overrides and with those of the themes it extends."""
    if not any((theme / "templates").is_dir() for theme in brand.lineage):
        return []
    if found := file_problems(brand):
        return found
    known = _state(brand)
    if not known or known in _passed:
        return []
    found = contract_problems(brand, assets, examples.load(), examples.load_mails())
    if not found:
        _passed.add(known)
    return found


def refused(brands: Iterable[Brand]) -> list[Problem]:
    """What keeps these brands from being served: their overrides, and languages without words."""
    found: list[Problem] = []
    for brand in brands:
        found += words_problems(brand)
        try:
            found += problems(brand, Assets.of(brand))
        except AssetError as error:
            found.append(Problem("", 0, "render", str(error)))
    return list(dict.fromkeys(found))


def file_problems(brand: Brand) -> list[Problem]:
    """What the files alone show: their places, and the rules for templates."""
    found = template_rules.override_problems(brand)
    return found + [problem for path in _files(brand).values() for problem in template_rules.lint(path)]


def contract_problems(
    brand: Brand, assets: Assets, shown: Sequence[Example], mails: Sequence[MailExample] = ()
) -> list[Problem]:
    """What the overrides lost of the site's templates, and which rules their pages, fragments and mails break."""
    files = _files(brand)
    if not files:
        return []
    if found := list(override_rules.problems(files)):
        return found
    paths, resolves = Paths(brand.base), links_of(brand, assets).resolves
    ours, original = Renderer(brand, assets, paths), Renderer(msgspec.structs.replace(brand, lineage=()), assets, paths)
    try:
        expected = [*_rendered(brand, original, shown, mails)]
    except template_rules.MISTAKES as error:  # the site's own, whatever the overrides are
        return [Problem("", 0, "render", template_rules.template_mistake(error, "a template of the site"))]
    try:
        for site, mine in zip(expected, _rendered(brand, ours, shown, mails), strict=True):
            # Most pages of most overrides are the same, and comparing texts is much faster than reading them.
            if site.html != mine.html or site.subject != mine.subject:
                found += _compared(site, mine, resolves, str(files.get(mine.template) or _all_of(files)))
    except template_rules.MISTAKES as error:
        found.append(_failure(error, files))
    return _once(found)


def _failure(error: Exception, files: Mapping[str, Path]) -> Problem:
    """The line of an override, or one of the site's, and then the overrides that its file uses."""
    message = template_rules.template_mistake(error, "an override")
    if any(message.startswith(str(path)) for path in files.values()):
        return Problem("", 0, "override-contract", message)
    place = Path(message.partition(".html:")[0] + ".html")
    used = {name for name, _ in override_rules.used_by(place)} if place.is_file() else set()
    mine = {name: path for name, path in files.items() if name in used}
    return Problem(_all_of(mine or files), 0, "override-contract", message)


def _all_of(files: Mapping[str, Path]) -> str:
    return ", ".join(map(str, files.values()))


def _compared(site: _Rendered, mine: _Rendered, resolves: Callable[[str], bool], where: str) -> Iterator[Problem]:
    if mine.kind == "mail":
        broken: Sequence[Problem] = [*mail_rules.check(mine.html, mine.subject, where)]
        lost: Sequence[str] = ()
    else:
        broken = html_rules.check(mine.html, mine.kind, resolves, where)
        lost = sorted(promises(site.html) - promises(mine.html))
    for problem in broken:
        # Its line is one of the page, and not of the file.
        yield msgspec.structs.replace(problem, line=0, message=f"{problem.message}; see {mine.what}")
    for each in lost:
        yield Problem(where, 0, "override-contract", f"has lost {each}; see {mine.what}")


def _state(brand: Brand) -> object:
    """What the answer depends on: the overrides, word by word, which templates of the site they are compared with, and what
    the brand has that a template may want to show."""
    mine = tuple((name, path.read_bytes()) for name, path in _files(brand).items())
    if not mine:
        return None
    site = template_rules.template_files(template_rules.SITE_TEMPLATES)
    state = tuple((str(path), path.stat().st_mtime_ns) for path in site)
    return mine, state, brand.config.site.locales, _has(brand.config), _has(brand.theme)


def _has(value: object) -> object:
    """Which of its fields are there; many brands have the same, each with words of its own."""
    if isinstance(value, msgspec.Struct):
        return tuple(map(_has, msgspec.structs.astuple(value)))
    return bool(value)


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


def _rendered(
    brand: Brand, renderer: Renderer, shown: Sequence[Example], mails: Sequence[MailExample]
) -> Iterator[_Rendered]:
    """Everything there is to compare."""
    for path, page in page_templates(brand).items():
        if page.locale == renderer.default_locale:
            yield _Rendered(f"pages/{page.template}.html", "page", path, render_page(renderer, page))
    in_layout: set[str] = set()
    for example in shown:
        what = f"{example.template}, example {example.name!r}"
        yield _Rendered(example.template, "fragment", what, renderer.fragment(example.view))
        if example.template not in in_layout:
            in_layout.add(example.template)
            layout = f"layouts/{example.view.layout}.html"
            yield _Rendered(layout, "page", what, renderer.page(example.view, _FRAME))
    for each in mails:
        template = f"emails/{each.mail.template}.html"
        mail = messages.render(renderer, each.mail)
        yield _Rendered(template, "mail", f"{template}, example {each.name!r}", mail.html, mail.subject)


def _files(brand: Brand) -> dict[str, Path]:
    """The override that is used at each path."""
    found: dict[str, Path] = {}
    for theme in reversed(brand.lineage):
        for path in template_rules.template_files(theme / "templates"):
            found[path.relative_to(theme / "templates").as_posix()] = path
    return found


def _once(found: list[Problem]) -> list[Problem]:
    """One line for each thing that is wrong or lost, however many examples show it."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in found:
        first.setdefault((problem.where, problem.message.partition("; see ")[0]), problem)
    return list(first.values())
