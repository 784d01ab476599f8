"""Templates compiled our way say, byte for byte, what Jinja's own compiler makes them say."""

import jinja2
import pytest
from jinja2.utils import _PassArg
from markupsafe import Markup

from server.publishing import examples
from server.rendering import compiling
from server.rendering.views import template_of
from server.rendering.words import Environment
from tests.support.rendered import renderer


class Plain(Environment):
    """Our environment with nothing of `compiling.py` but its words."""


Plain.compile_plainly()


def environment(kind: type[Environment] = Environment, **templates: str) -> Environment:
    return kind(
        "en",
        loader=jinja2.DictLoader({name.replace("__", "."): text for name, text in templates.items()}),
        autoescape=lambda name: not (name or "").endswith(".txt"),
        undefined=jinja2.StrictUndefined,
    )


def test_every_example_says_what_plain_jinja_says():  # threat 64
    ours = renderer("plain").environment()
    plain = Plain("en", loader=ours.loader, autoescape=ours.autoescape, undefined=ours.undefined,
                  trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    plain.globals.update({name: value for name, value in ours.globals.items() if name not in plain.globals})
    plain.filters.update(ours.filters)
    for each in examples.load():
        template = template_of(type(each.view))
        said, wanted = (made.get_template(template).render(view=each.view) for made in (ours, plain))
        assert said == wanted, f"{template}: {each.name}"


def test_nothing_that_a_template_can_call_wants_the_context():
    """Compiled templates call what they find as it stands; the words have a way of their own."""
    found = renderer("plain").environment().globals
    asks = {name for name, value in found.items() if callable(value) and _PassArg.from_obj(value) is not None}
    assert asks <= compiling.WANT_CONTEXT


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% macro m(a, b='<2>') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(b=3, a=4) }}", "1&lt;2&gt;43"),
        ("{% macro m(a) %}{{ a }}:{{ caller('<i>') }}{% endmacro %}{% call(x) m(1) %}{{ x }}{% endcall %}", "1:&lt;i&gt;"),
        ("{% macro m() %}{{ 'none' if caller is undefined }}{% endmacro %}{{ m() }}", "none"),
        ("{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, b=3) }}", "1(2,){&#39;b&#39;: 3}"),
        ("{% macro m(class) %}{{ class }}{% endmacro %}{{ m(class='x') }}{{ m(**{'class': 'y'}) }}", "xy"),
        ("{% macro m() %}<b>{% endmacro %}{{ m() ~ '<' }}{{ m()|upper }}", "<b>&lt;<B>"),
        ("{{ it.key }}{{ it.items()|list }}{{ it.none is defined }}{{ it.none|default('-') }}", "v[(&#39;key&#39;, &#39;v&#39;)]False-"),
        ("{% for a in [1, 2] %}{{ loop.index }}{{ it.key.upper() }}{% endfor %}", "1V2V"),
        ("{% autoescape false %}{{ _('%(w)s', w='<') }}{{ '<' }}{% endautoescape %}", "<<"),
        ("{{ _('%(w)s', w='<') }}{% autoescape false %}{% endautoescape %}", "&lt;"),
    ],
)  # fmt: skip
def test_it_says_the_same(template, said):
    for kind in (Environment, Plain):
        assert environment(kind).from_string(template).render(it={"key": "v"}) == said


@pytest.mark.parametrize(
    "template",
    [
        "{{ it.nothing }}",
        "{{ it.key.nothing }}",
        "{{ nobody() }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
    ],
)
def test_a_mistake_is_told_in_the_same_words(template):
    told = []
    for kind in (Environment, Plain):
        with pytest.raises((jinja2.UndefinedError, TypeError)) as error:
            environment(kind).from_string(template).render(it={"key": "v"})
        told.append(str(error.value))
    assert told[0] == told[1]


@pytest.mark.parametrize("called", ["m(1, 2)", "m(1, b=2)", "m(1, a=1)"])
def test_a_macro_that_is_called_wrongly_is_named(called):
    for kind in (Environment, Plain):
        with pytest.raises(TypeError, match=r"\bm\b"):
            environment(kind).from_string("{% macro m(a) %}{{ a }}{% endmacro %}{{ " + called + " }}").render()


def test_what_a_macro_answers_is_marked_where_it_is_called_and_text_in_a_plain_text():
    templates = {
        "parts__html": "{% macro part(it) %}<b>{{ it }}</b>{% endmacro %}",
        "plain__txt": "{% macro own(it) %}{{ it }}{% endmacro %}{% from 'parts.html' import part %}{{ own('<') ~ '<' }}{{ part('<') ~ '<' }}",
        "page__html": "{% from 'parts.html' import part %}{% set kept = part('<') %}{{ kept }}",
    }  # fmt: skip
    for kind in (Environment, Plain):
        made = environment(kind, **templates)
        assert made.get_template("plain.txt").render() == "<<<b>&lt;</b><"
        assert made.get_template("page.html").render() == "<b>&lt;</b>"
        assert type(made.get_template("parts.html").module.part("<")) is Markup
