"""A studio in memory beside the portal: its brands in a folder of the test's own, its operators, and their browsers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from server.access.limits import Limits
from server.access.passcodes import open_mail
from server.app import previewing
from server.merchant.fetching import Fetch
from server.merchant.studio import operators
from server.merchant.studio.place import Studio
from server.merchant.studio.previews import Previews
from server.store import Store
from tests.support.authenticator import Authenticator
from tests.support.client import Client
from tests.support.served import PLAIN
from tests.support.world import ROOT, SETTINGS, World

STUDIO = "https://studio.example"
OWNER = "owner@shop.example"


async def refused(url: str) -> tuple[int, dict[str, str]]:
    raise ConnectionRefusedError(f"nothing listens at {url}")


class StudioWorld(World):
    """`folder`: an empty one, into which the brands that we ship are copied, to be changed. `limits` are off: what rests
    on them has its tests. `stripe`: keys as of the environment."""

    def __init__(
        self, store: Store, clock: Any, folder: Path, *, stripe_api_base: str = "", stripe: Any = None, **rest: Any
    ) -> None:
        self.themes = folder / "themes"
        shutil.copytree(ROOT / "themes", self.themes)
        settings = replace(
            SETTINGS,
            studio_origin=STUDIO,
            themes=self.themes,
            releases=folder / "releases",
            stripe_api_base=stripe_api_base,
            stripe=stripe or {},
            studio_private_targets=rest.pop("private_targets", False),
        )
        self.previews = Previews()
        rest["previews"] = self.previews
        self.fetch: Fetch = refused
        """How the health page asks for what browsers get; a test may put another one in."""
        rest["fetch"] = self._fetch
        super().__init__(store, clock, settings=settings, limits=rest.pop("limits", Limits(on=False)), **rest)

    async def _fetch(self, url: str) -> tuple[int, dict[str, str]]:
        return await self.fetch(url)

    @property
    def place(self) -> Studio:
        """As its handlers know it, for tests below them."""
        return Studio(
            self.settings, self.store, self.clock, Limits(on=False), show=previewing(self.settings, self.clock)
        )

    def visitor(self, peer: str = "203.0.113.7", **headers: str) -> Client:
        """A browser at the studio."""
        return Client(self.app, STUDIO, peer=peer, **headers)

    async def raw(self, url: str, **headers: str) -> httpx.Response:
        """What a browser without cookies gets, as it is: a page in a preview's frame is no page of the studio."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=STUDIO, verify=PLAIN) as client:
            return await client.get(url, headers=headers)

    async def role(self, address: str = OWNER, role: str = "owner", brand: str = "") -> None:
        await operators.change(self.store, operators.Change(address=address, role=role, brand=brand), self.clock())

    async def id_of(self, who: str, brand: str = "harbour") -> str:
        """Of the sample customer whom a log-in opens."""
        sql = "SELECT id FROM customer WHERE brand = :brand AND address = :address ORDER BY disabled, active DESC"
        found = await self.store.read(sql, {"brand": brand, "address": f"{who}@example.com"})
        return str(found[0][0])

    async def operator(self, address: str = OWNER, role: str = "owner", brand: str = "") -> Client:
        """The browser of an operator with this role, logged in."""
        await self.role(address, role, brand)
        return await self.log_in_to_studio(self.visitor(), address)

    async def log_in_to_studio(self, client: Client, address: str = OWNER) -> Client:
        await client.post("/_studio/login", data={"email": address})
        answer = await client.post("/_studio/login/code", data={"code": await self.studio_code(address)})
        assert answer.status_code == 303, answer.text
        return client

    async def studio_code(self, address: str = OWNER) -> str:
        """The newest code on its way to the address, whether it is an operator's or not."""
        whose = "brand = '_studio' AND address = :address AND data IS NOT NULL"  # the clock stands still: another may be over
        sql = f"SELECT id, data FROM outbox WHERE {whose} ORDER BY created_at DESC"
        id_, data = (await self.store.read(sql, {"address": address}))[0]
        opened = open_mail(self.settings, id_, bytes(data))
        assert opened
        return opened.code

    async def word(self, address: str = OWNER) -> str:
        """A new word for the operator's first passkey."""
        return await self.store.write(lambda transaction: operators.word_for(transaction, address, self.clock()))

    async def with_passkey(self, client: Client, address: str = OWNER) -> Authenticator:
        """The operator's first passkey, registered just now."""
        made = Authenticator(STUDIO)
        word = await self.word(address)
        answer = await self.register(client, made, word)
        assert answer.status_code == 303, answer.text
        return made

    async def register(self, client: Client, made: Authenticator, word: str = "") -> Any:
        asked = await client.post("/_studio/passkey/options", data={"kind": "register", "word": word})
        credential = made.register(asked.json()) if "challenge" in asked.json() else ""
        form = {"credential": credential, "name": "Laptop", "word": word}
        return await client.post("/_studio/passkey", data=form)

    async def verify(self, client: Client, shown: Authenticator) -> Any:
        asked = await client.post("/_studio/passkey/options", data={"kind": "verify"})
        return await client.post("/_studio/passkey/verify", data={"credential": shown.sign(asked.json())})
