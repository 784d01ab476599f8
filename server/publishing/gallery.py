"""`build.py gallery`: everything that a brand shows, by section, each with the file that it comes from.

    out/<brand>/index.html      what there is, and the colors with their contrast
    out/<brand>/<section>.html  pages, the fragments of a feature, mails: in frames that load when they come near
    out/<brand>/fields.html     what templates may read
    out/<brand>/shown/*.html    one file for each thing shown and each mode, in a frame of its section
    out/<brand>/static/         the brand's assets

It opens from the disk: URLs of assets are relative, and scripts are left out, since nobody answers them here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from server.brands import PAIRS, Brand, palette
from server.mail import messages
from server.paths import Paths
from server.publishing import examples, fields, pages
from server.publishing.atomic_files import write_folder
from server.publishing.examples import Example, MailExample
from server.publishing.fields import Field
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from server.rendering.views import Frame

_MARK = "gallery.txt"
FIELDS = "What templates may read"
_FRAME = Frame(address="jenny@example.com", customer_name="Jenny Rosen")
_SCRIPT = re.compile(r"<script\b[^>]*></script>\s*|<meta http-equiv=\"refresh\"[^>]*>")


class Shown(msgspec.Struct, frozen=True):
    """One thing with its caption."""

    id: str
    section: str
    title: str
    source: str
    about: str
    frames: tuple[tuple[str, str], ...]
    """Mode and file of each frame."""
    text: str = ""
    """A mail without its markup, its subject above."""
    type: str = ""
    """The struct that its template reads."""


class Swatch(msgspec.Struct, frozen=True):
    """A color and the one below it, in one mode."""

    mode: str
    front: str
    back: str
    front_color: str
    back_color: str
    ratio: float
    least: float


class Reference(msgspec.Struct, frozen=True):
    label: str
    about: str
    fields: list[Field]


def build(brands: Sequence[Brand], out: Path) -> list[Path]:
    """Write the gallery of each brand to `out/<brand>/`; the paths of the pages. Raises `BuildError` for a brand that
    cannot be built, `ExampleError` and `jinja2.TemplateError`."""
    shown, mails = examples.load(), examples.load_mails()
    pages = []
    for brand in brands:
        write_folder(out / brand.name, files_of(brand, shown, mails), _MARK)
        pages.append(out / brand.name / "index.html")
    return pages


def files_of(brand: Brand, shown: Sequence[Example], mails: Sequence[MailExample]) -> dict[str, bytes]:
    files: dict[str, bytes] = {_MARK: b"Made by `build.py gallery`; the next one replaces it.\n"}
    found: dict[str, Shown] = {}
    for mode in modes(brand):
        in_mode = msgspec.structs.replace(brand, theme=msgspec.structs.replace(brand.theme, mode=mode))
        assets = Assets.of(in_mode)
        files |= {f"static/{name}": content for name, content in assets.files.items()}
        for each, html in _everything(in_mode, assets, shown, mails):
            file = f"shown/{each.id}.{mode}.html"
            files[file] = _SCRIPT.sub("", html.replace(Paths(brand.base).static(""), "../static/")).encode()
            before = found.get(each.id, each)
            found[each.id] = msgspec.structs.replace(before, frames=(*before.frames, (mode, file)))
    kinds = fields.reachable([*(type(each.view) for each in shown), *(type(each.mail) for each in mails)])
    renderer = Renderer(brand, Assets.of(brand), Paths(brand.base))
    things, sections = list(found.values()), list(dict.fromkeys(each.section for each in found.values()))
    written = [
        ("index.html", "Everything"),
        *((f"{_slug(each)}.html", each) for each in sections),
        ("fields.html", FIELDS),
    ]
    context: dict[str, Any] = {
        "shown": things,
        "files": written,
        "swatches": list(swatches(brand)),
        "kinds": [Reference(fields.label(each), _about(each), fields.fields_of(each)) for each in kinds],
    }
    for file, here in written:
        template = file if file in ("index.html", "fields.html") else "section.html"
        files[file] = renderer.text(f"gallery/{template}", here=here, **context).encode()
    return files


def modes(brand: Brand) -> tuple[str, ...]:
    """Those that a visitor can meet."""
    return ("light", "dark") if brand.theme.mode == "auto" else (brand.theme.mode,)


def swatches(brand: Brand) -> Iterator[Swatch]:
    """Every pair of colors that meet, with the contrast that it has and the one that it needs."""
    for mode in modes(brand):
        colors = brand.theme.palette.dark if mode == "dark" else brand.theme.palette.light
        for front, back, least in PAIRS:
            ratio = palette.contrast(colors[front], colors[back])
            yield Swatch(mode, front, back, colors[front], colors[back], ratio, least)


def _everything(
    brand: Brand, assets: Assets, shown: Sequence[Example], mails: Sequence[MailExample]
) -> Iterator[tuple[Shown, str]]:
    renderer = Renderer(brand, assets, Paths(brand.base))
    for path, (template, html) in pages.render_pages(brand, assets):
        name = template.removeprefix("pages/").removesuffix(".html").replace("_", " ")
        tag = path.partition("/")[0]
        title = f"{name}, {tag}" if tag in brand.config.site.locales else name
        url = f"{brand.base}/{path}".removesuffix("index.html")
        yield Shown(f"page-{_slug(path)}", "Pages", title, _source(brand, template), url, ()), html
    for each in shown:
        title = f"{each.fragment.replace('_', ' ')}: {each.name}"
        source = _source(brand, each.template)
        section = each.feature.replace("_", " ").capitalize()
        slug = _slug(f"{each.feature}-{each.fragment}-{each.name}")
        yield (
            Shown(slug, section, title, source, each.about, (), type=fields.label(type(each.view))),
            renderer.page(each.view, _FRAME),
        )
    for mail in mails:
        rendered = messages.render(renderer, mail.mail)
        name = mail.mail.template
        source = _source(brand, f"emails/{name}.html")
        title, slug = f"{name}: {mail.name}", _slug(f"mail-{name}-{mail.name}")
        text = f"{rendered.subject}\n\n{rendered.text}"
        kind = fields.label(type(mail.mail))
        yield Shown(slug, "Mails", title, source, mail.about, (), text=text, type=kind), rendered.html


def _source(brand: Brand, template: str) -> str:
    """The file that is used: the brand's, that of a theme it extends, or the site's."""
    override = next((each for each in brand.lineage if (each / "templates" / template).exists()), None)
    return f"themes/{override.name}/templates/{template}" if override else f"site/templates/{template}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _about(kind: type) -> str:
    """The first paragraph of a struct's own docstring; msgspec writes none."""
    return (vars(kind).get("__doc__") or "").strip().partition("\n\n")[0]
