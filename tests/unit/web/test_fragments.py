"""Every fragment of an account, in every state that its examples name, in every brand."""

import re

import pytest

from server.publishing import examples
from server.publishing.rules import html_rules
from server.rendering.views import Frame
from tests.support.rendered import links, renderer, words

FEATURES = ("home", "subscriptions", "invoices", "payment_methods", "details", "problems")
FILES = [path for each in FEATURES for path in sorted((examples.FRAGMENTS / each).glob("*.examples.json"))]
EXAMPLES = [example for path in FILES for example in examples.read(path)]
BRANDS = ("plain", "harbour", "orbit")


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: f"{each.feature}-{each.fragment}-{each.name}")
def test_an_example_keeps_the_house_rules_in_every_brand(brand, example):
    html = renderer(brand).fragment(example.view)
    problems = html_rules.check(html, "fragment", links(brand).resolves, example.template)
    assert not problems, "\n".join(map(str, problems))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: f"{each.feature}-{each.fragment}-{each.name}")
def test_an_example_keeps_the_house_rules_as_a_page(example):
    page = renderer().page(example.view, Frame(address="jenny@example.com", here=example.feature))
    problems = html_rules.check(page, "page", links().resolves, example.template)
    assert not problems, "\n".join(map(str, problems))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: f"{each.feature}-{each.fragment}-{each.name}")
def test_a_fragment_carries_the_id_that_it_is_swapped_by(example):
    name = f"{example.feature}-{example.fragment}".replace("_", "-")
    root = re.match(r'\s*<[a-z]+[^>]*?\sid="([^"]*)"', renderer().fragment(example.view))
    assert root
    assert root[1] == name or root[1].startswith(f"{name}-")


HOSTILE = [each for each in EXAMPLES if "hostile" in each.name]


@pytest.mark.parametrize("example", HOSTILE, ids=lambda each: f"{each.feature}-{each.fragment}")
def test_hostile_words_are_text(example):  # threats 64, 74
    html = renderer().fragment(example.view)
    assert not re.search(r"<(script|img|b)\b", html)
    assert "{{7*7}}" in words(html) or not re.search(r"(?<!\+)49", words(html))  # but for a country code


def test_each_feature_has_hostile_examples():
    assert {each.feature for each in HOSTILE} == set(FEATURES)


@pytest.mark.parametrize("path", FILES, ids=lambda each: f"{each.parent.name}-{each.name.split('.')[0]}")
def test_a_fragment_of_an_account_shows_several_states(path):
    assert len(examples.read(path)) >= (1 if path.parent.name == "problems" else 3)
