"""The words of one locale: gettext catalogs, and the Jinja environment that reads them while it compiles.

An environment belongs to one locale, so what ``_("…")`` says is known before any page is asked for: it becomes a
constant of the compiled template. (A page asks some seventy times; asked anew each time, that was half of its cost.)
What has variables is looked up when it is rendered; the variables are escaped where the template escapes.

Compiled templates escape through `escaped` instead of Jinja's own call: the same characters by the same function of
MarkupSafe, without an object around each text that the next step joins anyway. (Measured: an eighth of a fragment's time.)
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

LOCALES = Path(__file__).parent.parent / "site" / "locales"


@cache
def translations(tag: str) -> NullTranslations:
    """The words of a locale from `site/locales/<tag>/portal.po`, else of its language (`de` for `de-AT`); English, which
    the templates hold, where there are none."""
    catalog = catalog_of(tag)
    if catalog is None:
        return NullTranslations()
    compiled = BytesIO()
    with catalog.open("rb") as file:
        write_mo(compiled, read_po(file, locale=tag.replace("-", "_")))
    compiled.seek(0)
    return Translations(compiled)


def catalog_of(tag: str) -> Path | None:
    both = (LOCALES / each / "portal.po" for each in (tag, tag.partition("-")[0]))
    return next((path for path in both if path.exists()), None)


# Not part of MarkupSafe's promise: where it is missing, `escape` does the same.
_escape_text = getattr(markupsafe, "_escape_inner", escape)


def escaped(value: object) -> str:
    """`markupsafe.escape`, as text."""
    kind = type(value)
    if kind is str:
        return _escape_text(value)
    return value if kind is Markup else escape(value)  # type: ignore[return-value]


class _Generator(CodeGenerator):
    """Writes `environment.escaped(…)` where a template escapes; a Jinja that asks otherwise goes on as before."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class Environment(jinja2.Environment):
    """A Jinja environment that speaks one locale: ``_``, ``gettext``, ``ngettext`` and ``{% trans %}``."""

    code_generator_class = _Generator
    escaped = staticmethod(escaped)

    def __init__(self, tag: str, **options: Any) -> None:
        super().__init__(extensions=["jinja2.ext.i18n"], **options)
        catalog = translations(tag)
        self._catalog = catalog
        # Makes {% trans %} pass its variables on; the functions it installs are then replaced by ours.
        self.install_gettext_translations(catalog, newstyle=True)  # type: ignore[attr-defined]

        @jinja2.pass_eval_context
        def gettext(context: EvalContext, message: str, /, **variables: object) -> str:
            return _said(context, catalog.gettext(message), variables)

        @jinja2.pass_eval_context
        def ngettext(context: EvalContext, one: str, many: str, number: int, /, **variables: object) -> str:
            variables.setdefault("num", number)
            return _said(context, catalog.ngettext(one, many, number), variables)

        self.globals.update({"_": gettext, "gettext": gettext, "ngettext": ngettext})

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Jinja chains each template's globals to the environment's, and walks the chain at every import of a macro.
        No template of ours has globals of its own, so the plain dict does."""
        return super().make_globals(d) if d else self.globals

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        _Said(self._catalog).visit(parsed)
        return parsed


def _said(context: EvalContext, words: str, variables: dict[str, object]) -> str:
    if not context.autoescape:
        return words % variables
    return Markup(words % {key: escaped(value) for key, value in variables.items()})  # noqa: S704 (ours; variables are escaped)


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
