"""The views of a change before it is written, and of the writes that can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from server.brands import Mistake, inherited
from server.merchant.studio import drafts
from server.merchant.studio.drafts import Conflict
from server.merchant.studio.forms import Field, in_words, said
from server.merchant.studio.pages import contents, forming, showing, wording
from server.merchant.studio.pages.contents import Page
from server.merchant.studio.pages.views import (
    Change,
    Changed,
    Contested,
    Elsewhere,
    Frame,
    Line,
    Link,
    Undo,
    Write,
    Writes,
)
from server.merchant.studio.pages.work import Work
from server.merchant.studio.place import start_of
from server.merchant.studio.saving import Proposal
from server.merchant.studio.visit import Operator
from server.publishing import brand_files
from server.publishing.brand_files import Edit, differences


def change(
    work: Work, operator: Operator, now: datetime, *, back: str = "", problem: str = "", why: str = ""
) -> Change:
    start, places = start_of(operator.brand), _places(work)
    changed = tuple(_changed(work, operator, places))
    known = {each.key for each in changed}
    return Change(
        place="",
        around=_frame(work, operator, now),
        url=f"{start}/change",
        changed=changed,
        contested=_contested(work.proposal.conflicts, places),
        elsewhere=_others(work, operator, work.proposal.mistakes, known),
        lines=lines(work.proposal.patch),
        pictures=tuple(sorted(work.proposal.pictures)),
        fingerprint=work.proposal.fingerprint,
        patch_url=f"{start}/change.patch",
        problem=problem,
        why=why,
        back=back or f"{start}/portal",
    )


def writes(work: Work, operator: Operator, found: Iterable[drafts.Write], now: datetime, *, written: bool) -> Writes:
    start = start_of(operator.brand)
    made = tuple(
        Write(each.operator, each.at, f"{start}/writes/{each.id}", _lines_of(each, operator.brand)) for each in found
    )
    return Writes("", _frame(work, operator, now), made, written)


def undo(
    work: Work,
    operator: Operator,
    write: drafts.Write,
    proposal: Proposal,
    now: datetime,
    *,
    problem: str = "",
    why: str = "",
) -> Undo:
    url = f"{start_of(operator.brand)}/writes/{write.id}"
    return Undo(
        place="",
        around=_frame(work, operator, now),
        url=url,
        write=Write(write.operator, write.at, url, _lines_of(write, operator.brand)),
        lines=lines(proposal.patch),
        contested=_contested(proposal.conflicts, _places(work)),
        elsewhere=_others(work, operator, proposal.mistakes, set()),
        fingerprint=proposal.fingerprint,
        problem=problem,
        why=why,
    )


def difference(
    folder: Path, operator: Operator, before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> tuple[tuple[Changed, ...], tuple[Line, ...]]:
    """What differs between two states of a brand's files, key by key and as a patch."""
    held = brand_files.held(before)
    keys = brand_files.changes_between(held, brand_files.held(after))
    changes = {path: drafts.Change(value, drafts.value_at(held, path)) for path, value in keys.items()}
    draft = drafts.Draft(operator.address, operator.brand, changes)
    edits = {name: Edit(before.get(name, b""), after.get(name, b"")) for name in sorted({*before, *after})}
    work = Work(folder, held, inherited(folder), draft, {}, Proposal(edits, {}, ""), is_writable=False)
    return tuple(_changed(work, operator, _places(work))), lines(differences(operator.brand, edits))


def lines(patch: str) -> tuple[Line, ...]:
    kinds = {"+": "added", "-": "removed", "@": "place"}
    made = []
    for text in patch.split("\n")[:-1]:
        is_file = text.startswith(("--- ", "+++ "))
        made.append(Line(text.rstrip("\r"), "file" if is_file else kinds.get(text[:1], "same")))
    return tuple(made)


def _lines_of(write: drafts.Write, brand: str) -> tuple[Line, ...]:
    edits = {name: Edit(before.encode(), after.encode()) for name, (before, after) in write.files.items()}
    return lines(differences(brand, edits))


def _frame(work: Work, operator: Operator, now: datetime) -> Frame:
    return forming.frame(work, operator, "", "", now)


def _places(work: Work) -> dict[str, tuple[Page, Field]]:
    """The page and the field of each key."""
    return {
        field.name: (page, field)
        for page in contents.every(work.tags)
        for _, fields in work.fields_of(page)
        for field in fields
    }


def _changed(work: Work, operator: Operator, places: dict[str, tuple[Page, Field]]) -> Iterator[Changed]:
    errors = _errors(work.proposal.mistakes)
    for path, each in work.draft.changes.items():
        place = places.get(path)
        link = Link(place[0].title, forming.url_of(operator, place[0], path)) if place else None
        wrong = tuple(
            text for key, texts in errors.items() if key == path or key.startswith(f"{path}[") for text in texts
        )
        held = drafts.value_at(work.held, path)
        yield Changed(_label(path, place), path, link, _words(held, place), _words(each.value, place), wrong)


def _errors(mistakes: Iterable[Mistake]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in mistakes:
        for key in (each.key, *each.also):
            found.setdefault(key, []).append(said(each))
    return found


def _others(work: Work, operator: Operator, mistakes: Iterable[Mistake], known: set[str]) -> tuple[Elsewhere, ...]:
    """The mistakes that are beside no key of the list."""
    found = []
    for mistake, page in work.by_page(tuple(mistakes)):
        keys = {each.partition("[")[0] for each in (mistake.key, *mistake.also)}
        if not keys & known:
            link = Link(page.title, forming.url_of(operator, page, mistake.key)) if page else None
            found.append(Elsewhere(mistake.key, said(mistake), link))
    return tuple(found)


def _contested(conflicts: Iterable[Conflict], places: dict[str, tuple[Page, Field]]) -> tuple[Contested, ...]:
    return tuple(
        Contested(
            showing.slug(each.path),
            _label(each.path, places.get(each.path)),
            each.path,
            _words(each.mine, places.get(each.path)),
            _words(each.theirs, places.get(each.path)),
        )
        for each in conflicts
    )


def _label(path: str, place: tuple[Page, Field] | None) -> str:
    return wording.label(place[1].control) if place else path


def _words(value: Any, place: tuple[Page, Field] | None) -> str:
    """A value as its control says it."""
    if value in (None, ""):
        return ""
    control = place[1].control if place else None
    if control and control.kind == "rows" and isinstance(value, list):
        return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
    if control and control.kind == "switch" and isinstance(value, bool):
        return "on" if value else "off"
    if control and control.kind in ("choice", "choices"):
        values = value if isinstance(value, list) else [value]
        return ", ".join(wording.value_label(control, in_words(each))[0] for each in values) or "none at all"
    return in_words(value) or "none at all"
