"""A new brand, made by the same code as `build.py new`.

| URL | right | does |
|---|---|---|
| `GET /_studio/new` | `edit`, for every brand | asks for a name, a color and a logo |
| `POST /_studio/new` | the same | makes the brand, or says what is wrong; it leads to the brand's link |
"""

from __future__ import annotations

import asyncio
import re

from litestar import get, post

from server.brands import RESERVED, Brand, Mistake, ThemeError
from server.brands.theme_file import NAME
from server.merchant import starting
from server.merchant.studio import history, saving
from server.merchant.studio.new.views import New, Wrong
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.visit import Answer, Operator, show
from server.web.forms import Posted, read_posted
from server.web.responding import AnyRequest, go

_LONGEST = 200
_FIELDS = {"color": "color", "logo": "logo", "icon": "logo", "business.name": "called"}


@get("/new", right="edit")
async def ask(request: AnyRequest) -> Answer:
    return show(request, New())


@post("/new", status_code=200, right="edit")
async def make(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    form = await read_posted(request)
    brand, called, color = (_text(form, each) for each in ("brand", "called", "color"))
    wrong = _wrong_with(studio, brand)
    uploaded = None
    if logo := form.files.get("logo"):
        try:
            uploaded = (saving.picture_name("logo", logo), logo)
        except ValueError as error:
            wrong.append(Wrong("logo", f"This cannot be the logo: {error}"))
    if not wrong:
        wrong = await _make(studio, brand, called, color, uploaded)
    if wrong:
        return show(request, New(brand, called, color, tuple(wrong)), status=422)
    now = studio.clock()
    await studio.store.write(
        lambda it: history.note(it, "brand_made", {}, operator=operator.address, brand=brand, now=now)
    )
    if studio.written:
        await studio.written(brand)
    return go(request, f"{start_of(brand)}/link?made=1")


async def _make(studio: Studio, brand: str, called: str, color: str, uploaded: tuple[str, bytes] | None) -> list[Wrong]:
    def begin() -> Brand:
        return starting.begin(studio.themes, brand, called=called, color=color, uploaded=uploaded, is_active=False)

    try:
        await asyncio.to_thread(begin)
    except ThemeError as error:
        return list({each.field: each for each in map(_said, error.mistakes)}.values())
    except OSError as error:
        return [Wrong("brand", f"The folder of themes cannot be written ({error.strerror}); use build.py new instead")]
    return []


def _wrong_with(studio: Studio, brand: str) -> list[Wrong]:
    if not re.fullmatch(NAME, brand) or brand.startswith("-"):  # which the commands would take for an option
        return [
            Wrong(
                "brand", "Use 1 to 40 characters from a-z, 0-9 and -, such as north-sea; begin with a letter or digit"
            )
        ]
    if brand in RESERVED:
        return [Wrong("brand", f"The name {brand} is reserved; choose another one")]
    if (studio.themes / brand).exists() or (studio.themes / brand).is_symlink():
        return [Wrong("brand", f"There is a folder named {brand} already; choose another name")]
    return []


def _said(mistake: Mistake) -> Wrong:
    return Wrong(_FIELDS.get(mistake.key, "color"), f"Found {mistake.found}; allowed is {mistake.allowed}")


def _text(form: Posted, name: str) -> str:
    return (form.texts.get(name) or [""])[-1].strip()[:_LONGEST]


handlers = (ask, make)
