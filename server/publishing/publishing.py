"""The build: a brand becomes a folder of files for a CDN, `dist/<brand>/`.

    index.html  account/  help/  link-not-active/  404.html  500.html     pages/ of the templates, no customer in sight
    p/login/<link>/index.html                                             only while the link is active
    <tag>/                                                                the same in each further language, but for
                                                                          404.html and 500.html
    static/                                                               assets under hashed names
    _headers  _redirects  robots.txt                                      for the CDN, see cdn.py; hosts.py for others

A brand is whole or not there (atomic_files.py), held to the house rules before it is written, and the same bytes from the same
input, on every machine. Of builds before, only this is known, each by the content of all that it depends on: which pages keep
the rules (`pages.remember`), colors, catalogs and compiled templates. So nothing can go stale.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from server.brands import Brand
from server.publishing import cdn, hosts, pages, sites
from server.publishing.atomic_files import MARK, NotOurs, write_file, write_folder
from server.publishing.rules.html_rules import Problem
from server.rendering.assets import AssetError, Assets

FEW = 4
"""This many brands are built faster than another process starts."""
_NAMED = 4
"""So many of the brands that share a mistake are named; of the others, how many."""
_BATCH = 8
"""So many brands are one errand of a process."""


_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")


class BuildError(Exception):
    """What must be repaired before there can be a build; nothing was written. One line for each mistake."""


class Built(msgspec.Struct, frozen=True):
    name: str
    pages: int
    bytes: int
    """Of all files."""
    seconds: float


def build(
    brands: Sequence[Brand],
    out: Path,
    *,
    server: str = "",
    secure: bool = True,
    reload: bool = False,
    checked: bool = True,
    host: str = "netlify",
    origin: str = "",
    processes: int = 0,
    on_brand: Callable[[Built], object] | None = None,
) -> list[Built]:
    """Write `out/<brand>/` for each brand; `on_brand` is told of each that is done.

    `server` is the origin at which a CDN reaches the server; `host` one of `hosts.HOSTS`, for which what it needs is
    written; `origin` where browsers reach the brands without a domain of their own, where that is known. `secure` says whether browsers come by https, where the
    brand has no domain of its own that says so; `checked` whether it is held to the rules first, as `dev` does only after
    it has shown what was saved. `processes`: at most so many at once; 0: one on each core. Raises `BuildError` with the mistakes of every brand: those without
    one are built, the others stay as they were.
    """
    out, server = out.absolute(), server.rstrip("/")
    if server and not _ORIGIN.fullmatch(server):
        raise BuildError(f"--server {server[:80]!r}: must be https:// or http:// and a host, without a path")
    if host not in hosts.HOSTS:
        raise BuildError(f"--for {host[:80]!r}: not a host that is known; allowed is one of {', '.join(hosts.HOSTS)}")
    if host != "netlify" and not server:
        raise BuildError(f"--for {host}: say with --server https://… where the host reaches the server")
    built, mistakes = [], dict[str, list[str]]()
    for brand, result in _each(brands, out, _Wanted(server, secure, reload, host, checked), processes or cores()):
        if isinstance(result, Built):
            built.append(result)
            if on_brand:
                on_brand(result)
        else:
            for line in result.splitlines():
                mistakes.setdefault(line, []).append(brand.name)
    if built:
        _write_shared(out, host, origin)
        pages.remember()
    if mistakes:
        raise BuildError(_told(mistakes))
    return sorted(built, key=lambda each: each.name)


def _told(mistakes: Mapping[str, Sequence[str]]) -> str:
    """Each mistake once, with the brands that have it: one of a base is one of many brands."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for line, names in mistakes.items():
        alike.setdefault(tuple(sorted(names)), []).append(line)
    told: list[str] = []
    for names, lines in sorted(alike.items()):
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        told += [f"{', '.join(names[:_NAMED])}{more}: not built", *lines]
    return "\n".join(told)


def left_over(out: Path, brands: Sequence[Brand]) -> list[Path]:
    """The folders of builds before whose brand is gone. None is deleted: its pages may still be published."""
    names = {brand.name for brand in brands}
    return sorted(each.parent for each in out.glob(f"[!.]*/{MARK}") if each.parent.name not in names)


def files_of(
    brand: Brand, *, server: str = "", secure: bool = True, reload: bool = False, checked: bool = True
) -> dict[str, bytes]:
    """Every file of the brand's folder by its path in it. Raises `BuildError`."""
    outputs = _Outputs()
    try:
        assets = Assets.of(brand, reload=reload)
        for name, content in assets.files.items():
            outputs.add(f"static/{name}", content, f"the asset {name}")
        if checked:
            _refuse([*pages.words_problems(brand), *_override_problems(brand, assets)])
        rendered = dict(pages.render_pages(brand, assets))
    except (AssetError, pages.PageError) as error:
        raise BuildError(str(error)) from None
    if checked:
        _refuse(pages.page_problems(brand, assets, rendered))
    for path, (template, html) in rendered.items():
        outputs.add(path, html.encode(), f"site/templates/{template}")
    secure = brand.config.site.url.startswith("https://") if brand.config.site.url else secure
    outputs.add("robots.txt", cdn.ROBOTS, "server/publishing/cdn.py")
    headers = cdn.headers(outputs.files, assets, brand.base, secure=secure)
    outputs.add("_headers", headers.encode(), "server/publishing/cdn.py")
    redirects = cdn.redirects(brand.name, brand.base, server, brand.config.site.locales[1:])
    outputs.add("_redirects", redirects.encode(), "server/publishing/cdn.py")
    return dict(sorted(outputs.files.items()))


