"""The minifier takes comments and white space, and nothing that means something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.css import minified


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("a { color : red ; }", "a{color :red}"),
        ("/* one */ a,\n b { }", "a,b{}"),
        (".a .b > p:hover { x: y }", ".a .b > p:hover{x:y}"),
        ("a /* */ b {}", "a b{}"),
        ("a{margin:-1px calc( 1px + 2px )}", "a{margin:-1px calc( 1px + 2px )}"),
        ("@media (min-width: 4em) and (x) { a { b: c } }", "@media (min-width:4em) and (x){a{b:c}}"),
        (":root { --none: ; --one: 1 }", ":root{--none:;--one:1}"),
    ],
)
def test_white_space_goes_where_it_means_nothing(written, left):
    assert minified(written) == left


def test_a_comment_between_two_words_keeps_them_apart():
    assert minified("a{margin:1px/**/2px}") == "a{margin:1px/**/2px}"


@pytest.mark.parametrize("text", ['"a  /* b */  c"', "'a  {  b'", r'"a \"  b"', "url(a/*b;{c.png)"])
def test_strings_and_urls_stay_as_they_are(text):
    assert text in minified(f"a {{ x: {text} ; }}")


@pytest.mark.parametrize("css", ["a{} /* b", "a { b: 'c }", 'a { b: "c\n" }'])
def test_what_does_not_end_is_refused_with_its_line(css):
    with pytest.raises(ValueError, match=r"line \d"):
        minified(css)


@given(st.lists(st.sampled_from(["a", ".b", "{", "}", ":", ";", ",", " ", "\n", "/* c */", "'d  e'", "1px", ">", "u"])))
def test_minifying_twice_changes_nothing(parts):
    once = minified("".join(parts))
    assert minified(once) == once
