"""The house rules for mails: what programs that read mail refuse, or cannot show."""

from __future__ import annotations

from collections.abc import Iterator

from server.publishing.rules.html_rules import Problem
from server.publishing.rules.markup import parse


def check(html: str, subject: str, where: str) -> Iterator[Problem]:
    document = parse(html)
    for line, message in document.mistakes:
        yield Problem(where, line, "tags-fit", message)
    for element in document.all("script", "form", "iframe", "object", "embed", "link"):
        yield Problem(where, element.line, "mail", f"{element}: mail programs refuse mails with <{element.tag}>")
    if not subject:
        yield Problem(where, 0, "mail", "the first line of the .txt is the subject, and it is empty")
