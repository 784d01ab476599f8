"""The preview: pages of the brand as the operator's draft would make them, in sandboxed frames.

| URL | right | does |
|---|---|---|
| `GET /_studio/b/<brand>/preview` | `look` | chooses page, customer, language, mode and size, and shows the page in a frame |
| `GET /_studio/preview/<token>/<brand>/<mode>.<language>.<customer>/<path>` | the token | the page, a picture or a font |

The second route reads no cookie: the token is the right, for one operator's session and one brand.
"""

from __future__ import annotations

from litestar import Response, get
from litestar.exceptions import NotFoundException

from server.brands import ThemeError
from server.brands.locales import is_locale, own_name
from server.mail.kinds import MAILS
from server.merchant.studio import previews
from server.merchant.studio.computing import TooOften
from server.merchant.studio.forms import told
from server.merchant.studio.pages.work import work_on
from server.merchant.studio.place import Studio
from server.merchant.studio.preview import views
from server.merchant.studio.preview.views import Option
from server.merchant.studio.previews import Answer as Page
from server.merchant.studio.previews import NotThere, Previews, Shown
from server.merchant.studio.visit import Answer, Operator, show
from server.rendering.assets import MEDIA_TYPES, style_hash
from server.web import policy
from server.web.responding import AnyRequest, lead_to
from server.web.studio_guard import PREVIEW

_PAGES = (
    Option("my/overview", "Overview"),
    Option("my/subscriptions", "Subscriptions"),
    Option("my/invoices", "Invoices"),
    Option("my/payment-methods", "Payment methods"),
    Option("my/details", "Details"),
    Option("my/history", "History"),
    Option("my/mails", "Mails that are sent"),
    Option("", "Start, before log-in"),
    Option("login", "Log-in"),
    Option("help/", "Help"),
    Option("link-not-active/", "The link is not active"),
    Option("404.html", "Not found"),
    Option("500.html", "Something went wrong"),
    Option(f"{previews.DOCUMENTS}invoice", "Invoice, as a document"),
)
_STATES = {
    previews.NOBODY: "not logged in",
    "jenny": "one active subscription",
    "sam": "two accounts",
    "pat": "past due, with an open invoice",
    "tina": "in a trial",
    "lee": "ends with the period, pays in yen",
    "ivy": "invoices only, in every state",
    "max": "three subscriptions",
    "dee": "disabled",
    "kim": "pays by invoice",
    "noa": "collection paused, a discount",
    "uma": "a state that nobody knows",
    "eve": "names full of markup",
    "ann": "canceled long ago",
    "ray": "every state that needs something done",
    "zoe": "an expired card",
    "bea": "the bank wants payments confirmed",
}
"""Of the sample customers; their names are the samples' too."""
_ALONE = ".svg"
"""What the address of a document's picture ends with, where it is not inside a page."""
_FRAME = (
    "html{background:#ccc}body{margin:1rem}img{display:block;max-width:50rem;width:100%;margin:auto;background:#fff}"
)


