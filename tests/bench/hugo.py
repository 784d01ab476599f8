"""The same pages by Hugo, for `builds`: a site of its own whose templates (`by_hugo/`) write the HTML that ours do, from the
two files of each brand and the same words.

Hugo gets ready-made what it has no way to make: colors, the size of a logo, an address as its country writes it, scripts
without their comments. It holds nothing to a rule, and writes neither `_headers` nor `_redirects`. `compare` looks at every
page: the text between two tags, the order of tags and attributes, and how many files there are.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from server.brands import Brand, tokens_css
from server.brands.locales import own_name
from server.formats import address_lines
from server.publishing import pages
from server.rendering import words
from server.rendering.assets import STATIC, Assets

PROGRAM = shutil.which("hugo") or ""
SITE = Path(__file__).parent / "by_hugo"
_HASHED = re.compile(r"(/static/[a-z_-]+)\.[0-9a-f]+(\.[a-z0-9]+)")


def write_site(brands: Sequence[Brand], folder: Path) -> None:
    """A folder in which `hugo` builds these brands."""
    shutil.copytree(SITE, folder)
    texts = "".join(path.read_text("utf-8") for path in (folder / "layouts").rglob("*.html"))
    said = re.findall(r'index \$\.?h?\.?t "([^"]+)"', texts)
    names = {}
    for tag in brands[0].config.site.locales:
        names[tag] = own_name(tag)
        _json(folder / "data" / "words" / f"{tag}.json", {each: words.translations(tag).gettext(each) for each in said})
    _json(folder / "data" / "names.json", names)
    assets = Assets.of(brands[0])
    (folder / "assets").mkdir()
    for sheet in ("portal.css", "visitor.css", "account.css"):
        shutil.copy(STATIC / sheet, folder / "assets")
    for name in ("login.js", "account.js"):
        (folder / "assets" / name).write_bytes(assets.files[assets(name).rpartition("/")[2]])
    for brand in brands:
        _write_brand(brand, folder)


def _write_brand(brand: Brand, folder: Path) -> None:
    theme, features, business = brand.theme, brand.config.features, brand.config.business
    for name in ("theme", "portal"):
        target = folder / "data" / "brands" / brand.name / f"{name}.toml"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(brand.folder / f"{name}.toml", target)
    image = theme.brand.logo.image
    wide = image.width > 1.5 * image.height
    made = {
        "light": theme.palette.light["surface"], "dark": theme.palette.dark["surface"], "wide": wide,
        "width": round(40 * image.width / image.height) if wide else 40,
        "seat": ", ".join(address_lines.lines(business.address)),
        "shown": {"invoices": features.invoice_history.enabled, "details": features.customer_update.enabled,
                  "payment_methods": features.payment_method_update.enabled},
    }  # fmt: skip
    _json(folder / "data" / "brands" / brand.name / "made.json", made)
    own = folder / "assets" / "brands" / brand.name
    own.mkdir(parents=True)
    (own / "tokens.css").write_text(tokens_css(theme, lambda font: font.name))
    for name, path in (("logo", theme.brand.logo.file), ("icon", theme.brand.icon.file)):
        (own / f"{name}{path.suffix}").write_bytes(theme.content(path))
    for where, page in pages.page_templates(brand).items():
        about = {
            "url": f"/{brand.name}/{where.removesuffix('index.html')}", "type": "portal", "layout": page.template,
            "brand": brand.name, "locale": page.locale,
            "kind": {"account": "account", "help": "visitor wide"}.get(page.template, "visitor"),
            **({} if page.in_others is None else {"going": page.in_others}),
        }  # fmt: skip
        _json(folder / "content" / brand.name / f"{page.template}-{page.locale}.md", about)


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")


def build(folder: Path) -> float:
    """Seconds by the clock, of a process of its own."""
    shutil.rmtree(folder / "public", ignore_errors=True)
    began = time.perf_counter()
    subprocess.run([PROGRAM, "--quiet"], cwd=folder, check=True)
    return time.perf_counter() - began


def compare(ours: Path, theirs: Path) -> int:
    """How many pages both wrote, all of them the same; what differs is an `AssertionError`."""
    names = [sorted(_HASHED.sub(r"\1\2", f"/{path.relative_to(each)}") for path in each.rglob("*") if path.is_file()
                    and path.name not in ("_headers", "_redirects", "robots.txt")) for each in (ours, theirs)]  # fmt: skip
    assert names[0] == names[1], sorted(set(names[0]) ^ set(names[1]))
    found = sorted(ours.rglob("*.html"))
    for path in found:
        both = [_read(path), _read(theirs / path.relative_to(ours))]
        assert both[0] == both[1], f"{path}: {[each for each in zip(*both, strict=False) if each[0] != each[1]][:3]}"
    return len(found)


def _read(page: Path) -> list[str]:
    """Line by line of tags and texts, without what each writes in its own way: white space, escapes of a quote, hashes in the
    names of files, and the style sheet as each minifies it."""
    text = re.sub(r"<style>.*?</style>", "<style>", _HASHED.sub(r"\1\2", page.read_text("utf-8")), flags=re.DOTALL)
    text = text.replace("&#43;", "+").replace("&#39;", "'").replace("&#34;", '"').replace("&quot;", '"')
    return [each for part in re.split(r"(<[^>]*>)", text) if (each := " ".join(part.split()))]
