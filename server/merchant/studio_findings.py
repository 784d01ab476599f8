"""What `doctor` says of the studio: who may use it, whether it can write, and whether the history is what was written."""

from __future__ import annotations

import os

from server.merchant.studio import history, operators
from server.settings import Settings
from server.store import Store

Found = tuple[str, bool, str, str]
"""What, whether it is fine, the words, what to do."""


async def look(settings: Settings, store: Store, head: str) -> list[Found]:
    """`head`: one of the history that was kept elsewhere, or empty. Nothing, where there is no studio and never was."""
    found = await _history(store, head)
    if not settings.studio_origin:
        return found
    people = await operators.every(store)
    owners = sum(not each.brand and each.role == "owner" for each in people)
    what = "people of the studio"
    if not owners:
        remedy = "Run: python -m server operators add ADDRESS --role owner"
        found.append((what, False, "nobody is owner of every brand", remedy))
    else:
        found.append((what, True, f"{len(people)} roles, {owners} of them owner of every brand", ""))
    if not os.access(settings.themes, os.W_OK):
        words = f"{settings.themes} cannot be written: the studio shows what to change, and changes nothing"
        found.append(("files of the studio", True, words, ""))
    return found


async def _history(store: Store, head: str) -> list[Found]:
    what, kept = "history of the studio", history.Head.read(head)
    if head and kept is None:
        remedy = "It is a number, - and 64 hexadecimal digits, as the log and `operators list` have it."
        return [(what, False, f"--history {head!r} is no head", remedy)]
    try:
        told = await history.read(store, kept)
    except history.Broken as error:
        return [(what, False, str(error), "Put back a backup from before, and change who can write the database.")]
    if not told.acts:
        return []
    compared = f"it holds {head}" if head else "compare a head from the log by --history"
    return [(what, True, f"{len(told.acts)} acts, whole; {compared}", "")]
