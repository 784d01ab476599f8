"""The pages of the studio: its own templates, style and scripts, which no brand changes.

A view of `server.merchant.studio.<place>.views` is shown by `site/templates/studio/<place>/<view>.html`, which says
`{% set title = … %}` at its top, inside a layout of `studio/layouts/`. The studio speaks English (docs/decisions/0072).
"""

from __future__ import annotations

import hashlib
from functools import cache, cached_property
from typing import Any

import jinja2
from markupsafe import Markup

from server.brands.palette import derive
from server.brands.tokens import RADII
from server.rendering import words
from server.rendering.assets import STATIC, account_script, minified, sri, style_hash
from server.rendering.compiled import SITE
from server.rendering.views import View, template_of

_SCRIPTS = STATIC / "studio"


_COLORS = {"color": "#14605f", "accent": "#14605f", "background": "#f6f8f8", "button": "#14605f", "mode": "auto"}


class StudioRenderer:
    """Safe to share: it keeps no state of a request. `base`: what the paths of the studio begin with."""

    def __init__(self, base: str) -> None:
        css = _style_sheet()
        # htmx and what looks at each fragment (portal.js) are the portal's, byte for byte.
        files = {"account.js": account_script()}
        files |= {path.name: path.read_bytes() for path in sorted(_SCRIPTS.glob("*.js"))}
        self.style = style_hash(css)
        self.scripts = tuple(sri(content) for content in files.values())
        named = {name: f"{name[:-3]}.{hashlib.sha256(content).hexdigest()[:10]}.js" for name, content in files.items()}
        self.files = {named[name]: content for name, content in files.items()}
        """By the name in their path below `static/`."""
        loaded = [(f"{base}static/{named[name]}", sri(content)) for name, content in files.items()]
        self._globals: dict[str, Any] = {
            "base": base,
            "css": Markup(css),  # noqa: S704 (ours; a file of the repository)
            "scripts": loaded,
        }

    @cached_property
    def _environment(self) -> jinja2.Environment:
        loader = jinja2.FileSystemLoader(SITE / "templates")
        made = words.Environment(
            "en",
            kind="studio",
            loader=loader,
            autoescape=lambda name: not (name or "").endswith(".txt"),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        made.globals.update(self._globals)
        made.filters["moment"] = lambda at: f"{at:%Y-%m-%d %H:%M} UTC"
        made.filters["iso"] = lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}"
        made.filters["weekday"] = lambda at: f"{at:%A, %d %B}"
        made.filters["day"] = lambda at: f"{at:%Y-%m-%d}"
        return made

    def titled(self, view: View, **context: Any) -> tuple[str, str]:
        """The title of a fragment, escaped where it is `Markup`, and the fragment."""
        template = template_of(type(view), "studio")
        module = self._environment.get_template(template).make_module({"view": view, **context})
        title = getattr(module, "title", None)
        if title is None:
            raise LookupError(f"{template}: set a title at the top of the template: {{% set title = … %}}")
        return title, str(module)

    def page(self, view: View, **context: Any) -> str:
        """The fragment inside its layout: a whole document. `context`: what both are given beside `view`."""
        title, fragment = self.titled(view, **context)
        around = self._environment.get_template(f"studio/layouts/{view.layout}.html")
        return around.render(title=title, body=Markup(fragment), **context)  # noqa: S704 (already escaped once)

    def text(self, template: str, **context: Any) -> str:
        """A mail, or another text."""
        return self._environment.get_template(f"studio/{template}").render(**context)


@cache
def _style_sheet() -> str:
    """The product's colors, each pair of which can be read, the portal's structure, and what is the studio's alone."""
    palette, _ = derive(**_COLORS)
    light, dark = (
        "".join(f"--color-{token}:{color};" for token, color in each.items()) for each in (palette.light, palette.dark)
    )
    font = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
    radii = "".join(f"{f'--radius-{size}'.rstrip('-')}:{value};" for size, value in RADII["rounded"].items())
    tokens = f"--font-body:{font};--font-heading:{font};--scale:1.15;{radii}color-scheme:light dark;"
    css = f":root{{{tokens}{light}}}@media (prefers-color-scheme: dark){{:root{{{dark}}}}}"
    portals = (STATIC / name for name in ("portal.css", "visitor.css", "account.css"))
    files = (*portals, *sorted(_SCRIPTS.glob("*.css"), key=lambda each: each.name != "studio.css"))
    return minified(css + "".join(each.read_text("utf-8") for each in files))
