"""From an operator's work to the views of the form pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from server.billing.electronic import seller_gaps
from server.brands import Mistake
from server.brands.locales import is_locale, own_name
from server.brands.portal_file import Business, Seat
from server.brands.theme_keys import STACKS
from server.merchant.studio.forms import Field, placed, said
from server.merchant.studio.pages import contents, contrasts, showing
from server.merchant.studio.pages.contents import Page
from server.merchant.studio.pages.selling import Sold
from server.merchant.studio.pages.showing import About
from server.merchant.studio.pages.views import (
    Asked,
    Elsewhere,
    Form,
    Frame,
    Link,
    Live,
    Option,
    Overview,
    Section,
    Summary,
    Unsaved,
    Wrong,
)
from server.merchant.studio.pages.work import Work
from server.merchant.studio.place import start_of
from server.merchant.studio.visit import Operator

_OLD = timedelta(hours=1)
"""A draft that was last changed before this is from an earlier visit."""


def frame(work: Work, operator: Operator, place: str, here: str, now: datetime) -> Frame:
    start = start_of(operator.brand)
    tabs = tuple(
        Link(each.title, f"{start}/{each.path}", each.path == contents.above(here))
        for each in contents.PAGES
        if each.place == place
    )
    if place == "portal":
        tabs = (Link("All features", f"{start}/portal", here == "portal"), *tabs)
    return Frame(
        brand=operator.brand,
        place=place,
        tabs=tabs if len(tabs) > 1 else (),
        unsaved=_unsaved(work, f"{start}/change", now),
        may_edit=operator.may("edit"),
        is_writable=work.is_writable,
        undo=f"{start}/writes",
    )


def _unsaved(work: Work, url: str, now: datetime) -> Unsaved | None:
    at = work.draft.changed_at
    if not work.draft.changes or at is None:
        return None
    return Unsaved(len(work.draft.changes), len(work.proposal.mistakes), at, now - at > _OLD, url)


def form(
    work: Work,
    page: Page,
    operator: Operator,
    sells: Sold,
    now: datetime,
    *,
    refused: Mapping[str, Sequence[str]] | None = None,
    attempted: bool = False,
) -> Form:
    """`attempted`: saving was asked for, so what is in its way is summed up on top."""
    url = f"{start_of(operator.brand)}/{page.path}"
    sections = _sections(work, page, operator, sells, refused or {})
    shown = [each for section in sections for each in showing.flat(section.items)]
    return Form(
        place=page.place,
        around=frame(work, operator, page.place, page.path, now),
        heading=page.title,
        lead=page.lead,
        url=url,
        languages=_languages(work, page, operator),
        sections=sections,
        wrong=_wrong(shown) if attempted or refused else (),
        elsewhere=elsewhere(work),
        tag=page.tag,
        lacks=_lacks(work, page),
        has_files=any(each.kind in ("image", "font", "styles") for each in shown) or page.path == "look/type",
        datalists=_datalists(shown, sells),
    )


def live(
    work: Work,
    page: Page,
    operator: Operator,
    sells: Sold,
    now: datetime,
    *,
    refused: Mapping[str, Sequence[str]],
    open_groups: Mapping[str, bool],
    received: Sequence[str],
) -> Live:
    """`open_groups`: by the path of a switch, whether the browser shows what depends on it as open. `received`: the controls
    that a file came for."""
    sections = _sections(work, page, operator, sells, refused)
    items = [each for section in sections for each in section.items]
    changed = []
    for group in showing.groups_of(items):
        switch = group.switch.field.name if group.switch else ""
        if switch in open_groups and open_groups[switch] == group.is_off:
            changed.append(group)
    inside = {each.id for group in changed for each in showing.flat(group.items)}
    rest = tuple(each for each in showing.flat(items) if each.id not in inside)
    url = f"{start_of(operator.brand)}/{page.path}"
    files = tuple(each for each in rest if each.field.name in received)
    return Live(frame(work, operator, page.place, page.path, now), url, rest, tuple(changed), _lacks(work, page), files)


def overview(work: Work, operator: Operator, now: datetime) -> Overview:
    """The pages of the portal's features, with what is on."""
    start, wrong = start_of(operator.brand), {page.path for _, page in work.by_page(work.mistakes) if page}
    summaries = []
    for page in (each for each in contents.PAGES if each.place == "portal"):
        ((_, fields),) = work.fields_of(page)
        switch = next(
            (each for each in fields if each.control.path.count(".") <= 2 and each.name.endswith(".enabled")), None
        )
        state = "" if switch is None else "on" if switch.texts == ("on",) else "off"
        is_touched = any(each.is_touched for each in fields)
        link = Link(page.title, f"{start}/{page.path}")
        summaries.append(Summary(link, page.lead, state, is_touched, page.path in wrong))
    return Overview("portal", frame(work, operator, "portal", "portal", now), tuple(summaries))


