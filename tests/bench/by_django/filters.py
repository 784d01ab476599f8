"""The portal's own filters of amounts and dates: both sides are given the same ones, so that they are not what is measured."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template

from server.formats.money import Money
from server.rendering.filters import babel_locale, filters_of

register = template.Library()
_OURS = filters_of(babel_locale("en"), ZoneInfo("UTC"), "DE")
register.filter("iso", _OURS["iso"])
register.filter("clock", _OURS["time"])
register.filter("unit_price", _OURS["unit_price"])


@register.filter
def day(value: datetime, style: str = "long") -> str:
    return str(_OURS["date"](value, style))


@register.filter
def money(value: int, currency: str) -> str:
    return str(_OURS["money"](Money(value, currency)))
