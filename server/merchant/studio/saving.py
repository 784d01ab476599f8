"""From a draft to the brand's files: what would change, whether it may, and the write.

    proposal = propose(folder, draft, pictures)        nothing is written; the page shows its patch, mistakes and conflicts
    await save(store, folder, operator, proposal, …)   writes exactly that, or raises

The page of the change posts `Proposal.fingerprint`. Work the proposal out again before `save`: where the fingerprint is
another one, somebody wrote meanwhile (or the operator, in another tab), so show the new proposal instead of writing it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from server import brands
from server.brands import PORTAL_FILE, RESERVED, Brand, Mistake, ThemeError, images
from server.brands.theme_file import NAME
from server.merchant.studio import drafts
from server.merchant.studio.computing import apart
from server.merchant.studio.drafts import Change, Conflict, Draft, Write
from server.publishing import brand_files
from server.publishing.brand_files import Edit
from server.store import Store


class Proposal(msgspec.Struct, frozen=True):
    """A change of a brand's files, worked out and not written."""

    edits: dict[str, Edit]
    """By the name of the file; nothing: the files hold all of it already."""
    pictures: dict[str, bytes]
    """The files that are written beside them, by name."""
    patch: str
    """What `git apply` takes: for the page of the change, and to download where the folder is read-only."""
    mistakes: tuple[Mistake, ...] = ()
    """What the strict reader says to the change: while there is one, nothing can be written."""
    standing: tuple[Mistake, ...] = ()
    """What it says about values that nobody touched: shown beside their fields, in the way of nothing."""
    conflicts: tuple[Conflict, ...] = ()
    """The keys that somebody changed meanwhile; in `edits` they keep what the file holds."""

    @property
    def needs_keys(self) -> bool:
        """Whether another backend would bill, or other servers be told of customers: who may give keys decides that, not
        everybody who edits."""
        if (edit := self.edits.get(PORTAL_FILE)) is None:
            return False
        before, after = (brand_files.held({"": each}) for each in (edit.before, edit.after))
        return any(before.get(table) != after.get(table) for table in ("billing", "events"))

    @property
    def fingerprint(self) -> str:
        """Of the files as they are and as they would be."""
        parts = [(name, each.before, each.after) for name, each in sorted(self.edits.items())]
        return hashlib.sha256(msgspec.msgpack.encode((parts, sorted(self.pictures)))).hexdigest()


def folder_of(themes: Path, name: str) -> Path:
    """The folder of a brand, which is a folder in `themes` and no link. Raises `ThemeError`."""
    folder = themes / name
    is_brand = re.fullmatch(NAME, name) and name not in RESERVED and not folder.is_symlink() and folder.is_dir()
    if not is_brand:
        raise ThemeError([Mistake(themes, 0, "", f"no brand named {name[:40]!r}", "the name of a brand's own folder")])
    return folder


async def brand_of(themes: Path, name: str) -> Brand:
    """The brand as its files have it. Raises `ThemeError`."""
    return await apart(brands.load, folder_of(themes, name))


def held_by(folder: Path) -> dict[str, Any]:
    """What the files of a brand hold, for `forms.fields`, `forms.touched` and `drafts.keep`; what it
    inherits says `brands.inherited`. Raises `ThemeError`."""
    return brand_files.held(brand_files.read(folder))


def propose(folder: Path, draft: Draft, pictures: Mapping[str, bytes], *, studio: str = "") -> Proposal:
    """`studio`: its origin, which no brand may have. `pictures`: the uploads of the draft; those that no change names are left out. Raises `ThemeError` where the files
    cannot be read."""
    return _proposal(folder, brand_files.read(folder), draft, pictures, studio)


def propose_undo(folder: Path, write: Write, *, studio: str = "") -> Proposal:
    """Take one write back. Where the files are still as it left them, they get back their text. Where they changed since,
    the keys that it changed get back their values, but for those that were changed again: they are conflicts."""
    files = brand_files.read(folder)
    if all(files[name] == after.encode() for name, (_, after) in write.files.items()):
        return _checked(
            folder, {name: Edit(files[name], before.encode()) for name, (before, _) in write.files.items()}, {}, studio
        )
    before, after = (
        brand_files.held({name: texts[at].encode() for name, texts in write.files.items()}) for at in (0, 1)
    )
    changes = {
        path: Change(value, drafts.value_at(after, path))
        for path, value in brand_files.changes_between(after, before).items()
    }
    return _proposal(folder, files, Draft(write.operator, folder.name, changes), {}, studio)


