"""What `doctor` says of a brand that Stripe bills: its key, permission by permission, and how old its copies are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus

import msgspec

from server.billing import NotFound, Refused, Unavailable
from server.billing.stripe import events
from server.billing.stripe.client import VERSION, Client, KeyRefused
from server.billing.stripe.leases import Lease
from server.brands import Brand
from server.merchant.finding import PATIENCE, Finding
from server.settings import Settings, stripe_suffix
from server.store import Store, moment

LATE = timedelta(minutes=5)
READS = {
    "Customers": "/v1/customers",
    "Subscriptions": "/v1/subscriptions",
    "Invoices": "/v1/invoices",
    "Credit notes": "/v1/credit_notes",
    "Products": "/v1/products",
    "Prices": "/v1/prices",
    "Coupons": "/v1/coupons",
    "Promotion codes": "/v1/promotion_codes",
    "Tax rates": "/v1/tax_rates",
    "Events": "/v1/events",
    "Payment intents": "/v1/payment_intents",
    "Charges": "/v1/charges",
    "Checkout Sessions": "/v1/checkout/sessions",
}
"""What the key must be able to read, as Stripe's dashboard calls it."""
WRITES = {
    "Customers": "/v1/customers/cus_none",
    "Subscriptions": "/v1/subscriptions/sub_none",
    "Subscription schedules": "/v1/subscription_schedules/sub_sched_none/release",
    "Invoices": "/v1/invoices/in_none/void",
    "Payment methods": "/v1/payment_methods/pm_none/detach",
    "Checkout Sessions": "/v1/checkout/sessions/cs_none/expire",
}
"""What it must be able to write, each with a request about nothing: whoever may write hears that it is not there."""
AT_BOTH = ("invoice", "receipt", "payment_failed", "payment_action_required", "subscription_canceled")
"""The mails that the portal and Stripe can both send."""
AT_ONCE = 5
"""Requests of one look at a key."""


class KeyCheck(msgspec.Struct, frozen=True):
    """What Stripe says to a key."""

    state: str
    """`fine`, `lacks`, `unknown` (Stripe does not know it), `other_mode` or `away` (Stripe does not answer)."""
    reads: tuple[str, ...] = ()
    """What it cannot read and must, as Stripe's dashboard calls it."""
    writes: tuple[str, ...] = ()

    @property
    def lacks(self) -> str:
        """In words, such as `to read Coupons and to write Invoices`."""
        named = (("read", self.reads), ("write", self.writes))
        return " and ".join(f"to {verb} {', '.join(names)}" for verb, names in named if names)


async def check_key(key: str, base: str) -> KeyCheck:
    """The same for a key that is not in use yet. `base` as in the settings."""
    client = Client(key, base=base)
    try:
        async with asyncio.timeout(PATIENCE):
            return await check(client)
    except TimeoutError:
        return KeyCheck("away")
    finally:
        await client.close()


async def check(client: Client) -> KeyCheck:
    """Ask for each thing that the portal does with the key, and change nothing."""
    turn = asyncio.Semaphore(AT_ONCE)
    looks = [(_read, name, path) for name, path in READS.items()] + [(_write, *each) for each in WRITES.items()]

    async def ask(look: Callable[[Client, str], Awaitable[str]], path: str) -> str:
        async with turn:
            return await look(client, path)

    # One first: a Stripe that is away, or a key that it does not know, is told without asking eighteen times more.
    answers = [await ask(looks[0][0], looks[0][2])]
    if answers[0] in ("fine", "lacks"):
        answers += await asyncio.gather(*(ask(look, path) for look, _, path in looks[1:]))
    for state in ("unknown", "other_mode", "away"):
        if state in answers:
            return KeyCheck(state)
    missing = [(look, name) for (look, name, _), state in zip(looks, answers, strict=True) if state == "lacks"]
    reads = tuple(name for look, name in missing if look is _read)
    writes = tuple(name for look, name in missing if look is _write)
    return KeyCheck("lacks" if missing else "fine", reads, writes)


async def _read(client: Client, path: str) -> str:
    try:
        page = await client.list(path, limit=1)
    except KeyRefused as error:
        return _refused(error)
    except (Unavailable, Refused):
        return "away"
    is_other = any(each.get("livemode", client.is_live) != client.is_live for each in page["data"])
    return "other_mode" if is_other else "fine"


