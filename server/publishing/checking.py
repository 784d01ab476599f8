"""`build.py check`: everything that can be wrong with the brands and the templates, found before anybody sees it.

    themes             every key of theme.toml and portal.toml, contrast of every pair of colors    themes/
    templates          the house rules for template files, of the site and of every theme           template_rules.py
    examples           type, template and examples belong together                                  examples.py
    pages, fragments   the house rules for HTML, and that every link leads somewhere                html_rules.py
    overrides          replace something, and keep its contract                                     overrides.py
    mails              render, in words and in HTML                                                 mail/messages.py
    words              every catalog is whole, and no translation breaks a page                     catalogs.py

One bad brand hides nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from server import brands
from server.brands import Brand, ThemeError
from server.mail import messages
from server.paths import Paths
from server.publishing import catalogs, examples, overrides, publishing
from server.publishing.examples import Example, ExampleError, MailExample
from server.publishing.rules import html_rules, template_rules
from server.publishing.rules.html_rules import Problem
from server.publishing.rules.markup import parse
from server.rendering import words
from server.rendering.assets import AssetError, Assets
from server.rendering.renderer import Renderer
from server.rendering.views import Frame

_FRAME = Frame(address="jenny@example.com", customer_name="Jenny Rosen")


def check(folder: Path, names: Sequence[str] = ()) -> list[Problem]:
    """Every mistake in a folder of themes; with `names`, of those brands only."""
    readable, problems = load(folder, names)
    problems += lint(folder, names)
    problems += catalogs.problems()
    shown: list[Example] = []
    mails: list[MailExample] = []
    try:
        problems += [Problem("", 0, "examples", sentence) for sentence in examples.orphans()]
        shown, mails = examples.load(), examples.load_mails()
    except ExampleError as error:
        problems.append(Problem("", 0, "examples", str(error)))
    for brand in readable:
        problems += brand_problems(brand, shown, mails)
    return problems


def load(folder: Path, names: Sequence[str] = ()) -> tuple[list[Brand], list[Problem]]:
    """The brands that can be read, and what is wrong with the others."""
    readable: list[Brand] = []
    problems: list[Problem] = []
    found = [each for each in sorted(folder.iterdir()) if each.is_dir() and each.name[0] not in "._"]
    unknown = sorted(set(names) - {each.name for each in found})
    problems += [Problem(str(folder), 0, "theme", f"there is no brand {name}") for name in unknown]
    for each in found:
        if names and each.name not in names:
            continue
        try:
            if brands.is_base(each):
                brands.check_base(each)
            else:
                readable.append(brands.load(each))
        except ThemeError as error:
            for mistake in error.mistakes:
                message = f"{mistake.key or 'the file'}: found {mistake.found}; allowed: {mistake.allowed}"
                problems.append(Problem(str(mistake.file), mistake.line, "theme", message))
    return readable, list(dict.fromkeys(problems))


def lint(folder: Path, names: Sequence[str] = ()) -> list[Problem]:
    """The rules for template files, of the site and of every theme in the folder."""
    own = [each for each in sorted(folder.iterdir()) if not names or each.name in names]
    problems = [problem for theme in own for problem in template_rules.folder_problems(theme)]
    for root in (template_rules.SITE_TEMPLATES, *(theme / "templates" for theme in own)):
        problems += [problem for path in template_rules.template_files(root) for problem in template_rules.lint(path)]
    return problems


def brand_problems(brand: Brand, shown: Sequence[Example], mails: Sequence[MailExample]) -> list[Problem]:
    """Every page, fragment and mail of one brand."""
    problems = [*_locale_problems(brand)]
    try:
        assets = Assets.of(brand)
        pages = dict(publishing.render_pages(brand, assets))
        problems += publishing.page_problems(brand, assets, pages)
        problems += _fragment_problems(brand, assets, shown)
        problems += _mail_problems(brand, assets, mails)
        problems += overrides.contract_problems(brand, assets, shown)
    except (AssetError, publishing.BuildError, LookupError) as error:
        return [Problem(brand.name, 0, "render", str(error))]
    except template_rules.MISTAKES as error:
        return [Problem(brand.name, 0, "render", template_rules.template_mistake(error, "a template"))]
    return problems


def _locale_problems(brand: Brand) -> Iterator[Problem]:
    for tag in brand.config.site.locales:
        if words.catalog_of(tag) is None and tag.partition("-")[0] != "en":
            message = (
                f"site.locales: there are no words for {tag}, its pages are English; `build.py words {tag}` begins them"
            )
            yield Problem(f"{brand.name}/{brands.PORTAL_FILE}", 0, "words", message)


def _fragment_problems(brand: Brand, assets: Assets, shown: Sequence[Example]) -> Iterator[Problem]:
    renderer = Renderer(brand, assets, Paths(brand.base))
    resolves = publishing.links_of(brand, assets).resolves
    for example in shown:
        where = f"{brand.name}: {example.template}, example {example.name!r}"
        try:
            answers = {
                "fragment": renderer.fragment(example.view),
                "page": renderer.page(example.view, _FRAME),
            }
        except template_rules.MISTAKES as error:
            message = template_rules.template_mistake(error, example.template)
            yield Problem(where, 0, "render", message)
            continue
        for kind, html in answers.items():
            yield from html_rules.check(html, kind, resolves, f"{where}, as a {kind}")


def _mail_problems(brand: Brand, assets: Assets, mails: Sequence[MailExample]) -> Iterator[Problem]:
    renderer = Renderer(brand, assets, Paths(brand.base))
    for example in mails:
        where = f"{brand.name}: emails/{example.mail.template}.html, example {example.name!r}"
        try:
            rendered = messages.render(renderer, example.mail)
        except template_rules.MISTAKES as error:
            message = template_rules.template_mistake(error, example.mail.template)
            yield Problem(where, 0, "render", message)
            continue
        document = parse(rendered.html)
        for line, message in document.mistakes:
            yield Problem(where, line, "tags-fit", message)
        for element in document.all("script", "form", "iframe", "object", "embed", "link"):
            yield Problem(where, element.line, "mail", f"{element}: mail programs refuse mails with <{element.tag}>")
        if not rendered.subject:
            yield Problem(where, 0, "mail", "the first line of the .txt is the subject, and it is empty")
