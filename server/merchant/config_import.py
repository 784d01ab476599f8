"""`python -m server config import BRAND FILE`: a `billing_portal.configuration` of Stripe becomes `portal.toml`'s tables.

Names and values are the same, so most of it is carried over as it stands. The file keeps its comments and its other
tables; a table of `[features]` that the configuration speaks of takes the place of the one that was there, except keys
that only Postern has (`rules`, `reasons_text`). What has no place here is named, and so is what had to be put
differently. The result is read like any `portal.toml` before it takes the old one's place: a combination that is not
allowed changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from server.brands import PORTAL_FILE, Mistake, ThemeError
from server.merchant.link import replace_file

LARGEST = 1024 * 1024
_SILENT = frozenset(
    {"id", "object", "active", "application", "created", "updated", "is_default", "livemode", "metadata"}
)
"""What says nothing about what customers may do."""
_KEYS: dict[str, tuple[str, ...]] = {
    "customer_update": ("enabled", "allowed_updates"),
    "invoice_history": ("enabled",),
    "payment_method_update": ("enabled",),
    "subscription_cancel": ("enabled", "mode", "proration_behavior", "cancellation_reason"),
    "subscription_update": (
        *("enabled", "default_allowed_updates", "products", "proration_behavior", "billing_cycle_anchor"),
        *("schedule_at_period_end", "trial_update_behavior"),
    ),
    "subscription_pause": ("enabled",),
}
_INSIDE: dict[str, tuple[str, ...]] = {
    "subscription_cancel.cancellation_reason": ("enabled", "options"),
    "subscription_update.products[]": ("product", "prices", "adjustable_quantity"),
    "subscription_update.products[].adjustable_quantity": ("enabled", "minimum", "maximum"),
    "subscription_update.schedule_at_period_end": ("conditions",),
}
_OWN = {
    "subscription_cancel": ("reasons_text", "retention"),
    "subscription_update": ("rules",),
    "subscription_pause": ("max_cycles",),
}
_BUSINESS = ("headline", "privacy_policy_url", "terms_of_service_url")


class ConfigRefused(Exception):
    """The file is no configuration; the message says what was found."""


class Brought(msgspec.Struct, frozen=True):
    """What an import did."""

    tables: tuple[str, ...]
    """The tables that were written."""
    unplaced: tuple[str, ...]
    """What has no place here, by its path, and what was put differently."""


def import_config(folder: Path, file: Path) -> Brought:
    """Write the configuration in `file` into the `portal.toml` of this brand's folder.

    Raises `ConfigRefused` for the file and `ThemeError` for what would not be allowed; nothing is changed then.
    """
    found = _configuration(file)
    unplaced: list[str] = []
    business = _business(found, unplaced)
    try:
        features = _features(found, unplaced)
    except ConfigRefused as refused:
        raise ConfigRefused(f"{file}: {refused}") from None
    target = folder / PORTAL_FILE
    replace_file(target, _edited(target, business, features))
    tables = (["business"] if business else []) + [f"features.{name}" for name in features]
    return Brought(tuple(tables), tuple(unplaced))


def _configuration(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
        found = json.loads(text) if len(text) <= LARGEST else None
    except OSError as error:
        raise ConfigRefused(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigRefused(f"{file}: not JSON ({str(error)[:120]})") from None
    if isinstance(found, dict) and found.get("object") == "list" and isinstance(found.get("data"), list):
        defaults = [each for each in found["data"] if isinstance(each, dict) and each.get("is_default")]
        found = defaults[0] if defaults else next(iter(found["data"]), None)
    if not isinstance(found, dict) or found.get("object") != "billing_portal.configuration":
        raise ConfigRefused(f'{file}: expected one object with "object": "billing_portal.configuration"')
    if not isinstance(found.get("features"), dict):
        raise ConfigRefused(f"{file}: $.features: expected an object")
    return found


def _business(found: dict[str, Any], unplaced: list[str]) -> dict[str, str]:
    profile = found.get("business_profile")
    texts = {key: value for key, value in profile.items() if value} if isinstance(profile, dict) else {}
    if found.get("default_return_url"):
        texts["default_return_url"] = found["default_return_url"]
    unplaced += [f"business_profile.{key}" for key in texts if key not in (*_BUSINESS, "default_return_url")]
    page = found.get("login_page")
    if isinstance(page, dict) and page.get("enabled"):
        unplaced.append("login_page: links are not carried over; run: python -m server link activate")
    known = ("features", "business_profile", "default_return_url", "login_page")
    unplaced += [key for key, value in found.items() if key not in (*known, *_SILENT) and value]
    return {key: texts[key] for key in (*_BUSINESS, "default_return_url") if key in texts}


def _features(found: dict[str, Any], unplaced: list[str]) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for name, values in found["features"].items():
        if name in _KEYS and isinstance(values, dict):
            made[name] = _kept(values, name, _KEYS[name], unplaced)
        elif values:
            unplaced.append(f"features.{name}")
    if made.get("subscription_cancel", {}).get("proration_behavior") == "always_invoice":
        made["subscription_cancel"]["proration_behavior"] = "create_prorations"
        unplaced.append(
            "features.subscription_cancel.proration_behavior: always_invoice became create_prorations, since a "
            "cancellation at once is always invoiced here"
        )
    return made


def _kept(values: Mapping[str, Any], path: str, keys: tuple[str, ...], unplaced: list[str]) -> dict[str, Any]:
    """The keys that have a place, the rest named; what is null or empty is left to its default."""
    unplaced += [f"features.{path}.{key}" for key, value in values.items() if key not in keys and value]
    made: dict[str, Any] = {}
    for key in keys:
        value, below = values.get(key), f"{path}.{key}"
        if value is None:
            continue
        if below in _INSIDE:
            value = _kept(_an_object(value, below), below, _INSIDE[below], unplaced)
        elif f"{below}[]" in _INSIDE:
            whole = [_an_object(each, f"{below}[]") for each in _a_list(value, below)]
            value = [_kept(each, f"{below}[]", _INSIDE[f"{below}[]"], unplaced) for each in whole]
        elif isinstance(value, list | dict):
            # A condition is an object with nothing but its type.
            value = [each.get("type") if isinstance(each, dict) else each for each in _a_list(value, below)]
            if not all(isinstance(each, str) for each in value):
                raise ConfigRefused(f"$.features.{below}: expected a list of texts")
        made[key] = value
    return made


def _an_object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigRefused(f"$.features.{path}: expected an object, found {str(value)[:40]!r}")
    return value


def _a_list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigRefused(f"$.features.{path}: expected a list, found {str(value)[:40]!r}")
    return value


def _edited(file: Path, business: dict[str, str], features: dict[str, dict[str, Any]]) -> str:
    try:
        document = tomlkit.parse(file.read_bytes().decode().removeprefix("\ufeff"))
        if business:
            document.setdefault("business", tomlkit.table()).update(business)
        if features:
            tables = document.setdefault("features", tomlkit.table(is_super_table=True))
            for name, values in features.items():
                _put(tables.setdefault(name, tomlkit.table()), values, _OWN.get(name, ()))
        return tomlkit.dumps(document)
    except (TOMLKitError, UnicodeDecodeError, OSError, TypeError, AttributeError) as error:
        found = f"what cannot be edited ({str(error)[:120]})"
        raise ThemeError([Mistake(file, 0, "features", found, "TOML 1.0, with [features] a table")]) from None


def _put(table: Any, values: dict[str, Any], own: tuple[str, ...]) -> None:
    """Set what the configuration says in place, so that comments stay beside their keys; drop what it does not say."""
    for key in [each for each in table if each not in values and each not in own]:
        del table[key]
    for key, value in values.items():
        if table.get(key) != value:
            table[key] = _item(value)


def _item(value: Any) -> Any:
    if isinstance(value, dict):
        made: Table = tomlkit.table()
        for key, each in value.items():
            made[key] = tomlkit.inline_table() if isinstance(each, dict) else each
            if isinstance(each, dict):
                made[key].update(each)
        return made
    if isinstance(value, list) and value and isinstance(value[0], dict):
        tables: AoT = tomlkit.aot()
        for each in value:
            tables.append(_item(each))
        return tables
    return value
