"""What the commands take as arguments: text read by `argparse`, which prints what is wrong with it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime


def port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date like 2026-11-30 or 2026-11-30T12:00+01:00") from None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def workers(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of workers from 1 to 256")
    return int(text)
