"""Key x brand x mode x permission x whose things, over every endpoint of the API: a key does what its permission says, to what is its
brand's and of its mode, and nothing else. The endpoints come from the router's own table: a new one without a row here fails.
"""

import itertools
from typing import Any

import httpx
import pytest

from server.access import api_keys, configurations
from server.features.api.endpoints import ENDPOINTS
from tests.conftest import Clock
from tests.support.accounts import account, keep, subscription
from tests.support.api import key_for
from tests.support.served import PLAIN
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
OTHER = "orbit"
WHOSE = {BRAND: "mine", OTHER: "orbits"}
ON = {"features[invoice_history][enabled]": "true"}
ABOUT: dict[str, Any] = {
    "POST /v1/billing_portal/sessions": lambda whose: {"customer": f"cus_{whose}"},
    "POST /v1/billing_portal/configurations": lambda _: ON,
    "GET /v1/billing_portal/configurations": lambda _: {},
    "GET /v1/billing_portal/configurations/{id}": "bpc",
    "POST /v1/billing_portal/configurations/{id}": "bpc",
    "GET /v1/customers": lambda whose: {"email": f"{whose}@example.com"},
    "GET /v1/customers/{id}": "cus",
    "GET /v1/subscriptions": lambda whose: {"customer": f"cus_{whose}"},
}
"""What each asks for of whom: its parameters, or of what its id is."""
LISTS_NOTHING = ("GET /v1/customers",)
"""For a stranger's address it finds nobody, whoever has it."""
OF_NOBODY = ("POST /v1/billing_portal/configurations", "GET /v1/billing_portal/configurations")
"""They name nobody's things."""


@pytest.fixture
async def filled(any_world: World) -> dict[tuple[str, bool], str]:
    """Both brands have a customer, and a configuration of each mode; their ids."""
    made = {}
    for brand, whose in WHOSE.items():
        it = account(subscription(f"sub_{whose}"), id=f"cus_{whose}", email=f"{whose}@example.com")
        await keep(any_world, it, brand=brand)
        for live in (False, True):
            kept = configurations.default(any_world.portal(brand), live=live).it
            found = await any_world.store.write(
                lambda it, brand=brand, live=live, kept=kept: configurations.add(  # type: ignore[misc]
                    it, brand, kept, live=live, now=any_world.clock()
                )
            )
            assert found
            made[brand, live] = found.id
    return made


async def ask(client: httpx.AsyncClient, key: str, route: str, id_: str, params: dict[str, str]) -> httpx.Response:
    method, path = route.split(" ")
    given: Any = {"data": params} if method == "POST" else {"params": params}
    headers = {"authorization": f"Bearer {key}"}
    return await client.request(method, path.replace("{id}", id_), headers=headers, **given)


def asked_of(route: str, whose: str, configuration: str) -> tuple[str, dict[str, str]]:
    """The id in the path, and the parameters."""
    about = ABOUT[route]
    if isinstance(about, str):
        return (configuration if about == "bpc" else f"cus_{whose}"), {"name": "x"} if "POST" in route else {}
    return "", about(whose)


async def test_nothing_opens_what_it_should_not(
    any_world: World, clock: Clock, filled: dict[tuple[str, bool], str]
) -> None:
    assert {f"{each.method} {each.path}" for each in ENDPOINTS} == set(ABOUT)
    transport = httpx.ASGITransport(any_world.app)
    owners = ("mine", "orbits")
    async with httpx.AsyncClient(transport=transport, base_url=any_world.settings.origin, verify=PLAIN) as client:
        for brand, live, may in itertools.product(
            WHOSE, (False, True), ((), *((each,) for each in api_keys.PERMISSIONS))
        ):
            key = await key_for(any_world, *may, brand=brand, live=live)
            for each, whose, mode in itertools.product(ENDPOINTS, owners, (False, True)):
                route = f"{each.method} {each.path}"
                owner = next(name for name, its in WHOSE.items() if its == whose)
                id_, params = asked_of(route, whose, filled[owner, mode])
                answer = await ask(client, key, route, id_, params)
                where = (brand, live, may, route, whose, mode, answer.text)
                if may and each.permission not in may:
                    assert answer.status_code == 403, where
                    continue
                is_its = owner == brand and (live == mode if "bpc" in id_ else not live)
                assert shows(answer, whose, id_) is (is_its and route not in OF_NOBODY), where
                assert answer.status_code == (
                    200 if is_its or route in OF_NOBODY + LISTS_NOTHING else 404 if id_ else 400
                ), where
            clock.forward(seconds=11)  # a key may ask 250 times in ten seconds
        for key in ("", "sk_test_" + "0" * 48, "rk_live_" + "0" * 48):
            for each in ENDPOINTS:
                route = f"{each.method} {each.path}"
                id_, params = asked_of(route, "mine", filled[BRAND, False])
                assert (await ask(client, key, route, id_, params)).status_code == 401, route
    made = await any_world.store.read("SELECT DISTINCT brand, customer_id FROM portal_session ORDER BY brand")
    assert made == [(BRAND, "cus_mine"), (OTHER, "cus_orbits")]


def shows(answer: httpx.Response, whose: str, id_: str) -> bool:
    """Whether it is about somebody's things: an error only says what was asked for."""
    if answer.status_code != 200:
        return False
    return any(each in answer.text for each in (f"cus_{whose}", f"sub_{whose}", f"{whose}@example.com", id_ or "cus_"))
