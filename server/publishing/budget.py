"""How much of what a theme may add to every page its own rules and pictures use, in words for `build` and `check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from server.brands import Brand, pictures, styles


def lines(brands: Sequence[Brand]) -> Iterator[str]:
    """One for each brand that has any."""
    for brand in brands:
        own = brand.theme
        used = [
            _used("its own rules", len(own.styles.encode()), styles.LIMIT),
            _used("its pictures", sum(file.stat().st_size for file in own.pictures.values()), pictures.LIMIT),
        ]
        if any(used):
            yield f"{brand.name}: {', '.join(filter(None, used))}"


def _used(what: str, size: int, limit: int) -> str:
    return f"{what} use {size / 1024:.1f} of {limit // 1024} KB" if size else ""