async def _write(client: Client, path: str) -> str:
    try:
        await client.preview(path)
    except KeyRefused as error:
        return _refused(error)
    except Unavailable:
        return "away"
    except (NotFound, Refused):  # what is there to be refused, is after the permission
        return "fine"
    return "fine"


def _refused(error: KeyRefused) -> str:
    return "unknown" if error.status == HTTPStatus.UNAUTHORIZED else "lacks"


async def near(settings: Settings, store: Store, brand: Brand, now: datetime) -> list[Finding]:
    """What asks Stripe nothing."""
    return [await _copies(store, brand, now), _webhook(settings, brand), _mails(brand)]


async def key(settings: Settings, brand: Brand) -> Finding:
    """What Stripe says to the key that is in use."""
    what, variable = f"Stripe's key of {brand.name}", f"PORTAL_STRIPE_KEY_{stripe_suffix(brand.name)}"
    replace_it = f"Set {variable}, or give another one in the studio."
    client = Client(settings.stripe_of(brand.name).key, base=settings.stripe_api_base)
    try:
        found = await check(client)
    finally:
        await client.close()
    mode = "live data" if client.is_live else "test data"
    said = {
        "fine": (f"for {mode}, reads and writes all that it must; API version {VERSION}", ""),
        "lacks": (
            f"lacks the permission {found.lacks}",
            "Give it to the restricted key in Stripe's dashboard, Developers, API keys.",
        ),
        "unknown": ("Stripe does not know this key: it was rolled or is of another account", replace_it),
        "other_mode": ("Stripe answers of the other mode than the key's", replace_it),
        "away": (
            "Stripe does not answer",
            "Does this machine reach api.stripe.com? https://status.stripe.com says whether Stripe is well.",
        ),
    }
    words, remedy = said[found.state]
    return Finding(what, found.state == "fine", words, remedy)


async def _copies(store: Store, brand: Brand, now: datetime) -> Finding:
    what = f"Stripe's copies of {brand.name}"
    _, looked_at = await Lease(store, brand.name, "events", "").position()
    _, synced_at = await Lease(store, brand.name, "sync", "").position()
    if not looked_at and synced_at:
        words = f"the directory is of {moment(synced_at):%Y-%m-%d %H:%M:%S} UTC; nobody has looked for events since"
        return Finding(what, False, words, "Start the server: its worker looks for events every 30 seconds.")
    if not looked_at:
        return Finding(what, False, "never read", f"Run: python -m server sync {brand.name}, and start the server.")
    waits, _ = await events.waiting(store, brand.name)
    words = f"events were looked for at {moment(looked_at):%Y-%m-%d %H:%M:%S} UTC; {waits} changes wait to be read"
    if now - moment(looked_at) > timedelta(days=30):
        return Finding(
            what, False, words, f"Stripe keeps events for 30 days. Run: python -m server sync {brand.name} --check"
        )
    remedy = "Is the server running? Its worker looks for events every 30 seconds."
    is_late = now - moment(looked_at) > LATE
    return Finding(what, not is_late, words, remedy if is_late else "")


def _webhook(settings: Settings, brand: Brand) -> Finding:
    what = f"Stripe's webhook of {brand.name}"
    url = f"{brand.config.site.url or settings.origin}{brand.base}/webhooks/stripe"
    if not settings.stripe_of(brand.name).webhook_secret:
        return Finding(what, True, f"none: changes are seen within half a minute. It would be {url}")
    return Finding(what, True, f"taken at {url}")


def _mails(brand: Brand) -> Finding:
    """What leaves from here, which Stripe may mail, too; and what nobody mails unless Stripe does."""
    mail = brand.config.mail
    both = [each for each in AT_BOTH if mail.wants(each)]
    words = "passcodes, new log-ins and changes of plan from here; the rest from Stripe, where it is switched on there"
    if both:
        words += f"; from here as well: {', '.join(both)}: switch them off in Stripe's dashboard, or they come twice"
    return Finding(f"Mails of {brand.name}", True, f"{words} (Settings, Billing)")
