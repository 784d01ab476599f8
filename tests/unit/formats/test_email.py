"""One reading of an address. Rows of security.md §3 C."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.formats.email import EmailMistake, canonical


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("jenny@example.com", "jenny@example.com"),
        (" Jenny@Example.COM\n", "jenny@example.com"),
        ("a+b@example.com", "a+b@example.com"),  # threat 40
        ("a.b@example.com", "a.b@example.com"),
        ("j@bücher.example", "j@xn--bcher-kva.example"),
        ("jenny@exаmple.com", "jenny@xn--exmple-4nf.com"),  # threat 39: one letter is Cyrillic
        ("o'neil@example.com", "o'neil@example.com"),
    ],
)
def test_an_address_has_one_canonical_form(typed: str, read: str) -> None:
    assert canonical(typed) == read


@pytest.mark.parametrize(
    "twin", ["\u0131@example.com", "\u212a@example.com", "\u017f@example.com", "jenn\u00fd@example.com"]
)
def test_twins_outside_ascii_are_nobodys_local_part(twin: str) -> None:  # threats 33, 34
    assert canonical(twin) is EmailMistake.NOT_AN_ADDRESS


@pytest.mark.parametrize(
    "sign", ["\uff20", "\ufe6b", "\u2024", "\u3002", "\uff0e", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060"]
)
def test_signs_that_become_grammar_or_nothing_are_refused(sign: str) -> None:  # threat 34
    for text in (
        f"jenny{sign}example.com",
        f"jenny@example{sign}com",
        f"jen{sign}ny@example.com",
        f"jenny@exa{sign}mple.com",
    ):
        assert canonical(text) is EmailMistake.NOT_AN_ADDRESS


@pytest.mark.parametrize(
    "text",
    ["a@x.com,b@y.com", "a@x.com;b@y.com", "a@x.com\nb@y.com", "a@x.com\r\nBcc: b@y.com", "a (note)@x.com", "<a@x.com>", "A <a@x.com>",
     '"e@attacker.com"@victim.com', "a@b@c.com", "a@[127.0.0.1]", "a@localhost", "@x.com", "a@", "a..b@x.com", "a b@x.com",
     "a@x.com\0", "x" * 65 + "@x.com", "a@" + "x" * 300 + ".com", "a@-x.com", "a@x..com"],
)  # fmt: skip
def test_what_is_not_one_plain_mailbox_is_refused(text: str) -> None:  # threats 35, 36, 37
    assert canonical(text) is EmailMistake.NOT_AN_ADDRESS


def test_nothing_is_a_mistake_of_its_own() -> None:
    assert canonical(" ") is EmailMistake.EMPTY


@given(st.text(max_size=100) | st.emails())
def test_the_canonical_form_is_stable_plain_and_lower_case(text: str) -> None:
    read = canonical(text)
    if not isinstance(read, EmailMistake):
        assert canonical(read) == read
        assert read.isascii()
        assert read == read.lower()
        assert read.count("@") == 1
        assert not set(read) & set(' \t\r\n,;<>"()')
