"""What the server writes about itself: one JSON object a line on stderr, through the standard library's logging.

Logs are read by people who must not be able to log in as a customer, so a formatter of ours stands between every
record, tracebacks included, and the stream: it shows addresses as ``j…@example.com`` and takes out passcodes, cookies
and tokens, whoever logged them. A line break in a value becomes ``\\n`` inside the JSON: one record is one line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

_ADDRESS = re.compile(r"([^\s@<>\"(),:;\[\]\\=&?/]*)(?:@|%40)([A-Za-z0-9\u0080-\U0010ffff.-]+)")
_QUOTE = "'"
_CODE = re.compile(
    r"(?<![0-9A-Za-z.:_-])(?:\d{6}|\d{3}[ -]\d{3}|[B-DF-HJ-NP-TV-XZ]{5}(?:-?[B-DF-HJ-NP-TV-XZ]{5}){2})(?![0-9A-Za-z_:-])"
)
_COOKIE = re.compile(r"(?i)\b(set-cookie|cookie|authorization)\b(['\"]?\s*[:=,]\s*b?['\"]?)[^\r\n'\"]+")
_SECRET = re.compile(
    r"(?i)\b([\w-]*(?:session|challenge|token|secret|password)[\w-]*)(['\"]?\s*[=:]\s*b?['\"]?)[\w.~+/-]{8,}={0,2}"
)
_URL_PASSWORD = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*(?=@)")
_STOP = re.compile(r"(/mails/[a-z_]+/)[\w-]+")  # what stops a customer's reminders
_LONG = re.compile(r"(?<![\w/-])[A-Za-z0-9_-]{43}(?![\w-])")  # 256 bits in base64url: a token of ours
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redacted(text: str) -> str:
    """The text without codes, cookies and tokens, and with addresses cut to their first letter."""
    text = _COOKIE.sub(r"\1\2…", text)
    text = _URL_PASSWORD.sub("…", text)
    text = _SECRET.sub(r"\1\2…", text)
    text = _ADDRESS.sub(lambda found: f"{found[1].lstrip(_QUOTE)[:1]}…@{found[2]}", text)
    text = _STOP.sub(r"\1…", text)
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


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every logger of the process to one stream, stderr if none is given, in place of what was set before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    for name in ("aiosmtplib", "asyncio", "psycopg.pool"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
