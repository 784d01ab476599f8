"""Which of the offered languages fits best."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=1024)
def choose_locale(offered: tuple[str, ...], wanted: tuple[str, ...], accept_language: str = "") -> str:
    """One of `offered`: the first of `wanted` that fits (the customer's preference), else the browser's, else the first."""
    ranked = [(tag, 1.0) for tag in wanted] + _accepted(accept_language)
    for tag, _ in ranked:
        for candidate in (tag.lower(), tag.lower().split("-")[0]):
            for each in offered:
                if candidate in (each.lower(), each.lower().split("-")[0]):
                    return each
    return offered[0]


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(","):
        tag, _, rest = part.strip().partition(";")
        quality = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", rest) if rest else None
        weight = float(quality[1]) if quality else (0.0 if rest else 1.0)
        if weight > 0 and re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", tag):
            found.append((tag, weight))
    return sorted(found, key=lambda each: -each[1])
