"""TOML is read strictly, and every mistake finds its line."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.brands.reading.locating import lines_of
from server.brands.reading.tables import FILE_LIMIT
from tests.support.brands import PORTAL, THEME, mistakes, the_mistake, write_brand

DOCUMENT = '''\
# a comment = 1
title = "a # b = 'c'"
[one.two]
"quoted key" = 1
dotted.key = { x = 1, y.z = [1, 2] }

[[list]]
text = """
not = "a key"
""" # [nor.this]
[list.below]
deep = 1.5
[[list]]
numbers = [
  1, # one
  [2, 3],
  { a = "]" },
]
date = 1979-05-27 07:32:00
'literal.key' = 'C:\\'
after = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("title",), 2),
        (("one", "two"), 3),
        (("one", "two", "quoted key"), 4),
        (("one", "two", "dotted", "key", "x"), 5),
        (("one", "two", "dotted", "key", "y", "z", 1), 5),
        (("list", 0), 7),
        (("list", 0, "text"), 8),
        (("list", 0, "below", "deep"), 12),
        (("list", 1), 13),
        (("list", 1, "numbers", 0), 15),
        (("list", 1, "numbers", 1, 1), 16),
        (("list", 1, "numbers", 2, "a"), 17),
        (("list", 1, "date"), 19),
        (("list", 1, "literal.key"), 20),
        (("list", 1, "after"), 21),
    ],
)
def test_every_key_has_its_line(path, line):
    tomllib.loads(DOCUMENT)
    assert lines_of(DOCUMENT)[path] == line


def test_lines_are_right_in_a_file_with_windows_line_ends_and_a_byte_order_mark(tmp_path):
    folder = write_brand(tmp_path)
    text = "\ufeff" + PORTAL + "headline = 3\n"
    (folder / "portal.toml").write_bytes(text.replace("\n", "\r\n").encode())
    assert (the_mistake(folder).line, the_mistake(folder).key) == (3, "business.headline")


@given(st.text(alphabet="a=[]{}\"'#.,\n 1\\", max_size=60))
def test_finding_lines_never_fails(text):
    assert lines_of(text)[()] == 1


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("[business]\nname = \n", 2, "broken TOML"),
        ('[business]\nname = "a"\nname = "b"\n', 3, "broken TOML"),
        ('name = "a', 0, "broken TOML"),
        ("a = " + "9" * 5000, 0, "broken TOML"),
        ("a = " + "[" * 20_000, 0, "nested too deep"),
    ],
)
def test_broken_toml_is_refused_with_its_line(tmp_path, text, line, found):
    mistake = the_mistake(write_brand(tmp_path, portal=text))
    assert mistake.line in (line, 1)
    assert found in mistake.found


def test_a_file_that_is_not_utf8_is_refused_with_the_line_of_the_byte(tmp_path):
    folder = write_brand(tmp_path)
    (folder / "portal.toml").write_bytes(b'[business]\nname = "Caf\xe9"\n')
    assert (the_mistake(folder).line, the_mistake(folder).found) == (2, "the byte 0xe9")


def test_a_huge_file_is_refused_without_being_read(tmp_path):
    folder = write_brand(tmp_path)
    with (folder / "portal.toml").open("wb") as file:
        file.truncate(10 * 1024**3)
    assert the_mistake(folder).allowed == f"at most {FILE_LIMIT} bytes"


def test_an_unknown_table_is_refused_with_the_nearest_word(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + "[feature]\n"))
    assert (mistake.key, mistake.found) == ("feature", "an unknown key")
    assert "did you mean features?" in mistake.allowed


def test_a_value_in_place_of_a_table_is_refused(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, portal="site = 3\n" + PORTAL))
    assert (mistake.line, mistake.key, mistake.found, mistake.allowed) == (1, "site", "3", "a table [site]")


@pytest.mark.parametrize(
    "value", ["3", "true", "[]", "{}", "1979-05-27", '""', '" "', '"a\\nb"', '"a\\u0000"', '"\\u202e"']
)
def test_a_name_is_one_line_of_text(tmp_path, value):
    assert the_mistake(write_brand(tmp_path, portal=f"[business]\nname = {value}\n")).key == "business.name"


def test_a_hostile_key_cannot_write_to_the_terminal(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + '"\\u001b[31m" = 1\n'))
    assert "\x1b" not in str(mistake)


def test_a_text_that_is_too_long_is_refused_without_being_repeated(tmp_path):
    mistake = mistakes(write_brand(tmp_path, portal=f'[business]\nname = "{"x" * 5000}"\n'))[0]
    assert mistake.allowed == "at most 100 characters"
    assert len(str(mistake)) < 400
