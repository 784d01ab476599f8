"""Each house rule refuses what it is about, says what to change, and lets good HTML through."""

import pytest

from server.publishing.rules.html_rules import check

PAGE = """\
<!doctype html>
<html lang="en" dir="ltr">
<head><title>Help - Harbour</title><style>p{{margin:0}}</style>
<script src="/static/portal.js" integrity="sha384-x" defer></script></head>
<body><a href="#main">Skip</a><header><a href="/">Harbour</a></header>
<main id="main"><h1>Help</h1>
{inside}
</main><div role="status"></div></body>
</html>
"""
GOOD = """\
<h2>Log in</h2>
<form method="post" action="/login" hx-post="/login" hx-target="this" hx-swap="outerHTML">
<label for="email">E-mail</label>
<input id="email" type="email" name="email" autocomplete="email" aria-invalid="true" aria-describedby="email-error">
<p id="email-error">Write it like name@example.com</p>
<label>Code <input name="code" inputmode="numeric" autocomplete="one-time-code"></label>
<input type="hidden" name="link" value="javascript:alert(1)">
<button type="submit">Go on</button>
</form>
<h3>More</h3>
<p><img src="/static/logo.svg" alt=""> <a href="https://example.com" target="_blank" rel="noopener">Terms</a>
<a href="/my/invoices" hx-get="/my/invoices" hx-target="#main" hx-swap="innerHTML">Invoices</a></p>
<div hx-get="/my/overview" hx-trigger="load" hx-target="this" hx-swap="outerHTML"><a href="/my/overview">Open</a></div>
<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0"/></svg>
<p id="plot">Log-ins</p><svg viewBox="0 0 1 1" role="img" aria-labelledby="plot"><path d="M0 0"/></svg>
"""


def rules(html: str, kind: str = "page") -> list[str]:
    return [problem.rule for problem in check(html, kind)]


def test_a_good_page_breaks_no_rule():
    assert check(PAGE.format(inside=GOOD), "page", lambda url: url != "/nowhere") == []


def test_a_good_fragment_breaks_no_rule():
    assert check(f'<div id="login-form">{GOOD.replace("#main", "this")}</div>', "fragment", lambda _: True) == []


BROKEN = [
    ("fields-are-labelled", '<input type="text" name="a">', "label"),
    ("fields-are-labelled", '<label for="nobody">A</label>', "field that is not there"),
    ("fields-are-labelled", '<select name="a"></select>', "label"),
    ("controls-have-names", '<button type="submit"></button>', "no words"),
    ("controls-have-names", '<a href="/"><svg aria-hidden="true"></svg></a>', "no words"),
    ("controls-have-names", '<img src="/x.png">', "alt"),
    ("controls-have-names", '<svg viewBox="0 0 1 1"></svg>', "aria-hidden"),
    ("controls-have-names", '<p tabindex="3">x</p>', "tabindex"),
    ("headings-do-not-jump", "<h3>Deep</h3>", "use <h2>"),
    ("headings-do-not-jump", "<h2></h2>", "no words"),
    ("ids-are-unique", '<p id="a"></p><p id="a"></p>', "already"),
    ("ids-are-unique", '<p id="a b"></p>', "space"),
    ("references-exist", '<p aria-labelledby="nobody">x</p>', "no element has that id"),
    ("errors-are-linked", '<p id="email-error">Wrong</p>', "aria-describedby"),
    ("errors-are-linked", '<input aria-label="a" aria-invalid="true">', "says not why"),
    ("errors-are-linked", '<p id="a-error"></p><input aria-label="a" aria-describedby="a-error">', "aria-invalid"),
    ("forms-work-alone", '<form action="/x"></form>', "method"),
    ("forms-work-alone", '<form method="post"></form>', "action"),
    ("forms-work-alone", '<form method="delete" action="/x"></form>', "method"),
    ("forms-work-alone", "<button>Go</button>", "type"),
    ("fields-can-be-filled", '<input aria-label="a" type="email" name="email">', 'autocomplete="email"'),
    ("fields-can-be-filled", '<input aria-label="a" name="code">', "one-time-code"),
    ("fields-can-be-filled", '<input aria-label="a" name="city" autocomplete="off">', "take it away"),
    ("links-are-links", "<a>Cancel</a>", "leads nowhere"),
    ("links-are-links", '<a href="#">Cancel</a>', "leads nowhere"),
    ("links-are-links", '<a href="https://x.example" target="_blank">x</a>', "noopener"),
    ("tags-fit", "<section><p>x</section>", "not closed"),
    ("tags-fit", "</section>", "closes nothing"),
    ("tags-fit", "<div/>", "<div></div>"),
    ("tags-fit", '<p class="a" class="b">x</p>', "twice"),
    ("tags-fit", '<iframe src="/x"></iframe>', "not used here"),
    ("tags-fit", '<a href="/x"><button type="button">x</button></a>', "side by side"),
    ("whole-document", '<meta content="user-scalable=no">', "zooming"),
    ("one-heading-and-main", "<h1>Another</h1>", "2 <h1>"),
]


