"""axe over every page and every fragment example of every brand, light and dark, wide and narrow.

In every look the examples of a feature stand on one page, which takes a tenth of the time. What depends on an example
being alone (the page as a whole, and whatever follows an id) is held once, over each example as a page of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import ViewportSize as Size

from server.brands import Brand
from tests.support import shown
from tests.support.shown import Document

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
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
OF_ONE_ELEMENT = (
    "accesskeys",
    "aria-allowed-attr",
    "aria-allowed-role",
    "aria-prohibited-attr",
    "aria-required-children",
    "aria-required-parent",
    "aria-roles",
    "color-contrast",
    "definition-list",
    "dlitem",
    "link-in-text-block",
    "list",
    "listitem",
    "nested-interactive",
    "target-size",
)
"""What an element keeps or breaks wherever it stands: held by the features' pages. The costly ones of them."""

WIDE: Size = {"width": 1280, "height": 900}
NARROW: Size = {"width": 320, "height": 640}

LOOKS = [(name, mode) for name, brand in shown.brands().items() for mode in shown.modes(brand)]


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


def in_looks(*looks: tuple[str, str]) -> pytest.MarkDecorator:
    values = [(look, shown.brands()[look[0]]) for look in looks]
    return pytest.mark.parametrize(("still_page", "brand"), values, indirect=["still_page"], ids=map("-".join, looks))


in_every_look, in_one_look = in_looks(*LOOKS), in_looks(("plain", "light"))


@in_one_look
def test_axe_finds_what_is_wrong(still_page: Page, brand: Brand):
    bad = '<html lang="en"><title>x</title><main><h1>x</h1><p style="color: #999">faint</p><input></main></html>'
    shown.show(still_page, Document("bad", bad))
    still_page.evaluate(AXE)
    found = "".join(violations(still_page, Document("bad", bad), WIDE, ()))
    assert "color-contrast" in found
    assert "label" in found


@in_every_look
def test_axe_finds_nothing_in_the_static_pages(still_page: Page, brand: Brand):
    check(still_page, shown.pages(brand), WIDE, NARROW)


@in_every_look
def test_axe_finds_nothing_in_the_fragments(still_page: Page, brand: Brand):
    check(still_page, shown.features(brand), WIDE, NARROW, without=OF_A_WHOLE_PAGE)


@in_one_look
def test_axe_finds_nothing_in_a_fragment_as_a_page(still_page: Page, brand: Brand):
    check(still_page, shown.fragments(brand), NARROW, without=OF_ONE_ELEMENT)


@in_every_look
def test_axe_finds_nothing_in_the_mails(still_page: Page, brand: Brand):
    check(still_page, shown.mails(brand), WIDE, without=OF_A_WHOLE_PAGE)


def check(page: Page, documents: Iterable[Document], *sizes: Size, without: Sequence[str] = ()) -> None:
    found = []
    for document in documents:
        shown.show(page, document)
        if not page.evaluate("Boolean(window.axe)"):  # it outlives the document, and takes 200 ms to read
            page.evaluate(AXE)
        for size in sizes:
            page.set_viewport_size(size)
            found += violations(page, document, size, without)
    assert not found, "\n".join(found)


def violations(page: Page, document: Document, size: Size, without: Sequence[str]) -> list[str]:
    answer: dict[str, Any] = page.evaluate(
        """([tags, without]) => axe.run(document, {
          runOnly: {type: "tag", values: tags}, resultTypes: ["violations"],
          rules: Object.fromEntries(without.map(rule => [rule, {enabled: false}])),
        })""",
        [TAGS, list(without)],
    )
    return [
        f"{document.name} at {size['width']} px: {rule['id']}: {node['html'][:200]}\n    {node['failureSummary']}"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]
