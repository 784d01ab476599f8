"""The one HTML renderer: the build and the server both call it, and neither template nor renderer can tell which.

A fragment is rendered from a `View`, which names its template (`server.rendering.views`). A template of the brand, or of a
theme that it extends, takes the place of the site's at the same path, and may extend the original as ``site:<path>``.

Every template sees ``brand``, ``paths``, ``asset``, ``locale`` and ``direction``, and the filters `money`, `date`,
`time` and `number`, in the words of one locale. A fragment's template says ``{% set title = … %}`` at its top: a
fragment holds no ``h1``, and the layout around it writes the title as the page's heading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from markupsafe import Markup

from server.brands import Brand
from server.brands.locales import direction, own_name
from server.paths import Paths
from server.rendering import words
from server.rendering.assets import Assets
from server.rendering.compiled import SITE
from server.rendering.filters import babel_locale, filters_of
from server.rendering.views import Frame, Language, View, template_of

MOST_KEPT = 32
"""Configurations of one brand whose templates are kept ready."""
MOST_WARM = 100
"""Brands of one process whose templates are kept ready; each takes 0.3 MB with its overview, and more with every page and language that is asked for."""


class Renderer:
    """The templates of one brand, in every locale that it offers. Safe to share: it keeps no state of a request.

    Its templates are made ready when they are first asked for, and dropped when `MOST_WARM` other brands were asked for
    since: a server has many brands, of which few are busy."""

    def __init__(self, brand: Brand, assets: Assets | Callable[[], Assets], paths: Paths) -> None:
        """`assets`: or what makes them."""
        self.brand, self.paths = brand, paths
        self._assets_of = assets if not isinstance(assets, Assets) else lambda: assets
        self._assets: Assets | None = None
        self._having: dict[bytes, Renderer] = {}
        self._loader = _loader(brand)
        self._paths = {tag: _paths_in(paths, tag, brand) for tag in brand.config.site.locales}
        self._environments: dict[str, jinja2.Environment] = {}

    def having(self, brand: Brand) -> Renderer:
        """The same templates for the brand with another configuration; the ones asked for last are kept."""
        key = msgspec.msgpack.encode(brand.config)
        found = self._having.pop(key, None) or Renderer(brand, lambda: self.assets, self.paths)
        self._having[key] = found
        while len(self._having) > MOST_KEPT:
            del self._having[next(iter(self._having))]
        return found

    @property
    def assets(self) -> Assets:
        if self._assets is None:
            self._assets = self._assets_of()
        return self._assets

    @property
    def default_locale(self) -> str:
        return self.brand.config.site.locales[0]

    def environment(self, locale: str | None = None) -> jinja2.Environment:
        """The environment of one of the brand's locales; the first one without a name."""
        tag = locale or self.default_locale
        self._keep_warm()
        found = self._environments.get(tag)
        if found is None:
            made = _environment(self.brand, self.assets, self._paths[tag], tag, self._loader)
            found = self._environments.setdefault(tag, made)
        return found

    def _keep_warm(self) -> None:
        _WARM.pop(self, None)
        _WARM[self] = None
        while len(_WARM) > MOST_WARM:
            oldest = next(iter(_WARM))
            _WARM.pop(oldest, None)
            oldest.drop()

    def drop(self) -> None:
        """Keep no templates ready. Its files stay: what browsers were told of them holds until the server ends."""
        self._environments = {}

    def paths_in(self, locale: str | None = None) -> Paths:
        """The URLs as pages of this locale write them."""
        return self._paths[locale or self.default_locale]

    def languages(self, url: Callable[[str], str], locale: str) -> tuple[Language, ...]:
        """The brand's languages, each with the `url` of the same page in it; empty where it has but one. `locale`: that
        of the page."""
        found = tuple(Language(tag, own_name(tag), url(tag), tag == locale) for tag in self._paths)
        return found if len(found) > 1 else ()

    def fragment(self, view: View, locale: str | None = None) -> str:
        return self.titled(view, locale)[1]

    def titled(self, view: View, locale: str | None = None) -> tuple[str, str]:
        """The title of a fragment, escaped where it is `Markup`, and the fragment."""
        template, environment = template_of(type(view)), self.environment(locale)
        try:
            module = environment.get_template(template).make_module({"view": view})
        except Exception:  # noqa: BLE001 (raised again, as `render` does: with the lines of the templates)
            environment.handle_exception()
        title = getattr(module, "title", None)
        if title is None:
            raise LookupError(f"{template}: set a title at the top of the template: {{% set title = … %}}")
        return title, str(module)

    def page(self, view: View, frame: Frame, locale: str | None = None, layout: str = "") -> str:
        """The fragment inside a layout, its own where none is named: a whole document."""
        title, fragment = self.titled(view, locale)
        around = self.environment(locale).get_template(f"layouts/{layout or view.layout}.html")
        return around.render(title=title, body=Markup(fragment), frame=frame)  # noqa: S704 (already escaped once)

    def static_page(
        self, name: str, locale: str | None = None, languages: tuple[Language, ...] = (), **context: Any
    ) -> str:
        """A page of `pages/`, with no customer in sight; `languages`: where it is in each."""
        template = self.environment(locale).get_template(f"pages/{name}.html")
        return template.render(frame=Frame(languages=languages), alternates=languages, **context)

    def text(self, template: str, locale: str | None = None, **context: Any) -> str:
        """Any other template, such as a mail's: rendered alone. A `.txt` is not escaped, everything else is."""
        return self.environment(locale).get_template(template).render(**context)

    def source(self, template: str) -> str:
        """A template unrendered: for those that another program reads."""
        environment = self.environment()
        assert environment.loader is not None  # noqa: S101 (the environments are ours)
        return environment.loader.get_source(environment, template)[0]


