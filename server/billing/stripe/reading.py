"""What every mapping needs: reading a shape, following a reference, turning Stripe's numbers into ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec

from server.billing.model.account import Address, Coupon, CustomField, Discount, Price, Product, TaxRate
from server.billing.stripe import wire
from server.formats.money import Money

W = TypeVar("W", bound=wire.Wire)


class MappingError(Exception):
    """A record is not what Stripe sends: where in it (`path`, such as `$.items.data[0].price`), and what is wrong."""

    def __init__(self, problem: str, path: str = "$") -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


class Known(Protocol):
    """What references by id lead to; None where nothing of that id is known."""

    def product(self, product_id: str) -> Product | None: ...
    def price(self, price_id: str) -> Price | None: ...
    def coupon(self, coupon_id: str) -> Coupon | None: ...
    def discount(self, discount_id: str) -> Discount | None: ...
    def tax_rate(self, tax_rate_id: str) -> TaxRate | None: ...
    def promotion_code(self, promotion_code_id: str) -> str:
        """What the customer types, or empty."""
        ...


class Nothing:
    """Knows nothing: every reference must be expanded."""

    def product(self, product_id: str) -> Product | None:  # noqa: ARG002 (the protocol's name)
        return None

    def price(self, price_id: str) -> Price | None:  # noqa: ARG002
        return None

    def coupon(self, coupon_id: str) -> Coupon | None:  # noqa: ARG002
        return None

    def discount(self, discount_id: str) -> Discount | None:  # noqa: ARG002
        return None

    def tax_rate(self, tax_rate_id: str) -> TaxRate | None:  # noqa: ARG002
        return None

    def promotion_code(self, promotion_code_id: str) -> str:  # noqa: ARG002
        return ""


def read(shape: type[W], raw: Any, path: str = "$") -> W:
    """`raw` as that shape. Raises `MappingError` naming the JSON path, what was found and what was wanted."""
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        for pattern, words in wire.IN_WORDS.items():
            problem = problem.replace(f"`str` matching regex {pattern!r}", words)
        where = where.rstrip("`").removeprefix("key` in `")
        if "[...]" in where:
            where = _with_key(raw, shape, where, str(error))
        raise MappingError(problem[:1].lower() + problem[1:], path + where.removeprefix("$")) from None


def _with_key(raw: Any, shape: type[W], where: str, problem: str) -> str:
    """The path with the key of the value that is wrong, where msgspec says `[...]`: the one that is wrong alone, too."""
    before, _, after = where.partition("[...]")
    steps = [name or int(index) for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", before)]
    inside = raw
    for step in steps:
        inside = inside[step]
    for key, value in inside.items():
        try:
            msgspec.convert(_with(raw, steps, {key: value}), shape)
        except msgspec.ValidationError as error:
            if str(error) == problem:
                return f"{before}.{key}{after}"
    return before


def _with(raw: Any, steps: Sequence[str | int], value: Any) -> Any:
    """A copy with this value at the end of these steps."""
    if not steps:
        return value
    copy = raw.copy()
    copy[steps[0]] = _with(raw[steps[0]], steps[1:], value)
    return copy


def part(raw: Any, *names: str) -> dict[str, Any]:
    """The object below these names; an empty one where it is not there, or is of another kind."""
    for name in names:
        raw = raw.get(name) if isinstance(raw, dict) else None
    return raw if isinstance(raw, dict) else {}


def parts(raw: Any, *names: str) -> list[dict[str, Any]]:
    """The objects of the list below these names."""
    found = part(raw, *names[:-1]).get(names[-1])
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def ident(ref: Any, path: str) -> str:
    """The id that a reference means; empty for none."""
    if ref is None:
        return ""
    if isinstance(ref, str):
        return ref
    if not isinstance(ref, dict):  # of a record that nobody has read as its shape yet
        raise MappingError(f"expected an id, got {type(ref).__name__}", path)
    found = ref.get("id")
    if not isinstance(found, str) or not found:
        raise MappingError(f"expected an id, got {type(found).__name__}", f"{path}.id")
    return found


def owner(customer: wire.Ref | None, customer_account: str | None) -> str:
    """Whose it is: a customer of either API; empty for nobody's."""
    return ident(customer, "$.customer") or customer_account or ""


def at(seconds: int) -> datetime:
    """Raises `MappingError` where that is no moment which a calendar knows."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError):
        raise MappingError(f"expected seconds since 1970, got {seconds}") from None


def maybe_at(seconds: int | None) -> datetime | None:
    return None if seconds is None else at(seconds)


def money(amount: int, currency: str) -> Money:
    return Money(amount, currency.upper())


def decimal_text(exact: str | None, whole: int | None, path: str) -> str:
    """A decimal of minor units; the exact field wins over the rounded one. Empty where neither is given. Two that are a
    unit apart are not one amount: somebody wrote one of them in another unit."""
    if exact is not None and whole is not None and abs(Decimal(exact) - whole) >= 1:
        raise MappingError(f"says {exact[:40]} and {whole}, which are two amounts", path)
    if exact is not None:
        return f"{Decimal(exact).normalize():f}"
    return "" if whole is None else str(whole)


def percent(value: float) -> str:
    return f"{Decimal(repr(value)).normalize():f}"


def address(raw: wire.Address | None) -> Address:
    if raw is None:
        return Address()
    return Address(
        line1=raw.line1 or "",
        line2=raw.line2 or "",
        city=raw.city or raw.town or "",
        state=raw.state or "",
        postal_code=raw.postal_code or "",
        country=(raw.country or "").upper(),
    )


def exemption(word: str | None) -> str:
    """Stripe's `tax_exempt`: `reverse`, `exempt`, or nothing."""
    return word if word in ("reverse", "exempt") else ""


def is_disabled(metadata: dict[str, Any] | None) -> bool:
    """Whether the merchant switched the customer off."""
    return (metadata or {}).get("portal_disabled") in ("true", True)


def custom_fields(found: tuple[wire.CustomField, ...] | None) -> tuple[CustomField, ...]:
    """Those that say something."""
    return tuple(CustomField(each.name, each.value) for each in found or () if each.value)
