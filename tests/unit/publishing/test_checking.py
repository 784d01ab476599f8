"""`build.py check` finds what is wrong, says where, and one bad brand hides nothing of the others."""

from pathlib import Path

import pytest

from server.brands import ThemeError, load
from server.publishing import checking
from tests.support.brands import PORTAL, THEME, write_brand

SHIPPED = Path(__file__).parents[3] / "themes"
ACTIVE = PORTAL + '[login_page]\nenabled = true\nlink = "test_0123456789abcdefghijkl"\n'


def override(theme: Path, name: str, text: str) -> None:
    path = theme / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_there_is_nothing_to_mend_in_what_we_ship():
    assert [str(problem) for problem in checking.check(SHIPPED)] == []


def test_mistakes_of_a_theme_are_told_with_file_line_and_key(tmp_path):
    write_brand(tmp_path, theme=THEME.replace("#33415c", "blue"))
    brands, problems = checking.load(tmp_path)
    assert brands == []
    assert [str(each) for each in problems] == [
        f"{tmp_path}/harbour/theme.toml:4: brand.color: found 'blue'; allowed: a color such as #1f6feb or #fff [theme]"
    ]


def test_colors_that_cannot_be_read_are_told(tmp_path):
    write_brand(tmp_path, theme=THEME + 'background = "#ffffff"\naccent = "#ffff00"\n')
    _, [problem] = checking.load(tmp_path)
    assert "brand.accent" in problem.message
    assert "nearest" in problem.message


def test_one_bad_brand_hides_nothing_of_the_others(tmp_path):
    write_brand(tmp_path, theme="colour = 1")
    write_brand(tmp_path, "orbit")
    brands, problems = checking.load(tmp_path)
    assert [brand.name for brand in brands] == ["orbit"]
    assert problems


def test_a_theme_that_only_others_extend_is_looked_at_too(tmp_path):
    base = write_brand(tmp_path, "base", theme="[brand]\ncolour = 1\n", portal=None)
    assert [each.message for each in checking.load(tmp_path, ["base"])[1]] == [
        "brand.colour: found an unknown key; allowed: accent, background, button, color, dark_logo, icon, logo, styles (did you mean color?)"
    ]
    write_brand(tmp_path, "base", theme=THEME.replace("color", "accent"), portal=None)
    assert checking.load(tmp_path) == ([], [])
    (base / "portl.toml").write_text(PORTAL)
    assert "did you mean portal.toml" in checking.load(tmp_path)[1][0].message


def test_a_brand_that_is_not_there_is_told(tmp_path):
    write_brand(tmp_path)
    write_brand(tmp_path, "orbit")
    [problem] = checking.load(tmp_path, ["habour"])[1]
    assert problem.message == "there is no brand habour; there are harbour, orbit"


def test_a_folder_of_themes_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ThemeError, match="a folder that cannot be read"):
        checking.check(tmp_path / "nowhere")


def test_only_the_brands_asked_for_are_looked_at(tmp_path):
    write_brand(tmp_path, theme="colour = 1")
    write_brand(tmp_path, "orbit")
    assert checking.load(tmp_path, ["orbit"])[1] == []


def test_an_unsafe_template_of_a_theme_is_told_with_its_line(tmp_path):  # threat 64
    override(write_brand(tmp_path), "pages/help.html", "\n{{ brand.name|safe }}")
    [problem] = checking.lint(tmp_path)
    assert (problem.where, problem.line) == (str(tmp_path / "harbour/templates/pages/help.html"), 2)


def test_an_override_that_replaces_nothing_is_told(tmp_path):
    override(write_brand(tmp_path), "pages/hlp.html", "")
    [problem] = checking.lint(tmp_path)
    assert "did you mean pages/help.html?" in problem.message


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "pages/help.html",
            "{% extends 'site:pages/help.html' %}{% block panel %}<h1>Help</h1><a href='/acount'>x</a>{% endblock %}",
            "links-resolve",
        ),
        ("pages/help.html", "{% extends 'nowhere.html' %}", "there is no template nowhere.html"),
        ("pages/help.html", "{% extends 'site:pages/help.html' %}{% block panel %}{{ nobody }}", "help.html:1: "),
        (
            "pages/help.html",
            "\n{% extends 'pages/help.html' %}",
            "help.html:2: it extends or includes itself without end",
        ),
        ("pages/help.html", "{% block panel %}\n{{ 1 / 0 }}{% endblock %}", "help.html:2: division by zero"),
        ("pages/help.html", "{{ 'a' + 1 }}", "help.html:1: can only concatenate str"),
        ("components/back.html", "{% macro back(label, href) %}{{ nobody }}{% endmacro %}", "'nobody' is undefined"),
    ],
)
def test_what_does_not_render_or_breaks_a_rule_is_told(tmp_path, name, text, says):
    folder = write_brand(tmp_path, portal=ACTIVE)
    override(folder, name, text)
    problems = checking.brand_problems(load(folder))
    assert any(says in str(problem) for problem in problems), problems


def test_mails_of_a_theme_are_looked_at(tmp_path):
    folder = write_brand(tmp_path, portal=ACTIVE)
    override(folder, "emails/passcode.html", "<div><script>x()</script>")
    problems = checking.brand_problems(load(folder))
    assert {"mail"} <= {problem.rule for problem in problems}