async def save(
    store: Store, folder: Path, operator: str, proposal: Proposal, *, now: datetime, ends_draft: bool = True
) -> str:
    """Write the proposal, and keep it to be undone; with `ends_draft`, the operator's draft is done. Answers the id of the
    write. Raises `ChangedMeanwhile` and `ThemeError`; nothing was written then, and the draft is kept."""
    await asyncio.to_thread(brand_files.write, folder, proposal.edits, proposal.pictures)
    texts = {name: (each.before.decode(), each.after.decode()) for name, each in proposal.edits.items()}
    return await drafts.note_write(store, operator, folder.name, texts, now=now, ends_draft=ends_draft)


def picture_of(folder: Path, name: str) -> bytes | None:
    """A picture of the brand, or of a theme that it extends, the nearest first; None: there is none of that name."""
    for theme in brands.lineage_of(folder):
        try:
            return images.own_file(theme, name)[1]
        except ValueError:
            continue
    return None


def picture_name(stem: str, content: bytes) -> str:
    """The name under which an uploaded picture is kept: `logo.<hash>.svg`. What it is called elsewhere does not count, and
    what it is, its content says. Raises `ValueError` with what is wrong."""
    suffix = {"svg": "svg", "png": "png", "jpeg": "jpg"}[images.image(content).kind]
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"


def font_name(content: bytes) -> str:
    """The same for a font."""
    return f"font.{hashlib.sha256(content).hexdigest()[:12]}.{images.font(content)}"


def styles_name(content: bytes) -> str:
    """The same for a style sheet, which is text; what is in it, the strict reader judges."""
    if len(content) > images.LIMIT:
        raise ValueError(f"a file of {len(content)} bytes")
    try:
        text = content.decode()
    except UnicodeError:
        raise ValueError("no text in UTF-8") from None
    if "\0" in text:
        raise ValueError("no text")
    return f"styles.{hashlib.sha256(content).hexdigest()[:12]}.css"


def _proposal(
    folder: Path, files: dict[str, bytes], draft: Draft, pictures: Mapping[str, bytes], studio: str
) -> Proposal:
    conflicts = drafts.conflicts(draft, brand_files.held(files))
    contested = {each.path for each in conflicts}
    changes = {path: value for path, value in draft.values.items() if path not in contested}
    try:
        edits = brand_files.proposed(folder, files, changes)
    except ThemeError as error:
        return Proposal({}, {}, "", error.mistakes, (), conflicts)
    texts = [each.after.decode(errors="replace") for each in edits.values()]
    named = {name: content for name, content in pictures.items() if any(f'"{name}"' in text for text in texts)}
    return msgspec.structs.replace(_checked(folder, edits, named, studio), conflicts=conflicts)


def _checked(folder: Path, edits: dict[str, Edit], pictures: dict[str, bytes], studio: str) -> Proposal:
    edits = {name: each for name, each in edits.items() if each.before != each.after}
    found = brand_files.checked(folder, edits, pictures)
    patch = brand_files.differences(folder.name, edits)
    shared = _shared_address(folder, edits, studio)
    return Proposal(edits, pictures, patch, (*found.new, *shared), found.standing)


def _shared_address(folder: Path, edits: dict[str, Edit], studio: str) -> Iterator[Mistake]:
    """An address that another brand or the studio has: with it, the server would not start again."""
    if PORTAL_FILE not in edits:
        return
    before, after = (
        _host(brand_files.held({"": each})) for each in (edits[PORTAL_FILE].before, edits[PORTAL_FILE].after)
    )
    if not after or after == before:
        return
    owner = "the studio" if after == urlsplit(studio).netloc else ""
    others = (each for each in folder.parent.iterdir() if each != folder and (each / PORTAL_FILE).is_file())
    owner = owner or next((each.name for each in others if _host_of(each) == after), "")
    if owner:
        yield Mistake(folder / PORTAL_FILE, 0, "site.url", f"{after}, which {owner} has too,", "its own domain")


def _host_of(folder: Path) -> str:
    try:
        return _host(brand_files.held(brand_files.read(folder, follow_links=True)))
    except ThemeError:
        return ""  # what is wrong there is the business of its own pages


def _host(values: Mapping[str, Any]) -> str:
    url = drafts.value_at(values, "site.url")
    try:
        return urlsplit(url).netloc.lower() if isinstance(url, str) else ""
    except ValueError:
        return ""
