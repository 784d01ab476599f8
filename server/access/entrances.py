"""Where a passcode opens something: the portal of a brand, or the studio."""

from __future__ import annotations

from typing import Protocol

from server.settings import Settings


class Entrance(Protocol):
    @property
    def name(self) -> str:
        """Of the brand; codes, browsers and limits belong to it."""

    @property
    def link(self) -> str:
        """The token of the log-in link that is active now; empty: none is, or none is needed."""

    @property
    def settings(self) -> Settings: ...
