"""Words are said while templates compile, and nothing is escaped less for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from server.rendering.compiling import escaped
from server.rendering.words import Environment

HOSTILE = """<script>alert('1')</script> & "quotes" {{7*7}}"""


def environment(tag="en", **options) -> Environment:
    return Environment(tag, autoescape=lambda name: not (name or "").endswith(".txt"), **options)


@given(st.one_of(st.text(), st.text().map(Markup), st.integers(), st.none(), st.lists(st.text()), st.binary()))
def test_our_escape_says_what_markupsafe_says(value):
    assert str(escaped(value)) == str(escape(value))


def test_a_text_of_its_own_type_is_escaped_too():
    class Text(str):
        __slots__ = ()

    assert escaped(Text("<b>")) == "&lt;b&gt;"


@pytest.mark.parametrize(
    "template",
    [
        "{{ value }}",
        "{% set kept = value %}{{ kept }}",
        "{{ _('%(what)s', what=value) }}",
        "{% trans what=value %}{{ what }}{% endtrans %}",
        "{{ ngettext('%(what)s', '%(what)s', 2, what=value) }}",
        "{% macro shown(it) %}{{ it }}{% endmacro %}{{ shown(value) }}",
        "{% set block %}{{ value }}{% endset %}{{ block }}",
        "{{ [value]|join(', ') }}",
        "{{ '<i>'|safe if false else value }}",
    ],
)
def test_a_value_is_text_wherever_it_stands(template):  # threat 64
    said = environment().from_string(template).render(value=HOSTILE)
    assert said == str(escape(HOSTILE))


def test_a_plain_text_template_is_not_escaped():
    environment_ = environment()
    environment_.loader = __import__("jinja2").DictLoader(
        {"mail.txt": "{{ _('Hello %(name)s', name=name) }} {{ name }}"}
    )
    assert environment_.get_template("mail.txt").render(name="A & B") == "Hello A & B A & B"


def test_words_without_variables_are_constants_of_the_template():
    environment_ = environment()
    source = environment_.compile("{{ _('Invoices') }}", raw=True)
    assert "Invoices" in source
    assert "gettext" not in source
    assert "'_'" not in source


def test_a_percent_sign_in_words_is_said_once():
    assert environment().from_string("{{ _('100%%') }}").render() == "100%"


def test_what_is_put_into_a_sentence_from_right_to_left_keeps_its_own_direction():
    template = "{{ _('of %(number)s: %(month)s/%(year)s', number=number, month='08', year='30') }}"
    said = environment("ar-EG").from_string(template).render(number="<05-01>")
    assert said == "of \u2068&lt;05-01&gt;\u2069: 08/30"  # digits alone: the slash between them keeps their order
    assert environment().from_string(template).render(number="05-01") == "of 05-01: 08/30"


def test_a_plain_text_from_right_to_left_does_it_too():
    said = Environment("ar").from_string("{{ _('For example %(code)s', code=value) }}")
    assert said.render(value="R-1 & 2") == "مثال: \u2068R-1 & 2\u2069"
    assert said.render(value="10115") == "مثال: 10115"
