"""What a command prints, behind `| head`: nobody reads the rest, and that is no mistake of ours."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import TextIO


def while_read(work: Callable[[], int]) -> int:
    """What `work` answers. Where nobody reads what is printed any more it ends without a word, and the answer is 1."""
    try:
        try:
            return work()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        gone = [each for each in (sys.stdout, sys.stderr) if _is_closed(each)]
        if not gone:
            raise  # it is another pipe
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for each in gone:  # Python flushes them once more when it ends
            os.dup2(nowhere, each.fileno())
        return 1


def _is_closed(stream: TextIO) -> bool:
    """Asked of the system: a stream without a buffer has forgotten what it could not write."""
    asked = select.poll()
    asked.register(stream.fileno(), 0)
    return bool(asked.poll(0))
