#!/usr/bin/env python3
"""The menu of this repository: `python3 build.py <command>`.

The first half runs on a bare Python 3.11+ and makes `.venv` from the lock when that is missing or old; the second half
runs inside it. Nothing else has to be installed by hand.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

# What only some commands need is imported by them: a build of one brand takes less time than Python's own modules.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
RUNTIME_LOCK, DEV_LOCK = HERE / "requirements.lock", HERE / "requirements-dev.lock"
THEMES = Path(os.environ.get("PORTAL_THEMES", "").strip() or HERE / "themes").resolve()
INSIDE = "POSTERN_INSIDE_VENV"
MEMORY = Path("/dev/shm")  # noqa: S108 (a file system in memory, on Linux)
FOR_TESTS = ("test", "bench", "lock", "sbom")
"""The commands that need the packages of requirements-dev.lock."""


# --- on any Python -------------------------------------------------------------------------------------------------


def environment_python() -> Path:
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_set_up(*, for_tests: bool) -> bool:
    """Whether the lock was installed, this very one."""
    stamp = ENVIRONMENT / "postern-lock"
    done = stamp.read_text().split() if stamp.exists() and environment_python().exists() else []
    return digest(RUNTIME_LOCK) in done and (not for_tests or digest(DEV_LOCK) in done)


def set_up(*, for_tests: bool) -> None:
    """Make the virtual environment and install the lock into it."""
    import subprocess

    lock = DEV_LOCK if for_tests else RUNTIME_LOCK
    if not environment_python().exists():
        say("Making .venv (once) …")
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(ENVIRONMENT)], check=False, capture_output=True, text=True
        )
        if made.returncode:
            stop(
                f"{made.stdout}{made.stderr}\nPython could not make a virtual environment. "
                "On Debian and Ubuntu: apt-get install python3-venv; then run this again."
            )
    install(lock)
    (ENVIRONMENT / "postern-lock").write_text(" ".join({digest(RUNTIME_LOCK), digest(lock)}))


def install(lock: Path) -> None:
    """By uv, in seconds; by pip in a minute where uv cannot: it does not read pip's settings, such as an index of one's own."""
    import tempfile

    names = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock.read_text(), re.MULTILINE)
    say(f"Installing {len(names)} locked packages from {lock.name} (once) …")
    pip = [str(environment_python()), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    uv = [str(environment_python()), "-m", "uv", "pip", "install", "--python", str(environment_python()), "--quiet"]
    # The lock is whole; what it leaves out on purpose (pyproject.toml, [tool.uv]) nobody must ask for. Nothing is compiled
    # here: Python does that with what it imports, which is a part of it.
    locked = ["--no-deps", "--require-hashes", "-r"]
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.lock"
        only_uv.write_text("".join(re.findall(r"^uv==.*\n(?:[ #].*\n)*", DEV_LOCK.read_text(), re.MULTILINE)))
        fault = failed([*pip, "--no-compile", *locked, str(only_uv)]) or failed(
            [*uv, "--system-certs", *locked, str(lock)]
        )
    if fault and (fault := failed([*pip, "--no-compile", *locked, str(lock)])):
        stop(fault[-4000:] + "\nThe packages could not be installed; is there a network? Run this again to go on.")


def failed(command: list[str]) -> str:
    """What it printed, if it failed."""
    import subprocess

    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout or f"{command[0]} ended with {done.returncode}" if done.returncode else ""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def say(text: str) -> None:
    print(text, flush=True)


def stop(text: str) -> None:
    print(text, file=sys.stderr)
    raise SystemExit(1)


def step_inside() -> None:
    """Run this file again with the environment's Python.

    It and every process that it starts keep what they compile beside the packages, also where PYTHONDONTWRITEBYTECODE is set:
    a demo is several processes, and tests start hundreds."""
    os.environ[INSIDE] = str(ENVIRONMENT)
    os.environ["PYTHONPYCACHEPREFIX"] = str(ENVIRONMENT / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(environment_python()), str(HERE / "build.py"), *sys.argv[1:]]
    if os.name == "nt":
        import subprocess

        raise SystemExit(subprocess.call(command))
    os.execv(command[0], command)


# --- inside the environment ----------------------------------------------------------------------------------------


def demo(options: argparse.Namespace) -> int:
    import subprocess

    from server import demo

    if options.stripe is None:
        return demo.run(THEMES, host=options.host, port=options.port, now=options.now)
    brands, since = chosen([options.stripe] if options.stripe else []), ["--now", options.now] if options.now else []
    command = [sys.executable, "-m", "tests.stripe", *since]
    command += [word for brand in brands for word in ("--brand", brand.name)]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(1 + len(brands))] if process.stdout else []
            url, *keys = (each.strip().partition(" ")[2] for each in lines)
            if not keys[-1]:
                print("The stand-in for Stripe did not start; the lines above say why.", file=sys.stderr)
                return 1
            print(f"stripe {url}", flush=True)
            stripe = demo.StandIn(url, {brand.name: key for brand, key in zip(brands, keys, strict=True)})
            only = options.stripe or None
            return demo.run(THEMES, host=options.host, port=options.port, only=only, now=options.now, stripe=stripe)
        finally:
            process.terminate()


def dev(options: argparse.Namespace) -> int:
    from server import demo

    return demo.run(THEMES, host=options.host, port=options.port, only=options.brand, reload=True, now=options.now)


def build(options: argparse.Namespace) -> int:
    from server import settings
    from server.publishing import publishing

    origin = settings.from_environment(os.environ, secrets_needed=False).origin
    brands = chosen(options.brands)
    is_watched, done = sys.stderr.isatty(), 0

    def count(_: publishing.Built) -> None:
        nonlocal done
        done += 1
        if is_watched:  # not by a progress bar with a thread: processes are forked from this one
            print(
                f"\r{done:,} of {len(brands):,} brands" if done < len(brands) else "\r\033[K", end="", file=sys.stderr
            )

    how = {"server": options.server, "host": options.host, "origin": origin}
    built = publishing.build(brands, Path(options.out), **how, on_brand=count)
    wide = max(len(each.name) for each in built)
    print(f"{'brand':{wide}}  pages       bytes  seconds")
    for each in built:
        print(f"{each.name:{wide}}  {each.pages:5}  {each.bytes:10,}  {each.seconds:7.2f}")
    tell_budget(brands)
    if not options.brands and (old := publishing.left_over(Path(options.out), brands)):
        print(f"Of a brand that is gone: {', '.join(map(str, old))}. Delete it and build again, or it stays published.")
    return 0


def new(options: argparse.Namespace) -> int:
    from server.merchant import starting

    logo = Path(options.logo) if options.logo else None
    brand = starting.begin(THEMES, options.brand, called=options.called, color=options.color, logo=logo)
    print(
        f"{brand.folder}: theme.toml for its looks, portal.toml for what customers may do; its link is for test data."
    )
    print(f"See it, and every change as you save it: python3 build.py dev {brand.name}")
    return 0


def check(options: argparse.Namespace) -> int:
    from server.publishing import checking

    problems = checking.check(THEMES, options.brands)
    for problem in problems:
        print(problem)
    if not problems:
        tell_budget(chosen(options.brands))
    print(f"Mistakes: {len(problems)}" if problems else "No mistakes.")
    return 1 if problems else 0


def tell_budget(brands) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 (the type is only known inside)
    from server.publishing import budget

    for line in budget.lines(brands):
        print(line)


def gallery(options: argparse.Namespace) -> int:
    from server.publishing import gallery

    for page in gallery.build(chosen(options.brands), Path(options.out)):
        print(page)
    return 0


def words(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from server.publishing import catalogs

    for tag in options.tags or catalogs.tags():
        translated, texts = catalogs.update(tag, datetime.now(UTC))
        print(f"site/locales/{tag}/portal.po: {translated} of {texts} texts translated")
    return 0


def reference(_: argparse.Namespace) -> int:
    from server.brands import reference
    from server.publishing import api_description, template_reference

    reference.write()
    api_description.write()
    template_reference.write()
    return 0


def lock(options: argparse.Namespace) -> int:
    """Write the locks from `pyproject.toml`, for every Python and system that it allows. What is locked keeps its version
    where that still fits; `--upgrade` takes the newest of everything."""
    import subprocess

    asked = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet"]
    asked += ["--system-certs", *(["--upgrade"] if options.upgrade else [])]
    groups = {
        "requirements.lock": [],
        "requirements-dev.lock": ["--group", "dev", "--constraints", "requirements.lock"],
    }
    sources = {name: ["pyproject.toml", *more] for name, more in groups.items()}
    sources["tests/engines.lock"] = ["--group", "engines"]
    for name, source in sources.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", *source, *asked, "--output-file", name]
        if code := subprocess.call(command, cwd=HERE, stdout=subprocess.DEVNULL):
            return code
        print(name)
    return 0


def test(options: argparse.Namespace) -> int:
    import subprocess
    import tempfile

    from tests.support import browsers, engines, node

    given = options.given
    if options.engine:
        drivers = {browsers.ENGINE: options.engine, "PYTHONPATH": engines.install_drivers(say)}
        command = [sys.executable, "-m", "pytest", *engines.arguments(options.engine, given)]
        return subprocess.call(command, cwd=HERE, env={**os.environ, **drivers})
    os.environ[browsers.VARIABLE] = browsers.find_or_install(say)
    # The suite and its folders run in two processes a core, up to four; a file stays in one, whose browser and server it shares.
    is_suite = all(Path(each).is_dir() for each in given)
    if is_suite:
        if missing := node.install(say):
            say(f"{missing} The tests that need it will fail.")
        processes = min(2 * (os.cpu_count() or 1), 4)  # a browser's tests wait half of the time
        given += ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"]
    if options.coverage:
        given += ["--cov", "--cov-report", "term:skip-covered"]
    command = [sys.executable, "-m", "pytest", *given]
    if not is_suite or not memory_has_room():
        return subprocess.call(command, cwd=HERE)
    with tempfile.TemporaryDirectory(prefix="postern-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        return subprocess.call(command, cwd=HERE, env={**os.environ, "TMPDIR": folder})


def memory_has_room() -> bool:
    """Whether the thousands of short-lived databases of the suite fit there: none of them has to wait for a disk. They and
    the browsers' profiles take half a gigabyte."""
    import shutil

    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 << 30


