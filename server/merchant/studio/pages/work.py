"""What an operator works on: the files of a brand as they are, and the draft over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from server import brands
from server.brands import Mistake
from server.merchant.studio import drafts, saving
from server.merchant.studio.computing import apart
from server.merchant.studio.declarations import Control, tags_of
from server.merchant.studio.drafts import Draft, value_at
from server.merchant.studio.forms import Field, fields
from server.merchant.studio.pages import contents
from server.merchant.studio.pages.contents import Page, Part
from server.merchant.studio.place import Studio
from server.merchant.studio.saving import Proposal
from server.merchant.studio.visit import Operator
from server.publishing import brand_files


class Work(msgspec.Struct, frozen=True):
    folder: Path
    held: dict[str, Any]
    """What the files hold."""
    inherited: dict[str, Any]
    draft: Draft
    uploads: dict[str, bytes]
    proposal: Proposal
    is_writable: bool

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages that the brand will be offered in, the first one first."""
        found = self.value("site.locales")
        return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ("en",)

    @property
    def tags(self) -> tuple[str, ...]:
        """The languages that have pages of their own."""
        return tags_of(self.held, self.locales)

    def value(self, path: str) -> Any:
        """What a key will hold; None: it is left out, here and in the themes that this one extends."""
        own = self.draft.values[path] if path in self.draft.changes else value_at(self.held, path)
        return value_at(self.inherited, path) if own is None else own

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        return (*self.proposal.mistakes, *self.proposal.standing)

    def fields_of(self, page: Page) -> Iterator[tuple[Part, tuple[Field, ...]]]:
        for part, controls in contents.controls_of(page, self.tags):
            yield part, self.fields(controls)

    def fields(self, controls: tuple[Control, ...]) -> tuple[Field, ...]:
        return fields(controls, self.held, self.draft.values, self.mistakes, self.inherited)

    def by_page(self, mistakes: tuple[Mistake, ...]) -> Iterator[tuple[Mistake, Page | None]]:
        """Each with the page whose field says it, if there is one."""
        for each in mistakes:
            yield each, contents.page_of(each.key, self.tags)


async def work_on(studio: Studio, operator: Operator, *, judged: bool = True) -> Work:
    """Without `judged`, no mistake and no change is looked for, which takes longest. Raises `ThemeError` where the files
    cannot be read."""
    folder = saving.folder_of(studio.themes, operator.brand)
    draft = await drafts.find(studio.store, operator.address, operator.brand)
    uploads = await drafts.uploads(studio.store, operator.address, operator.brand) if draft.changes else {}
    return await apart(_work, folder, draft, uploads, studio.origin if judged else None)


def _work(folder: Path, draft: Draft, uploads: Mapping[str, bytes], origin: str | None) -> Work:
    return Work(
        folder=folder,
        held=saving.held_by(folder),
        inherited=brands.inherited(folder),
        draft=draft,
        uploads=dict(uploads),
        proposal=Proposal({}, {}, "") if origin is None else saving.propose(folder, draft, uploads, studio=origin),
        is_writable=brand_files.is_writable(folder),
    )
