"""The one HTML renderer: the build and the server both call it, and neither template nor renderer can tell which.

A fragment is rendered from a `View`. Its template is found by its name: `server.features.subscriptions.views.ConfirmCancel` is
shown by `fragments/subscriptions/confirm_cancel.html`, which gets the view as ``view``. A template of the brand, or of
a theme that it extends, takes the place of the site's at the same path, and may extend the original as ``site:<path>``.

Every template sees ``brand``, ``paths``, ``asset``, ``locale`` and ``direction``, and the filters `money`, `date`,
`time` and `number`, in the words of one locale. A fragment's template says ``{% set title = … %}`` at its top: a
fragment holds no ``h1``, and the layout around it writes the title as the page's heading.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from datetime import time as clock_time
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar
from unicodedata import combining, normalize
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from babel import Locale, UnknownLocaleError, dates, numbers
from jinja2.bccache import Bucket
from markupsafe import Markup

from server.brands import Brand
from server.brands.locales import own_name
from server.formats import address_lines as envelope
from server.formats.money import Money
from server.paths import Paths
from server.rendering import words
from server.rendering.assets import Assets
from server.rendering.speaking import speaking

SITE = Path(__file__).parents[2] / "site"


class View(msgspec.Struct, frozen=True):
    """What one fragment shows. A subclass holds everything that its template reads; nothing else is passed."""

    layout: ClassVar[str] = "account"
    """The layout around it when it is asked for as a page: `account` or `visitor`."""

    here: ClassVar[str] = ""
    """Its place in the navigation, where that is not the feature."""


class Language(msgspec.Struct, frozen=True):
    """One of the languages that a page is offered in."""

    tag: str
    name: str
    """As its speakers call it."""
    url: str
    """Where the page is in it."""
    is_current: bool


class Frame(msgspec.Struct, frozen=True):
    """What the layout around a fragment shows of who is logged in."""

    address: str = ""
    """The address that logged in; empty: nobody is."""
    customer_name: str = ""
    here: str = ""
    """The feature of the page, such as `invoices`, for the navigation."""
    has_other_accounts: bool = False
    """Other customers have the same address, and may be switched to."""
    languages: tuple[Language, ...] = ()
    """Those that the page can be read in; empty: there is no choice."""


@cache
def template_of(view: type[View]) -> str:
    """The path of the template that shows this view."""
    feature = view.__module__.split(".")[-2]
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", view.__name__).lower()
    return f"fragments/{feature}/{name}.html"


class Renderer:
    """The templates of one brand, in every locale that it offers. Safe to share: it keeps no state of a request."""

    def __init__(self, brand: Brand, assets: Assets, paths: Paths) -> None:
        self.brand, self.paths, self.assets = brand, paths, assets
        loader = _loader(brand)
        self._paths = {tag: _paths_in(paths, tag, brand) for tag in brand.config.site.locales}
        self._environments = {tag: _environment(brand, assets, its, tag, loader) for tag, its in self._paths.items()}

    @property
    def default_locale(self) -> str:
        return self.brand.config.site.locales[0]

    def environment(self, locale: str | None = None) -> jinja2.Environment:
        """The environment of one of the brand's locales; the first one without a name."""
        return self._environments[locale or self.default_locale]

    def paths_in(self, locale: str | None = None) -> Paths:
        """The URLs as pages of this locale write them."""
        return self._paths[locale or self.default_locale]

    def languages(self, url: Callable[[str], str], locale: str) -> tuple[Language, ...]:
        """The brand's languages, each with the `url` of the same page in it; empty where it has but one. `locale`: that
        of the page."""
        found = tuple(Language(tag, own_name(tag), url(tag), tag == locale) for tag in self._paths)
        return found if len(found) > 1 else ()

    def fragment(self, view: View, locale: str | None = None) -> str:
        return self.environment(locale).get_template(template_of(type(view))).render(view=view)

    def page(self, view: View, frame: Frame, locale: str | None = None, layout: str = "") -> str:
        """The fragment inside a layout, its own where none is named: a whole document."""
        environment = self.environment(locale)
        module = environment.get_template(template_of(type(view))).make_module({"view": view})
        around = environment.get_template(f"layouts/{layout or view.layout}.html")
        title = getattr(module, "title", None)
        if title is None:
            raise LookupError(
                f"{template_of(type(view))}: set a title at the top of the template: {{% set title = … %}}"
            )
        return around.render(title=title, body=Markup(str(module)), frame=frame)  # noqa: S704 (already escaped once)

    def static_page(
        self, name: str, locale: str | None = None, languages: tuple[Language, ...] = (), **context: Any
    ) -> str:
        """A page of `pages/`, with no customer in sight; `languages`: where it is in each."""
        template = self.environment(locale).get_template(f"pages/{name}.html")
        return template.render(frame=Frame(languages=languages), alternates=languages, **context)

    def text(self, template: str, locale: str | None = None, **context: Any) -> str:
        """Any other template, such as a mail's: rendered as it stands. A `.txt` is not escaped, everything else is."""
        return self.environment(locale).get_template(template).render(**context)

    def source(self, template: str) -> str:
        """A template as it stands: for those that another program reads."""
        environment = self.environment()
        assert environment.loader is not None  # noqa: S101 (the environments are ours)
        return environment.loader.get_source(environment, template)[0]