@pytest.mark.parametrize(("rule", "markup", "says"), BROKEN)
def test_a_page_that_breaks_a_rule_is_told_what_to_change(rule, markup, says):
    found = [problem for problem in check(PAGE.format(inside=markup)) if problem.rule == rule]
    assert any(says in problem.message for problem in found), check(PAGE.format(inside=markup))


UNSAFE = [
    ("nothing-inline", '<p onclick="x()">x</p>'),  # threat 66
    ("nothing-inline", '<p style="color:red">x</p>'),
    ("nothing-inline", '<a href="javascript:alert(1)">x</a>'),
    ("nothing-inline", '<a href=" java\tscript:alert(1)">x</a>'),
    ("nothing-inline", '<a href="data:text/html,x">x</a>'),
    ("nothing-inline", '<form method="post" action="javascript:x"></form>'),
    ("nothing-inline", "<style>p{}</style>"),
    ("only-our-files", "<script>x()</script>"),
    ("only-our-files", '<script src="/x.js"></script>'),  # threat 71
    ("only-our-files", '<script src="https://x.example/x.js" integrity="sha384-x"></script>'),
    ("only-our-files", '<img alt="" src="//x.example/x.png">'),
    ("only-our-files", '<img alt="" src="https://x.example/x.png">'),
    ("only-our-files", '<link rel="stylesheet" href="/x.css">'),
    ("htmx-is-plain", '<p hx-on:click="x()">x</p>'),  # threat 65
    ("htmx-is-plain", '<p data-hx-on="x()">x</p>'),
    ("htmx-is-plain", "<p hx-vals='js:{a: 1}'>x</p>"),
    ("htmx-is-plain", '<a href="/x" hx-get="/x" hx-target="this" hx-swap="js:x()">x</a>'),
    ("htmx-is-plain", '<a href="/x" hx-get="/x" hx-target="this" hx-swap="none" hx-trigger="click[x()]">x</a>'),
    ("htmx-is-plain", '<div hx-boost="true"></div>'),
    ("htmx-is-plain", '<a href="/x" hx-get="/x" hx-target="this" hx-swap="none" hx-push-url="/elsewhere">x</a>'),
    ("htmx-is-plain", '<form method="post" action="/x" hx-post="/x" hx-target="this" hx-push-url="/xy">x</form>'),
    ("htmx-is-plain", '<div hx-target:inherited="#main"></div>'),
    ("htmx-is-plain", '<a href="/x" hx-get="/y" hx-target="this" hx-swap="none">x</a>'),
    ("htmx-is-plain", '<a href="/x" hx-get="/x" hx-swap="none">x</a>'),
    ("htmx-is-plain", '<a href="/x" hx-get="/x" hx-target="this">x</a>'),
    ("htmx-is-plain", '<button type="button" hx-post="/x" hx-target="this" hx-swap="none">x</button>'),
    ("htmx-is-plain", '<form method="get" action="/x" hx-post="/x" hx-target="this" hx-swap="none"></form>'),
    ("htmx-is-plain", '<div hx-get="/x" hx-trigger="load" hx-target="this" hx-swap="none">no link</div>'),
    ("htmx-is-plain", '<a href="/x" hx-delete="/x">x</a>'),
]


