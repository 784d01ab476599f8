"""What was saved and is not published: the keys and files that differ between a brand's folder and the release that is served.

Every page of the studio shows how many there are, so the answer is kept until a file or the release is another one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from server.brands import PORTAL_FILE, THEME_FILE, ThemeError, stamps
from server.merchant.releases import rows, sources
from server.merchant.releases.rows import Live, NoRelease
from server.merchant.studio.computing import apart
from server.merchant.studio.place import Studio
from server.publishing import brand_files

_KEPT = 200
FILES = (THEME_FILE, PORTAL_FILE)


class Pending(msgspec.Struct, frozen=True):
    """Of a brand that was published before."""

    live: Live
    before: dict[str, bytes]
    """The files of the source that differ, by their paths below `themes`."""
    after: dict[str, bytes]

    @property
    def keys(self) -> dict[str, Any]:
        """The keys of the brand's own files that differ, by their paths, with the value now or None."""
        return brand_files.changes_between(self.held(self.before), self.held(self.after))

    @property
    def files(self) -> list[str]:
        """What else differs."""
        own = {f"{self.live.brand}/{name}" for name in FILES}
        return sorted((self.before.keys() | self.after.keys()) - own)

    @property
    def count(self) -> int:
        return len(self.keys) + len(self.files)

    def own(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The brand's two files, where they differ."""
        found = {name: files.get(f"{self.live.brand}/{name}") for name in FILES}
        return {name: content for name, content in found.items() if content is not None}

    def held(self, files: Mapping[str, bytes]) -> dict[str, Any]:
        return brand_files.held(self.own(files))


def _between(live: Live, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Pending:
    other = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    left, right = ({path: files[path] for path in other if path in files} for files in (before, after))
    return Pending(live, left, right)


async def find(studio: Studio, brand: str) -> Pending | None:
    """None: it was never published. Raises `ThemeError`."""
    live = await rows.live_of(studio.store, brand)
    if live is None:
        return None
    released = await _source_of(studio, live)
    return _between(live, released, await apart(sources.copied, studio.themes, brand))


async def count(studio: Studio, brand: str) -> int | None:
    """How many keys and files are not published; None: it was never published, or its files cannot be read."""
    live = await rows.live_of(studio.store, brand)
    if live is None:
        return None
    key = (str(studio.themes), live, await apart(stamps, studio.themes / brand))
    if key not in _counts:
        try:
            found = await find(studio, brand)
        except (ThemeError, NoRelease):
            return None
        _counts[key] = found.count if found else 0
        while len(_counts) > _KEPT:
            _counts.popitem(last=False)
    return _counts[key]


_counts: OrderedDict[Any, int] = OrderedDict()


async def _source_of(studio: Studio, live: Live) -> dict[str, bytes]:
    return sources.source_in((await rows.find(studio.store, live.brand, live.n)).files)
