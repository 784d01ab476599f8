"""Room: nothing is wider than a small screen, also with text twice as large or written from right to left.

Each example is a page of its own in the brand with the fullest templates. In the others, and from right to left, the
examples of a feature are below each other on one page: a width does not depend on them, and that takes a tenth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Locator, Page, ViewportSize

from server.brands import Brand
from tests.support import shown
from tests.support.shown import Document

NARROW = {"width": 320, "height": 640}
WIDE: ViewportSize = {"width": 1280, "height": 900}
TWICE = "html { font-size: 200% !important }"

# What sticks out, with the element that does: the page's own width alone would not say where to look.
TOO_WIDE = """style => {
  if (style) document.head.append(Object.assign(document.createElement("style"), {textContent: style}));
  const room = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= room) return [];
  const out = [...document.querySelectorAll("body *")].filter(each => {
    const box = each.getBoundingClientRect();
    return box.width > 0 && (box.right > room + 0.5 || box.left < -0.5);
  });
  return [`${document.scrollingElement.scrollWidth} px`, ...out.slice(-3).map(each => each.outerHTML.slice(0, 160))];
}"""

in_every_brand = pytest.mark.parametrize("brand", shown.brands().values(), ids=shown.brands())


@pytest.fixture
def narrow(browser: Browser) -> Iterator[Callable[[Brand], Page]]:
    contexts = []

    def make(brand: Brand) -> Page:
        context = browser.new_context(viewport=NARROW)  # type: ignore[arg-type]
        contexts.append(context)
        shown.serve(context, brand)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@in_every_brand
def test_no_static_page_is_wider_than_320_px(narrow: Callable[[Brand], Page], brand: Brand):
    check(narrow(brand), shown.pages(brand))


def test_no_fragment_is_wider_than_320_px_as_a_page(narrow: Callable[[Brand], Page]):
    harbour = shown.brands()["harbour"]
    check(narrow(harbour), shown.fragments(harbour))


@pytest.mark.parametrize(
    "brand", [each for each in shown.brands().values() if each.name != "harbour"], ids=attrgetter("name")
)
def test_no_fragment_is_wider_than_320_px(narrow: Callable[[Brand], Page], brand: Brand):
    check(narrow(brand), shown.features(brand))


def test_what_sticks_out_is_found_among_other_fragments(narrow: Callable[[Brand], Page]):
    orbit = shown.brands()["orbit"]
    page = narrow(orbit)
    several = next(each for each in shown.features(orbit) if each.html.count("<hr>") > 9)
    wide = several._replace(html=several.html.replace("<hr>", '<hr><p style="width: 400px">x</p>', 1))
    shown.show(page, wide)
    assert stick_out(page, wide, "320 px")


@pytest.fixture(scope="module")
def arabic() -> Brand:
    """The brand with the fullest templates, offered from right to left."""
    harbour = shown.brands()["harbour"]
    site = replace(harbour.config.site, locales=("ar",))
    return replace(harbour, config=replace(harbour.config, site=site))


def test_from_right_to_left_no_page_is_wider_than_320_px(narrow: Callable[[Brand], Page], arabic: Brand):
    check(narrow(arabic), [*shown.pages(arabic), *shown.features(arabic)])


def test_from_right_to_left_the_page_is_mirrored(browser: Browser, arabic: Brand):
    logo, log_out = [], []
    for brand in (shown.brands()["harbour"], arabic):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        shown.serve(context, brand)
        page = context.new_page()
        overview = next(each for each in shown.fragments(brand) if each.name.startswith("home/overview"))
        shown.show(page, overview)
        logo.append(center(page.get_by_role("banner").get_by_role("link").first))
        log_out.append(center(page.get_by_role("button").first))
        context.close()
    assert logo[0] < 640 < logo[1]
    assert log_out[0] > 640 > log_out[1]


def center(target: Locator) -> float:
    box = target.bounding_box()
    assert box
    return box["x"] + box["width"] / 2


def check(page: Page, documents: Iterable[Document]) -> None:
    found = []
    for document in documents:
        shown.show(page, document)
        found += stick_out(page, document, "320 px")
        found += stick_out(page, document, "320 px and text of 200 %", TWICE)
    assert not found, "\n".join(found)


def stick_out(page: Page, document: Document, at: str, style: str = "") -> list[str]:
    wide = page.evaluate(TOO_WIDE, style)
    return [f"{document.name} at {at}: {'  '.join(wide)}"] if wide else []


def test_at_text_of_200_percent_the_name_of_the_business_keeps_its_words_whole(narrow: Callable[[Brand], Page]):
    brand = shown.brands()["harbour"]
    page = narrow(brand)
    shown.show(page, next(each for each in shown.fragments(brand) if each.name.startswith("home/overview")))
    page.set_viewport_size({"width": 390, "height": 800})
    page.add_style_tag(content=TWICE)
    box = page.get_by_role("banner").get_by_role("link").first.bounding_box()
    assert box
    assert box["height"] <= 4 * 32, "it takes more than four lines"


def named(brand: Brand, name: str) -> Document:
    return next(each for each in shown.fragments(brand) if each.name == name)


def test_a_step_in_place_leaves_the_cards_beside_it_as_high_as_they_were(narrow: Callable[[Brand], Page]):
    brand = shown.brands()["orbit"]
    page = narrow(brand)
    page.set_viewport_size(WIDE)
    shown.show(page, named(brand, "home/overview: several subscriptions, one overdue"))
    cards = page.locator(".grid > .card")
    beside = cards.first
    step = named(brand, "subscriptions/choose_plan: three plans, two intervals").html
    cards.nth(1).evaluate(
        "(it, html) => it.replaceWith(new DOMParser().parseFromString(html, 'text/html').querySelector('main .card'))",
        step,
    )
    stands = beside.bounding_box()
    page.add_style_tag(content=".grid > .card { align-self: start }")
    assert beside.bounding_box() == stands


def test_a_quantity_stands_below_its_line_on_a_small_screen_and_over_its_column_on_a_wide_one(
    narrow: Callable[[Brand], Page],
):
    brand = shown.brands()["plain"]
    page = narrow(brand)
    shown.show(page, named(brand, "invoices/detail: paid"))
    quantity, line = page.locator("td[data-label]").first, page.locator("tbody th").first
    assert quantity.evaluate("it => getComputedStyle(it).textAlign") == "start"
    assert line.evaluate("it => it.getBoundingClientRect().x") == quantity.evaluate(
        "it => it.getBoundingClientRect().x"
    )
    page.set_viewport_size(WIDE)
    assert quantity.evaluate("it => getComputedStyle(it).textAlign") == "end"


def test_from_right_to_left_the_dots_of_the_footer_stand_before_what_follows(
    narrow: Callable[[Brand], Page], arabic: Brand
):
    """A dot is placed by the direction of its part; an address in Latin letters would put it on the other side."""
    page = narrow(arabic)
    shown.show(page, named(arabic, "invoices/detail: paid"))
    parts = page.locator(".legal > *").evaluate_all("all => all.map(it => getComputedStyle(it).direction)")
    assert len(parts) > 2
    assert set(parts) == {"rtl"}


def test_a_number_is_not_torn_and_large_text_does_not_touch_the_menu_button(narrow: Callable[[Brand], Page]):
    brand = shown.brands()["harbour"]
    page = narrow(brand)
    shown.show(page, named(brand, "invoices/list: one page"))
    heights = page.locator(".row-what bdi").evaluate_all("all => all.map(it => it.offsetHeight)")
    assert (len(heights) > 6, max(heights) < 30) == (True, True), heights
    page.add_style_tag(content=TWICE)
    bottom, top = page.evaluate(
        "() => [document.querySelector('.menu').getBoundingClientRect().bottom,"
        " document.querySelector('.who').getBoundingClientRect().top]"
    )
    assert top - bottom >= 8


def test_paper_shows_no_link_that_only_leads_on(narrow: Callable[[Brand], Page]):
    brand = shown.brands()["orbit"]
    page = narrow(brand)
    page.set_viewport_size(WIDE)
    shown.show(page, named(brand, "home/overview: several subscriptions, one overdue"))
    links = page.get_by_role("main").get_by_role("link", name=re.compile("^(Manage|All invoices|Pay .*)$"))
    assert links.count() > 1
    page.emulate_media(media="print")
    assert [each.inner_text() for each in links.all()] == []


def test_paper_shows_the_plans_and_no_button(narrow: Callable[[Brand], Page]):
    brand = shown.brands()["harbour"]
    page = narrow(brand)
    page.set_viewport_size({"width": 680, "height": 1000})  # A4 without its margins
    shown.show(page, named(brand, "subscriptions/choose_plan: three plans, two intervals"))
    page.emulate_media(media="print")
    assert page.get_by_role("main").get_by_role("radio", name=re.compile("month")).count() > 0
    assert page.get_by_role("button").count() == page.locator(".switch:visible").count() == 0


STYLE = "(it, name) => getComputedStyle(it)[name]"


def test_forced_colors_show_what_is_chosen_and_frame_no_quiet_button(narrow: Callable[[Brand], Page]):
    brand = shown.brands()["harbour"]
    page = narrow(brand)
    page.set_viewport_size(WIDE)
    page.emulate_media(forced_colors="active")
    shown.show(page, named(brand, "subscriptions/choose_plan: three plans, two intervals"))
    chosen, other = page.locator(".switch :checked + span"), page.locator(".switch :not(:checked) + span").first
    assert chosen.evaluate(STYLE, "color") != other.evaluate(STYLE, "color")
    menu = page.get_by_role("navigation", name="Account", exact=True).get_by_role("link")
    lines = [each.evaluate(STYLE, "borderBottomColor") for each in menu.all()]
    assert lines.count("rgb(255, 255, 255)") == len(lines) - 1, "what is not chosen has a line below it that is seen"
    assert page.get_by_role("button", name="Log out").evaluate(STYLE, "borderTopWidth") == "0px"
