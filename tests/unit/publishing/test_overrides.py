"""An override may look as it likes, and must still do what the original does."""

from pathlib import Path

import pytest

from server import brands
from server.publishing import overrides
from server.publishing.examples import Example, load
from server.publishing.rules.html_rules import Problem
from server.rendering.assets import Assets
from tests.support.brands import PORTAL, write_brand

ACTIVE = PORTAL + '[login_page]\nenabled = true\nlink = "test_0123456789abcdefghijkl"\n'


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [example for example in load() if example.template == "fragments/subscriptions/list.html"]


def lost(folder: Path, name: str, text: str, examples: list[Example]) -> list[Problem]:
    brand = brands.load(write_brand(folder, portal=ACTIVE))
    override = brand.folder / "templates" / name
    override.parent.mkdir(parents=True)
    override.write_text(text, "utf-8")
    return overrides.contract_problems(brand, Assets.of(brand), examples)


def test_a_brand_without_overrides_loses_nothing(tmp_path, examples):
    brand = brands.load(write_brand(tmp_path, portal=ACTIVE))
    assert overrides.contract_problems(brand, Assets.of(brand), examples) == []


def test_an_override_may_look_quite_different(tmp_path, examples):
    text = """{% extends "layouts/visitor.html" %}{% set title = "Ahoy" %}{% block head %}{{ super() }}{% endblock %}
{% block panel %}<h1>Ahoy</h1><form method="post" action="{{ paths.login }}">
<input name="email" aria-label="E-mail" type="email" autocomplete="email">
<input type="hidden" name="link" value="{{ link }}"><button type="submit">Board</button></form>{% endblock %}"""
    assert lost(tmp_path, "pages/login.html", text, examples) == []


def test_a_form_that_lost_a_field_is_named_with_the_field(tmp_path, examples):
    text = """{% extends "site:pages/login.html" %}{% block panel %}<h1>Log in</h1>
<form method="post" action="{{ paths.login }}"><input name="email" aria-label="E-mail"></form>{% endblock %}"""
    [problem] = lost(tmp_path, "pages/login.html", text, examples)
    assert problem.where.endswith("harbour/templates/pages/login.html")
    assert "has lost the field 'link'" in problem.message


def test_a_form_that_sends_elsewhere_is_refused(tmp_path, examples):
    text = """{% extends "site:pages/login.html" %}{% block panel %}<h1>Log in</h1>
<form method="post" action="https://evil.example/">{% endblock %}"""
    found = lost(tmp_path, "pages/login.html", text, examples)
    assert any("has lost the form that sends to /harbour/login by post" in each.message for each in found)


def test_a_lost_swap_target_is_named(tmp_path, examples):
    text = '{% extends "site:pages/account.html" %}{% block body %}<p>Soon.</p>{% endblock %}'
    found = lost(tmp_path, "pages/account.html", text, examples)
    assert any("has lost the element with id='home-overview', which is swapped" in each.message for each in found)


def test_a_lost_block_is_named(tmp_path, examples):
    text = '{% extends "layouts/base.html" %}{% block main %}<h1>{{ title }}</h1>{{ body }}{% endblock %}'
    found = lost(tmp_path, "layouts/visitor.html", text, examples)
    assert any("has lost the block panel" in each.message for each in found)


def test_a_layout_that_lost_what_scripts_look_for_is_named(tmp_path, examples):
    site = (overrides.template_rules.SITE_TEMPLATES / "layouts" / "base.html").read_text("utf-8")
    text = site.replace(' id="announcements"', "")
    found = lost(tmp_path, "layouts/base.html", text, examples)
    assert any("id='announcements', which portal.js looks for" in each.message for each in found)


def test_a_fragment_that_lost_its_root_id_is_named(tmp_path, examples):
    text = '{% set title = "Plans" %}<div id="other"><p>None</p></div>'
    found = lost(tmp_path, "fragments/subscriptions/list.html", text, examples)
    assert any("has lost the root element with id='subscriptions-list'" in each.message for each in found)
