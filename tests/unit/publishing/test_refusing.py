"""What `check` tells of a brand, `build`, `dev` and `serve` refuse, with the same words."""

from pathlib import Path

import pytest

from server.brands import ThemeError, load_all
from server.demo import Demo
from server.merchant import serve
from server.publishing import checking, publishing
from server.settings import Settings
from tests.support.brands import PORTAL, SVG, THEME, write_brand

ACTIVE = PORTAL + '[login_page]\nenabled = true\nlink = "test_0123456789abcdefghijkl"\n'
HELP = "{% extends 'site:pages/help.html' %}{% block panel %}<h1>Help</h1>"
MISTAKES = {
    "a key": ({"theme.toml": THEME.replace("#33415c", "blue")}, "theme.toml:4: brand.color: found 'blue'"),
    "a key of the merchant's": (
        {"portal.toml": PORTAL + "nme = 1\n"},
        "portal.toml:3: business.nme: found an unknown key",
    ),
    "a color that cannot be read": (
        {"theme.toml": THEME + 'background = "#ffffff"\naccent = "#ffff00"\n'},
        "theme.toml:6: brand.accent",
    ),
    "a file that is none of theirs": ({"portl.toml": ""}, "did you mean portal.toml"),
    "a logo": ({"logo.svg": "<svg/>"}, "theme.toml:3: brand.logo"),
    "rules that load": (
        {"theme.toml": THEME + 'styles = "own.css"\n', "own.css": "\n@import 'x';"},
        "own.css:2: found @import",
    ),
    "a picture": ({"pictures/a.svg": "x"}, "pictures/a.svg: found neither PNG nor JPEG"),
    "a language without words": (
        {"portal.toml": PORTAL + '[site]\nlocales = ["en", "pt"]\n'},
        "there are no words for pt",
    ),
    "two brands at one domain": (
        {
            "portal.toml": PORTAL + '[site]\nurl = "https://a.example"\n',
            "../other/theme.toml": THEME,
            "../other/portal.toml": PORTAL + '[site]\nurl = "https://a.example"\n',
            "../other/logo.svg": SVG.decode(),
            "../other/icon.svg": SVG.decode(),
        },
        "which harbour has too",
    ),
    "a base": ({"../base/theme.toml": "colour = 1\n"}, "base/theme.toml:1: colour: found an unknown key"),
    "an override that replaces nothing": ({"templates/pages/hlp.html": ""}, "did you mean pages/help.html?"),
    "an override that is no template": ({"templates/pages/help.html": "\n{% if %}"}, "pages/help.html:2: "),
    "an unsafe override": (
        {"templates/fragments/mails/choices.html": "{{ view|safe }}"},
        "choices.html:1: the filter safe is not used",
    ),
    "a page that breaks a rule": (
        {"templates/pages/help.html": HELP + "<p style='color: red'>x</p>{% endblock %}"},
        "pages/help.html: <p style='color: red'>: the policy refuses",
    ),
    "a picture that is not there": (
        {"templates/pages/help.html": HELP + "\n<img src='{{ asset('pictures/a.svg') }}' alt=''>{% endblock %}"},
        "pages/help.html:2: pictures/a.svg: no such asset",
    ),
    "a misspelt block": (
        {"templates/pages/help.html": HELP + "{% endblock %}\n{% block haed %}{% endblock %}"},
        "pages/help.html:2: found the block haed, which site:pages/help.html does not have; allowed: alternates, ",
    ),
    "a template that is not there": (
        {"templates/pages/help.html": HELP + "{% include 'components/emty.html' %}{% endblock %}"},
        "there is no template components/emty.html; allowed: ",
    ),
    "a page that does not render": ({"templates/pages/help.html": HELP + "{{ nobody }}"}, "help.html:1: "),
    "a fragment that breaks a rule": (
        {
            "templates/components/empty.html": "{% macro empty(title, text=none, attrs={}) %}<div{{ attrs|xmlattr }}>"
            "<font>{{ title }}</font>{% if caller is defined %}{{ caller() }}{% endif %}</div>{% endmacro %}"
        },
        "components/empty.html: <font> is not used here",
    ),
    "a component that others cannot call": (
        {"templates/components/empty.html": "{% macro empty() %}{% endmacro %}"},
        "components/empty.html: ",
    ),
    "a fragment that lost its contract": (
        {"templates/fragments/mails/choices.html": "{% set title = 'Mails' %}<p>x</p>"},
        "choices.html: has lost the form that sends to /harbour/my/mails by post",
    ),
    "a mail that is refused": (
        {"templates/emails/passcode.html": "<div><script>x()</script>"},
        "emails/passcode.html: <script>: mail",
    ),
}
TEMPLATE_MISTAKES = (
    ("{% extends 'nowhere.html' %}", ":1: there is no template nowhere.html; allowed: "),
    (
        "{% extends 'layouts/visitor.html' %}{% set title = 'x' %}\n{% block panle %}<h1>x</h1>{% endblock %}",
        ":2: found the block panle, which layouts/visitor.html does not have; allowed: ",
    ),
    ("{% extends 'layouts/visitor.html' %}{% block panel %}<h1>x</h1>{% endblock %}", ":1: 'title' is undefined"),
)
"""Of a template that two brands inherit, each with another override beside it."""


