"""What the server says about itself: its log, its counters, and the refusals that an operator wants to know of.

The log is one JSON object a line on stderr, through the standard library's logging. Logs are read by people who must not be able to log in as a customer, so a formatter of ours stands between every
record, tracebacks included, and the stream: it shows addresses as ``j…@example.com`` and takes out passcodes, cookies
and tokens, whoever logged them. A line break in a value becomes ``\\n`` inside the JSON: one record is one line.

Counters are Prometheus's, through its own library. Where the environment names `PROMETHEUS_MULTIPROC_DIR` before this
module is imported, as `serve` does, every process counts in a file of that folder, and one exposition sums them up.

Neither may tell whether an address that a stranger typed is a customer's. So whatever becomes of a passcode's mail is
neither counted nor logged above `debug`; that a worker took it up is, and that happens for every address alike.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_ADDRESS = re.compile(r"([^\s@<>\"(),:;\[\]\\=&?/]*)(?:@|%40)([A-Za-z0-9\u0080-\U0010ffff.-]+)")
_QUOTE = "'"
_CODE = re.compile(
    r"(?<![0-9A-Za-z.:_-])(?:\d{6}|\d{3}[ -]\d{3}|[B-DF-HJ-NP-TV-XZ]{5}(?:-?[B-DF-HJ-NP-TV-XZ]{5}){2})(?![0-9A-Za-z_:-])"
)
_COOKIE = re.compile(r"(?i)\b(set-cookie|cookie|authorization)\b(['\"]?\s*[:=,]\s*b?['\"]?)[^\r\n'\"]+")
_SECRET = re.compile(
    r"(?i)\b([\w-]*(?:session|challenge|token|secret|password|request_key)[\w-]*)(['\"]?\s*[=:]\s*b?['\"]?)[\w.~+/-]{8,}={0,2}"
)
_URL_PASSWORD = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*(?=@)")
_PATH = re.compile(r"(/mails/[a-z_]+/|/p/session/)[\w-]+")  # what stops a customer's reminders, or opens the portal
_KEY = re.compile(r"\b([rs]k_(?:test|live)_|whsec_)[\w+/=-]+")  # of an API, or of a webhook
_LONG = re.compile(r"(?<![\w/-])[A-Za-z0-9_-]{43}(?![\w-])")  # 256 bits in base64url: a token of ours
_TALKATIVE = ("aiosmtplib", "asyncio", "httpcore", "httpx", "psycopg.pool", "stripe")
"""What these say below a warning holds addresses and customers' data: URLs of searches, whole answers."""
_PARTS_OF_TALKATIVE = tuple(f"{name}." for name in _TALKATIVE)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redacted(text: str) -> str:
    """The text without codes, cookies and tokens, and with addresses cut to their first letter."""
    text = _COOKIE.sub(r"\1\2…", text)
    text = _URL_PASSWORD.sub("…", text)
    text = _SECRET.sub(r"\1\2…", text)
    text = _ADDRESS.sub(lambda found: f"{found[1].lstrip(_QUOTE)[:1]}…@{found[2]}", text)
    text = _PATH.sub(r"\1…", text)
    text = _KEY.sub(r"\1…", text)
    text = _LONG.sub("…", text)
    return _CODE.sub("…", text)


class JsonLines(logging.Formatter):
    """One record as one line of JSON; what was passed as `extra` stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                line[key] = value if isinstance(value, (int, float, bool)) else redacted(str(value))
        if record.exc_info:
            line["error"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True)


def _may_be_read(record: logging.LogRecord) -> bool:
    """Also where a library, or somebody who looks for a fault, has set its level lower."""
    return record.levelno >= logging.WARNING or not f"{record.name}.".startswith(_PARTS_OF_TALKATIVE)


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every logger of the process to one stream, stderr if none is given, in place of what was set before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(_may_be_read)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


COUNTERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "answers": ("Answers by class of status.", "status", ("1xx", "2xx", "3xx", "4xx", "5xx")),
    "logins": ("Log-ins that succeeded.", "", ()),
    "passcodes_taken": ("Mails with a passcode that a worker took up, whoever they are for.", "", ()),
    "mails": ("Mails about customers, without passcodes, by what became of them.", "outcome",
              ("sent", "failed", "dropped")),
    "events": ("Events for merchants' endpoints, by what became of each try.", "outcome", ("sent", "failed")),
    "worker_starts": ("Times that `serve` started the background work.", "", ()),
    "refusals": ("Refusals that an operator wants to know of, by kind.", "kind",
                 ("database_away", "disk_full", "mail_server_away", "unknown_host", "limit_reached", "bad_signature",
                  "unknown_api_key")),
}  # fmt: skip
"""By name: what it counts, the name of its label and the label's values. `/metrics` shows `postern_<name>_total`."""

QUIET = 600.0
"""Seconds in which a kind of refusal is logged once by each process, and only counted from then on."""

disable_created_metrics()  # type: ignore[no-untyped-call]
_REGISTRY = CollectorRegistry()


def _children() -> Iterable[tuple[tuple[str, str], Counter]]:
    """Every series there will be, made at once: a series that begins at its first event hides that event from `rate`."""
    for name, (words, label, values) in COUNTERS.items():
        counter = Counter(f"postern_{name}", words, [label] if label else [], registry=_REGISTRY)
        for value in values:
            yield (name, value), counter.labels(value)
        if not label:
            yield (name, ""), counter


_COUNTERS = dict(_children())
_refusals: dict[str, tuple[float, int]] = {}
_refusing = threading.Lock()


def count(name: str, label: str = "") -> None:
    """One more of a counter of `COUNTERS`; `label` is one of its label's values. Raises `KeyError` for any other."""
    _COUNTERS[name, label].inc()


def refused(log: logging.Logger, kind: str, words: str, **extra: object) -> None:
    """Count a refusal, and log it unless one of its kind was logged a moment ago. No address belongs in `extra`."""
    count("refusals", kind)
    at = time.monotonic()
    with _refusing:
        logged_at, unsaid = _refusals.get(kind, (-QUIET, 0))
        is_quiet = at - logged_at < QUIET
        _refusals[kind] = (logged_at, unsaid + 1) if is_quiet else (at, 0)
    if not is_quiet:
        log.warning(words, extra={"refusal": kind, "unsaid_before": unsaid, **extra})


def exposition(folder: Path | None = None, also: Iterable[Metric] = ()) -> str:
    """The counters in Prometheus's text format, and `also`: of all processes that count in `folder`, or of this one."""
    registry = CollectorRegistry()
    if folder:
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    registry.register(_Also(also))
    own = b"" if folder else generate_latest(_REGISTRY)
    return (own + generate_latest(registry)).decode()


class _Also(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics
