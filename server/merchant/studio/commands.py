"""`python -m server operators add|list|remove`: who may use the studio, and the history of what they did."""

from __future__ import annotations

import argparse
from datetime import datetime

from server.formats.email import EmailMistake, canonical
from server.merchant.link import NotDone
from server.merchant.studio import history, operators
from server.merchant.studio.operators import Change, LastOwner, Role
from server.store import Store


async def add(store: Store, options: argparse.Namespace, now: datetime) -> str:
    """Raises `NotDone`."""
    it = Change(address=_address(options.address), brand=options.brand, role=options.role)
    done = await _changed(store, it, now)
    if options.lost_passkey:
        await store.write(lambda transaction: operators.forget_passkeys(transaction, it.address, now))
    lines = [f"{it.address} {'is now' if done else 'is already'} {it.role} of {_where(it.brand)}."]
    if word := await store.write(lambda transaction: operators.word_for(transaction, it.address, now)):
        lines.append(f"The word for a first passkey, which works once within a week: {word}")
        lines.append(
            "Give it to them by another way than email. Without a passkey they change no role and publish nothing."
        )
    return "\n".join(lines)


async def remove(store: Store, options: argparse.Namespace, now: datetime) -> str:
    """Raises `NotDone`."""
    it = Change(address=_address(options.address), brand=options.brand)
    if not await _changed(store, it, now):
        raise NotDone(f"{it.address} has no role for {_where(it.brand)}. Run: python -m server operators list")
    return f"{it.address} has no role for {_where(it.brand)} any more."


async def show(store: Store, options: argparse.Namespace, _: datetime) -> str:
    """Raises `NotDone`: the history is not what was written, or not what `--head` says."""
    kept = history.Head.read(options.head) if options.head else None
    if options.head and kept is None:
        raise NotDone(
            f"--head: {options.head!r} is no head; it is a number, - and 64 hexadecimal digits, as list prints"
        )
    try:
        told = await history.read(store, kept)
    except history.Broken as error:
        raise NotDone(
            f"History: {error}. Put back a backup from before, and change who can write the database."
        ) from None
    lines = [_line(each) for each in await operators.every(store)] or ["Nobody may use the studio."]
    if told.acts:
        lines.append(f"History: {len(told.acts)} acts, whole. Keep its head elsewhere: {told.head}")
    return "\n".join(lines)


async def _changed(store: Store, it: Change, now: datetime) -> bool:
    try:
        return await operators.change(store, it, now)
    except LastOwner:
        words = f"{it.address} is the last owner of every brand; make somebody else one first. Nothing was changed."
        raise NotDone(words) from None


def _address(typed: str) -> str:
    found = canonical(typed)
    if isinstance(found, EmailMistake):
        raise NotDone(f"{typed!r} is not an e-mail address, such as ann@shop.example")
    return found


def _where(brand: str) -> str:
    return brand or "every brand"


def _line(it: Role) -> str:
    return f"{it.address}  {it.role} of {_where(it.brand)}  since {it.added_at:%Y-%m-%d}"
