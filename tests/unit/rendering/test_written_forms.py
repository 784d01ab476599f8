"""What the templates must not write by hand, because a language or a style sheet does it better."""

import re

from server.rendering.compiled import SITE

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
