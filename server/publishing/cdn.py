"""What tells a CDN how to serve a build: `_headers` and `_redirects`, as Netlify and Cloudflare Pages read them.

`dist/<brand>/` has both for that folder as the root of a domain. Brands without a domain of their own share one, and
are served under `/<brand>/`: `dist/_headers` and `dist/_redirects` hold the rules of all of them.

No two rules of `_headers` name the same header: where they did, CDNs would join the values, or take either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from server.paths import DYNAMIC_PREFIXES
from server.publishing.atomic_files import write_file
from server.rendering.assets import Assets
from server.web import policy

_SHARED = re.compile(r"# Served under (/[a-z0-9-]+)/\n")
ROBOTS = b"# Every page concerns one customer.\nUser-agent: *\nDisallow: /\n"


def headers(files: Iterable[str], assets: Assets, base: str, *, secure: bool) -> str:
    """`_headers` for a folder with these files."""
    lines = [f"# Served under {base}/", "", "/*"]
    lines += [f"  {name}: {value}" for name, value in policy.static(assets, secure=secure).items()]
    pages = sorted(f"/{name}".removesuffix("index.html") for name in files if not name.startswith("static/"))
    for path in [*pages, "/static/*"]:
        lines += [path, f"  Cache-Control: {policy.cache_control(path)}"]
    return "\n".join(lines) + "\n"


def redirects(brand: str, base: str, server: str, further: Sequence[str] = ()) -> str:
    """`_redirects` for the same folder: the dynamic paths are passed on to the server, whose origin is `server`.
    `further`: the tags of the languages after the first, each of which has a folder."""
    lines = [
        f"# Served under {base}/",
        "# What is not a file here is answered by the server: the CDN passes it on, and the browser sees one origin.",
        "# Cloudflare Pages passes nothing on to another host by this file: give a Worker these routes there.",
    ]
    if not server:
        lines.append("# The server's origin is not known: build with --server https://…, and these lines lose their #.")
    for prefix in DYNAMIC_PREFIXES:
        path = prefix.rstrip("/")
        to = f"{server or 'https://server.example'}/{brand}{path}"
        exact = [] if prefix.endswith("/") else [f"{path} {to} 200"]
        rules = [*exact, f"{path}/* {to}/:splat 200"]
        lines += rules if server else [f"# {rule}" for rule in rules]
    for folder in ("", *(f"/{tag}" for tag in further)):
        # A link that was switched off; an active one is a file.
        lines.append(f"{folder}/p/login/* {folder}/link-not-active/index.html 404")
    lines.append("/* /404.html 404")
    return "\n".join(lines) + "\n"


def write_shared(out: Path) -> None:
    """Join the rules of the brands in `out` that have no domain of their own, for `out` as the root of one."""
    joined: dict[str, list[str]] = {"_headers": [], "_redirects": []}
    for folder in sorted(each for each in out.iterdir() if each.is_dir() and not each.name.startswith(".")):
        for name, texts in joined.items():
            text = (folder / name).read_text("utf-8") if (folder / name).is_file() else ""
            if (base := _SHARED.match(text)) and base[1] == f"/{folder.name}":
                texts.append(_below(base[1], text))
    shared: Mapping[str, bytes] = {name: "\n".join(texts).encode() for name, texts in joined.items() if texts}
    for name, content in {**shared, "robots.txt": ROBOTS}.items() if shared else ():
        write_file(out / name, content)
    for name in () if shared else (*joined, "robots.txt"):
        (out / name).unlink(missing_ok=True)


def _below(base: str, text: str) -> str:
    """The rules with `base` in front of each path of this site, also where they are commented out."""
    text = re.sub(r"^(# )?/", rf"\g<1>{base}/", text, flags=re.MULTILINE)
    return re.sub(r" (/\S+\.html 404)$", rf" {base}\g<1>", text, flags=re.MULTILINE)
