"""Words are said while templates compile, and nothing is escaped less for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from server.compiling import escaped
from server.words import Environment

HOSTILE = """<script>alert('1')</script> & "quotes" {{7*7}}"""


def environment(**options) -> Environment:
    return Environment("en", autoescape=lambda name: not (name or "").endswith(".txt"), **options)


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


def test_a_script_from_right_to_left_sets_what_is_filled_in_apart():
    arabic, plain = Environment("ar", autoescape=True), Environment("ar")
    template = "{{ _('For example %(code)s', code=value) }}"
    assert arabic.from_string(template).render(value="1 & A") == "مثال: \u20681 &amp; A\u2069"
    assert plain.from_string(template).render(value="1 & A") == "مثال: \u20681 & A\u2069"
    counted = "{{ ngettext('%(num)s more invoice', '%(num)s more invoices', 5) }}"
    assert arabic.from_string(counted).render() == plain.from_string(counted).render() == "\u20685\u2069 فواتير أخرى"
    assert "\u2068" not in environment().from_string(template).render(value="1 & A")
