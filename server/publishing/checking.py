"""`build.py check`: everything that can be wrong with the brands and the templates, found before anybody sees it.

    themes             every key of theme.toml and portal.toml, contrast, own rules, pictures       themes/
    templates          the house rules for template files of every theme                            template_rules.py
    overrides          replace something, keep the rules and what the site's template does          overrides.py
    pages              the house rules for HTML, and that every link leads somewhere                pages.py, html_rules.py
    languages          have words                                                                   pages.py

All of that `build`, `dev` and `serve` refuse too. What follows is about `site/`, which a release brings whole:

    fragments, mails   every example, in every brand, keeps the house rules                         html_rules.py
    examples           type, template and examples belong together                                  examples.py
    templates, words   the rules for the site's templates; every catalog is whole                   catalogs.py

One bad brand hides nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from server import brands
from server.brands import Brand, Mistake, ThemeError
from server.mail import messages
from server.paths import Paths
from server.publishing import catalogs, examples, overrides, pages
from server.publishing.examples import Example, ExampleError, MailExample
from server.publishing.rules import html_rules, mail_rules, template_rules
from server.publishing.rules.html_rules import Problem
from server.rendering.assets import AssetError, Assets
from server.rendering.renderer import Renderer
from server.rendering.views import Frame

_FRAME = Frame(address="jenny@example.com", customer_name="Jenny Rosen")


def check(folder: Path, names: Sequence[str] = ()) -> list[Problem]:
    """Every mistake in a folder of themes and in the site's own files; with `names`, of those brands only."""
    problems = of_brands(folder, names)
    try:
        shown, mails = examples.load(), examples.load_mails()
        problems += [Problem("", 0, "examples", sentence) for sentence in examples.orphans()]
    except ExampleError as error:
        return [*problems, *of_site(), Problem("", 0, "examples", str(error))]
    for brand in load(folder, names)[0]:
        problems += site_problems(brand, shown, mails)
    return list(dict.fromkeys([*problems, *of_site()]))


def of_brands(folder: Path, names: Sequence[str] = ()) -> list[Problem]:
    """What is wrong with the brands: `build`, `dev` and `serve` refuse the same."""
    readable, problems = load(folder, names)
    problems += lint(folder, names)
    for brand in readable:
        problems += brand_problems(brand)
    return list(dict.fromkeys(problems))


def of_site() -> list[Problem]:
    """What is wrong with the files of `site/`, whatever the brand; a release has nothing of this."""
    files = template_rules.template_files(template_rules.SITE_TEMPLATES)
    return [*catalogs.problems(), *(problem for path in files for problem in template_rules.lint(path))]


def load(folder: Path, names: Sequence[str] = ()) -> tuple[list[Brand], list[Problem]]:
    """The brands that can be read, and what is wrong with the others. Raises `ThemeError` where there is no such folder."""
    readable: list[Brand] = []
    problems: list[Problem] = []
    found = brands.folders(folder)
    unknown = sorted(set(names) - {each.name for each in found})
    there = ", ".join(each.name for each in found)
    problems += [Problem(str(folder), 0, "theme", f"there is no brand {name}; there are {there}") for name in unknown]
    for each in found:
        if names and each.name not in names:
            continue
        try:
            if brands.is_base(each):
                brands.check_base(each)
            else:
                readable.append(brands.load(each))
        except ThemeError as error:
            problems += map(problem, error.mistakes)
    problems += map(problem, brands.shared_domains(readable))
    return readable, list(dict.fromkeys(problems))


def problem(mistake: Mistake) -> Problem:
    key = f"{mistake.key}: " if mistake.key else ""
    message = f"{key}found {mistake.found}; allowed: {mistake.allowed}"
    return Problem(str(mistake.file), mistake.line, "theme", message)


def lint(folder: Path, names: Sequence[str] = ()) -> list[Problem]:
    """The rules for template files of every theme in the folder, bases included."""
    own = [each for each in brands.folders(folder) if not names or each.name in names]
    files = [path for theme in own for path in template_rules.template_files(theme / "templates")]
    problems = [problem for theme in own for problem in template_rules.folder_problems(theme)]
    return problems + [problem for path in files for problem in template_rules.lint(path)]


def brand_problems(brand: Brand) -> list[Problem]:
    """What is wrong with one brand: its languages, its overrides, its pages."""
    problems = [*pages.words_problems(brand)]
    try:
        assets = Assets.of(brand)
        if found := overrides.problems(brand, assets):
            return problems + found
        rendered = dict(pages.render_pages(brand, assets))
    except (AssetError, pages.PageError) as error:
        return [*problems, Problem("", 0, "render", str(error))]
    return problems + pages.page_problems(brand, assets, rendered)


def site_problems(brand: Brand, shown: Sequence[Example], mails: Sequence[MailExample]) -> list[Problem]:
    """Every fragment and mail of the site, as the words and features of this brand make them."""
    without = msgspec.structs.replace(brand, lineage=())
    try:
        assets = Assets.of(without)
    except AssetError:  # `brand_problems` tells it
        return []
    return [*_fragment_problems(without, assets, shown), *_mail_problems(without, assets, mails)]


def _fragment_problems(brand: Brand, assets: Assets, shown: Sequence[Example]) -> Iterator[Problem]:
    renderer = Renderer(brand, assets, Paths(brand.base))
    resolves = pages.links_of(brand, assets).resolves
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
        yield from mail_rules.check(rendered.html, rendered.subject, where)
