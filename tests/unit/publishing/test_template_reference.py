"""The reference of what templates are given is written from the structs, so it cannot fall behind them."""

import re

from server.publishing import examples, template_reference
from server.rendering.views import template_of


def test_the_reference_is_as_the_structs_are():
    assert template_reference.FILE.read_text("utf-8") == template_reference.text(), "run `python3 build.py reference`"


def test_every_template_of_a_view_is_there_and_leads_to_its_fields():
    text = template_reference.text()
    rows = dict(re.findall(r"^\| `(\S+)` \| \[(\S+)\]\(#\S+\) \|$", text, re.MULTILINE))
    assert {template_of(each) for each in examples.views()} <= set(rows)
    assert [label for label in rows.values() if f"\n## {label}\n" not in text] == []
