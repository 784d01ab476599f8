"""What `doctor` says of the studio: who may use it, whether it can write, and whether the history is what was written."""

from __future__ import annotations

import os
from pathlib import Path

from server.brands import ThemeError
from server.merchant.finding import Finding
from server.merchant.releases import buckets, rows, sources
from server.merchant.studio import history, operators
from server.settings import Settings
from server.store import Store


async def look(settings: Settings, store: Store, head: str) -> list[Finding]:
    """`head`: one of the history that was kept elsewhere, or empty. Nothing, where there is no studio and never was."""
    found = [*await _history(store, head), *await _releases(settings, store)]
    if not settings.studio_origin:
        return found
    people = await operators.every(store)
    owners = sum(not each.brand and each.role == "owner" for each in people)
    what = "people of the studio"
    if not owners:
        remedy = "Run: python -m server operators add ADDRESS --role owner"
        found.append(Finding(what, False, "nobody is owner of every brand", remedy))
    else:
        found.append(Finding(what, True, f"roles: {len(people)}, owners of every brand among them: {owners}"))
    if not os.access(settings.themes, os.W_OK):
        words = f"{settings.themes} cannot be written: the studio shows what to change, and changes nothing"
        found.append(Finding("files of the studio", True, words))
    return found


async def _releases(settings: Settings, store: Store) -> list[Finding]:
    found, served = [], await rows.live(store)
    if served and not _may_be_written(settings.releases):
        words = f"{settings.releases} cannot be written: this host serves no release that it has not there already"
        remedy = "Let the server write it, or name another folder in PORTAL_RELEASES."
        found.append(Finding("folder of releases", False, words, remedy))
    for live in served:
        what, words, remedy = f"release of {live.brand}", f"{live.n}, served since {live.since:%Y-%m-%d %H:%M} UTC", ""
        try:
            sources.check(live.brand, sources.source_in((await rows.find(store, live.brand, live.n)).files))
        except ThemeError as error:
            words = f"this version cannot read release {live.n}; a server that starts serves the files in themes: {error.mistakes[0]}"
            remedy = f"Correct the files, and run: python -m server releases publish {live.brand}"
        found.append(Finding(what, not remedy, words, remedy))
        if kept := await buckets.find(store, live.brand):
            state = "whole" if kept.turn == live.turn else kept.trouble or "on its way"
            remedy = "See Settings, Publishing in the studio." if kept.trouble else ""
            found.append(Finding(f"copy of {live.brand}", not kept.trouble, f"{kept.bucket.name}: {state}", remedy))
    return found


def _may_be_written(folder: Path) -> bool:
    """Also where it has still to be made."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    return there.is_dir() and os.access(there, os.W_OK)


async def _history(store: Store, head: str) -> list[Finding]:
    what, kept = "history of the studio", history.Head.read(head)
    if head and kept is None:
        remedy = "It is a number, - and 64 hexadecimal digits, as the log and `operators list` have it."
        return [Finding(what, False, f"--history {head!r} is no head", remedy)]
    try:
        told = await history.read(store, kept)
    except history.Broken as error:
        remedy = "Put back a backup from before, and change who can write the database."
        return [Finding(what, False, str(error), remedy)]
    if not told.acts:
        return []
    compared = f"it holds {head}" if head else "compare a head from the log by --history"
    return [Finding(what, True, f"whole, with {len(told.acts)} act{'' if len(told.acts) == 1 else 's'}; {compared}")]
