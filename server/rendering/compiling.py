"""How templates become Python: Jinja's own compiler, with the short way where it takes a long one.

Every piece of every page goes through it. What a template may say and what comes out of it stay the same; where one is
not like those below (a plain text template, an `{% autoescape %}` block), Jinja's own way is taken.

| in a template that escapes | Jinja | here |
|---|---|---|
| ``{{ value }}`` | an object around each text, which the next step joins anyway | the text, `escaped` |
| ``macro(…)``, ``paths.details()`` | looks twice whether the callable wants the context | called directly |
| ``{% macro %}`` | an object that sorts out its arguments at every call, looks whether the answer has marks of its own, and marks it as safe | a Python function, see `macro`, that answers it `marked` as safe |
| ``it.name`` | a call of a function around Python's own `getattr` | `getattr`; the function where there is no such attribute |
| ``_("…")`` as an argument | marked as safe each time | once: `Constants` |
| ``_("…", name=…)`` | looked up in the context, then called with it, then in the catalog | the sentence, with what is `inserted` |

Nothing that a template can call wants the context but the words; a test holds the environment to that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from keyword import iskeyword
from types import CodeType, FunctionType
from typing import Any, cast

import jinja2
import markupsafe
from jinja2 import nodes, runtime
from jinja2.compiler import CodeGenerator, Frame, MacroRef
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

# Not part of MarkupSafe's promise: where it is missing, `escape` does the same.
_escape_text = getattr(markupsafe, "_escape_inner", escape)

marked = cast("Callable[[str], Markup]", partial(str.__new__, Markup))
"""Text that is escaped already, as `Markup`, without a look whether it has marks of its own."""


def escaped(value: object) -> str:
    """`markupsafe.escape`, as text."""
    kind = type(value)
    if kind is str:
        return _escape_text(value)
    return value if kind is Markup else escape(value)  # type: ignore[return-value]


class Constants(dict[str, Markup]):
    """Words of templates, marked as safe when they are first asked for."""

    def __missing__(self, words: str) -> Markup:
        made = self[words] = marked(words)
        return made


def named(code: CodeType) -> CodeType:
    """Compiled templates whose macros' arguments are called what they are in the template: Jinja writes `l_1_name`. Done
    once when a template is compiled, so that all brands that have it share the code of its macros."""
    inner = tuple(named(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    own = code.co_varnames[: code.co_argcount] if code.co_name == "macro" else ()
    words = {each: each.split("_", 2)[2] for each in own if each.startswith("l_")}
    return code.replace(
        co_consts=inner,
        co_varnames=tuple(words.get(each, each) for each in code.co_varnames),
        co_cellvars=tuple(words.get(each, each) for each in code.co_cellvars),
    )


def macro(func: FunctionType, name: str, *caller: object) -> FunctionType:
    """A macro of a template as a Python function, whose arguments are `named`; what a call leaves out is `missing`.
    `caller`: what it shows where no `{% call %}` block gives it anything."""
    func.__qualname__ = name
    func.__defaults__ = (missing,) * (func.__code__.co_argcount - len(caller)) + caller
    return func


class Template(jinja2.Template):
    """A template that others import: what it exports is the same for all, as their globals are the environment's."""

    def _get_default_module(self, ctx: runtime.Context | None = None) -> Any:
        return self._module or super()._get_default_module(ctx)


WANT_CONTEXT = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})


class Generator(CodeGenerator):
    """Writes what the table above says."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 (Jinja names them so)
        escapes = nodes.EvalContext(self.environment, self.name).autoescape
        if escapes and not node.find(nodes.EvalContextModifier):
            node = _Words().visit(node)
        super().visit_Template(node, frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        sentence = _sentence_of(node)
        if sentence is not None and _escapes(frame):
            self._write_sentence(sentence, node.kwargs, frame)
            return
        has_odd = node.dyn_args or node.dyn_kwargs or any(iskeyword(each.key) for each in node.kwargs)
        wants_context = isinstance(node.node, nodes.Name) and node.node.name in WANT_CONTEXT
        if has_odd or wants_context or not _escapes(frame):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for each in (*node.args, *node.kwargs):
            self.visit(each, frame)
            self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")

    def _write_sentence(self, sentence: str, variables: list[nodes.Keyword], frame: Frame) -> None:
        said = cast("Any", self.environment).translated(sentence)
        self.write(f"marked({said!r} % {{")
        for each in variables:
            self.write(f"{each.key!r}: inserted(")
            self.visit(each.value, frame)
            self.write("), ")
        self.write("})")

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802
        if isinstance(node.value, Markup) and _escapes(frame):
            self.write(f"constants[{str(node.value)!r}]")
        else:
            super().visit_Const(node, frame)

    def visit_MarkSafeIfAutoescape(self, node: nodes.MarkSafeIfAutoescape, frame: Frame) -> None:  # noqa: N802
        if _escapes(frame) and isinstance(node.expr, nodes.Const):
            self.write(f"constants[{node.expr.value!r}]")
        else:
            super().visit_MarkSafeIfAutoescape(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        self.write("(_value if (_value := getattr((_object := ")
        self.visit(node.node, frame)
        self.write(f"), {node.attr!r}, missing)) is not missing else environment.getattr(_object, {node.attr!r}))")

    def write_commons(self) -> None:
        super().write_commons()
        names = ("escaped", "marked", "inserted", "constants")
        self.writeline(f"{', '.join(names)} = {', '.join(f'environment.{each}' for each in names)}")

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        arguments = [each.name for each in macro_ref.node.args]
        is_odd = macro_ref.accesses_kwargs or macro_ref.accesses_varargs or "caller" in arguments
        if is_odd or not _escapes(frame):
            super().macro_def(macro_ref, frame)
            return
        caller = ", undefined('No caller defined', name='caller')" if macro_ref.accesses_caller else ""
        name = getattr(macro_ref.node, "name", "caller")
        self.write(f"environment.macro(macro, {name!r}{caller})" if arguments or caller else "macro")

    def return_buffer_contents(self, frame: Frame, force_unescaped: bool = False) -> None:
        if _escapes(frame):
            self.writeline(f"return marked(concat({frame.buffer}))")
        else:
            super().return_buffer_contents(frame, force_unescaped=force_unescaped)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if _escapes(frame) and finalize.src is None:
            self.write("escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


def _escapes(frame: Frame) -> bool:
    return frame.eval_ctx.autoescape and not frame.eval_ctx.volatile


_ESCAPED_WORDS = {"_": "gettext_escaped", "gettext": "gettext_escaped", "ngettext": "ngettext_escaped"}


def _sentence_of(node: nodes.Call) -> str | None:
    """What ``_("…", name=…)`` says before it is translated; None for any other call."""
    is_gettext = isinstance(node.node, nodes.EnvironmentAttribute) and node.node.name == "gettext_escaped"
    if not is_gettext or node.dyn_args or node.dyn_kwargs or len(node.args) != 1:
        return None
    return node.args[0].value if isinstance(node.args[0], nodes.Const) else None


class _Words(NodeTransformer):
    """Leads the calls of gettext to the environment, which knows how words are said where everything is escaped."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.node, nodes.Name) and node.node.name in _ESCAPED_WORDS:
            node.node = nodes.EnvironmentAttribute(_ESCAPED_WORDS[node.node.name], lineno=node.lineno)
        return node