def bench(options: argparse.Namespace) -> int:
    from tests.bench import menu

    return menu.run(options.names)


def sbom(options: argparse.Namespace) -> int:
    """The packages that a server runs on, as CycloneDX: from the lock, whatever else is installed here."""
    import importlib.util
    import subprocess

    if not importlib.util.find_spec("cyclonedx_py"):
        stop("cyclonedx-bom is not installed: is it in requirements-dev.lock?")
    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.open("a").close()  # what cannot be written is said here: the program below would print its own usage
    said = ["--pyproject", "pyproject.toml", "--output-reproducible", "--output-file", str(out.resolve())]
    program = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "requirements.lock", *said]
    code = subprocess.call(program, cwd=HERE)
    if not code:
        print(out)
    return code


def chosen(names: list[str]):  # type: ignore[no-untyped-def]  # noqa: ANN201 (the type is only known inside)
    from server.brands import load_all

    brands = load_all(THEMES)
    unknown = set(names) - {brand.name for brand in brands}
    if unknown:
        stop(f"No such brand: {', '.join(sorted(unknown))}. There are {', '.join(brand.name for brand in brands)}.")
    return [brand for brand in brands if not names or brand.name in names]


def menu() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog="build.py", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def add(name: str, words: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words, description=words)

    for name, words in (("demo", "everything on one machine, with sample customers"), ("dev", "demo with live reload")):
        served = add(name, words)
        served.add_argument("--port", type=int, default=8000, help="default: 8000")
        served.add_argument("--host", default="127.0.0.1", help="a loopback address; default: 127.0.0.1")
        served.add_argument("--now", default="", help="where its clock begins, such as 2026-12-31T12:00:00Z")
        if name == "demo":
            how = "bill this brand, or every one where none is named, by a stand-in for Stripe instead of the ledger"
            served.add_argument("--stripe", nargs="?", const="", metavar="BRAND", help=how)
        if name == "dev":
            served.add_argument("brand", nargs="?", help="default: every brand")
    built = add("build", "write dist/<brand>/")
    built.add_argument("brands", nargs="*", help="default: every brand")
    built.add_argument("--out", default="dist", help="the folder to write into; default: dist")
    built.add_argument(
        "--server", default="", help="where the CDN or proxy reaches the server, such as https://server.example"
    )
    built.add_argument("--for", dest="host", default="netlify", metavar="HOST", help="write what it needs besides: "
                       "netlify (default), cloudflare, vercel, cloudfront, nginx or caddy")  # fmt: skip
    begun = add("new", "a new brand, to go on from")
    begun.add_argument("brand", help="its folder below themes/: a-z, 0-9 and -")
    begun.add_argument("--name", dest="called", default="", metavar="NAME", help="what the business is called")
    begun.add_argument("--color", default="", help="its color, such as '#1f6feb'; all other colors follow from it")
    begun.add_argument("--logo", default="", metavar="FILE", help="an SVG, a PNG or a JPEG")
    checked = add("check", "themes, contrast, HTML rules, overrides, links")
    checked.add_argument("brands", nargs="*", help="default: every brand")
    shown = add("gallery", "every page, fragment and mail, by section")
    shown.add_argument("brands", nargs="*", help="default: every brand")
    shown.add_argument("--out", default="dist/gallery", help="default: dist/gallery")
    said = add("words", "bring site/locales in step with the templates; a new tag begins a translation")
    said.add_argument("tags", nargs="*", metavar="locale", help="such as pt-BR; default: every one that is there")
    add("reference", "write themes/README.md (keys), themes/_start, themes/TEMPLATES.md and docs/openapi.json")
    add("sbom", "the packages of the run-time lock as CycloneDX").add_argument(
        "--out", default="dist/postern.cdx.json", help="default: dist/postern.cdx.json"
    )
    locked = add("lock", "write requirements.lock, requirements-dev.lock and tests/engines.lock from pyproject.toml")
    locked.add_argument("--upgrade", action="store_true", help="the newest version of every package")
    tested = add("test", "every test; all further arguments go to pytest")
    tested.add_argument(
        "--coverage", action="store_true", help="say which lines of server/ no test of this run reaches"
    )
    engine = "run the journeys of tests/browser in this one instead: tests/support/engines.py says which"
    tested.add_argument("--engine", choices=("firefox", "webkit"), help=engine)
    add("bench", "ratios against a named peer").add_argument("names", nargs="*")
    return parser


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (said in words, instead of a stack trace from a newer syntax)
        stop(f"Postern needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    is_inside = os.environ.get(INSIDE) == str(ENVIRONMENT)
    if not is_inside and is_set_up(for_tests=bool({*FOR_TESTS} & {*sys.argv[1:2]})):
        step_inside()
    options, arguments = menu().parse_known_args()
    if arguments and options.command != "test":
        menu().error(f"unrecognized arguments: {' '.join(arguments)}")
    options.given = arguments
    if not is_inside:
        if not is_set_up(for_tests=options.command in FOR_TESTS):  # it may be named after a switch
            set_up(for_tests=options.command in FOR_TESTS)
        step_inside()
    sys.path.insert(0, str(HERE))
    try:
        return int(globals()[options.command](options))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if type(error).__name__ in ("ThemeError", "BuildError", "SettingsError", "DemoError", "CatalogError"):
            stop(str(error))
        if isinstance(error, OSError) and error.filename:
            stop(f"{error.filename}: {error.strerror}")
        raise


if __name__ == "__main__":
    from server.merchant.piping import while_read

    raise SystemExit(while_read(main))
