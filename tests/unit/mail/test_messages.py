"""What a passcode mail says, and that nobody's text can become one of its headers."""

import email
import email.policy
import json
import re
from pathlib import Path

import msgspec
import pytest

from server import brands
from server.mail import messages
from server.mail.kinds import MAILS
from server.mail.smtp import POLICY
from server.paths import Paths
from server.rendering.assets import Assets
from server.rendering.compiled import SITE
from server.rendering.renderer import Renderer
from tests.support import mailing

THEMES = Path(__file__).resolve().parents[3] / "themes"
BRANDS = brands.load_all(THEMES)


def parsed(message):
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)


def bodies(message):
    read = parsed(message)
    return read.get_body(("plain",)).get_content(), read.get_body(("html",)).get_content()


def test_the_code_stands_in_both_bodies_and_not_in_a_header():  # M1
    message = parsed(mailing.message())
    text, html = bodies(mailing.message())
    assert "042817" in text
    assert ">042817<" in html
    assert not [value for value in message.values() if "042817" in str(value)]


def test_the_last_line_of_the_text_is_for_autofill():
    text, _ = bodies(mailing.message())
    assert text.rstrip().splitlines()[-1] == "@portal.example #042817"


def test_the_text_says_when_it_was_asked_for_when_it_lapses_and_with_what():
    text, _ = bodies(mailing.message())
    plain = text.replace("\u202f", " ")
    assert "Requested on Mar 1, 2026, 12:00 PM (UTC) from Firefox on Linux." in plain
    assert "until 12:10 PM (UTC)" in plain
    assert "We never ask you for this passcode" in plain


def test_a_mail_has_no_link_that_could_log_in():
    text, html = bodies(mailing.message())
    assert not re.search(r"https?://|href|src=", text + html)


def test_the_headers_say_who_it_is_from_and_that_a_program_wrote_it():
    message = parsed(mailing.message(business={"name": "Käferladen & Söhne", "support_email": "help@shop.example"}))
    assert message["From"].addresses[0].display_name == "Käferladen & Söhne"
    assert message["From"].addresses[0].addr_spec == "billing@portal.example"
    assert message["Reply-To"].addresses[0].addr_spec == "help@shop.example"
    assert message["Subject"] == "Your passcode for Käferladen & Söhne"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == mailing.NOW


def test_what_goes_over_the_wire_is_ascii_with_crlf_and_short_lines():
    wire = mailing.message(business={"name": "Käferladen"}).as_bytes(policy=POLICY)
    assert wire.isascii()
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998


def test_sending_the_same_row_again_gives_the_same_message_id():
    first, again, other = mailing.message(), mailing.message(), mailing.message(key="out_2")
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{32}@portal\.example>", str(first["Message-ID"]))


INJECTIONS = [
    "x@example.com\r\nBcc: y@example.com",
    "x@example.com\nBcc: y@example.com",
    "x@example.com\rBcc: y@example.com",
    "x@example.com, y@example.com",
    "x@example.com; y@example.com",
    "x@example.com y@example.com",
    "<x@example.com>",
    "X <x@example.com>",
    '"e@attacker.example"@example.com',
    '"x y"@example.com',
    "x(comment)@example.com",
    "x@example.com(comment)",
    "x@[127.0.0.1]",
    "x@example.com\x00",
    "x@example.com\u2028Bcc: y@example.com",
    "x\u0085y@example.com",
    "x@y@example.com",
    "@example.com",
    "x@",
    "x",
    "",
    "x@exa mple.com",
    "jenn\u0131@example.com",
    "x\uff20example.com",
    "x@" + "a" * 64 + ".example",
    "x@example..com",
    "=?utf-8?q?x=0ABcc:_y?=@example.com",
]


@pytest.mark.parametrize("address", INJECTIONS)
def test_an_address_that_is_not_one_plain_mailbox_is_refused(address):  # threats 35, 36, 37
    with pytest.raises(ValueError):  # noqa: PT011 (any of the standard library's)
        mailing.message(address)


@pytest.mark.parametrize(
    "name",
    [
        "Shop\r\nBcc: y@example.com",
        "Shop\nX: y",
        "Shop\x00\x0b\u2028B",
        '"><b>',
        "=?utf-8?q?x=0ABcc:_y?=",
        "==?\n?=?utf-8?q?x=0ABcc:_y?=",
        "a" * 400,
    ],
)
def test_a_business_name_stays_inside_its_header(name):  # threat 37
    message = mailing.message(business={"name": name})
    wire = message.as_bytes(policy=POLICY)
    head = wire.partition(b"\r\n\r\n")[0].decode()
    read = parsed(message)
    assert len(re.findall(r"(?im)^(from|to|subject|bcc|x):", head)) == 3
    assert [address.addr_spec for address in read["From"].addresses] == ["billing@portal.example"]
    assert "Bcc" not in read
    assert len(read["To"].addresses) == 1


def test_an_international_domain_is_written_in_ascii():
    assert mailing.message("x@bücher.example")["To"].addresses[0].addr_spec == "x@xn--bcher-kva.example"


def test_the_business_name_is_text_in_the_html():  # threat 64
    _, html = bodies(mailing.message(business={"name": "<script>alert(1)</script>{{7*7}}"}))
    assert "<script" not in html
    assert "{{7*7}}" in html


def test_the_mail_is_in_the_language_asked_for_and_says_its_direction():
    portal = mailing.portal(locales=("en", "ar"))
    message = parsed(
        messages.compose(portal, mailing.passcode(), "x@example.com", key="1", now=mailing.NOW, locale="ar")
    )
    assert message["Content-Language"] == "ar"
    assert 'dir="rtl"' in message.get_body(("html",)).get_content()


@pytest.mark.parametrize("brand", BRANDS, ids=[brand.name for brand in BRANDS])
@pytest.mark.parametrize("template", sorted(MAILS))
def test_every_example_renders_in_every_theme(brand, template):
    examples = json.loads((SITE / "templates" / "emails" / f"{template}.examples.json").read_text())
    renderer = Renderer(brand, Assets.of(brand), Paths(brand.base))
    for example in examples.values():
        mail = msgspec.convert(example["mail"], MAILS[template])
        rendered = messages.render(renderer, mail)
        assert rendered.subject
        shown = re.sub(r"<style>.*?</style>", "", rendered.html, flags=re.DOTALL).replace("{{7*7}}", "")  # a name's
        assert "{" not in shown
        assert brand.theme.palette.light["text"] in rendered.html or brand.theme.palette.dark["text"] in rendered.html
        assert "class=" in rendered.html
        assert 'name="color-scheme"' in rendered.html


def test_a_mail_without_examples_or_templates_is_noticed():
    folder = SITE / "templates" / "emails"
    for ending in (".html", ".txt", ".examples.json"):
        found = {path.name.removesuffix(ending) for path in folder.glob(f"*{ending}")} - {"layout"}
        assert found == set(MAILS)
