"""The log-in link as `portal.toml` has it now: `link deactivate` must count for a server that already runs.

One `stat` a question; the file is read again only when it changed. A file that cannot be read changes nothing: it is
being written, or its mistakes are told by the next build.
"""

from __future__ import annotations

from pathlib import Path

from server.themes import PORTAL_FILE, Brand, Mistake
from server.themes.portal_file import LoginPage, read_portal
from server.themes.reading import Document, Table

Stamp = tuple[int, int, int]


class LinkFile:
    """Call it for the `LoginPage` of now. Starts from what the brand was loaded with."""

    def __init__(self, brand: Brand) -> None:
        self._file = brand.folder / PORTAL_FILE
        self._page = brand.portal.login_page
        self._stamp = _stamp(self._file)

    def __call__(self) -> LoginPage:
        stamp = _stamp(self._file)
        if stamp is not None and stamp != self._stamp:
            self._stamp = stamp
            mistakes: list[Mistake] = []
            document = Document(self._file, mistakes)
            portal = read_portal(Table([(document, document.values)], mistakes)) if document.is_readable else None
            if portal and not mistakes:
                self._page = portal.login_page
        return self._page


def _stamp(file: Path) -> Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
