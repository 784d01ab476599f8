"""The rules for template files: nothing in them may undo the escaping."""

from pathlib import Path

import pytest

from server.publishing.rules import template_rules
from server.publishing.rules.template_rules import SITE_TEMPLATES, template_files


def lint(folder: Path, text: str) -> list[str]:
    path = folder / "x.html"
    path.write_text(text, "utf-8")
    return [problem.rule for problem in template_rules.lint(path)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{{ view.name|safe }}", "no-unsafe-filter"),  # threat 64
        ("{{ view.name | upper | safe }}", "no-unsafe-filter"),
        ("{% filter safe %}{{ view.name }}{% endfilter %}", "no-unsafe-filter"),
        ("{{ Markup(view.name) }}", "no-unsafe-filter"),
        ("{% autoescape false %}{{ view.name }}{% endautoescape %}", "no-autoescape-block"),
        ("{%- autoescape false -%}{{ view.name }}{% endautoescape %}", "no-autoescape-block"),
        ("{% raw %}<script>x</script>{% endraw %}", "no-raw-block"),
        ("{{ view.__class__ }}", "no-inner-names"),
        ("{{ view['__class__'] }}", "no-inner-names"),
        ("{{ view|attr('__class__') }}", "no-unsafe-filter"),
        ("{% if x %}", "template-syntax"),
        ("\n" * 81, "template-length"),
    ],
)
def test_a_template_may_not_hold(tmp_path, text, rule):
    assert lint(tmp_path, text) == [rule]


def test_a_template_of_another_encoding_is_refused(tmp_path):
    path = tmp_path / "x.html"
    path.write_bytes("Müller".encode("latin-1"))
    assert [problem.rule for problem in template_rules.lint(path)] == ["template-syntax"]


def test_a_plain_template_is_fine(tmp_path):
    assert lint(tmp_path, "{% set title = _('Safe') %}<p>{{ view.name|upper }} is safe</p>") == []


@pytest.mark.parametrize("path", template_files(SITE_TEMPLATES), ids=lambda path: str(path.relative_to(SITE_TEMPLATES)))
def test_the_templates_of_the_site_keep_the_rules(path):
    assert template_rules.lint(path) == []