@pytest.mark.parametrize(("rule", "markup"), UNSAFE)
def test_what_could_run_or_works_only_with_scripts_is_refused(rule, markup):
    assert rule in rules(PAGE.format(inside=markup))
    assert rule in rules(f'<div id="a-b">{markup}</div>', "fragment")


@pytest.mark.parametrize(
    "markup",
    ["<h1>x</h1>", "<main></main>", "<html><body></body></html>", "<script src='/x.js'></script>", "<style></style>"],
)
def test_a_fragment_holds_nothing_of_a_page(markup):
    assert "no-page-around" in rules(f'<div id="a-b">{markup}</div>', "fragment")


@pytest.mark.parametrize(
    "markup", ["<div>x</div>", "<p id='a'>x</p><p id='b'>x</p>", "bare", "<p id='a'>x</p> bare", ""]
)
def test_a_fragment_is_one_element_with_an_id(markup):
    assert "one-root-with-id" in rules(markup, "fragment")


@pytest.mark.parametrize(
    "markup",
    [
        '<h2 tabindex="-1" data-focus data-announce>x</h2>',
        '<p role="alert" tabindex="-1" data-focus>x</p>',
        "<p data-focus>x</p>",
    ],
)
def test_what_takes_the_focus_can_take_it_and_is_not_announced_besides(markup):
    assert "said-once" in rules(f'<div id="a-b">{markup}</div>', "fragment")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("<!doctype html>", "", "whole-document"),
        (' lang="en"', "", "whole-document"),
        (' dir="ltr"', "", "whole-document"),
        ("<title>Help - Harbour</title>", "", "whole-document"),
        ("<title>Help - Harbour</title>", "<title> </title>", "whole-document"),
        ("<h1>Help</h1>", "", "one-heading-and-main"),
        ("<h1>Help</h1>", "<h1>Help</h1></main><main>", "one-heading-and-main"),
        ("<header>", "<p>Stray words</p><header>", "text-in-landmarks"),
        ("<header>", "<nav></nav><nav></nav><header>", "text-in-landmarks"),
    ],
)
def test_a_page_is_a_whole_document(old, new, rule):
    assert rule in rules(PAGE.format(inside="").replace(old, new, 1))


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="/nowhere">x</a>',
        '<form method="post" action="/nowhere"></form>',
        '<img alt="" src="/nowhere">',
        '<a href="#nobody">x</a>',
        '<meta http-equiv="refresh" content="0; url=/nowhere">',
    ],
)
def test_a_link_that_leads_nowhere_is_refused(markup):
    found = check(PAGE.format(inside=markup), "page", lambda url: url != "/nowhere")
    assert [problem.rule for problem in found] == ["links-resolve"]


def test_a_problem_names_place_line_rule_and_what_to_change():
    [problem] = check(PAGE.format(inside="<h3>Deep</h3>"), where="help/index.html")
    assert str(problem) == "help/index.html:7: <h3> comes after <h1>; use <h2> [headings-do-not-jump]"


def test_what_a_customer_typed_breaks_no_rule():
    typed = "&lt;script&gt;alert(1)&lt;/script&gt; onclick= style= javascript:x"
    field = f'<label for="n">Name</label><input id="n" name="n" value="{typed}">'
    assert check(PAGE.format(inside=f"<p>{typed}</p>{field}")) == []
