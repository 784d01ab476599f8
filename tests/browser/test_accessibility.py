"""axe over every page and every fragment example of every brand, light and dark, wide and narrow.

The examples of a feature stand on one page, which takes a tenth of the time. What depends on an example being alone (the
page as a whole, and whatever follows an id) is held once, over each example as a page of its own.

Every rule is held in each brand's first color mode. In the second one the HTML is the same: only the rules of color are
left. Fragments and mails whose HTML is that of `plain` keep the rules that a style sheet can break. Those rules go over
each look once: an example that only says something else looks like the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import ViewportSize as Size

from server.brands import Brand
from tests.support import shown
from tests.support.shown import Document

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOR = ("color-contrast", "link-in-text-block")
OF_A_WHOLE_PAGE = (
    "duplicate-id-aria",
    "heading-order",
    "label",
    "label-title-only",
    "landmark-one-main",
    "landmark-unique",
    "region",
)
"""What many fragments on one page, or a mail, cannot keep."""
OF_ONE_ALONE = (
    *OF_A_WHOLE_PAGE,
    "aria-command-name",
    "aria-dialog-name",
    "aria-input-field-name",
    "aria-progressbar-name",
    "aria-toggle-field-name",
    "aria-valid-attr-value",
    "button-name",
    "form-field-multiple-labels",
    "input-button-name",
    "label-content-name-mismatch",
    "link-name",
    "page-has-heading-one",
    "select-name",
    "td-headers-attr",
)
"""What depends on an example being alone: the page as a whole, and names, which follow ids. The features' pages hold the
rest, that of the layouts too, and with every rule these pages would take four times as long."""

WIDE: Size = {"width": 1280, "height": 900}
NARROW: Size = {"width": 320, "height": 640}


class Look(NamedTuple):
    """A size of the screen, and which of axe's rules are held there, as it takes them."""

    size: Size
    rules: dict[str, Any]


def without(*rules: str) -> dict[str, Any]:
    return {"runOnly": {"type": "tag", "values": TAGS}, "rules": {each: {"enabled": False} for each in rules}}


def only(*rules: str) -> dict[str, Any]:
    return {"runOnly": {"type": "rule", "values": rules}}


ALL, OF_FRAGMENTS, COLORS = without(), without(*OF_A_WHOLE_PAGE), only(*OF_COLOR)
ALONE = only(*OF_ONE_ALONE)
STYLES, SIZES = only(*OF_COLOR, "target-size"), only("target-size")

FIRST = [(name, shown.modes(brand)[0]) for name, brand in shown.brands().items()]
SECOND = [(name, mode) for name, brand in shown.brands().items() for mode in shown.modes(brand)[1:]]


@pytest.fixture
def still_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in the colors that the test names, where nothing moves."""
    name, mode = request.param
    context = browser.new_context(viewport=WIDE, color_scheme=mode, reduced_motion="reduce")  # type: ignore[arg-type]
    shown.serve(context, shown.brands()[name])
    page = context.new_page()
    page.goto(f"{shown.ORIGIN}/")
    yield page
    context.close()


def in_colors(*colors: tuple[str, str]) -> pytest.MarkDecorator:
    values = [(each, shown.brands()[each[0]]) for each in colors]
    return pytest.mark.parametrize(("still_page", "brand"), values, indirect=["still_page"], ids=map("-".join, colors))


in_every_brand, in_second_modes, in_one_brand = in_colors(*FIRST), in_colors(*SECOND), in_colors(("plain", "light"))


@in_one_brand
@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (ALL, {"color-contrast", "label"}),
        (STYLES, {"color-contrast"}),
        (COLORS, {"color-contrast"}),
        (ALONE, {"label"}),
    ],
)
def test_axe_finds_what_is_wrong(still_page: Page, brand: Brand, rules: dict[str, Any], found: set[str]):
    bad = '<html lang="en"><title>x</title><main><h1>x</h1><p style="color: #999">faint</p><input></main></html>'
    shown.show(still_page, Document("bad", bad))
    still_page.evaluate(AXE)
    said = "".join(violations(still_page, Document("bad", bad), Look(WIDE, rules)))
    assert {each for each in ("color-contrast", "label") if f" {each}:" in said} == found


def test_an_example_counts_as_a_look_of_its_own_when_a_style_sheet_can_tell_it_apart():
    looks = shown.Looks()
    assert looks.is_new('<p class="note">Paid</p><input type="text">')
    assert not looks.is_new('<p class="note" id="sum">Open</p>')
    assert looks.is_new('<div><p class="note">Open</p></div>')
    assert looks.is_new('<p class="note warning">Open</p>')
    assert looks.is_new('<input type="text" disabled><p>Open</p>')


@in_every_brand
def test_axe_finds_nothing_in_the_static_pages(still_page: Page, brand: Brand):
    check(still_page, shown.pages(brand), Look(WIDE, ALL), Look(NARROW, ALL))


@in_every_brand
def test_axe_finds_nothing_in_the_fragments(still_page: Page, brand: Brand):
    own = [each for each in shown.features(brand) if has_html_of_its_own(brand, each)]
    check(still_page, own, Look(NARROW, OF_FRAGMENTS))
    looks = list(shown.features(brand, each_look_once=True))
    check(still_page, [each for each in looks if has_html_of_its_own(brand, each)], Look(WIDE, STYLES))
    check(
        still_page,
        [each for each in looks if not has_html_of_its_own(brand, each)],
        Look(WIDE, STYLES),
        Look(NARROW, SIZES),
    )


def has_html_of_its_own(brand: Brand, document: Document) -> bool:
    """Not where only names and colors differ from `plain`: a brand whose one template is the layout of visitors."""
    replaced = {each.name for each in (brand.folder / "templates").rglob("*.html")}
    return brand.name == "plain" or bool(replaced - {"visitor.html"}) or document.name.endswith("(visitor)")


@in_one_brand
def test_axe_finds_nothing_in_a_fragment_as_a_page(still_page: Page, brand: Brand):
    check(still_page, shown.fragments(brand), Look(NARROW, ALONE))


@in_every_brand
def test_axe_finds_nothing_in_the_mails(still_page: Page, brand: Brand):
    is_own = brand.name == "plain" or (brand.folder / "templates" / "emails").exists()
    check(still_page, shown.mails(brand), Look(WIDE, OF_FRAGMENTS if is_own else COLORS))


@in_second_modes
def test_axe_finds_nothing_in_the_colors_of_the_second_mode(still_page: Page, brand: Brand):
    check(still_page, shown.pages(brand), Look(WIDE, COLORS), Look(NARROW, COLORS))
    check(still_page, [*shown.features(brand, each_look_once=True), *shown.mails(brand)], Look(WIDE, COLORS))


def check(page: Page, documents: Iterable[Document], *looks: Look) -> None:
    found = []
    for document in documents:
        shown.show(page, document)
        if not page.evaluate("Boolean(window.axe)"):  # it outlives the document, and takes 200 ms to read
            page.evaluate(AXE)
        for look in looks:
            page.set_viewport_size(look.size)
            found += violations(page, document, look)
    assert not found, "\n".join(found)


def violations(page: Page, document: Document, look: Look) -> list[str]:
    answer: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {...rules, resultTypes: ['violations']})", look.rules
    )
    return [
        f"{document.name} at {look.size['width']} px: {rule['id']}: {node['html'][:200]}\n    {node['failureSummary']}"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]