def told(run) -> str:
    try:
        result = run()
    except (ThemeError, publishing.BuildError, serve.ServeError) as error:
        return str(error)
    return "\n".join(map(str, result)) if isinstance(result, list) else ""


@pytest.mark.parametrize("name", MISTAKES)
def test_what_check_tells_of_a_brand_the_others_refuse(tmp_path, name):
    files, says = MISTAKES[name]
    themes = tmp_path / "themes"
    folder = write_brand(themes, portal=ACTIVE)
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    settings = Settings(
        secrets=(b"s" * 32,), origin="http://127.0.0.1:1", database="sqlite:", mail_from="a@b.example", themes=themes
    )
    demo = Demo(themes, tmp_path, host="127.0.0.1", port=1, only=None, reload=True, now=None)
    asked = {
        "check": lambda: checking.of_brands(themes),
        "build": lambda: publishing.build(load_all(themes), tmp_path / "dist"),
        "dev": demo.load,
        "serve": lambda: serve._checked(settings, "127.0.0.1"),
    }
    answers = {command: told(run) for command, run in asked.items()}
    assert {command: says in text for command, text in answers.items()} == dict.fromkeys(asked, True), answers
    assert [text for text in answers.values() if text.count(says) != 1] == [], answers
    assert not (tmp_path / "dist" / "harbour").exists() or name in ("two brands at one domain", "a base")


def test_a_brand_without_mistakes_is_refused_by_none(tmp_path):
    themes: Path = tmp_path / "themes"
    write_brand(themes, portal=ACTIVE)
    assert checking.of_brands(themes) == []
    assert [each.name for each in publishing.build(load_all(themes), tmp_path / "dist")] == ["harbour"]


def test_each_mistake_in_a_template_is_one_line_that_names_its_file_alone(tmp_path):
    write_brand(tmp_path, "base", theme=THEME, portal=None)
    for name in ("harbour", "orbit"):
        folder = write_brand(tmp_path, name, theme=f'extends = "base"\n{THEME}', portal=ACTIVE)
        layout = folder / "templates/layouts/visitor.html"
        layout.parent.mkdir(parents=True)
        layout.write_text("{% extends 'site:layouts/visitor.html' %}{% block art %}{% endblock %}", "utf-8")
    wrong = tmp_path / "base/templates/pages/help.html"
    wrong.parent.mkdir(parents=True)
    for text, says in TEMPLATE_MISTAKES:
        wrong.write_text(text, "utf-8")
        [problem] = checking.of_brands(tmp_path)
        assert str(problem).startswith(f"{wrong}{says}"), problem
        assert told(lambda: publishing.build(load_all(tmp_path), tmp_path / "dist")).splitlines() == [
            "harbour, orbit: not built",
            str(problem),
        ]


def test_a_component_that_the_site_cannot_call_is_named_alone(tmp_path):
    folder = write_brand(tmp_path, portal=ACTIVE)
    for name, text in {
        "components/empty.html": "{% macro empty() %}{% endmacro %}",
        "pages/help.html": f"{HELP}{{% endblock %}}",
    }.items():
        (folder / "templates" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "templates" / name).write_text(text, "utf-8")
    [problem] = checking.of_brands(tmp_path)
    assert str(problem).startswith(f"{folder / 'templates/components/empty.html'}: "), problem


def test_an_override_that_one_brand_can_show_is_asked_about_again_for_one_that_cannot(tmp_path):
    write_brand(tmp_path, "base", theme=THEME, portal=None)
    shared = tmp_path / "base/templates/components/empty.html"
    shared.parent.mkdir(parents=True)
    shared.write_text(
        "{% macro empty(title, text=none, attrs={}) %}<div{{ attrs|xmlattr }}>{{ title }}\n"
        "{{ 1 / brand.config.business.support_phone|length }}{% if caller is defined %}{{ caller() }}{% endif %}</div>{% endmacro %}",
        "utf-8",
    )
    for name, phone in (("harbour", 'support_phone = "+49 30 123456"\n'), ("orbit", "")):
        write_brand(tmp_path, name, theme=f'extends = "base"\n{THEME}', portal=PORTAL + phone + ACTIVE[len(PORTAL) :])
    [problem] = checking.of_brands(tmp_path)
    assert str(problem).startswith(f"{shared}:2: division by zero"), problem
