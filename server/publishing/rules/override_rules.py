"""What the files of overrides show before anything is rendered: whether the templates and the blocks they name are there.

Jinja says nothing of a block that no template above has, and of a missing template only when a page needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import jinja2
from jinja2 import nodes

from server.brands.reading.mistakes import nearest
from server.publishing.rules.html_rules import Problem
from server.publishing.rules.template_rules import SITE_TEMPLATES, blocks, extends, parsed, template_files

_RULE = "override-contract"


def problems(files: Mapping[str, Path]) -> Iterator[Problem]:
    """Of each override that is used, by the name that it replaces."""
    for name, path in files.items():
        missing = list(_missing(path, files))
        found = missing or list(_unknown_blocks(path, files))
        yield from found or _lost_blocks(name, path, files)


def _found(name: str, files: Mapping[str, Path]) -> Path | None:
    """The file that a template means by `name`."""
    if not name.startswith("site:") and name in files:
        return files[name]
    path = SITE_TEMPLATES / name.removeprefix("site:")
    return path if path.is_file() else None


def used_by(path: Path) -> Iterator[tuple[str, int]]:
    """The templates that one names and cannot do without, each with its line."""
    for used in parsed(path).find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        named = used.template  # type: ignore[attr-defined]  # each of the four has it
        may_lack = isinstance(used, nodes.Include) and used.ignore_missing
        if not may_lack and isinstance(named, nodes.Const) and isinstance(named.value, str):
            yield named.value, used.lineno


def _missing(path: Path, files: Mapping[str, Path]) -> Iterator[Problem]:
    for named, line in used_by(path):
        if _found(named, files) is None:
            known = {each.relative_to(SITE_TEMPLATES).as_posix() for each in template_files(SITE_TEMPLATES)}
            same_folder = {each for each in known if each.rpartition("/")[0] == named.rpartition("/")[0]}
            allowed = nearest(named, same_folder) if same_folder else "the path of a template of the site"
            yield Problem(str(path), line, _RULE, f"there is no template {named}; allowed: {allowed}")


def _above(path: Path, files: Mapping[str, Path]) -> list[Path] | None:
    """The templates that this one extends, nearest first; None where they cannot be followed to the end."""
    chain = [path]
    while list(parsed(chain[-1]).find_all(nodes.Extends)):
        parent = _found(extends(chain[-1]), files)
        if parent is None or parent in chain:
            return None
        chain.append(parent)
    return chain[1:]


def _unknown_blocks(path: Path, files: Mapping[str, Path]) -> Iterator[Problem]:
    above = _above(path, files)
    if not above:
        return
    allowed, tree = {block for each in above for block in blocks(each)}, parsed(path)
    called = {each.attr for each in tree.find_all(nodes.Getattr) if each.node == nodes.Name("self", "load")}
    for block in tree.body:
        if isinstance(block, nodes.Block) and block.name not in allowed | called:
            message = f"found the block {block.name}, which {extends(path)} does not have"
            yield Problem(str(path), block.lineno, _RULE, f"{message}; allowed: {nearest(block.name, allowed)}")


def _lost_blocks(name: str, path: Path, files: Mapping[str, Path]) -> Iterator[Problem]:
    original, above = SITE_TEMPLATES / name, _above(path, files)
    if not original.is_file() or above is None:
        return
    lost = blocks(original) - {block for each in (path, *above) for block in blocks(each)}
    for block in sorted(lost & _filled(path, files) if lost else ()):
        message = f"has lost the block {block}, which others fill; or begin with {{% extends 'site:{name}' %}}"
        yield Problem(str(path), 0, _RULE, message)


def _filled(path: Path, files: Mapping[str, Path]) -> set[str]:
    """The blocks that the templates which extend this one define."""
    site = [each for each in template_files(SITE_TEMPLATES) if each.relative_to(SITE_TEMPLATES).as_posix() not in files]
    found: set[str] = set()
    for each in (*files.values(), *site):
        try:
            found |= blocks(each) if path in (_above(each, files) or ()) else set()
        except jinja2.TemplateSyntaxError:  # of a file that is told elsewhere
            continue
    return found
