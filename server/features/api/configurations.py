"""Configurations: what customers may do in a session that names one. Their keys are those of `[features]` in `portal.toml`, by the
same declarations; the names are Stripe's.

What Stripe writes differently is translated: a condition is an object with a `type`, and a pause lasts for months
(`duration`) where ours lasts for billing periods (`max_cycles`). A feature that is left out is off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from server.access import configurations
from server.access.configurations import DEFAULT, Configuration, Kept, Texts
from server.brands import Features
from server.brands.features import MOST_UNITS
from server.brands.portal_file import Business
from server.brands.reading import declared
from server.brands.reading.declared import Keys
from server.brands.reading.keys import Flag, Section, Text
from server.features.api.call import Call, Change, Object, page
from server.features.api.errors import ApiError, missing
from server.features.api.parameters import Page, TextMap, checked, typed
from server.portal import Portal
from server.store import Transaction

_OF_THE_BUSINESS = {each.name: each.key for each in declared.fields(Business)}
LONGEST_PAUSE = 12
_MONTHS = tuple(map(str, range(1, LONGEST_PAUSE + 1)))


class BusinessProfile(Keys, frozen=True):
    headline: Annotated[str, _OF_THE_BUSINESS["headline"]] = ""
    privacy_policy_url: Annotated[str, _OF_THE_BUSINESS["privacy_policy_url"]] = ""
    terms_of_service_url: Annotated[str, _OF_THE_BUSINESS["terms_of_service_url"]] = ""


class LoginPage(Keys, frozen=True):
    enabled: Annotated[bool, Flag("only false: the brand's one log-in page is the default configuration's")] = False


class Create(Keys, frozen=True):
    """What a new configuration says."""

    features: Annotated[Features, Section("what customers may do; a feature that is left out is off")] = Features()
    business_profile: Annotated[BusinessProfile, Section("what pages say of the business")] = BusinessProfile()
    default_return_url: Annotated[str, _OF_THE_BUSINESS["default_return_url"]] = ""
    login_page: LoginPage = LoginPage()
    metadata: Annotated[dict[str, str], TextMap("texts of your own")] = msgspec.field(default_factory=dict)
    name: Annotated[str, Text("a name of your own for it", limit=250)] = ""


class Update(Create, frozen=True):
    """What is to be changed; what is left out stays as it is, and an empty text takes away."""

    active: Annotated[bool, Flag("whether new sessions may name it")] = True


class List(Page, frozen=True):
    active: Annotated[bool | None, Flag("only those that are active, or that are not", left_out="both")] = None
    is_default: Annotated[bool | None, Flag("only the default one, or all others", left_out="all")] = None


async def create(call: Call) -> Change:
    values = _values(call, Create)
    if "features" not in call.values:
        raise ApiError("Missing required param: features.", code="parameter_missing", param="features")
    made = _read(Create, {**values, "features": {**_OFF, **values["features"]}})
    _check_enabled(values["features"])
    metadata = {key: value for key, value in made.metadata.items() if value}
    it = Configuration(made.features, call.now, _texts(made), made.name, metadata)

    def work(transaction: Transaction) -> Object:
        kept = configurations.add(transaction, call.portal.name, it, live=call.key.is_live, now=call.now)
        if kept is None:
            raise ApiError(f"There are {configurations.MOST} configurations, which is the most there may be.")
        made = answer(call.portal, kept)
        call.tell(transaction, "", "billing_portal.configuration.created", made)
        return made

    return work


async def retrieve(call: Call) -> Object:
    call.read(Keys)
    return answer(call.portal, await find(call, call.id, "configuration", status=404))


async def update(call: Call) -> Change:
    seen = await find(call, call.id, "configuration", status=404)
    if seen.id == DEFAULT:
        words = (
            "The default configuration is the brand's portal.toml; change it there, or create another configuration."
        )
        raise ApiError(words, param="configuration")
    values = _values(call, Update)
    before = _as_values(seen.it)
    metadata = before["metadata"] if call.values.get("metadata") != "" else {}
    merged = {**_merged(before, values), "metadata": {**metadata, **(values.get("metadata") or {})}}
    made = _read(Update, merged)
    kept_metadata = {key: value for key, value in made.metadata.items() if value}
    it = Configuration(made.features, call.now, _texts(made), made.name, kept_metadata, made.active)

    def work(transaction: Transaction) -> Object:
        kept = configurations.change(transaction, call.portal.name, seen, it)
        if kept is None:
            words = "This configuration is being changed by another request. Try again."
            raise ApiError(words, status=409, code="lock_timeout")
        changed = answer(call.portal, kept)
        call.tell(transaction, "", "billing_portal.configuration.updated", changed)
        return changed

    return work


async def list_(call: Call) -> Object:
    wanted = call.read(List)
    found = [
        (each.id, each)
        for each in await configurations.every(call.portal, live=call.key.is_live)
        if wanted.active in (None, each.it.active) and wanted.is_default in (None, each.id == DEFAULT)
    ]
    return page("/v1/billing_portal/configurations", found, wanted, lambda each: answer(call.portal, each))


async def find(call: Call, id_: str, param: str, *, status: int = 400) -> Kept:
    """Raises `ApiError` where the brand has none of that id for this kind of data."""
    kept = await configurations.find(call.portal, id_, live=call.key.is_live)
    if kept is None:
        raise missing("configuration", id_, param, status=status)
    return kept


def answer(portal: Portal, kept: Kept) -> Object:
    """As Stripe writes it."""
    it, is_default = kept.it, kept.id == DEFAULT
    link = portal.link if is_default else ""
    return {
        "id": kept.id,
        "object": "billing_portal.configuration",
        "active": it.active,
        "application": None,
        "business_profile": {
            "headline": it.texts.headline or None,
            "privacy_policy_url": it.texts.privacy_policy_url or None,
            "terms_of_service_url": it.texts.terms_of_service_url or None,
        },
        "created": _seconds(kept.created_at),
        "default_return_url": it.texts.default_return_url or None,
        "features": _features(it.features),
        "is_default": is_default,
        "livemode": kept.is_live,
        "login_page": {"enabled": bool(link), "url": portal.origin + portal.paths.login_page(link) if link else None},
        "metadata": it.metadata,
        "name": it.name or None,
        "updated": _seconds(it.updated_at),
    }


def _features(features: Features) -> Object:
    """Those that Stripe has, with its names and shapes; our own are not in an answer."""
    cancel, update_ = features.subscription_cancel, features.subscription_update
    pause, details = features.subscription_pause, features.customer_update
    reasons = cancel.cancellation_reason
    months = {"interval": "month", "interval_count": pause.max_cycles}
    return {
        "customer_update": {"enabled": details.enabled, "allowed_updates": details.allowed_updates},
        "invoice_history": {"enabled": features.invoice_history.enabled},
        "payment_method_update": {
            "enabled": features.payment_method_update.enabled,
            "payment_method_configuration": features.payment_method_update.payment_method_configuration or None,
        },
        "subscription_cancel": {
            "enabled": cancel.enabled,
            "mode": cancel.mode,
            "proration_behavior": cancel.proration_behavior,
            "cancellation_reason": {"enabled": reasons.enabled, "options": reasons.options, "feedback_options": []},
        },
        "subscription_pause": {
            "enabled": pause.enabled,
            "duration": {"type": "interval_options", "interval_options": [months]},
        },
        "subscription_update": {
            "enabled": update_.enabled,
            "billing_cycle_anchor": update_.billing_cycle_anchor,
            "default_allowed_updates": update_.default_allowed_updates,
            "products": [_product(each) for each in update_.products],
            "proration_behavior": update_.proration_behavior,
            "schedule_at_period_end": {
                "conditions": [{"type": each} for each in update_.schedule_at_period_end.conditions]
            },
            "trial_update_behavior": update_.trial_update_behavior,
        },
    }


def _product(it: Any) -> Object:
    maximum = it.adjustable_quantity.maximum
    quantity = {
        "enabled": it.adjustable_quantity.enabled,
        "minimum": it.adjustable_quantity.minimum,
        "maximum": None if maximum == MOST_UNITS else maximum,
    }
    return {"product": it.product, "prices": it.prices, "adjustable_quantity": quantity}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


_HASHES = ("features", "business_profile", "login_page", "metadata")
_OFF: dict[str, Any] = {
    **{each.name: {"enabled": False} for each in declared.fields(Features) if each.below is not None},
    "subscription_cancel": {"enabled": False, "cancellation_reason": {"enabled": False}},
}


def _check_enabled(features: Mapping[str, Any]) -> None:
    """As Stripe asks for it: who names a feature says whether it is on."""
    asked = {f"[{name}]": table for name, table in features.items() if name in _OFF and name != "subscription_pause"}
    asked["[subscription_cancel][cancellation_reason]"] = features.get("subscription_cancel", {}).get(
        "cancellation_reason"
    )
    for name, table in asked.items():
        if isinstance(table, dict) and "enabled" not in table:
            param = f"features{name}[enabled]"
            raise ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def _values(call: Call, kind: type[Create]) -> dict[str, Any]:
    """The parameters, typed, with what Stripe writes differently as ours."""
    features = call.values.get("features")
    given = {**call.values, "features": _translated(features)} if isinstance(features, dict) else call.values
    values = typed(kind, given)
    if odd := {name: values[name] for name in _HASHES if not isinstance(values.get(name), dict | None)}:
        _read(kind, odd)  # raises in the reader's words: what follows looks into them
    if isinstance(values.get("features"), dict):
        cancel = values["features"].get("subscription_cancel")
        if isinstance(cancel, dict) and kind is Create:
            cancel.setdefault("cancellation_reason", {"enabled": False})
    if (values.get("login_page") or {}).get("enabled") is True:
        words = "Invalid login_page[enabled]: only the default configuration has a log-in page, the brand's own."
        raise ApiError(words, code="parameter_invalid", param="login_page[enabled]")
    return values


def _translated(features: dict[str, Any]) -> dict[str, Any]:
    made = dict(features)
    update_, pause = made.get("subscription_update"), made.get("subscription_pause")
    if isinstance(update_, dict) and isinstance(schedule := update_.get("schedule_at_period_end"), dict):
        conditions = schedule.get("conditions")
        if isinstance(conditions, dict):
            types = {key: _type_of(each) for key, each in conditions.items()}
            made["subscription_update"] = {**update_, "schedule_at_period_end": {**schedule, "conditions": types}}
    if isinstance(pause, dict) and "duration" in pause:
        rest = {key: value for key, value in pause.items() if key != "duration"}
        made["subscription_pause"] = {**rest, "max_cycles": _cycles(pause["duration"])}
    return made


def _type_of(condition: Any) -> Any:
    return condition["type"] if isinstance(condition, dict) and set(condition) == {"type"} else condition


def _cycles(duration: Any) -> str:
    """Months as billing periods: the longest of those that are named. Raises `ApiError` for what a pause cannot be here."""
    here = "features[subscription_pause][duration]"
    given = duration if isinstance(duration, dict) else {}
    for name in given:
        if name not in ("type", "interval_options"):
            raise ApiError(
                f"Received unknown parameter: {here}[{name}]", code="parameter_unknown", param=f"{here}[{name}]"
            )
    if given.get("type") != "interval_options":
        words = f"Invalid {here}[type]: a pause here ends by itself; allowed: interval_options"
        raise ApiError(words, code="parameter_invalid", param=f"{here}[type]")
    options = given.get("interval_options", {"0": {"interval": "month", "interval_count": "1"}})
    counts = []
    for key, option in options.items() if isinstance(options, dict) else ():
        count = option.get("interval_count", "1") if isinstance(option, dict) else ""
        if count not in _MONTHS or option.get("interval") != "month":
            param = f"{here}[interval_options][{key}]"
            raise ApiError(
                f"Invalid {param}: allowed: 1 to {LONGEST_PAUSE} months", code="parameter_invalid", param=param
            )
        counts.append(int(count))
    return str(max(counts, default=1))


def _as_values(it: Configuration) -> dict[str, Any]:
    """A configuration as the values that would make it."""
    features = _without_blanks(msgspec.json.decode(msgspec.json.encode(it.features)))
    texts = msgspec.structs.asdict(it.texts)
    return {
        "features": features,
        "default_return_url": texts.pop("default_return_url"),
        "business_profile": texts,
        "metadata": dict(it.metadata),
        "name": it.name,
        "active": it.active,
    }


def _without_blanks(values: Any) -> Any:
    """Without empty texts, which are keys that were left out."""
    if isinstance(values, dict):
        return {key: _without_blanks(value) for key, value in values.items() if value != ""}
    return [_without_blanks(each) for each in values] if isinstance(values, list) else values


def _merged(before: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values over those before, hash by hash; a list takes the place of the list."""
    made = dict(before)
    for key, value in values.items():
        old = made.get(key)
        made[key] = _merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return made


def _read(kind: type[Create], values: dict[str, Any]) -> Any:
    return checked(kind, values)


def _texts(made: Create) -> Texts:
    return replace(Texts(**msgspec.structs.asdict(made.business_profile)), default_return_url=made.default_return_url)
