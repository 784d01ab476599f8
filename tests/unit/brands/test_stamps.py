"""What tells that a brand's files are others now: its own, and those of the themes that it extends."""

from pathlib import Path

import pytest

from server.brands import THEME_FILE, stamps


@pytest.fixture
def themes(tmp_path: Path) -> Path:
    for name, text in (("brand", 'extends = "base"\n'), ("base", ""), ("other", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / THEME_FILE).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("where", "counts"), [("brand", True), ("base", True), ("other", False)])
def test_a_change_counts_where_the_brand_is_made_of_it(themes: Path, where: str, counts: bool):
    before = stamps(themes / "brand")
    (themes / where / "templates").mkdir()
    (themes / where / "templates" / "card.html").write_text("new")
    assert (stamps(themes / "brand") != before) == counts


def test_a_draft_that_extends_another_theme_is_made_of_that_one(themes: Path):
    drafted = {themes / "brand" / THEME_FILE: b'extends = "other"\n'}
    before = stamps(themes / "brand", drafted)
    (themes / "other" / "styles.css").write_text("p{}")
    assert stamps(themes / "brand", drafted) != before
    (themes / "base" / "styles.css").write_text("p{}")
    assert str(themes / "base" / "styles.css") not in str(stamps(themes / "brand", drafted))
