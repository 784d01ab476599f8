"""Whose turn it is where the processes of one server want more cores than there are. What the system does not know or a
container forbids is left out: all of it works without."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

YIELDS = 10
"""How far the background work yields to the HTTP workers beside it: nobody sees by the time of an answer that a mail is
being made."""

SHORT, LONG = 600_000, 10_000_000
"""Nanoseconds of a turn: less than what Linux gives by itself (0.7 ms on one core, up to 2.8 on more), but enough for most
answers; and some times as much."""

_SHARES = Path("/proc/self/autogroup")

_SCHED_SETATTR = {"linux-x86_64": 314, "linux-aarch64": 274}
"""Numbers of the system call, from Linux's tables (arch/x86/entry/syscalls and include/uapi/asm-generic/unistd.h): C
libraries have a function for it since glibc 2.41 alone."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""`struct sched_attr` of sched_setattr(2): its size, policy, flags, nice, priority, runtime, deadline, period."""
_KEEP_POLICY = 0x08


def answer_soon() -> None:
    """Of an HTTP worker, before its threads start: short turns, so that an answer does not wait for the end of anybody's."""
    turns_of(SHORT)


def stand_back() -> None:
    """Of the background work: fewer turns where there are not cores enough, and on Linux no mail that falls due interrupts an
    answer that is being made, while an answer does interrupt a mail, and so does the database that works for one."""
    os.nice(YIELDS)
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    if _SHARES.exists():
        # Where Linux gives each session its share of the cores, nice counts within a session only, and by this between them.
        with suppress(OSError):
            os.setsid()
            _SHARES.write_text(str(YIELDS))
    turns_of(LONG)


def turns_of(nanoseconds: int) -> None:
    """Ask for turns as long as that, 100,000 to 100,000,000. Since Linux 6.12, who asks for shorter turns than another has
    the core from that one as soon as there is something to do; otherwise it may wait until the other's turn ends, as seen at
    the next tick of the clock (4 ms where there are 250 in a second). The share of the cores stays the same."""
    number = _SCHED_SETATTR.get(sysconfig.get_platform())
    if number is None or sys.maxsize < 2**32:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    asked = _ATTRIBUTES.pack(_ATTRIBUTES.size, 0, _KEEP_POLICY, nice, 0, nanoseconds, 0, 0)
    ctypes.CDLL(None).syscall(number, 0, asked, 0)  # its -1 says that the system does not have it: then nothing changed
