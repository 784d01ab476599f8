"""The Nu validator and HTML_CodeSniffer over every page of every brand, and one from right to left; Nu reads the studio too,
and axe is in the suite.

    npm install --prefix FOLDER vnu-jar html_codesniffer        # and Java: apt-get install default-jre-headless
    python -m tests.bench.standards FOLDER

Nu reads every page, and every example as a page. HTML_CodeSniffer (WCAG 2 AA) looks at every page and at all examples of a
feature on one, light and dark, 1280 and 320 pixels wide. What both find is printed once, with where it was first.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from server.brands import Brand
from tests.support import browsers, shown, studio_pages

_SNIFF = """() => new Promise((done) => HTMLCS.process("WCAG2AA", document, () => done(
  HTMLCS.getMessages().filter((each) => each.type === 1).map((each) => [each.code, each.msg, each.element.outerHTML.slice(0, 120)])
)))"""
_OF_HTMX = re.compile(r"Attribute “hx-[a-z-]+” not allowed")
"""Nu knows HTML alone; without scripts these attributes do nothing, and every link and form works all the same."""
_LEFT_OUT = ("F77", "H43.HeadersRequired")
"""Many examples on one page have each other's ids. A table's cells are tied to their heads by `scope` (H63), which the
sniffer does not take where a table has sums at its foot."""


def main() -> int:
    node = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "node_modules"
    with TemporaryDirectory() as folder:
        brands = [*shown.brands().values(), shown.arabic(Path(folder) / "arabic")]
        wrong = [*nu(brands, node / "vnu-jar" / "build" / "dist" / "vnu.jar", Path(folder))]
        print("\n".join([f"Nu: {len(wrong)} findings", *wrong]), flush=True)
        sniffed = [*code_sniffer(brands, (node / "html_codesniffer" / "build" / "HTMLCS.js").read_text("utf-8"))]
    print("\n".join(sniffed))
    return 1 if wrong or sniffed else 0


def nu(brands: list[Brand], jar: Path, folder: Path) -> Iterator[str]:
    names: dict[str, str] = {}
    (folder / "studio").mkdir()
    documents = [("studio", each) for each in studio_pages.pages(folder / "studio")]
    documents += [(brand.name, each) for brand in brands for each in (*shown.pages(brand), *shown.fragments(brand))]
    for whose, document in documents:
        file = folder / f"{len(names)}.html"
        file.write_text(document.html, "utf-8")
        names[file.as_uri().replace("///", "/")] = f"{whose}: {document.name}"
    command = ["java", "-jar", str(jar), "--format", "json", "--stdout", *(str(each) for each in folder.glob("*.html"))]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    print(f"Nu: {len(names)} pages")
    first: dict[str, str] = {}
    for each in said["messages"]:
        if not _OF_HTMX.match(each["message"]):
            first.setdefault(each["message"], f"{names.get(each['url'], each['url'])}: {each.get('extract', '')!r}")
    yield from (f"{message} [{where}]" for message, where in first.items())


def code_sniffer(brands: list[Brand], script: str) -> Iterator[str]:
    executable, seen = browsers.find_or_install(print), 0
    first: dict[tuple[str, str], str] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**browsers.launch_options(executable))  # type: ignore[arg-type]
        for brand in brands:
            for mode in shown.modes(brand):
                context = browser.new_context(color_scheme="dark" if mode == "dark" else "light", bypass_csp=True)
                shown.serve(context, brand)
                page = context.new_page()
                for document in (*shown.pages(brand), *shown.features(brand)):
                    shown.show(page, document)
                    page.evaluate(script)
                    for width in (1280, 320):
                        page.set_viewport_size({"width": width, "height": 900})
                        seen += 1
                        for code, message, element in page.evaluate(_SNIFF):
                            if not code.endswith(_LEFT_OUT):
                                where = f"{brand.name}: {document.name}, {mode}, {width} px: {element}"
                                first.setdefault((code, message), where)
                context.close()
        browser.close()
    print(f"HTML_CodeSniffer: {seen} looks, {len(first)} findings")
    yield from (f"{code}: {message} [{where}]" for (code, message), where in first.items())


if __name__ == "__main__":
    raise SystemExit(main())
