"""The log-in link as `portal.toml` has it now: `link deactivate` must count for a server that already runs.

Each call makes one `stat`; the file is read again only when it changed. A file that cannot be read changes nothing: it
is being written, or the next build reports its mistakes.
"""

from __future__ import annotations

import os

from server.brands import PORTAL_FILE, Brand, Mistake
from server.brands.portal_file import LoginPage, read_portal
from server.brands.reading.tables import Document, Table

Stamp = tuple[int, int, int]


class LinkFile:
    """Call it for the `LoginPage` of now. Starts from what the brand was loaded with."""

    def __init__(self, brand: Brand) -> None:
        self._file = (brand.link_folder or brand.folder) / PORTAL_FILE
        self._path = str(self._file)  # asked for at every request: pathlib takes longer than the disk
        self._page = brand.config.login_page
        # What was loaded from another folder says nothing of this file: it is read at the first call.
        self._stamp = None if brand.link_folder else _stamp(self._path)

    def __call__(self) -> LoginPage:
        stamp = _stamp(self._path)
        if stamp is not None and stamp != self._stamp:
            self._stamp = stamp
            mistakes: list[Mistake] = []
            document = Document(self._file, mistakes)
            portal = read_portal(Table([(document, document.values)], mistakes)) if document.is_readable else None
            if portal and not mistakes:
                self._page = portal.login_page
        return self._page


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 (see above)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
