"""One portal in memory: its store, its clock, its customers and as many browsers as a test wants."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from msgspec.structs import replace

from server.access.limits import Limits
from server.access.passcodes import open_mail
from server.app import create_app, wired
from server.billing import Account, Billing, Customer, Subscription
from server.billing.model.documents import encode_account
from server.brands import Brand, Features, load_all
from server.features.operations.answers import Answer, Operations
from server.making import billings, portal_of, renderer_of
from server.portal import Portal
from server.rendering.renderer import Renderer
from server.settings import Settings
from server.store import Row, Store, micros
from tests.support.client import Client

ROOT = Path(__file__).resolve().parents[2]
BRAND = "harbour"
ORIGIN = "https://portal.example"
SETTINGS = Settings(
    secrets=(b"a secret of the tests, 0123456789abcdef",), origin=ORIGIN, mail_from="billing@portal.example"
)

_CUSTOMER = """
INSERT INTO customer (brand, id, address, email, name, created_at, active, disabled)
VALUES (:brand, :id, :address, :email, :name, :created_at, :active, :disabled)"""
_ACCOUNT = """
INSERT INTO account (brand, customer_id, version, as_of, due_at, document)
VALUES (:brand, :id, 1, :created_at, NULL, :document)"""


@lru_cache(maxsize=1)
def brands() -> tuple[Brand, ...]:
    """Those that we ship; but harbour, where most tests live, lets its customers choose among their accounts."""
    return tuple(_choosing(each) if each.name == BRAND else each for each in load_all(ROOT / "themes"))


def _choosing(brand: Brand) -> Brand:
    return replace(
        brand, config=replace(brand.config, login_page=replace(brand.config.login_page, account_choice=True))
    )


@lru_cache(maxsize=1)
def _wired_once() -> Litestar:
    """The routes are the same in every world, and registering them takes longer than most tests."""
    return wired(lambda _: nullcontext(), State())


def _wire(_: object, state: State) -> Litestar:
    """An application of its own over those routes, with its own state: handlers find it by their request."""
    own = copy.copy(_wired_once())
    own.state = state
    return own


_renderers: dict[tuple[str, str], Renderer] = {}


def _renderer(brand: Brand) -> Renderer:
    """One for each brand and what it offers: it keeps no state of a request."""
    key = brand.name, repr(brand.config)
    if key not in _renderers:
        _renderers[key] = renderer_of(brand)
    return _renderers[key]


def _offering(brand: Brand, features: Features) -> Brand:
    return replace(brand, config=replace(brand.config, features=features))


def _billed(brand: Brand, backend: str) -> Brand:
    return replace(brand, config=replace(brand.config, billing=replace(brand.config.billing, backend=backend)))


class World:
    """`clock` is called for the time; `limits`, `settings` and `billing` as for `create_app`; `features` are offered by
    every brand in place of its own."""

    def __init__(
        self,
        store: Store,
        clock: Any,
        *,
        url: str = "",
        settings: Settings = SETTINGS,
        limits: Limits | None = None,
        billing: Callable[[Brand, Store], Billing] | None = None,
        features: Features | None = None,
        backend: str = "",
        **rest: Any,
    ) -> None:
        self.store, self.clock, self.url, self.settings = store, clock, url, settings
        offered = brands() if features is None else tuple(_offering(each, features) for each in brands())
        if backend:
            offered = tuple(_billed(each, backend) for each in offered)
        self.app: Any = create_app(
            settings,
            offered,
            store,
            clock=clock,
            limits=limits,
            billing=billing,
            wire=self._wire,
            renderer=_renderer,
            **rest,
        )

    def _wire(self, lifespan: object, state: State) -> Litestar:
        self.state = state
        """What handlers find beside the brand; a test may put a fake in."""
        self.routed = _wire(lifespan, state)
        return self.routed

    def portal(self, brand: str = BRAND) -> Portal:
        """The brand as its handlers know it, for tests below them; behind it is the ledger of the same store."""
        found = next(each for each in brands() if each.name == brand)
        ledger = billings(self.settings)(found, self.store)
        return portal_of(found, self.settings, self.store, ledger, self.clock, renderer=_renderer(found))

    async def operations(self, path: str) -> Answer:
        """What the operator's own address answers."""
        return await Operations(self.store, self.clock).answer(path)

    def client(self, peer: str = "203.0.113.7", **headers: str) -> Client:
        return Client(self.app, self.settings.origin, peer=peer, **headers)

    def link(self, brand: str = BRAND) -> str:
        return next(each.config.login_page.link for each in brands() if each.name == brand)

    async def customer(
        self,
        id_: str = "cus_jenny",
        address: str = "jenny@example.com",
        *,
        brand: str = BRAND,
        created_at: datetime = datetime(2025, 1, 1, tzinfo=UTC),
        active: bool = False,
        disabled: bool = False,
        subscriptions: Sequence[Subscription] = (),
        **changed: Any,
    ) -> str:
        """A customer of the directory with an account; its id."""
        customer = Customer(id_, address, created_at, disabled=disabled, **changed)
        account = Account(customer, as_of=created_at, subscriptions=tuple(subscriptions))
        row = {
            "brand": brand,
            "id": id_,
            "address": address.lower(),
            "email": address,
            "name": customer.name,
            "created_at": micros(created_at),
            "active": int(active),
            "disabled": int(disabled),
        }
        document = {"brand": brand, "id": id_, "created_at": micros(created_at), "document": encode_account(account)}
        await self.store.write(
            lambda transaction: (transaction.count(_CUSTOMER, row), transaction.count(_ACCOUNT, document))
        )
        return id_

    async def ask(self, client: Client, address: str = "jenny@example.com", brand: str = BRAND, **rest: Any) -> Any:
        """Ask for a code; the answer with the code form."""
        form = {"email": address, "link": self.link(brand), **rest}
        return await client.post(f"/{brand}/login", data=form, follow=True)

    async def try_code(self, client: Client, code: str, brand: str = BRAND, **rest: Any) -> Any:
        """The answer to a right code, or the page to which a wrong one leads."""
        answer = await client.post(f"/{brand}/login/code", data={"code": code, **rest})
        is_mistake = answer.headers.get("location", "").startswith(f"/{brand}/login")
        return await client.get(answer.headers["location"]) if is_mistake else answer

    async def log_in(self, client: Client, address: str = "jenny@example.com", brand: str = BRAND) -> Any:
        """All of it; the answer to the right code."""
        await self.ask(client, address, brand)
        answer = await self.try_code(client, await self.code(address, brand), brand)
        assert answer.status_code == 303, answer.text
        return answer

    async def codes(self, address: str = "jenny@example.com", brand: str = BRAND) -> list[str]:
        """Every code that waits to be mailed to the address, the newest first."""
        whose = "brand = :brand AND address = :address AND data IS NOT NULL"
        sql = f"SELECT id, data FROM outbox WHERE {whose} ORDER BY created_at DESC, id"
        found = await self.store.read(sql, {"brand": brand, "address": address})
        opened = [open_mail(self.settings, id_, bytes(data)) for id_, data in found]
        assert all(opened)
        return [each.code for each in opened if each]

    async def code(self, address: str = "jenny@example.com", brand: str = BRAND) -> str:
        return (await self.codes(address, brand))[0]

    async def wrong_code(self, address: str = "jenny@example.com", brand: str = BRAND) -> str:
        """Six digits that are none of the address's codes."""
        codes = await self.codes(address, brand)
        return next(each for each in (f"{number:06}" for number in range(99)) if each not in codes)

    async def rows(self, table: str) -> list[Row]:
        return await self.store.read(f"SELECT * FROM {table}")

    async def count(self, table: str) -> int:
        return int((await self.store.read(f"SELECT COUNT(*) FROM {table}"))[0][0])
