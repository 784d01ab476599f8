"""The words of one locale: gettext catalogs, the brand's own texts, and the Jinja environment that reads the catalogs
while it compiles.

An environment belongs to one locale, so what ``_("…")`` says is known before any page is asked for: it becomes a
constant of the compiled template. (A page asks some seventy times; looked up each time, that was half of its cost.)
What has variables is looked up when it is rendered; the variables are escaped where the template escapes, and are
set apart in a sentence that runs from right to left.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import cache, partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
from babel.support import NullTranslations, Translations
from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.nodes import EvalContext
from jinja2.visitor import NodeTransformer
from markupsafe import Markup
from msgspec.structs import replace

from server.brands import Brand, disk_cache
from server.brands.locales import direction, language_of, own_texts
from server.brands.words import complete
from server.rendering.compiled import SITE, compiled, folder
from server.rendering.compiling import Constants, Generator, Template, escaped, macro, marked, named

LOCALES = SITE / "locales"
MOST_KEPT = 10_000
"""Files beside the templates: these are a few hundred in each language."""


@cache
def translations(tag: str) -> NullTranslations:
    """The words of a locale from `site/locales/<tag>/portal.po`, else of its language (`de` for `de-AT`); English, which
    the templates hold, where there are none."""
    catalog = catalog_of(tag)
    if catalog is None:
        return NullTranslations()
    content = catalog.read_bytes()
    key = f"{tag} {sha256(content).hexdigest()}"
    known = disk_cache.read(folder(), key)
    if known is None:
        known = _compiled(content, tag)
        disk_cache.write(folder(), key, known, MOST_KEPT)
    return Translations(BytesIO(known))


def _compiled(catalog: bytes, tag: str) -> bytes:
    # Nothing else needs what reads a catalog, and most processes find it read.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(catalog), locale=tag.replace("-", "_")))
    return compiled.getvalue()


def catalog_of(tag: str) -> Path | None:
    both = (LOCALES / each / "portal.po" for each in (tag, tag.partition("-")[0]))
    return next((path for path in both if path.exists()), None)


def speaking(brand: Brand, tag: str, translated: Callable[[str], str]) -> Brand:
    """The brand with its texts in this language. Where it has none of its own there, a default is `translated`, the
    headline is left out, and a link leads where it leads in the first language: better that than nowhere."""
    first, theme, portal = brand.config.site.locales[0], brand.theme, brand.config
    words = complete(own_texts(theme.own_words, tag, first), translated)
    headline = {} if language_of(tag) == language_of(first) else {"headline": ""}
    business = replace(portal.business, **{**headline, **own_texts(portal.business.own_texts, tag, first)})
    return replace(brand, theme=replace(theme, words=words), config=replace(portal, business=business))


class Environment(jinja2.Environment):
    """A Jinja environment that speaks one locale: ``_``, ``gettext``, ``ngettext`` and ``{% trans %}``."""

    code_generator_class: type[CodeGenerator] = Generator
    template_class: type[jinja2.Template] = Template
    macro, escaped, marked, constants = staticmethod(macro), staticmethod(escaped), staticmethod(marked), Constants()

    def __init__(self, tag: str, kind: str = "", **options: Any) -> None:
        """`kind` tells an environment with other filters from that of the locale."""
        kept = compiled(f"{kind or tag}.{self.code_generator_class.__name__}")
        super().__init__(extensions=["jinja2.ext.i18n"], bytecode_cache=kept, **options)
        catalog = translations(tag)
        self._catalog = catalog
        self.translated: Callable[[str], str] = catalog.gettext
        self._kept: dict[Any, jinja2.Template] = {}
        # Makes {% trans %} pass its variables on; the functions it installs are then replaced by ours.
        self.install_gettext_translations(catalog, newstyle=True)  # type: ignore[attr-defined]

        is_rtl = direction(tag) == "rtl"
        inserted = self.inserted = _isolated if is_rtl else escaped
        bare: Callable[[object], str] = partial(_isolated, shown=str) if is_rtl else str

        def gettext_escaped(message: str, /, **variables: object) -> Markup:
            return marked(catalog.gettext(message) % {key: inserted(value) for key, value in variables.items()})

        def ngettext_escaped(one: str, many: str, number: int, /, **variables: object) -> Markup:
            words = catalog.ngettext(one, many, number)
            return marked(words % {key: inserted(value) for key, value in {"num": number, **variables}.items()})

        @jinja2.pass_eval_context
        def gettext(context: EvalContext, message: str, /, **variables: object) -> str:
            if context.autoescape:
                return gettext_escaped(message, **variables)
            return catalog.gettext(message) % {key: bare(value) for key, value in variables.items()}

        @jinja2.pass_eval_context
        def ngettext(context: EvalContext, one: str, many: str, number: int, /, **variables: object) -> str:
            if context.autoescape:
                return ngettext_escaped(one, many, number, **variables)
            words = catalog.ngettext(one, many, number)
            return words % {key: bare(value) for key, value in {"num": number, **variables}.items()}

        # Where everything is escaped, compiled templates call these two by themselves.
        self.gettext_escaped, self.ngettext_escaped = gettext_escaped, ngettext_escaped
        self.globals.update({"_": gettext, "gettext": gettext, "ngettext": ngettext})

    @classmethod
    def compile_plainly(cls) -> None:
        """From here on, Jinja's own compiler makes the templates, with our words: `compiling.py` relies on private parts
        of Jinja, and a page must say the same without it. Tests switch it on by `--plain-jinja`."""
        cls.code_generator_class = CodeGenerator
        cls.template_class = jinja2.Template
        cls.get_template = jinja2.Environment.get_template  # type: ignore[method-assign]

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> jinja2.Template:  # noqa: A002
        """Jinja looks a template up by its loader and name each time one is imported."""
        kept = self._kept.get(name)
        if kept is None or globals:
            kept = self._kept[name] = super().get_template(name, parent, globals)
        return kept

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Jinja chains each template's globals to the environment's, and walks the chain at every import of a macro.
        No template of ours has globals of its own, so the plain dict does."""
        return super().make_globals(d) if d else self.globals

    def _compile(self, source: str, filename: str) -> CodeType:
        return named(super()._compile(source, filename))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        _Said(self._catalog).visit(parsed)
        return parsed


def _isolated(value: object, shown: Callable[[object], str] = escaped) -> str:
    """A text inside a sentence that runs from right to left, between marks that keep its own direction inside:
    `05953842-0005` would be read `0005-05953842` after Arabic letters."""
    text = shown(value)
    return f"\u2068{text}\u2069" if isinstance(value, str) and not value.isdigit() else text


class _Said(NodeTransformer):
    """Puts the words in the place of each ``_("…")`` that has no variables."""

    def __init__(self, catalog: NullTranslations) -> None:
        self.catalog = catalog

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 (Jinja's visitors are named so)
        self.generic_visit(node)
        named = isinstance(node.node, nodes.Name) and node.node.name in ("_", "gettext")
        bare = not (node.kwargs or node.dyn_args or node.dyn_kwargs) and len(node.args) == 1
        if not named or not bare or not isinstance(node.args[0], nodes.Const):
            return node
        words = nodes.Const(self.catalog.gettext(node.args[0].value) % {}, lineno=node.lineno)
        return nodes.MarkSafeIfAutoescape(words, lineno=node.lineno, environment=node.environment)
