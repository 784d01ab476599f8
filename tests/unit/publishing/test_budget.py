"""`build` and `check` say how much of its budget a theme's own rules and pictures use."""

from server.brands import load
from server.publishing import budget
from tests.bench import pages
from tests.support.brands import THEME, write_brand


def test_a_brand_with_its_own_rules_or_pictures_is_told_what_they_use(tmp_path):
    write_brand(tmp_path)
    folder = write_brand(
        tmp_path, "own", theme=THEME + 'styles = "own.css"\n', own__css=b".a { color : #123456 }/* not this */\n" * 40
    )
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.webp").write_bytes(b"RIFF0000WEBP".ljust(3 * 1024, b"\0"))
    brands = [load(tmp_path / name) for name in ("harbour", "own")]
    assert list(budget.lines(brands)) == ["own: its own rules use 1.1 of 16 KB, its pictures use 3.0 of 1024 KB"]


def test_no_page_weighs_more_than_its_budget():
    over = [f"{each.what}: {each.measured}, {each.budget}" for each in pages.rows() if not each.holds]
    assert over == []
