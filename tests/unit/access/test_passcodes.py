"""How a code is made, read and sealed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.access import passcodes, sealing
from server.features.login.nextpage import is_in_place, known, of_request, path_of, takes_form
from server.formats.user_agents import family
from server.paths import Paths

SECRETS = (b"the secret of today, 0123456789abcdef", b"the one before, 0123456789abcdefghijk")


def test_codes_are_six_digits_with_their_zeros() -> None:  # threat 13
    drawn = [passcodes.new_code(letters=False) for _ in range(3000)]
    assert all(len(each) == 6 and each.isdigit() and each.isascii() for each in drawn)
    first = Counter(each[0] for each in drawn)
    assert set(first) == set("0123456789")
    assert len(set(drawn)) > 2900


def test_every_six_digits_are_possible(monkeypatch: pytest.MonkeyPatch) -> None:  # threat 13
    ranges = []
    monkeypatch.setattr(passcodes.secrets, "randbelow", lambda below: ranges.append(below) or 0)
    assert passcodes.new_code(letters=False) == "000000"
    assert ranges == [1_000_000]


def test_hardened_codes_are_fifteen_letters_without_vowels() -> None:
    code = passcodes.new_code(letters=True)
    assert [len(each) for each in code.split("-")] == [5, 5, 5]
    assert set(code) <= set(passcodes.LETTERS) | {"-"}
    assert len(passcodes.LETTERS) == 20


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("123456", "123456"),
        (" 123 456\n", "123456"),
        ("123-456", "123456"),
        ("123–456", "123456"),
        ("１２３４５６", "123456"),
        ("١٢٣٤٥٦", "123456"),
        ("000000", "000000"),
        ("bcdfg-hjklm-npqrs", "BCDFGHJKLMNPQRS"),
        ("BCDFG HJKLM NPQRS", "BCDFGHJKLMNPQRS"),
        ("\u200b123456", "123456"),
        ("12345", ""),
        ("1234567", ""),
        ("abcdef", ""),
        ("AEIOU-AEIOU-AEIOU", ""),
        ("1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣", ""),
        ("", ""),
        ("0" * 1000, ""),
        ("+12345", ""),
        ("12345.6", ""),
    ],
)
def test_what_was_typed_is_read_kindly(typed: str, read: str) -> None:  # threat 18
    assert passcodes.normalized(typed) == read


@given(st.text(max_size=80))
def test_whatever_is_typed_gives_a_code_or_nothing(typed: str) -> None:  # threat 18
    read = passcodes.normalized(typed)
    assert (
        read == "" or (len(read) == 6 and read.isdigit()) or (len(read) == 15 and set(read) <= set(passcodes.LETTERS))
    )


@given(st.booleans())
def test_a_code_is_read_as_it_was_made(letters: bool) -> None:
    code = passcodes.new_code(letters=letters)
    assert passcodes.normalized(code) == code.replace("-", "")


def test_lengths_stand_in_the_mac_so_parts_cannot_run_into_each_other() -> None:
    key = b"k" * 32
    assert sealing.mac(key, b"ab", b"c") != sealing.mac(key, b"a", b"bc")
    assert sealing.mac(key, b"ab", b"") != sealing.mac(key, b"", b"ab")


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert set(sealing.keys(SECRETS, "passcode")).isdisjoint(sealing.keys(SECRETS, "sealing"))


def test_what_is_sealed_opens_with_its_context_alone() -> None:
    sealed = sealing.Sealer(SECRETS).seal(b"123456", b"row 1")
    assert sealing.Sealer(SECRETS).open(sealed, b"row 1") == b"123456"
    assert sealing.Sealer(SECRETS).open(sealed, b"row 2") is None
    assert sealing.Sealer(SECRETS).open(sealed[:-1], b"row 1") is None
    assert sealing.Sealer(SECRETS).open(b"", b"row 1") is None


def test_secrets_rotate() -> None:
    old = sealing.Sealer(SECRETS[1:]).seal(b"x", b"row")
    assert sealing.Sealer(SECRETS).open(old, b"row") == b"x"
    assert sealing.Sealer(SECRETS[:1]).open(old, b"row") is None


@pytest.mark.parametrize(
    ("agent", "word"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/19.0 Safari/605.1.15", "Safari on macOS"),
        ("curl/8.5.0", "curl"),
        ("Click <b>here</b> to win", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_browsers_are_named_in_our_own_words(agent: str, word: str) -> None:  # threat 38
    assert family(agent) == word


PAGES = (
    "overview",
    "subscriptions",
    "history",
    "invoices",
    "payment_methods",
    "details",
    "invoice:in_1",
    "subscription:sub_1",
    *(f"subscription_{each}:sub_1" for each in ("cancel", "feedback", "change", "change_confirm")),
    *(f"subscription_{each}:sub_1" for each in ("pause", "unpause", "restart")),
)
BUTTONS = ("resume", "retain", "change/undo")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_name_both_ways(page: str) -> None:
    assert known(page) == page
    assert of_request("harbour", path_of(Paths("/harbour"), page)) == page
    assert path_of(Paths(""), page) == path_of(Paths("/harbour"), page).removeprefix("/harbour")
    assert is_in_place(page)


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_without_a_page_leads_to_the_card_that_has_it(button: str) -> None:
    assert of_request("harbour", f"/harbour/my/subscriptions/sub_1/{button}") == "subscription:sub_1"


@pytest.mark.parametrize("way", ["pay/add", "pay/pm_2/added"])
def test_the_way_by_the_provider_leads_back_to_paying(way: str) -> None:  # L14
    assert of_request("harbour", f"/harbour/my/invoices/in_1/{way}") == "invoice_pay:in_1"
    assert of_request("harbour", f"/harbour/my/invoices/in_1/pay/pm/2/{way}") == "home"


def test_what_is_no_page_leads_home() -> None:
    assert of_request("harbour", "/harbour/my/subscriptions/sub_1/elsewhere") == "home"
    assert of_request("harbour", "/orbit/my/invoices") == "home"
    assert not is_in_place("home")
    assert [page for page in PAGES if takes_form(page)] == [page for page in PAGES if page.startswith("subscription_")]


@given(st.text(max_size=60))
def test_next_is_a_name_of_the_table_or_nothing(text: str) -> None:  # threat 59
    assert known(text) in ("", text)
    assert path_of(Paths("/harbour"), text).startswith("/harbour/my/")
