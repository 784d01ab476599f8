"""The files of a brand as it would be published: copied from the folder of themes, held to every rule, and built.

Nothing is kept and nothing goes live here. What is checked and built is the copy, so that somebody who saves meanwhile
changes nothing of it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from server.brands import PORTAL_FILE, Brand, Mistake, ThemeError, lineage_of, load
from server.portal import check_backend, check_studio
from server.publishing import checking, publishing
from server.publishing.publishing import BuildError
from server.publishing.rules.html_rules import Problem
from server.settings import Settings, SettingsError

SOURCE, SITE = "source/", "site/"
LARGEST = 32 * 1024 * 1024
"""Bytes of a brand's files with those of the themes that it extends."""

Adapt = Callable[[Brand], Brand]


class Refused(Exception):
    """The brand is not fit to be published: every reason, with file and line. Nothing went live."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def unchanged(brand: Brand) -> Brand:
    return brand


def copied(themes: Path, name: str) -> dict[str, bytes]:
    """The files of the brand and of the themes that it extends, by their paths below `themes`. Of those themes it takes
    what is inherited: no `portal.toml`. Raises `ThemeError`."""
    found: dict[str, bytes] = {}
    size = 0
    for theme in lineage_of(themes / name):
        for file in sorted(theme.rglob("*")):
            inside = file.relative_to(theme)
            if any(part.startswith(".") for part in inside.parts) or file.is_dir():
                continue
            if str(inside) == PORTAL_FILE and theme.name != name:
                continue
            if file.is_symlink() or not file.is_file():
                raise ThemeError([Mistake(file, 0, "", "no file of its own", "a file that is no link")])
            size += file.stat().st_size
            if size > LARGEST:
                raise ThemeError([Mistake(theme, 0, "", f"more than {LARGEST} bytes", f"at most {LARGEST} bytes")])
            found[f"{theme.name}/{inside.as_posix()}"] = file.read_bytes()
    return found


def source_in(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The source among the files of a release, by its paths below `themes`."""
    return {path.removeprefix(SOURCE): content for path, content in files.items() if path.startswith(SOURCE)}


def fingerprint(source: Mapping[str, bytes]) -> str:
    """Of the files, so that what is published is what a page showed."""
    digest = hashlib.sha256()
    for path, content in sorted(source.items()):
        digest.update(msgspec.msgpack.encode((path, content)))
    return digest.hexdigest()


def built(settings: Settings, name: str, source: Mapping[str, bytes], adapt: Adapt = unchanged) -> dict[str, bytes]:
    """Every file of the release: what was copied below `source/`, and its pages below `site/`. Raises `Refused`."""
    with _aside(source) as aside:
        try:
            pages = _pages(settings, aside, name, source, adapt)
        except Refused as error:
            raise Refused([_placed(each, aside, settings.themes) for each in error.problems]) from None
    inside = {f"{SOURCE}{path}": content for path, content in source.items()}
    return inside | {f"{SITE}{path}": content for path, content in pages.items()}


def check(name: str, source: Mapping[str, bytes]) -> None:
    """Raises `ThemeError` where this version cannot read the source of a release."""
    with _aside(source) as aside:
        load(aside / name)


@contextmanager
def _aside(source: Mapping[str, bytes]) -> Iterator[Path]:
    """A folder of themes with these files, for as long as it takes."""
    with tempfile.TemporaryDirectory(prefix="postern-release-") as folder:
        aside = Path(folder).resolve() / "themes"
        for path, content in source.items():
            file = aside / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        yield aside


def _pages(settings: Settings, aside: Path, name: str, source: Mapping[str, bytes], adapt: Adapt) -> dict[str, bytes]:
    try:
        brand = load(aside / name)
        check_backend(brand, settings)
        check_studio([brand], settings)
        brand = adapt(brand)
    except ThemeError as error:
        raise Refused([checking.problem(each) for each in error.mistakes]) from None
    except SettingsError as error:
        raise Refused([Problem(str(aside / name / PORTAL_FILE), 0, "settings", str(error))]) from None
    themes = sorted({path.partition("/")[0] for path in source})
    if problems := [*checking.lint(aside, themes), *checking.brand_problems(brand)]:
        raise Refused(list(dict.fromkeys(problems)))
    try:
        return publishing.files_of(brand, secure=settings.origin.startswith("https://"), checked=False)
    except BuildError as error:
        raise Refused([Problem("", 0, "build", str(error))]) from None


def _placed(problem: Problem, aside: Path, themes: Path) -> Problem:
    """The problem as it is in the folder that people work in."""
    where, message = (each.replace(str(aside), str(themes)) for each in (problem.where, problem.message))
    return msgspec.structs.replace(problem, where=where, message=message)
