"""Which browser the journeys run in, and how a machine without one gets it.

Tried in this order: Playwright's own Chromium, a Chromium or Chrome of the system, Playwright's download, Debian's
package. Chromium's headless shell, the same engine without a desktop browser around it, goes before each: a page costs it
a quarter of the time. Never given up silently: a machine where none works is told what was tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from playwright.sync_api import Browser, Playwright

from tests.support.firefox import Firefox

VARIABLE = "POSTERN_BROWSER"
"""Names the executable; set it to use another Chromium."""

_DRIVER = [sys.executable, "-m", "playwright", "--version"]

ENGINE = "POSTERN_ENGINE"
FIREFOX = ("firefox-esr", "firefox")

SHELL = "chromium-headless-shell"
SYSTEM = (SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

# Chromium calls home at every start; a test machine may have no way out, and nobody asked it to.
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--disable-features=OptimizationHints,MediaRouter",
)


def launch_options(executable: str) -> dict[str, object]:
    """For `playwright.chromium.launch`."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return {"executable_path": executable, "args": [*QUIET, *(["--no-sandbox"] if as_root else [])]}


def executable() -> str:
    """Of the engine that `build.py test --engine` names; Chromium's where it names none. Before Playwright is started."""
    return find_firefox() if os.environ.get(ENGINE) == "firefox" else find_or_install(print)


def launch(playwright: Playwright, executable: str) -> Browser:
    if os.environ.get(ENGINE) == "firefox":
        return cast(Browser, Firefox(playwright, executable))
    return playwright.chromium.launch(**launch_options(executable))  # type: ignore[arg-type]


def find_firefox() -> str:
    found = os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, FIREFOX)), None)
    if not found:
        raise SystemExit(f"No Firefox is installed. On Debian: apt-get install {FIREFOX[0]}")
    return found


def find() -> str | None:
    named = os.environ.get(VARIABLE)
    if named:
        return named
    own = _playwright_chromium()
    if own:
        return own
    for name in SYSTEM:
        if found := shutil.which(name):
            return found
    return str(MAC) if MAC.exists() else None


def find_or_install(say: Callable[[str], None]) -> str:
    """The executable's path; `SystemExit` with everything that was tried when there is none to be had."""
    _see_that_the_driver_runs(say)
    if found := find():
        return _shell_beside(found, say) or found
    tried = []
    for words, commands in _ways():
        say(f"No browser yet: {words} …")
        tried += _run_all(commands)
        if found := find():
            return found
    raise SystemExit(
        "\n".join(tried) + f"\nThe browser tests need Chromium. Install it, or set {VARIABLE} to its executable."
    )


def _shell_beside(found: str, say: Callable[[str], None]) -> str | None:
    """Debian's headless shell, where its desktop browser is all that there is and a package can be had."""
    if found != shutil.which("chromium") or not _is_root_on_debian():
        return None
    say("Installing Chromium's headless shell, which tests in a quarter of the time …")
    return shutil.which(SHELL) if installed_by_debian(SHELL) else None


def _see_that_the_driver_runs(say: Callable[[str], None]) -> None:
    """Playwright's driver needs a library that a minimal Debian lacks (`libatomic1`, seen with 1.65)."""
    fault = _run_all([_DRIVER])
    if fault and _is_root_on_debian():
        say("Playwright's driver does not start: installing the library that it needs …")
        tried = _run_all([["apt-get", "update"], ["apt-get", "install", "-y", "libatomic1"]])
        fault = [*tried, *again] if (again := _run_all([_DRIVER])) else []
    if fault:
        raise SystemExit(
            "\n".join(fault) + "\nThe browser tests need Playwright, whose driver does not start here. "
            "Install what it asks for; on Debian and Ubuntu: apt-get install libatomic1"
        )


def _run_all(commands: list[list[str]]) -> list[str]:
    """One after the other, until one fails: what it printed."""
    for command in commands:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            return [f"$ {' '.join(command)}\n{(done.stdout + done.stderr)[-800:]}"]
    return []


def installed_by_debian(package: str) -> bool:
    """Installs it where that can be done without asking anybody; whether it is there now."""
    commands = [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]]
    return _is_root_on_debian() and not _run_all(commands)


def _is_root_on_debian() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _ways() -> list[tuple[str, list[list[str]]]]:
    ways = [
        ("Playwright downloads Chromium", [[sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]])
    ]
    if _is_root_on_debian():
        install = ["apt-get", "install", "-y"]
        ways.append(("installing Debian's Chromium", [["apt-get", "update"], [*install, SHELL]]))
        ways.append(("installing Debian's Chromium for desktops", [[*install, "chromium"]]))
    return ways


def _playwright_chromium() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    shells = sorted(path.parents[2].glob("chromium_headless_shell-*/*/*headless*shell"))
    return next((str(each) for each in [*shells[-1:], path] if each.exists()), None)
