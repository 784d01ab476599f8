"""The catalogs of `site/locales/<tag>/portal.po`, kept in step with the templates, and what is wrong with them.

`build.py words` writes them again: texts that a template says now are added, those that none says any more go, what is
translated stays. `build.py check` names what is missing or would break a page: a translation is as trusted as a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from server.brands.reading.declared import fields
from server.brands.words import Words
from server.publishing.rules.html_rules import Problem
from server.rendering import words

TEMPLATES = Path(__file__).parents[2] / "site" / "templates"
_METHODS = [("**.html", "jinja2"), ("**.txt", "jinja2")]
_OPTIONS = {pattern: {"newstyle_gettext": "true"} for pattern, _ in _METHODS}
_TAG_NAME = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
_PLACE = re.compile(r"%\((\w+)\)s")
_MARKUP = re.compile(r"<[^>]*>|[<&]")


class CatalogError(Exception):
    """A locale that cannot have a catalog, or a file that is none."""


def extracted() -> Catalog:
    """Every text that a template or a default of `[words]` says, in the order of the files that say it."""
    template = Catalog(charset="utf-8")
    found = extract_from_dir(TEMPLATES, method_map=_METHODS, options_map=_OPTIONS)
    for file, line, message, comments, _ in sorted(found, key=lambda each: each[:2]):
        template.add(message, locations=[(file, line)], auto_comments=comments)
    for word in fields(Words):
        if word.default:
            comments = [f"[words] {word.name}: {word.key.about}; at most {word.key.limit} characters"]
            template.add(word.default, locations=[("theme.toml", 0)], auto_comments=comments)
    return template


def tags() -> list[str]:
    return sorted(path.parent.name for path in words.LOCALES.glob("*/portal.po"))


def update(tag: str, now: datetime) -> tuple[int, int]:
    """Write the locale's catalog again, with the date `now` if it is a new one; how many of its texts are translated, and
    how many there are.

    Raises `CatalogError`.
    """
    path, template = words.LOCALES / tag / "portal.po", extracted()
    catalog = read(tag) if path.exists() else _new(tag, now)
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, ignore_obsolete=True, no_location=True)
    return sum(_translated(each) for each in catalog if each.id), len(catalog)


def read(tag: str) -> Catalog:
    path = words.LOCALES / tag / "portal.po"
    try:
        with path.open("rb") as file:
            return read_po(file, locale=_locale(tag), abort_invalid=True)
    except (ValueError, UnicodeDecodeError) as error:  # Babel's own error is a ValueError
        raise CatalogError(f"{path}: {error}") from None


def problems(*only: str) -> Iterator[Problem]:
    """Every mistake in the catalogs; in those of `only`, where some are named."""
    template = extracted()
    for tag in only or tags():
        where = f"site/locales/{tag}/portal.po"
        try:
            catalog = read(tag)
        except CatalogError as error:
            yield Problem(where, 0, "words", str(error))
            continue
        missing = [each.id for each in template if each.id and not _translated(catalog.get(each.id))]
        if missing:
            first = _forms(missing[0])[0]
            yield Problem(where, 0, "words", f"{len(missing)} texts have no translation; the first is {first!r}")
        for message in catalog:
            if message.id:
                yield from (Problem(where, message.lineno or 0, "words", each) for each in _mistakes(message, template))


def _mistakes(message: Message, template: Catalog) -> Iterator[str]:
    known = template.get(message.id)
    originals = _forms(message.id)
    if known is None:
        yield f"{originals[0]!r} is said by no template any more; `build.py words` drops it"
    if message.fuzzy:
        yield f"{originals[0]!r} is marked fuzzy: look at its translation and take the mark away"
    for text in filter(None, _forms(message.string)):
        yield from (f"{text!r} for {originals[0]!r}: {each}" for each in _mistakes_in(text, originals))
    limits = [word.key.limit for word in fields(Words) if word.default == message.id]
    if limits and len(str(message.string)) > min(limits):
        yield f"{message.string!r} has {len(str(message.string))} characters; allowed: {min(limits)}"


def _mistakes_in(text: str, originals: tuple[str, ...]) -> Iterator[str]:
    """What would break a page, or lose what the original says."""
    places, held = set(_PLACE.findall(" ".join(originals))), set(_PLACE.findall(text))
    # A form for one may say the number in words.
    lost = places - held - ({"num"} if len(originals) > 1 else set())
    if held - places or "%" in _PLACE.sub("", text).replace("%%", ""):
        yield f"it may hold {_listed(places) or 'no placeholders'}, and a percent sign as %%"
    elif lost:
        yield f"it lacks {_listed(lost)}"
    if _MARKUP.findall(text) not in [_MARKUP.findall(each) for each in originals]:
        yield "its tags, < and & must be those of the original"
    edges = [(each[:1].isspace(), each[-1:].isspace()) for each in originals]
    if (text[:1].isspace(), text[-1:].isspace()) not in edges:
        yield "it must begin and end with a space where the original does"


def _forms(text: object) -> tuple[str, ...]:
    """Of a text that depends on a number, each; else the text."""
    return tuple(map(str, text)) if isinstance(text, (tuple, list)) else (str(text or ""),)


def _listed(names: set[str]) -> str:
    return ", ".join(f"%({name})s" for name in sorted(names))


def _translated(message: Message | None) -> bool:
    return message is not None and all(_forms(message.string))


def _new(tag: str, now: datetime) -> Catalog:
    header = f"# The portal's words: {tag}."
    return Catalog(
        _locale(tag), header_comment=header, project="Postern", version="1", creation_date=now, revision_date=now,
        last_translator="-", language_team="-", charset="utf-8", fuzzy=False, msgid_bugs_address="-",
    )  # fmt: skip


def _locale(tag: str) -> Locale:
    try:
        if _TAG_NAME.fullmatch(tag):
            return Locale.parse(tag, sep="-")
    except UnknownLocaleError:
        pass
    raise CatalogError(f"{tag!r} is no locale; allowed: a tag such as de, pt-BR or zh-Hant")
