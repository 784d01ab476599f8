"""What leaves the portal is harmless where it is opened: mails here; files of other kinds have their tests beside them
(tables and archives: invoices/test_exports.py, documents: printing/test_papers.py, JSON: details/test_export.py)."""

import email
import email.policy
import json
import re
from typing import Any

import msgspec
import pytest

from server.mail import messages
from server.mail.kinds import MAILS
from server.mail.smtp import POLICY
from server.rendering.compiled import SITE
from tests.support import mailing
from tests.support.hostile import HOSTILE, PLAIN, tree

PORTAL = mailing.portal()
TYPED = {"description", "product_name", "number", "display_name", "name", "label", "browser"}
"""The fields that somebody typed once, at the merchant's or at a shop."""
ATTACKS = {**HOSTILE, "lines of a mail": "x\r\nBcc: evil@example.com\r\n\r\n<b>https://evil.example\n.\n--=_boundary"}


def typed(example: Any, text: str) -> Any:
    if isinstance(example, dict):
        return {
            key: text if key in TYPED and isinstance(value, str) and value else typed(value, text)
            for key, value in example.items()
        }
    return [typed(each, text) for each in example] if isinstance(example, list) else example


def sent(template: str, example: Any, text: str) -> Any:
    """The message as the other side reads it."""
    mail = msgspec.convert(typed(example, text), MAILS[template])
    made = messages.compose(PORTAL, mail, "jenny@example.com", key="1", now=mailing.NOW)
    wire = made.as_bytes(policy=POLICY)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire)
    return email.message_from_bytes(wire, policy=email.policy.default)


def addresses(text: str) -> list[str]:
    """What a mail program turns into links."""
    return re.findall(r"(?:https?://|javascript:|mailto:)\S+", text)


@pytest.mark.parametrize("template", sorted(MAILS))
def test_no_text_in_a_mail_becomes_more_than_text(template: str) -> None:  # threats 37, 64
    examples = json.loads((SITE / "templates" / "emails" / f"{template}.examples.json").read_text("utf-8"))
    fullest = max((each["mail"] for each in examples.values()), key=lambda mail: len(json.dumps(mail)))
    plain = sent(template, fullest, PLAIN)
    for attack, text in ATTACKS.items():
        found = sent(template, fullest, text)
        assert [key for key, _ in found.items()] == [key for key, _ in plain.items()], attack
        assert str(found["To"]) == "jenny@example.com"
        assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e]", str(found["Subject"])), attack
        assert [each.get_content_type() for each in found.walk()] == [each.get_content_type() for each in plain.walk()]
        html, wanted = (tree(each.get_body(("html",)).get_content()) for each in (found, plain))
        in_place = [
            (tag, tuple((key, value.replace(text, PLAIN)) for key, value in attributes))
            for tag, attributes in html.elements
        ]
        assert in_place == wanted.elements, attack
        body = found.get_body(("plain",)).get_content()
        others = [each for each in addresses(body) if not each.startswith(tuple(addresses(text)))]
        assert others == addresses(plain.get_body(("plain",)).get_content()), attack
        if attack == "markup" and template != "card_expiring":
            assert "<script>alert(1)</script>" in "".join(html.texts)
