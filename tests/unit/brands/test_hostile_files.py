"""Whatever stands in the files: a brand, or a `ThemeError` that says where; never anything else."""

import random
import string
import tempfile
import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from server import brands
from server.brands.reading.locating import lines_of
from tests.support.brands import PORTAL, THEME, write_brand

SHIPPED = Path(__file__).parents[3] / "themes"
keys = st.sampled_from(
    [
        *("extends", "brand", "type", "shape", "mode", "words", "icon", "logo", "color", "font", "style", "default"),
        *("business", "site", "login_page", "billing", "features", "name", "url", "locales", "timezone", "link"),
        *(
            "subscription_update",
            "subscription_cancel",
            "products",
            "rules",
            "reasons_text",
            "weight",
            "file",
            "family",
        ),
    ]
) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
scalars = (
    st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=True)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30)
    | st.sampled_from(["harbour", "#123456", "en", "https://a.example", "logo.svg", "../x", "UTC", "now"])
    | st.dates()
)
values = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=4), max_leaves=12
)
documents = st.dictionaries(keys, values, max_size=6)


def outcome(**brand):
    """How loading went, for a brand in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            brands.load(write_brand(Path(folder), **brand))
        except brands.ThemeError as error:
            refusal = error
        else:
            return "loaded"
    assert refusal.mistakes
    assert all(each.found and each.allowed and str(each) for each in refusal.mistakes)
    return "refused"


@settings(max_examples=60, deadline=None)
@given(documents, documents)
def test_any_values_are_loaded_or_refused(theme, portal):
    outcome(theme=tomlkit.dumps(theme), portal=tomlkit.dumps(portal))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_loaded_or_refused(theme, portal):
    with tempfile.TemporaryDirectory() as folder:
        brand = write_brand(Path(folder))
        (brand / "theme.toml").write_bytes(theme)
        (brand / "portal.toml").write_bytes(portal)
        with pytest.raises(brands.ThemeError) as error:
            brands.load(brand)
        assert error.value.mistakes


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg ", b"<?xml "]))
def test_any_picture_is_loaded_or_refused(content, head):
    outcome(logo__svg=head + content)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=100), st.sampled_from([b"", b"wOF2", b"wOFF"]))
def test_any_font_is_loaded_or_refused(content, head):
    outcome(theme=THEME + '[[type.font]]\nfamily = "Own"\nfile = "own.woff2"\n', own__woff2=head + content)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["harbour", "orbit"]), st.integers(0, 2**32))
def test_a_file_of_ours_with_one_character_changed_is_loaded_or_refused(name, seed):
    chance = random.Random(seed)
    text = (SHIPPED / name / "portal.toml").read_text()
    at = chance.randrange(len(text))
    outcome(portal=text[:at] + chance.choice(string.printable) + text[at + chance.randrange(2) :])


@settings(max_examples=60, deadline=None)
@given(documents)
def test_every_path_of_a_document_has_its_line(document):
    text = tomlkit.dumps(document)
    found = lines_of(text)

    def walk(value, path):
        assert path in found, (path, text)
        below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, each in below:
            walk(each, (*path, key))

    walk(tomllib.loads(text), ())


def test_an_untouched_brand_is_loaded():
    assert outcome(portal=PORTAL) == "loaded"
