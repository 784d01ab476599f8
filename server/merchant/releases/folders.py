"""A release as a folder of this host: `<releases>/<brand>/<n>/`, made from the store, and `current`, a link to the one that
is served.

Any number of processes of a host make it at the same time: one after the other, and whoever finds it whole does nothing.
A folder that is not whole, since its host lost power or somebody changed a file, is made again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import msgspec

from server.merchant.releases.rows import MANIFEST, Manifest, Whole
from server.publishing.atomic_files import write_folder

CURRENT = "current"


def source_of(releases: Path, brand: str, n: int) -> Path:
    """The brand's own folder in the release; beside it are the themes that it extends."""
    return releases / brand / str(n) / "source" / brand


def site_of(releases: Path, brand: str) -> Path:
    """The pages of the release that is served, by way of the link."""
    return releases / brand / CURRENT / "site"


def current(releases: Path, brand: str) -> int:
    """The number of the release that this host served last; 0: none."""
    try:
        name = os.readlink(releases / brand / CURRENT)  # noqa: PTH115 (the text of the link)
    except OSError:
        return 0
    return int(name) if name.isdecimal() else 0


def is_whole(folder: Path) -> bool:
    """Whether the folder holds what its manifest says."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        return all(
            hashlib.sha256((folder / path).read_bytes()).hexdigest() == known for path, known in manifest.files.items()
        )
    except (OSError, msgspec.DecodeError):
        return False


def make(releases: Path, brand: str, n: int, whole: Whole) -> None:
    """Make the folder of the release, unless it is there. Raises `OSError` and `NotOurs`."""
    folder = releases / brand / str(n)
    with _locked(releases / brand):
        if not is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            write_folder(folder, {**whole.files, MANIFEST: whole.manifest}, MANIFEST)


def serve(releases: Path, brand: str, n: int, kept: Collection[int]) -> None:
    """Let `current` lead to the release, at once, and drop the folders of those that are kept no more. Raises `OSError`."""
    with _locked(releases / brand):
        link = releases / brand / CURRENT
        if current(releases, brand) != n:
            aside = releases / brand / f".{CURRENT}.{token_hex(4)}"
            aside.symlink_to(str(n))
            try:
                aside.replace(link)
            finally:
                aside.unlink(missing_ok=True)
        for each in (releases / brand).iterdir():
            if each.name.isdecimal() and int(each.name) not in {n, *kept}:
                shutil.rmtree(each, ignore_errors=True)
            elif each.is_symlink() and each.name.startswith(f".{CURRENT}."):
                each.unlink(missing_ok=True)  # by a process that was killed


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process of this host at a time; one that dies gives it up."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
