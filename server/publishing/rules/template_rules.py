"""The house rules for template files, the site's and those of themes, before anything is rendered.

Autoescape is the defence against markup in names and memos, and these rules keep it whole: nothing in a template may
call a text safe. An override must be where the site has a template, or it would be silently without effect.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from traceback import extract_tb

import jinja2
from jinja2 import nodes

from server.brands import Brand
from server.publishing.rules.html_rules import Problem
from server.rendering.assets import AssetError

SITE_TEMPLATES = Path(__file__).parents[3] / "site" / "templates"
LONGEST_TEMPLATE = 80
_ENDINGS = (".html", ".txt")
_UNSAFE_FILTERS = {
    "safe": "texts are escaped, always; put markup into a macro of components/ instead",
    "attr": "write the attribute's name out",
}


def override_problems(brand: Brand) -> list[Problem]:
    """Templates of the brand, and of those it extends, that replace nothing."""
    return [problem for folder in brand.lineage for problem in folder_problems(folder)]


def folder_problems(theme: Path) -> list[Problem]:
    """What is wrong with the names of the templates in one theme's folder."""
    files = [*template_files(SITE_TEMPLATES), *SITE_TEMPLATES.glob("documents/*.typ")]
    known = [path.relative_to(SITE_TEMPLATES).as_posix() for path in files]
    problems = []
    for path in sorted((theme / "templates").rglob("*")):
        name = path.relative_to(theme / "templates").as_posix()
        if path.is_dir() or path.name.startswith(".") or name in known:
            continue
        near = difflib.get_close_matches(name, known, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        message = f"replaces nothing: the site has no template {name}{hint}"
        problems.append(Problem(str(path), 0, "override-replaces", message))
    return problems


def template_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _ENDINGS and path.is_file())


def lint(path: Path) -> list[Problem]:
    """What the rules have against one template file."""
    try:
        tree = parsed(path)
    except jinja2.TemplateSyntaxError as error:
        return [Problem(str(path), error.lineno, "template-syntax", str(error.message))]
    except UnicodeDecodeError as error:
        return [Problem(str(path), 0, "template-syntax", f"is not UTF-8: {error.reason}")]
    found = [*_in_tree(tree), *_in_text(path.read_text("utf-8"))]
    return sorted(Problem(str(path), line, rule, message) for line, rule, message in found)


def blocks(path: Path) -> set[str]:
    """The names of the blocks that a template defines."""
    return {block.name for block in parsed(path).find_all(nodes.Block)}


def extends(path: Path) -> str:
    """The template that this one extends, or nothing."""
    parents = [each.template for each in parsed(path).find_all(nodes.Extends)]
    return str(parents[0].value) if parents and isinstance(parents[0], nodes.Const) else ""


MISTAKES = (jinja2.TemplateError, AssetError, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError)
"""What a template of somebody else's can raise when it is rendered: `{{ 1 / 0 }}`, `{{ "a" + 1 }}`, an endless include."""


def template_mistake(error: Exception, template: str) -> str:
    """One of `MISTAKES` in one line: file, line, and what is wrong; `template` where no file shows itself.

    Where one of the site's fails below an override, that is named: what the site's lacks, the override did not give.
    """
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or error.name or template}:{error.lineno}: {error.message}"
    frames = [each for each in extract_tb(error.__traceback__) if each.filename.endswith(_ENDINGS)]
    of_themes = [each for each in frames if not Path(each.filename).is_relative_to(SITE_TEMPLATES)]
    at = frames[-1:] if frames[-1:] == of_themes[-1:] else of_themes[:1] or frames[-1:]
    place = f"{at[0].filename}:{at[0].lineno}" if at else template
    if isinstance(error, jinja2.TemplateNotFound):
        return f"{place}: there is no template {error.name}"
    if isinstance(error, RecursionError):
        return f'{place}: it extends or includes itself without end; the template of the site is "site:…"'
    return f"{place}: {error.message if isinstance(error, jinja2.TemplateError) else error}"


def parsed(path: Path) -> nodes.Template:
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    return environment.parse(path.read_text("utf-8"), path.name, str(path))


def _in_tree(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    for used in tree.find_all(nodes.Filter):
        if used.name in _UNSAFE_FILTERS:
            yield used.lineno, "no-unsafe-filter", f"the filter {used.name} is not used: {_UNSAFE_FILTERS[used.name]}"
    for name in tree.find_all(nodes.Name):
        if name.name == "Markup":
            yield name.lineno, "no-unsafe-filter", "Markup is not used: texts are escaped, always"
    for change in tree.find_all(nodes.EvalContextModifier):
        yield change.lineno, "no-autoescape-block", "autoescape is on, always; take the {% autoescape %} away"
    for attribute in tree.find_all(nodes.Getattr):
        if attribute.attr.startswith("_"):
            yield attribute.lineno, "no-inner-names", f"{attribute.attr} is inside Python; use what the view offers"
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Const) and str(item.arg.value).startswith("_"):
            yield item.lineno, "no-inner-names", f"{item.arg.value} is inside Python; use what the view offers"


def _in_text(text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\{%[-+]?\s*raw\b", line):
            yield number, "no-raw-block", "{% raw %} is not used; move scripts to site/static"
    length = len(text.splitlines())
    if length > LONGEST_TEMPLATE:
        yield (
            LONGEST_TEMPLATE + 1,
            "template-length",
            f"{length} lines; move a part to components/, {LONGEST_TEMPLATE} are allowed",
        )
