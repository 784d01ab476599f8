"""`python -m server config import BRAND FILE`: a `billing_portal.configuration` of Stripe becomes `portal.toml`'s tables.

Which key is which path of Stripe's is declared with the key (`server/brands/`); most names and values are the same, so
most of it is copied. The file keeps its comments and its other tables. A table of `[features]` that the configuration
has replaces the one in the file, except for the keys that only Postern has (`rules`, `reasons_text`). The command names
what has no place here, and what it had to write differently. The result is read like any `portal.toml` before it replaces
the old file: a combination that is not allowed changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from server.brands import PortalConfig
from server.brands.reading.declared import entries
from server.publishing import brand_files

LARGEST = 1024 * 1024
_SILENT = frozenset(
    {"id", "object", "active", "application", "created", "updated", "is_default", "livemode", "metadata"}
)
"""Fields of the configuration that say nothing about what customers may do."""
_DECLARED = tuple(entries(PortalConfig))
_PLACES = {each.stripe: each for each in _DECLARED if each.stripe}
"""Each key of `portal.toml` that Stripe has too, by its path in Stripe's configuration."""


class ConfigRefused(Exception):
    """The file is no configuration; the message says what was found."""


class Brought(msgspec.Struct, frozen=True):
    """What an import did."""

    tables: tuple[str, ...]
    """The tables that were written."""
    unplaced: tuple[str, ...]
    """What has no place here, by its path, and what was written differently."""
    taken: str = ""
    """Which one it was, where the file holds several."""


def import_config(folder: Path, file: Path) -> Brought:
    """Write the configuration in `file` into the `portal.toml` of this brand's folder.

    Raises `ConfigRefused` for the file and `ThemeError` for what would not be allowed; nothing is changed then.
    """
    found, taken = _configuration(file)
    unplaced: list[str] = []
    texts = _texts(found, unplaced)
    try:
        features = _features(found, unplaced)
    except ConfigRefused as refused:
        raise ConfigRefused(f"{file}: {refused}") from None
    held = brand_files.held(brand_files.read(folder, follow_links=True)).get("features")
    changes = {f"{table}.{key}": value for table, values in texts.items() for key, value in values.items()}
    for name, values in features.items():
        changes |= _changes(held.get(name) if isinstance(held, dict) else None, values, f"features.{name}")
    brand_files.change(folder, changes)
    return Brought((*texts, *(f"features.{name}" for name in features)), tuple(unplaced), taken)


def _configuration(file: Path) -> tuple[dict[str, Any], str]:
    """The configuration, and which one it is where there are several."""
    taken = ""
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
        found = json.loads(text) if len(text) <= LARGEST else None
    except OSError as error:
        raise ConfigRefused(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigRefused(f"{file}: not JSON ({str(error)[:120]})") from None
    if isinstance(found, dict) and found.get("object") == "list" and isinstance(found.get("data"), list):
        several = found["data"]
        defaults = [each for each in several if isinstance(each, dict) and each.get("is_default")]
        found = defaults[0] if defaults else next(iter(several), None)
        if len(several) > 1 and isinstance(found, dict):
            taken = f"{found.get('id')}, the {'default' if defaults else 'first'} of {len(several)} configurations"
    if not isinstance(found, dict) or found.get("object") != "billing_portal.configuration":
        raise ConfigRefused(f'{file}: expected one object with "object": "billing_portal.configuration"')
    if not isinstance(found.get("features"), dict):
        raise ConfigRefused(f"{file}: $.features: expected an object")
    return found, taken


def _texts(found: dict[str, Any], unplaced: list[str]) -> dict[str, dict[str, Any]]:
    """The paths outside of `features` that have a place, by the table and the key of that place."""
    profile = found.get("business_profile")
    texts = {f"business_profile.{key}": value for key, value in profile.items()} if isinstance(profile, dict) else {}
    texts |= {key: value for key, value in found.items() if key not in ("features", "business_profile", "login_page")}
    unplaced += [path for path, value in texts.items() if value and path not in _PLACES and path not in _SILENT]
    page = found.get("login_page")
    if isinstance(page, dict) and page.get("enabled"):
        unplaced.append("login_page: links are not carried over; run: python -m server link activate")
    made: dict[str, dict[str, Any]] = {}
    for each in _PLACES.values():
        if texts.get(each.stripe):
            table, _, key = each.path.rpartition(".")
            made.setdefault(table, {})[key] = texts[each.stripe]
    return made


def _features(found: dict[str, Any], unplaced: list[str]) -> dict[str, Any]:
    named = {name: values for name, values in found["features"].items() if isinstance(values, dict)}
    unplaced += [f"features.{name}" for name, values in found["features"].items() if values and name not in named]
    made = _kept(named, "features", unplaced)
    updates = made.get("subscription_update", {})
    if updates.get("enabled") and updates.get("default_allowed_updates") and "products" not in updates:
        raise ConfigRefused(
            "$.features.subscription_update.products: not there, as Stripe leaves it out; export the configuration with "
            "expand[]=data.features.subscription_update.products (of a single one: without `data.`)"
        )
    if made.get("subscription_cancel", {}).get("proration_behavior") == "always_invoice":
        made["subscription_cancel"]["proration_behavior"] = "create_prorations"
        unplaced.append(
            "features.subscription_cancel.proration_behavior: always_invoice became create_prorations, since a "
            "cancellation at once is always invoiced here"
        )
    return made


def _kept(values: Mapping[str, Any], path: str, unplaced: list[str]) -> dict[str, Any]:
    """The keys that have a place, the others named; what is null or empty is left to its default."""
    made: dict[str, Any] = {}
    for key, value in values.items():
        below = f"{path}.{key}"
        if f"{below}[]" in _PLACES:
            if value is not None:
                whole = [_an_object(each, f"{below}[]") for each in _a_list(value, below)]
                made[key] = [_kept(each, f"{below}[]", unplaced) for each in whole]
        elif below not in _PLACES:
            unplaced += [below] if value else []
        elif value is not None:
            made[key] = _value(value, below, unplaced)
    return made


def _value(value: Any, path: str, unplaced: list[str]) -> Any:
    if _PLACES[path].below:
        return _kept(_an_object(value, path), path, unplaced)
    if not isinstance(value, list | dict):
        return value
    # A condition is an object with nothing but its type.
    texts = [each.get("type") if isinstance(each, dict) else each for each in _a_list(value, path)]
    if not all(isinstance(each, str) for each in texts):
        raise ConfigRefused(f"$.{path}: expected a list of texts")
    return texts


def _an_object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigRefused(f"$.{path}: expected an object, found {str(value)[:40]!r}")
    return value


def _a_list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigRefused(f"$.{path}: expected a list, found {str(value)[:40]!r}")
    return value


def _changes(held: Any, values: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """What to change so that the table at `path` has these values, and of its own keys only those that Stripe lacks."""
    below = held if isinstance(held, dict) else {}
    yield from ((f"{path}.{key}", None) for key in below if key not in values and key not in _own(f"{path}."))
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _changes(below.get(key), value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value


def _own(table: str) -> frozenset[str]:
    """The keys of a table that only Postern has."""
    below = (each for each in _DECLARED if each.path.startswith(table) and not each.stripe)
    return frozenset(each.path.removeprefix(table).partition(".")[0].removesuffix("[]") for each in below)
