"""Which URLs of a brand lead somewhere: its static pages, its assets, and the routes that `paths.py` names.

The dynamic ones are read off `Paths` itself, so that a URL that is added there needs no second list.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit

from server.paths import Paths
from server.rendering.assets import Assets

_STATIC = frozenset({"home", "account", "help", "login_page", "static"})
_OUTSIDE = frozenset({"https", "http", "mailto", "tel"})


@dataclass(frozen=True)
class Links:
    paths: Paths
    assets: Assets
    pages: frozenset[str]
    """The URLs of the static pages that exist."""

    def resolves(self, url: str) -> bool:
        """Whether the URL, as a page has it, leads to something that is there. Other origins are taken on trust."""
        parts = urlsplit(url)
        if parts.scheme:
            return parts.scheme in _OUTSIDE
        if parts.netloc or not parts.path:
            return not parts.netloc and bool(parts.fragment)
        path = unquote(parts.path)
        static = path.removeprefix(self.paths.static(""))
        if static != path:
            return static in self.assets.files
        return path in self.pages or any(pattern.fullmatch(parts.path) for pattern in self._dynamic)

    @cached_property
    def _dynamic(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern) for pattern in dynamic_patterns(self.paths)]


def dynamic_patterns(paths: Paths) -> Iterable[str]:
    """A regular expression for the path of each URL that the server answers; a segment that varies is `[^/]+`."""
    for name, member in inspect.getmembers_static(type(paths)):
        if name.startswith("_") or name in _STATIC:
            continue
        if isinstance(member, property):
            yield re.escape(getattr(paths, name))
        elif inspect.isfunction(member):
            needed = [each for each in inspect.signature(member).parameters.values() if each.default is each.empty][1:]
            url = getattr(paths, name)(*["VARIES"] * len(needed))
            yield re.escape(url.partition("?")[0]).replace("VARIES", "[^/]+")
