"""The one way to read a form: strictly, and small.

Only `application/x-www-form-urlencoded`, in UTF-8, each field once, no NUL, no field without bounds. Everything else is
refused before a handler sees it. What a form asks for is still the handler's business: a field that is not asked for is
never looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException, HTTPException, InternalServerException

MOST_FIELDS = 64
SLOWEST = 20.0
"""Seconds within which a form must be here. Granian waits for headers 30 s, and for a body as long as it takes."""

KEPT = "kept."
"""Log-in carries the words of a form that a dead session stopped as ``kept.<field>``."""

# What must be asked for again, and what belongs to log-in's own forms, is never carried.
_NOT_KEPT = frozenset({"key", "code", "link", "email", "next"})
_MOST_KEPT, _LONGEST_KEPT = 20, 4096


class UnsupportedMediaTypeError(HTTPException):
    status_code = 415


class TooLargeError(HTTPException):
    status_code = 413


class TooSlowError(HTTPException):
    status_code = 408


class OfAnother(Exception):
    """The form was made for another account: another tab has logged in to this one since. Nothing was done."""


class Form:
    """The fields of one form. A field that is missing is empty text."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)

    def get(self, name: str) -> str:
        """The field; where a form comes back after log-in, what had been typed into it before."""
        if name in self._fields or name in _NOT_KEPT:
            return self._fields.get(name, "")
        return self._fields.get(KEPT + name, "")

    @property
    def whole(self) -> dict[str, str]:
        """Every field, as it came."""
        return dict(self._fields)

    def kept(self) -> dict[str, str]:
        """The fields that log-in carries, by their own names; no more than 20 and 4 KB."""
        return _bounded(
            {name.removeprefix(KEPT): value for name, value in self._fields.items() if name.startswith(KEPT)}
        )

    def to_keep(self) -> dict[str, str]:
        """What log-in should carry of this form: what it already carried, and what was typed."""
        return _bounded({name.removeprefix(KEPT): value for name, value in self._fields.items()})


def _bounded(fields: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    size = 0
    for name, value in fields.items():
        size += len(name.encode()) + len(value.encode())
        if name in _NOT_KEPT or not name or len(found) == _MOST_KEPT or size > _LONGEST_KEPT:
            continue
        found[name] = value
    return found


async def read_form(request: Request[Any, Any, Any], limit: int = 16_384, patience: float = SLOWEST) -> Form:
    """The form that was posted; at most `limit` bytes, within `patience` seconds. Raises Litestar's 400, 408, 413 or 415."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/x-www-form-urlencoded" or charset not in ("", "utf-8"):
        raise UnsupportedMediaTypeError
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaTypeError
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise TooLargeError
    body = await body_of(request, patience)
    if len(body) > limit:
        raise TooLargeError
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise ClientException from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or any("\0" in name or "\0" in value for name, value in pairs):
        raise ClientException
    return Form(fields)


async def body_of(request: Request[Any, Any, Any], patience: float = SLOWEST) -> bytes:
    """The whole body, within `patience` seconds. Raises Litestar's 400, 408 or 413."""
    try:
        async with asyncio.timeout(patience):
            return await request.body()
    except TimeoutError:
        raise TooSlowError from None
    except InternalServerException:
        # What Litestar 2.25 says of a browser that left in the middle, or of a body that breaks off: no fault of ours.
        raise ClientException from None


class Posted(msgspec.Struct, frozen=True):
    """A form whose fields may come several times, and with files."""

    texts: dict[str, list[str]]
    files: dict[str, bytes]
    """Those that were chosen, by the name of the field. What they are called elsewhere is not looked at."""


MOST_POSTED = 1000


async def read_posted(request: Request[Any, Any, Any], patience: float = SLOWEST) -> Posted:
    """A long form, as the studio's are: at most 1000 fields, and as many bytes as the application takes of any body. Raises
    Litestar's 400, 408, 413 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise UnsupportedMediaTypeError
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaTypeError
    if kind == "application/x-www-form-urlencoded":
        try:
            pairs = parse_qsl(
                (await body_of(request, patience)).decode("utf-8"),
                keep_blank_values=True,
                encoding="utf-8",
                errors="strict",
                max_num_fields=MOST_POSTED,
            )
        except ValueError:
            raise ClientException from None
        return _posted(pairs)
    try:
        async with asyncio.timeout(patience):
            return _posted((await request.form()).multi_items())
    except TimeoutError:
        raise TooSlowError from None
    except (InternalServerException, UnicodeError, LookupError):
        raise ClientException from None  # as above


def _posted(pairs: Iterable[tuple[str, Any]]) -> Posted:
    posted = Posted({}, {})
    for name, value in pairs:
        if isinstance(value, UploadFile):
            content = value.file.read()
            if content:
                posted.files[name] = content
        elif not isinstance(value, str) or "\0" in name or "\0" in value:
            raise ClientException
        else:
            posted.texts.setdefault(name, []).append(value)
    return posted