@get("/b/{brand_name:str}/preview", right="look")
async def choose(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    asked = request.query_params
    mistakes, locales, unwritten = await _draft(studio, operator)
    people = tuple(Option(each, f"{each.capitalize()}: {_STATES[each]}") for each in previews.WHO)
    languages = tuple(Option(each, own_name(each)) for each in locales)
    listed = (
        *_PAGES,
        *(Option(f"{previews.MAILS}{each}/0", f"Mail: {each.replace('_', ' ')}") for each in sorted(MAILS)),
    )
    page = _one_of(asked.get("page"), [each.value for each in listed])
    who = _one_of(asked.get("as"), [*previews.WHO[1:], previews.NOBODY])
    tag, mode = _one_of(asked.get("lang"), locales), _one_of(asked.get("mode"), previews.MODES)
    token = previews.token_of(studio, operator.session.id_hash, operator.brand)
    url = f"{previews.prefix_of(token, operator.brand, Shown(mode, tag, who))}/{page}"
    size = _one_of(asked.get("size"), ("desktop", "phone"))
    view = views.Preview(url, page, who, tag, mode, size, listed, people, languages, unwritten, mistakes)
    return show(request, view)


async def _draft(studio: Studio, operator: Operator) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """What is wrong with it, the languages of the brand, and how many keys it changes."""
    try:
        work = await work_on(studio, operator)
    except ThemeError as error:
        return tuple(map(told, error.mistakes)), ("en",), 0
    locales = tuple(each for each in work.locales if is_locale(each))
    return tuple(map(told, work.mistakes)), locales or ("en",), len(work.draft.changes)


def _one_of(text: str | None, allowed: tuple[str, ...] | list[str]) -> str:
    """Where it is none of these, the first."""
    return text if text is not None and text in allowed else allowed[0]


@get(["/preview/{token:str}/{of:str}/{how:str}", "/preview/{token:str}/{of:str}/{how:str}/{rest:path}"], right="anyone")
async def shown(request: AnyRequest, studio: Studio, token: str, of: str, how: str) -> Response[bytes]:
    made: Previews = request.app.state.previews
    address = await _whose(studio, token, of)
    prefix = f"{PREVIEW}{token}/{of}/{how}"
    path = request.scope["raw_path"].decode("latin-1").removeprefix(f"{prefix}/")  # with the slash at its end
    try:
        if path.startswith("static/"):
            name = path.removeprefix("static/")
            return asset(made.asset(address, of, name), name)
        how_shown, query = Shown.read(how), request.scope["query_string"].decode("latin-1")
        async with made.turn(address, token):
            state = await made.state(studio, address, of, how_shown.mode)
            found = await previews.answer(made, state, how_shown, path.removesuffix(_ALONE), query)
    except TooOften:
        return too_often()
    except (NotThere, ThemeError):
        raise NotFoundException from None
    return answered(studio, found, state.brand.base, prefix, f"{prefix}/{path}")


async def _whose(studio: Studio, token: str, brand_name: str) -> str:
    if not studio.is_brand(brand_name):
        raise NotFoundException
    try:
        return await previews.whose(studio, token, brand_name)
    except NotThere:
        raise NotFoundException from None


def asset(content: bytes | None, name: str) -> Response[bytes]:
    """A picture, a font or a style of what a frame shows, and no script."""
    suffix = name[name.rfind(".") :]
    if content is None or suffix == ".js":
        raise NotFoundException
    return Response(content, media_type=MEDIA_TYPES[suffix], headers=policy.preview_asset())


def too_often() -> Response[bytes]:
    headers = {"Retry-After": "1"}
    return Response(b"Too many pages at once.\n", status_code=429, headers=headers, media_type="text/plain")


def answered(studio: Studio, found: Page, base: str, prefix: str, here: str) -> Response[bytes]:
    """The page in its frame, with its own URLs below `prefix`; `here` is where it is."""
    if found.location:
        where = found.location
        inside = where.startswith(f"{base}/") and not where.startswith("//")
        if not inside:
            return note(studio, "This leads out of the preview.", 404)
        return lead_to(f"{prefix}{where.removeprefix(base)}")
    if found.media_type == "image/svg+xml":
        return _picture(studio, found, here)
    if not found.media_type.startswith("text/html"):
        return note(studio, "This is a file to download; a preview shows pages.", 404)
    html = previews.moved(found.body.decode(), base, prefix)
    style = "'unsafe-inline'" if found.is_mail else " ".join(f"'{each}'" for each in found.styles)
    headers = policy.preview(studio.origin, style)
    return Response(html.encode(), status_code=found.status, media_type="text/html; charset=utf-8", headers=headers)


def _picture(studio: Studio, found: Page, here: str) -> Response[bytes]:
    """A document: the picture by itself is inside a page that shows nothing but it."""
    if here.endswith(_ALONE):
        return Response(found.body, media_type="image/svg+xml", headers=policy.preview_asset())
    return _plain(studio, "Document", f'<img src="{here}{_ALONE}" alt="The first page of the document">', 200)


def note(studio: Studio, words: str, status: int) -> Response[bytes]:
    """What a frame shows in place of a page. `words` are ours."""
    return _plain(studio, "Not shown", f"<p>{words}</p>", status)


def _plain(studio: Studio, title: str, body: str, status: int) -> Response[bytes]:
    html = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_FRAME}</style></head>'
        f"<body>{body}</body></html>\n"
    )
    headers = policy.preview(studio.origin, f"'{style_hash(_FRAME)}'")
    return Response(html.encode(), status_code=status, media_type="text/html; charset=utf-8", headers=headers)


handlers = (choose, shown)
