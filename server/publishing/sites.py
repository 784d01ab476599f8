"""The root of one domain as the two files of a build describe it: what `hosts` writes for each host is made from this.

A site is `dist/<brand>/` of a brand with its own domain, `dist/` for all the others.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

ASIDE = "_host"
"""The folder of `dist/` for what is not published with the files."""
PORTS = {"https": 443, "http": 80}


class Unfit(Exception):
    """This host cannot serve such a site; the message says why."""


class Site(msgspec.Struct, frozen=True):
    """What the two files say."""

    name: str
    """Of the brand, or `portal` for the brands that share a domain."""
    domain: str
    """Host and port; empty: not known."""
    root: Path
    headers: tuple[tuple[str, dict[str, str]], ...]
    """Path, with `*` at its end for whatever follows, and what is put on a file there."""
    passed: tuple[tuple[str, str], ...]
    """Path, as above, and the URL on the server whose answer it is, with `:splat` for what the `*` stood for."""
    missing: tuple[tuple[str, str], ...]
    """Path and the page that is shown with 404 where it is no file; the first that fits counts."""

    @property
    def server(self) -> str:
        """The server's origin."""
        to = urlsplit(self.passed[0][1])
        return f"{to.scheme}://{to.netloc}"

    @property
    def before(self) -> str:
        """What the server has in front of each path of this site: `/<brand>` for a brand with its own domain."""
        path, to = self.passed[0]
        return to.removeprefix(self.server).removesuffix(":splat").removesuffix(path.removesuffix("*"))

    def headers_of(self, path: str) -> dict[str, str]:
        """What a file at this path is served with."""
        fitting = [given for pattern, given in self.headers if fits(pattern, path)]
        return {key: value for given in fitting for key, value in given.items()}

    @property
    def parts(self) -> list[tuple[str, str, dict[str, str]]]:
        """Where each folder of pages begins, with the page for what is missing there and the headers of its pages."""
        return [
            (path.removesuffix("*"), page, self.headers_of(page.removesuffix("index.html")))
            for path, page in self.missing
        ]

    @property
    def brands(self) -> list[str]:
        """The paths of the brands' folders, without the slash at the end; of a brand's own domain: the empty path."""
        return [path.removesuffix("/*") for path, _ in self.missing if not path.endswith("/p/login/*")]

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https."""
        return all("Strict-Transport-Security" in headers for _, _, headers in self.parts)

    @property
    def pages(self) -> list[str]:
        """The path of each page."""
        return [path for path, _ in self.headers if not path.endswith("*")]

    @property
    def kept(self) -> list[tuple[str, dict[str, str]]]:
        """The folders whose files have other headers than the pages, with those."""
        return [(path, self.headers_of(path)) for path, _ in self.headers if path.endswith("/static/*")]


def fits(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def read(name: str, domain: str, root: Path, headers: str, redirects: str) -> Site:
    """The two files of a build that knows its server."""
    rules: list[tuple[str, dict[str, str]]] = []
    for line in headers.splitlines():
        if line.startswith("/"):
            rules.append((line.strip(), {}))
        elif line.strip() and not line.startswith("#"):
            key, _, value = line.strip().partition(": ")
            rules[-1][1][key] = value
    moves = [line.split() for line in redirects.splitlines() if line.startswith("/")]
    passed = tuple((path, to) for path, to, status in moves if status == "200")
    missing = tuple((path, to) for path, to, status in moves if status == "404")
    return Site(name, domain, root, tuple(rules), passed, missing)


def as_json(value: object) -> str:
    """As the files of every host have it."""
    return json.dumps(value, indent=2)