def _paths_in(paths: Paths, tag: str, brand: Brand) -> Paths:
    return dataclasses.replace(paths, language="" if tag == brand.config.site.locales[0] else tag)


def _loader(brand: Brand) -> jinja2.BaseLoader:
    site = jinja2.FileSystemLoader(SITE / "templates")
    overrides = [jinja2.FileSystemLoader(folder / "templates") for folder in brand.lineage]
    return jinja2.ChoiceLoader([*overrides, site, jinja2.PrefixLoader({"site": site}, delimiter=":")])


class _Compiled(jinja2.BytecodeCache):
    """Templates compiled once for all brands: most brands override few of them, and a build has hundreds of brands."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code


@cache
def _compiled(_tag: str) -> _Compiled:
    """One for each locale: Jinja works out a filter of a constant while it compiles, in the words of that locale."""
    return _Compiled()


def _environment(brand: Brand, assets: Assets, paths: Paths, tag: str, loader: jinja2.BaseLoader) -> jinja2.Environment:
    environment = words.Environment(
        tag,
        loader=loader,
        autoescape=lambda name: not (name or "").endswith(".txt"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=_compiled(tag),
    )
    locale = babel_locale(tag)
    environment.globals.update(
        brand=speaking(brand, tag, environment.translated),
        paths=paths,
        asset=assets,
        locale=tag,
        direction=locale.text_direction,
    )
    environment.filters.update(
        _filters(locale, ZoneInfo(brand.config.site.timezone), brand.config.business.address.country)
    )
    return environment


def _filters(locale: Locale, zone: ZoneInfo, home: str) -> dict[str, Callable[..., Any]]:
    # Babel takes 6 to 20 µs for a date or an amount, and a page shows dozens: what recurs is kept.
    @lru_cache(maxsize=20_000)
    def money(value: Money) -> str:
        """An amount with its currency: minor units become the currency's decimals."""
        digits = numbers.get_currency_precision(value.currency)
        return numbers.format_currency(Decimal(value.amount).scaleb(-digits), value.currency, locale=locale)

    @lru_cache(maxsize=5_000)
    def unit_price(minor_units: str, currency: str) -> str:
        """A unit price given as a decimal of minor units: fractions of a cent are kept."""
        digits = numbers.get_currency_precision(currency)
        amount = Decimal(minor_units).scaleb(-digits)
        if amount == amount.quantize(Decimal(1).scaleb(-digits)):
            return numbers.format_currency(amount, currency, locale=locale)
        return numbers.format_currency(
            amount, currency, locale=locale, currency_digits=False, decimal_quantization=False
        )

    @lru_cache(maxsize=20_000)
    def of_day(value: date, style: str) -> str:
        return dates.format_date(value, style, locale=locale)

    def day(value: datetime | date, style: str = "long") -> str:
        return of_day(value.astimezone(zone).date() if isinstance(value, datetime) else value, style)

    def time(value: datetime) -> str:
        local = value.astimezone(zone)
        return _of_minute(local.hour, local.minute, locale)

    def moment(value: datetime) -> str:
        return dates.format_datetime(value, "medium", tzinfo=zone, locale=locale)

    def number(value: int | str | Decimal) -> str:
        return numbers.format_decimal(Decimal(value), locale=locale)

    def country(code: str) -> str:
        return str(locale.territories.get(code.upper(), code))

    filters = (money, unit_price, time, moment, number, _iso, country)
    named: dict[str, Callable[..., Any]] = {each.__name__.lstrip("_"): each for each in filters}
    return {**named, "date": day, "by_name": _by_name(country), "address_lines": envelope.for_readers(country, home)}


@lru_cache(maxsize=10_000)
def _of_minute(hour: int, minute: int, locale: Locale) -> str:
    return dates.format_time(clock_time(hour, minute), "short", locale=locale)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _by_name(country: Callable[[str], str]) -> Callable[[tuple[str, ...]], list[tuple[str, str]]]:
    def key(named: tuple[str, str]) -> list[str]:
        return [each for each in normalize("NFKD", named[1].casefold()) if not combining(each)]

    @lru_cache(maxsize=8)
    def by_name(codes: tuple[str, ...]) -> list[tuple[str, str]]:
        """Countries with their names, in the order of the names; an accent decides nothing."""
        return sorted(((code, country(code)) for code in codes), key=key)

    return by_name


def babel_locale(tag: str) -> Locale:
    """The locale of a tag such as `en`, `pt-BR`, `ar`. Raises `ValueError` for one that Babel does not know."""
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"{tag}: not a locale") from error
