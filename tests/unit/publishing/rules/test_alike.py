"""Pages of one shape keep the same rules: what is left out of a shape, no rule looks at."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.brands import load_all
from server.publishing import pages
from server.publishing.rules import alike, html_rules
from server.rendering.assets import Assets
from tests.support.served import ROOT

BRANDS = {brand.name: brand for brand in load_all(ROOT / "themes")}


@cache
def made(name="plain"):
    brand = BRANDS[name]
    assets = Assets.of(brand)
    return brand, assets, dict(pages.render_pages(brand, assets))


def shape(html, name="plain"):
    brand, assets, _ = made(name)
    return alike.shape(html, assets.all_styles(), brand.base, pages.active_link(brand), assets.files)


def problems(html, name="plain"):
    brand, assets, _ = made(name)
    return html_rules.check(html, "page", pages.links_of(brand, assets).resolves)


def test_every_page_has_a_shape():
    for name in BRANDS:
        assert [path for path, (_, html) in made(name)[2].items() if shape(html, name) is None] == []


def test_another_name_color_link_and_address_are_the_same_shape():
    brand, _, rendered = made()
    business = replace(
        brand.config.business,
        name="Café & Söhne <3",
        support_email="a@b.example",
        privacy_policy_url="https://c.example/p",
    )
    config = replace(
        brand.config, business=business, login_page=replace(brand.config.login_page, link="test_another0Link1Token2aa")
    )
    look = replace(brand.theme.brand, color="#0a7c4a", button="#0a7c4a")
    other = replace(brand, name="another", config=config, theme=replace(brand.theme, brand=look))
    assets = Assets.of(other)
    for path, (_, html) in pages.render_pages(other, assets):
        mine = alike.shape(html, assets.all_styles(), other.base, "test_another0Link1Token2aa", assets.files)
        same = path.replace("test_another0Link1Token2aa", pages.active_link(brand))
        assert mine == shape(rendered[same][1]), path


BREAK = [
    ("<h1>", "<h2>"), ("Log in</h1>", "&nbsp;</h1>"), ('alt=""', 'alt="" style="color: red"'), ('alt=""', ""),
    ('href="#main"', 'href="#"'), ("/plain/help/", "/plain/halp/"), ("/plain/help/", "/other/help/"),
    ("/static/logo.", "/static/logo0."), ("/static/login.", "/static/"), ("Skip to the content", " "),
    ('href="https://example.com/privacy"', 'href="javascript:alert(1)"'), ("https://example.com/terms", ""),
    ("https://example.com/terms", "//example.com/terms"), ('for="field-email"', 'for="field-mail"'),
    ('type="submit"', ""), ("</form>", ""), ('method="post"', ""), ("Email address</label>", "</label>"),
    ('autocomplete="email"', 'autocomplete="off"'), ("integrity=", "data-integrity="), ('lang="en"', "lang"),
    ("p/login/test_plain", "p/login/test_plane"), ("<p class", "<script>1</script><p class"), ("</h1>", "</h1><!-- > --><img>"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "instead"), BREAK)
def test_what_breaks_a_rule_changes_the_shape(what, instead):
    html = made()[2][f"p/login/{pages.active_link(BRANDS['plain'])}/index.html"][1]
    assert what in html
    broken = html.replace(what, instead)
    assert problems(broken)
    assert shape(broken) != shape(html)


PIECES = [
    *("", " ", "x", "&nbsp;", "&lt;", '"', "'", "<", ">", "/", "=", "#", "\0", "<p>", "</p>", "<b>x</b>", "<!-- x -->", "<a>x</a>"),
    *("https://a.example/", "mailto:a@b.example", "javascript:x", "//a.example", "/plain/", "/plain/no/", "/plain/static/no.js"),
    *(' id="main"', ' value="1"', ' alt=""', ' style="x"', ' hx-get="https://a.example/"', " onclick='x value=\"1\"'", ' href="#"'),
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_what_keeps_its_shape_keeps_the_rules(data):
    _, _, rendered = made()
    path = data.draw(
        st.sampled_from(sorted(each for each in rendered if not each.startswith(("de/", "fr/", "es/", "ar/"))))
    )
    html = rendered[path][1]
    before, end, after = html.partition("</style>")
    at = data.draw(st.integers(0, len(after)))
    until = data.draw(st.sampled_from([at, at + 1, *(after.find(mark, at) for mark in '"<> ' if mark in after[at:])]))
    broken = before + end + after[:at] + data.draw(st.sampled_from(PIECES)) + after[until:]
    if shape(broken) == shape(html):
        assert problems(broken) == []
