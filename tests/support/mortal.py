"""Processes that do one thing each and may be killed in the middle of it, by a real SIGKILL.

A module of ours imports everything once and calls `answer`: for each line that it reads it forks a process, and says how that
ended: `0`, or `-9` where it was killed. A test asks it by `asking`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from tests.support.served import ROOT

Work = Callable[..., Coroutine[Any, Any, None]]


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody lives on after SIGKILL")


def forked(work: Work, *given: Any) -> int:
    """Its id; what it fails with is printed, and its code is 1."""
    child = os.fork()
    if not child:
        try:
            asyncio.run(work(*given))
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 (it goes to the test as an exit code)
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    return child


def ended(child: int) -> int:
    """How: its exit code, or the number of the signal below zero."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def answer(work: Work) -> None:
    """Do it once for each line of the standard input, with the words of the line."""
    for line in sys.stdin:
        print(ended(forked(work, *line.split())), flush=True)


@contextmanager
def asking(module: str, *given: object) -> Iterator[Callable[..., bool]]:
    """A question to such a module: whether its process was killed at the step that is named; False: it ended first."""
    command, pipe = [sys.executable, "-m", module, *map(str, given)], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as it:
        assert it.stdin
        assert it.stdout

        def dies(*step: object) -> bool:
            it.stdin.write(" ".join(map(str, step)) + "\n")  # type: ignore[union-attr]
            it.stdin.flush()  # type: ignore[union-attr]
            code = int(it.stdout.readline())  # type: ignore[union-attr]
            assert code in (0, -9)
            return code == -9

        yield dies
        it.stdin.close()