def _override_problems(brand: Brand, assets: Assets) -> list[Problem]:
    if not any((theme / "templates").is_dir() for theme in brand.lineage):
        return []
    # It brings every feature and mail: most of the imports of a build, and few brands override a template.
    from server.publishing import overrides  # noqa: PLC0415

    return overrides.problems(brand, assets)


def _refuse(found: Iterable[Problem]) -> None:
    if problems := [*found]:
        raise BuildError("\n".join(map(str, problems)))


class _Outputs:
    """The files of one build; two sources for one file are refused, also where a disk ignores upper and lower case."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._sources: dict[str, str] = {}

    def add(self, path: str, content: bytes, source: str) -> None:
        first = self._sources.setdefault(path.casefold(), source)
        if first is not source or path in self.files:
            raise BuildError(f"{path}: written by {first} and by {source}; rename one of the two")
        self.files[path] = content


class _Wanted(msgspec.Struct, frozen=True):
    """Of one build, for every brand of it."""

    server: str
    secure: bool
    reload: bool
    host: str
    checked: bool


def _write_shared(out: Path, host: str, origin: str) -> None:
    """What the CDN and the host need for the brands that share a domain. Raises `BuildError`."""
    cdn.write_shared(out)
    if (out / "_headers").is_file():
        texts = [(out / name).read_text("utf-8") for name in ("_headers", "_redirects")]
        shared = sites.read("portal", urlsplit(origin).netloc, out, *texts)
        try:
            _put(out, hosts.files(shared, host), (*hosts.AT_ROOT, *hosts.aside(shared.name)))
        except sites.Unfit as error:
            raise BuildError(f"--for {host}: {error}") from None


def _put(out: Path, files: Mapping[str, str], mine: Iterable[str]) -> None:
    """Write these, and take away those of `mine` that another host wanted before."""
    for path in set(mine) - set(files):
        (out / path).unlink(missing_ok=True)
    for path, text in files.items():
        (out / path).parent.mkdir(exist_ok=True)
        write_file(out / path, text.encode())


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _each(brands: Sequence[Brand], out: Path, wanted: _Wanted, processes: int) -> Iterator[tuple[Brand, Built | str]]:
    """Each brand with what became of it, as they get done; in parallel where they are many."""
    alone = brands if processes == 1 or len(brands) <= FEW else brands[:1]
    # The first one makes ready what all share: words, templates, which pages keep the rules. Forked processes have it too.
    for brand in alone:
        yield brand, _build_one(brand, out, wanted)
    if rest := brands[len(alone) :]:
        yield from _in_parallel(rest, out, wanted, processes)


def _in_parallel(
    brands: Sequence[Brand], out: Path, wanted: _Wanted, processes: int
) -> Iterator[tuple[Brand, Built | str]]:
    # One brand on one core needs none of this.
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor, as_completed  # noqa: PLC0415

    context = multiprocessing.get_context(start_method())
    gc.freeze()  # so that a collection there does not copy all of this process
    try:
        with ProcessPoolExecutor(processes, context, _begin, (brands, out, wanted)) as pool:
            try:
                starts = range(0, len(brands), _BATCH)
                jobs = [pool.submit(_build_batch, start) for start in starts]
                for job in as_completed(jobs):
                    yield from ((brands[number], result) for number, result in job.result())
            finally:
                pool.shutdown(cancel_futures=True)
    finally:
        gc.unfreeze()


def start_method() -> Literal["fork", "spawn"]:
    """A fork copies the locks that other threads hold."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


_given: tuple[Sequence[Brand], Path, _Wanted]
"""What a process of the pool builds."""


def _begin(brands: Sequence[Brand], out: Path, wanted: _Wanted) -> None:
    global _given  # noqa: PLW0603 (once, when the process begins)
    _given = (brands, out, wanted)


def _build_batch(start: int) -> list[tuple[int, Built | str]]:
    brands, out, wanted = _given
    numbers = range(start, min(start + _BATCH, len(brands)))
    return [(number, _build_one(brands[number], out, wanted)) for number in numbers]


def _build_one(brand: Brand, out: Path, wanted: _Wanted) -> Built | str:
    """Build it, or say why not: an exception with a traceback would not cross to the other process whole."""
    start = perf_counter()
    try:
        how = {"secure": wanted.secure, "reload": wanted.reload, "checked": wanted.checked}
        files = files_of(brand, server=wanted.server, **how)
        wants: Mapping[str, str] = {}
        if domain := urlsplit(brand.config.site.url).netloc:
            texts = (files["_headers"].decode(), files["_redirects"].decode())
            wants = hosts.files(sites.read(brand.name, domain, out / brand.name, *texts), wanted.host)
            files |= {path: text.encode() for path, text in wants.items() if path in hosts.AT_ROOT}
        write_folder(out / brand.name, files)
        aside = {path: text for path, text in wants.items() if path not in hosts.AT_ROOT}
        _put(out, aside, hosts.aside(brand.name))
    except sites.Unfit as error:
        return f"--for {wanted.host}: {error}"
    except OSError as error:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except (BuildError, NotOurs) as error:
        return str(error)
    count = sum(path.endswith(".html") for path in files)
    return Built(brand.name, count, sum(map(len, files.values())), perf_counter() - start)