_WARM: dict[Renderer, None] = {}
"""The renderers that were asked for last, in that order."""


def _paths_in(paths: Paths, tag: str, brand: Brand) -> Paths:
    return dataclasses.replace(paths, language="" if tag == brand.config.site.locales[0] else tag)


class _Site(jinja2.FileSystemLoader):
    """The site's own templates, each read once for all brands and languages, and again when its file is another."""

    def __init__(self) -> None:
        super().__init__(SITE / "templates")
        self._read: dict[str, tuple[tuple[int, int], tuple[str, str, Callable[[], bool]]]] = {}

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        stamp, source = self._read.get(template, ((0, 0), None))
        if source is not None:
            with suppress(OSError):
                status = Path(source[1]).stat()
                if stamp == (status.st_mtime_ns, status.st_size):
                    return source
        source = super().get_source(environment, template)
        with suppress(OSError):  # gone meanwhile
            status = Path(source[1]).stat()
            self._read[template] = ((status.st_mtime_ns, status.st_size), source)
        return source


_SITE = _Site()


def _loader(brand: Brand) -> jinja2.BaseLoader:
    folders = [folder / "templates" for folder in brand.lineage]
    overrides = [jinja2.FileSystemLoader(folder) for folder in folders if folder.is_dir()]
    return jinja2.ChoiceLoader([*overrides, _SITE, jinja2.PrefixLoader({"site": _SITE}, delimiter=":")])


def _environment(brand: Brand, assets: Assets, paths: Paths, tag: str, loader: jinja2.BaseLoader) -> jinja2.Environment:
    environment = words.Environment(
        tag,
        loader=loader,
        autoescape=lambda name: not (name or "").endswith(".txt"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.globals.update(
        brand=words.speaking(brand, tag, environment.translated),
        paths=paths,
        asset=assets,
        locale=tag,
        direction=direction(tag),
    )
    environment.filters.update(
        filters_of(babel_locale(tag), ZoneInfo(brand.config.site.timezone), brand.config.business.address.country)
    )
    return environment
