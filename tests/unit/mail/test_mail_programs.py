"""What Outlook on Windows and the line of an inbox make of a mail's HTML; both are rules as published, tried on no Outlook."""

import re

import lxml.html
import pytest

from server.publishing import examples
from tests.unit.mail.test_letters import SHOWN, composed

ONLY_OUTLOOK = re.compile(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", re.DOTALL)
MAILS = [*SHOWN, *(each for each in examples.load_mails() if each not in SHOWN)]


def html_of(example, **changed):
    return composed(example.mail, **changed)[0].get_body(("html",)).get_content()


@pytest.mark.parametrize("example", MAILS, ids=lambda it: f"{it.mail.template}: {it.name}")
def test_outlook_gets_a_sheet_and_a_button_of_table_cells(example):
    html, count = ONLY_OUTLOOK.subn(r"\1", html_of(example))
    assert count == 2
    page = lxml.html.fromstring(html)
    (sheet,) = page.xpath("//td[contains(@style, 'padding: 32px')]/div[@class='sheet']")
    assert sheet.getparent().xpath("ancestor::table")[0].get("width") == "480"
    buttons = page.xpath("//td[@class='button']/a")
    assert len(buttons) == (1 if getattr(example.mail, "link", "") else 0)
    for each in buttons:
        cell = each.getparent()
        assert cell.get("bgcolor") in cell.get("style")
        assert "mso-padding-alt: 12px 24px" in cell.get("style")
    padded = [each for each in page.xpath("//a[contains(@style, 'padding')]") if each not in buttons]
    assert padded == [], "Outlook gives a link no padding"


def test_the_line_of_an_inbox_ends_with_the_preview():
    page = lxml.html.fromstring(html_of(SHOWN[0]))
    (preview,) = page.xpath("//div[@class='preview']")
    assert "mso-hide: all" in preview.get("style")
    assert len(re.sub(r"\w", "", preview.text_content())) > 140
    assert preview.text_content().split("\u2007")[0].strip().endswith(".")
