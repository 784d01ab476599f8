"""What the templates must not write by hand, because a language or a style sheet does it better."""

import re

from server.publishing import examples
from server.rendering.compiled import SITE
from tests.support.rendered import renderer, words

TEMPLATES = {str(each.relative_to(SITE / "templates")): each.read_text() for each in (SITE / "templates").rglob("*.*")}


def test_no_template_glues_a_sign_to_an_amount():
    """Some languages write it behind the amount, and one mail had two kinds of minus."""
    glued = re.compile(
        r"""["'][-−–+]["']\s*~[^{}]*\|\s*(money|unit_price|number)|[-−–+]\{\{[^{}]*\|\s*(money|unit_price|number)"""
    )
    assert len(TEMPLATES) > 200
    assert [name for name, text in TEMPLATES.items() if glued.search(text)] == []


def test_no_page_writes_the_dot_between_two_facts():
    """The style sheet draws it between two that share a line: a written one stays behind where the line ends."""
    ours = ("studio/", "emails/", "components/emails/", "documents/", "demo/", "gallery/")
    pages = {name: text for name, text in TEMPLATES.items() if not name.startswith(ours)}
    assert [name for name, text in pages.items() if "·" in text] == []


def test_a_link_to_a_document_says_which_kind_it_is():
    """Before the date that is seen: a list of links is otherwise a list of dates."""
    lists = [each.view for each in examples.load() if (each.feature, each.fragment) == ("invoices", "list")]
    shown = [renderer().fragment(each) for each in lists]
    names = [
        words(name)
        for each in shown
        for name in re.findall(r'<a href="[^"?]*/invoices/in_[^"]*"[^>]*>(.*?)</a>', each, re.DOTALL)
    ]
    named = [each for each in names if re.search(r", \d{4}$", each)]
    assert len(named) > 5
    assert [each for each in named if not re.match(r"(Invoice|Credit note)( .+)?,", each)] == []