def elsewhere(work: Work) -> tuple[Elsewhere, ...]:
    """The mistakes that no page has a field for, such as those of a file as a whole."""
    return tuple(Elsewhere(each.key, _told(each)) for each, page in work.by_page(work.mistakes) if page is None)


def _told(mistake: Mistake) -> str:
    return f"{placed(mistake)}: {said(mistake)}"


def url_of(operator: Operator, page: Page, key: str = "") -> str:
    return f"{start_of(operator.brand)}/{page.path}{f'#field-{showing.slug(key)}' if key else ''}"


_GAPS = {
    "seller_vat_id": "a VAT number that begins with the country of the address",
    "seller_address": "street, city and country of the address",
}


def _lacks(work: Work, page: Page) -> tuple[str, ...] | None:
    if page.path != "business/invoices":
        return None
    seat = {each: _text(work.value(f"business.address.{each}")) for each in Seat.__struct_fields__}
    return tuple(
        _GAPS[each]
        for each in seller_gaps(Business(name="", tax_id=_text(work.value("business.tax_id")), address=Seat(**seat)))
    )


def _sections(
    work: Work, page: Page, operator: Operator, sells: Sold, refused: Mapping[str, Sequence[str]]
) -> tuple[Section, ...]:
    parts = [(part, fields) for part, fields in work.fields_of(page) if fields]
    about = _about([each for _, fields in parts for each in fields], work, operator, sells, refused)
    return tuple(
        Section(f"part-{number}", part.title, showing.arranged(showing.asked(each, about) for each in fields))
        for number, (part, fields) in enumerate(parts)
    )


def _about(
    fields: Sequence[Field], work: Work, operator: Operator, sells: Sold, refused: Mapping[str, Sequence[str]]
) -> About:
    texts = {each.name: each.texts[0] if each.texts else "" for each in fields}
    has_colors = "brand.color" in texts
    inherited = {path: _text(work.value(path)) for path in texts if path.startswith("brand.")}
    colors = {path: text or inherited.get(path, "") for path, text in texts.items()}
    products = {
        f"{each.name}[{number}]": row[0].texts[0]
        for each in fields
        for number, row in enumerate(each.rows)
        if row and row[0].texts
    }
    pictures = f"{start_of(operator.brand)}/pictures/"
    return About(
        sells=sells,
        met=contrasts.met(colors, _text(work.value("mode.default")) or "auto") if has_colors else {},
        picture=lambda path, name: f"{pictures}{name}" if name and work.value(path) == name else "",
        refused=refused,
        listed=_listed(work.value("features.subscription_update.products"), sells),
        products=products,
        locale=next((each.control.tag for each in fields if each.control.tag), _first(work)),
    )


def _first(work: Work) -> str:
    """The brand's first language."""
    locales = work.value("site.locales")
    first = locales[0] if isinstance(locales, list) and locales else ""
    return first if isinstance(first, str) and is_locale(first) else "en"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _listed(products: Any, sells: Sold) -> dict[str, str]:
    """What customers may move to, in words."""
    names = sells.every
    found: dict[str, str] = {}
    for each in products if isinstance(products, list) else ():
        if not isinstance(each, dict):
            continue
        prices = each.get("prices")
        ids = [each.get("product"), *(prices if isinstance(prices, list) else [prices])]
        found |= {id_: names.get(id_, id_) for id_ in ids if isinstance(id_, str)}
    return found


def _wrong(shown: Sequence[Asked]) -> tuple[Wrong, ...]:
    return tuple(Wrong(each.id, f"{each.label}: {error}") for each in shown for error in each.errors)


def _languages(work: Work, page: Page, operator: Operator) -> tuple[Link, ...]:
    """The same page in each language, as tabs."""
    before, start = page.path.rpartition("/")[0] if page.tag else page.path, start_of(operator.brand)
    pages = {"look/words": ("look/words", "look/words"), "business": ("business", "business/texts")}
    pages["business/texts"] = pages["business"]
    if before not in pages or not work.tags:
        return ()
    first, others = pages[before]
    links = [Link(_name(_first(work)), f"{start}/{first}", not page.tag)]
    return (*links, *(Link(_name(each), f"{start}/{others}/{each}", page.tag == each) for each in work.tags))


def _name(tag: str) -> str:
    return own_name(tag) if is_locale(tag) else tag


def _datalists(shown: Sequence[Asked], sells: Sold) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    known = {
        "stacks": tuple(Option(each, "") for each in STACKS),
        "coupons": tuple(Option(key, name) for key, name in sells.coupons.items()),
    }
    wanted = {each.suggestions for each in shown if each.suggestions}
    return tuple((id_, options) for id_, options in known.items() if id_ in wanted)
