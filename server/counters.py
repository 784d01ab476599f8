"""What this process counted since it started, for `/metrics`.

Counters belong to one process, and each carries the process's number as a label: with several workers, sum over it.
"""

from __future__ import annotations

import os
from collections import Counter

_HELP = {
    "answers": "Answers by class of status.",
    "logins": "Log-ins that succeeded.",
    "mails_sent": "Mails that the mail server took.",
    "mails_failed": "Tries to send a mail that failed.",
    "mails_dropped": "Mails for nobody, or not sent before they lapsed.",
    "store_errors": "Times the database did not answer.",
}
_counted: Counter[tuple[str, str]] = Counter()


def count(name: str, label: str = "") -> None:
    """One more of a counter named in `_HELP`; `label` is a Prometheus label such as ``status="2xx"``."""
    if name not in _HELP:
        raise KeyError(name)
    _counted[name, label] += 1


def exposition(waiting: int | None) -> str:
    """The counters in Prometheus's text format; `waiting` is left out where the database does not say."""
    process = f'process="{os.getpid()}"'
    lines = []
    for name, words in _HELP.items():
        lines += [f"# HELP postern_{name}_total {words}", f"# TYPE postern_{name}_total counter"]
        labels = sorted(label for each, label in _counted if each == name) or [""]
        lines += [
            f"postern_{name}_total{{{','.join(filter(None, (process, label)))}}} {_counted[name, label]}"
            for label in labels
        ]
    if waiting is not None:
        lines += ["# HELP postern_mails_waiting Mails not decided yet.", "# TYPE postern_mails_waiting gauge"]
        lines.append(f"postern_mails_waiting {waiting}")
    return "\n".join(lines) + "\n"
