"""The named examples of fragments: they feed the gallery, `build.py check` and the tests.

Beside each `site/templates/fragments/<feature>/<fragment>.html` is `<fragment>.examples.json`, an object of
examples, each under a name that says what state it shows:

    {
      "one active subscription": {
        "about": "What most customers see.",
        "view": {"subscriptions": [{"id": "sub_1", "price": [900, "EUR"], "ends_at": "2026-12-01T00:00:00Z"}]}
      },
      "none": {"view": {"subscriptions": []}}
    }

`view` is the view's fields as JSON: a datetime is an ISO string with its zone, `Money` is `[amount, currency]` in minor
units, a field with a default may be left out, and a name that the type does not have is refused. `about` is optional.
The type is found by its name: `fragments/subscriptions/confirm_cancel.html` shows the view `ConfirmCancel` of
`server/features/subscriptions/views.py`, or of a `…_views.py` beside it. A type, a template or examples without the other two
are refused, by `orphans`. A view that is only the base of others, or a part of one, is no `View` itself: derive it
from `msgspec.Struct`.

Mails have examples in the same form, `site/templates/emails/<mail>.examples.json`, with "mail" instead of "view": the
fields of the struct that `server.mail.kinds.MAILS` has under that name.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import msgspec

from server import features, web
from server.mail.kinds import MAILS
from server.mail.messages import Mail
from server.rendering.compiled import SITE
from server.rendering.views import View, template_of

FRAGMENTS = SITE / "templates" / "fragments"
EMAILS = SITE / "templates" / "emails"
_ENDING = ".examples.json"
_FOLDERS = (features, web)
"""Where the packages of views are: `problems` belongs to no feature."""
Shown = TypeVar("Shown", bound=msgspec.Struct)


class ExampleError(Exception):
    """Examples that do not fit their view. The message names the file, the example, the field and what is allowed."""


class Example(msgspec.Struct, frozen=True):
    feature: str
    fragment: str
    name: str
    view: View
    about: str = ""

    @property
    def template(self) -> str:
        return f"fragments/{self.feature}/{self.fragment}.html"


class MailExample(msgspec.Struct, frozen=True):
    name: str
    mail: Mail
    about: str = ""


def load(folder: Path = FRAGMENTS) -> list[Example]:
    """Every example of every fragment, sorted by file, then as the file orders them. Raises `ExampleError`."""
    return [example for path in sorted(folder.glob(f"*/*{_ENDING}")) for example in read(path)]


def read(path: Path) -> list[Example]:
    """The examples of one file. Raises `ExampleError`."""
    feature, fragment = path.parent.name, path.name.removesuffix(_ENDING)
    kind = view_type(feature, fragment)
    return [Example(feature, fragment, name, view, about) for name, view, about in _converted(path, kind, "view")]


def load_mails(folder: Path = EMAILS) -> list[MailExample]:
    """Every example of every mail, sorted by file. Raises `ExampleError`."""
    found = []
    for path in sorted(folder.glob(f"*{_ENDING}")):
        kind = MAILS.get(path.name.removesuffix(_ENDING))
        if kind is None:
            raise ExampleError(f"{path}: there is no such mail; there are {', '.join(sorted(MAILS))}")
        found += [MailExample(name, mail, about) for name, mail, about in _converted(path, kind, "mail")]
    return found


def view_type(feature: str, fragment: str) -> type[View]:
    """The view that the fragment shows. Raises `ExampleError` where there is none of that name."""
    name = "".join(part.capitalize() for part in fragment.split("_"))
    for module in _modules(feature):
        kind = getattr(module, name, None)
        if isinstance(kind, type) and issubclass(kind, View) and kind.__module__ == module.__name__:
            return kind
    raise ExampleError(
        f"fragments/{feature}/{fragment}.html: shows server.features.{feature}.views.{name}, and there is no such View"
    )


def views() -> list[type[View]]:
    """Every view of every feature, sorted by template."""
    found = [
        each
        for folder in _FOLDERS
        for package in pkgutil.iter_modules(folder.__path__)
        if package.ispkg
        for module in _modules(package.name)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, View) and each.__module__ == module.__name__
    ]
    return sorted(found, key=template_of)


def _modules(feature: str) -> list[ModuleType]:
    """The modules of the feature that hold views: `views.py` and each `…_views.py`."""
    return [
        importlib.import_module(f"{folder.__name__}.{feature}.{each.stem}")
        for folder in _FOLDERS
        for each in sorted((Path(folder.__path__[0]) / feature).glob("*views.py"))
    ]


def orphans(folder: Path = FRAGMENTS) -> list[str]:
    """What lacks one of its other two: a sentence for each missing type, template or file of examples."""
    typed = {template_of(kind).removeprefix("fragments/").removesuffix(".html"): kind for kind in views()}
    templates = {f"{path.parent.name}/{path.stem}" for path in folder.glob("*/*.html")}
    shown = {f"{path.parent.name}/{path.name.removesuffix(_ENDING)}" for path in folder.glob(f"*/*{_ENDING}")}
    problems = []
    for key in sorted({*typed, *templates, *shown}):
        feature, fragment = key.split("/")
        camel = "".join(part.capitalize() for part in fragment.split("_"))
        if key not in typed:
            problems.append(f"fragments/{key}: no view server.features.{feature}.views.{camel}")
        if key not in templates:
            problems.append(f"server.features.{feature}.views.{camel}: no template site/templates/fragments/{key}.html")
        if key not in shown:
            problems.append(f"fragments/{key}.html: no examples; write {fragment}{_ENDING} beside it")
    return problems


def _converted(path: Path, kind: type[Shown], key: str) -> Iterator[tuple[str, Shown, str]]:
    """Name, struct and sentence of each example in a file."""
    for name, entry in _entries(path, key).items():
        try:
            value = msgspec.convert(entry[key], kind)
        except msgspec.ValidationError as error:
            raise ExampleError(f"{path}: example {name!r}: {error}") from None
        unknown = _unknown(entry[key], value, key)
        if unknown:
            raise ExampleError(f"{path}: example {name!r}: {'; '.join(unknown)}")
        yield name, value, entry.get("about", "")


def _entries(path: Path, key: str) -> dict[str, dict[str, Any]]:
    try:
        entries = json.loads(path.read_text("utf-8"), object_pairs_hook=_no_name_twice)
    except ValueError as error:
        raise ExampleError(f"{path}: {error}") from None
    if not isinstance(entries, dict) or not entries:
        raise ExampleError(f"{path}: must be an object of named examples, and hold one at least")
    for name, entry in entries.items():
        if not isinstance(entry, dict) or key not in entry or set(entry) - {key, "about"}:
            raise ExampleError(f'{path}: example {name!r}: must be an object with "{key}" and, if need be, "about"')
        if not isinstance(entry.get("about", ""), str):
            raise ExampleError(f'{path}: example {name!r}: "about" must be a sentence')
    return entries


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} is in one object twice")
    return found


def _unknown(raw: Any, value: Any, where: str) -> list[str]:
    """The names in `raw` that the struct made of it does not have: msgspec passes over them."""
    if isinstance(value, msgspec.Struct) and isinstance(raw, dict):
        known = dict(zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True))
        extra = [f"{where}.{key}: no such field; there are {', '.join(known)}" for key in raw if key not in known]
        inner = [_unknown(raw[key], getattr(value, known[key]), f"{where}.{key}") for key in raw if key in known]
        return extra + [problem for each in inner for problem in each]
    if isinstance(value, dict) and isinstance(raw, dict):
        return [problem for key in raw for problem in _unknown(raw[key], value.get(key), f"{where}.{key}")]
    if isinstance(value, list | tuple) and isinstance(raw, list):
        pairs = enumerate(zip(raw, value, strict=False))
        return [problem for place, (left, right) in pairs for problem in _unknown(left, right, f"{where}[{place}]")]
    return []
