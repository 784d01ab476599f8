"""What browsers get of a URL of ours: by the network, or by what a test puts in its place."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable

Fetch = Callable[[str], Awaitable[tuple[int, dict[str, str]]]]
"""Status and headers, by their names in lower case, of a URL. Raises `OSError`."""


async def fetched(url: str) -> tuple[int, dict[str, str]]:
    """As `Fetch`, by the network."""

    def ask() -> tuple[int, dict[str, str]]:
        asked = urllib.request.Request(url, headers={"User-Agent": "Postern doctor"})  # noqa: S310 (an origin of ours)
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {name.lower(): value for name, value in error.headers.items()}
        except urllib.error.URLError as error:  # whose own words are <urlopen error …>
            raise OSError(getattr(error.reason, "strerror", None) or error.reason) from None

    return await asyncio.to_thread(ask)
