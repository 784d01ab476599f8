"""The designers' reference names every key that there is, and no other default."""

from pathlib import Path

import pytest

from server import brands as themes
from server.brands.features import CHANGES, CONDITIONS, REASONS, UPDATES
from server.brands.theme_file import MODES, SHAPES, STACKS

README = (Path(__file__).parents[3] / "themes" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("key", themes.WORDS)
def test_every_word_stands_there_with_its_default(key):
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{key}` |")]
    word = themes.WORDS[key]
    assert f"| {word.default or '(empty)'} |" in row
    assert ("may be empty" in row) == word.may_be_empty


@pytest.mark.parametrize("word", [*UPDATES, *REASONS, *CHANGES, *CONDITIONS, *SHAPES, *MODES, *STACKS])
def test_every_allowed_word_stands_there(word):
    assert f"`{word}`" in README


@pytest.mark.parametrize("key", [*themes.Features.__struct_fields__, *themes.PortalConfig.__struct_fields__])
def test_every_table_stands_there(key):
    assert key in README
