"""What `doctor` says of a brand that Stripe bills: its key, permission by permission, and how old its copies are."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.billing import NotFound, Refused, Unavailable
from server.billing.stripe import events
from server.billing.stripe.client import VERSION, Client, KeyRefused
from server.billing.stripe.leases import Lease
from server.brands import Brand
from server.settings import Settings, stripe_suffix
from server.store import Store, moment

LATE = timedelta(minutes=5)
READS = {
    "Customers": "/v1/customers",
    "Subscriptions": "/v1/subscriptions",
    "Invoices": "/v1/invoices",
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
Found = tuple[str, bool, str, str]
"""What, whether it is fine, the words, what to do."""


async def look(settings: Settings, store: Store, brand: Brand, now: datetime) -> list[Found]:
    secrets = settings.stripe_of(brand.name)
    client = Client(secrets.key, base=settings.stripe_api_base)
    try:
        found = [await _key(client, brand)]
    finally:
        await client.close()
    found.append(await _copies(store, brand, now))
    return [*found, _webhook(settings, brand), _mails(brand)]


async def _key(client: Client, brand: Brand) -> Found:
    what, variable = f"Stripe's key of {brand.name}", f"PORTAL_STRIPE_KEY_{stripe_suffix(brand.name)}"
    missing, lives = [], set()
    for name, path in READS.items():
        try:
            page = await client.get(path, limit=1)
        except KeyRefused as error:
            if error.status == 401:
                return (
                    what,
                    False,
                    "Stripe does not know this key: it was rolled or is of another account",
                    f"Set {variable}.",
                )
            missing.append(name)
        except (Unavailable, Refused):
            remedy = "Does this machine reach api.stripe.com? https://status.stripe.com says whether Stripe is well."
            return what, False, "Stripe does not answer", remedy
        else:
            lives |= {each["livemode"] for each in page["data"] if "livemode" in each}
    unwritable = [name for name, path in WRITES.items() if not await _may_write(client, path)]
    if missing or unwritable:
        lacks = (f"to {verb} {', '.join(names)}" for verb, names in (("read", missing), ("write", unwritable)) if names)
        words = f"lacks the permission {' and '.join(lacks)}"
        return what, False, words, "Give it to the restricted key in Stripe's dashboard, Developers, API keys."
    if lives - {client.is_live}:
        return what, False, "Stripe answers of the other mode than the key's", f"Set {variable}."
    mode = "live data" if client.is_live else "test data"
    return what, True, f"for {mode}, reads and writes all that it must; API version {VERSION}", ""


async def _may_write(client: Client, path: str) -> bool:
    try:
        await client.preview(path)
    except KeyRefused:
        return False
    except (NotFound, Refused, Unavailable):  # what is there to be refused, is after the permission
        return True
    return True


async def _copies(store: Store, brand: Brand, now: datetime) -> Found:
    what = f"Stripe's copies of {brand.name}"
    _, looked_at = await Lease(store, brand.name, "events", "").position()
    _, synced_at = await Lease(store, brand.name, "sync", "").position()
    if not looked_at and synced_at:
        words = f"the directory is of {moment(synced_at):%Y-%m-%d %H:%M:%S} UTC; nobody has looked for events since"
        return what, False, words, "Start the server: its worker looks for events every 30 seconds."
    if not looked_at:
        return what, False, "never read", f"Run: python -m server sync {brand.name}, and start the server."
    waits, _ = await events.waiting(store, brand.name)
    words = f"events were looked for at {moment(looked_at):%Y-%m-%d %H:%M:%S} UTC; {waits} changes wait to be read"
    if now - moment(looked_at) > timedelta(days=30):
        return what, False, words, f"Stripe keeps events for 30 days. Run: python -m server sync {brand.name} --check"
    remedy = "Is the server running? Its worker looks for events every 30 seconds."
    return (what, False, words, remedy) if now - moment(looked_at) > LATE else (what, True, words, "")


def _webhook(settings: Settings, brand: Brand) -> Found:
    what = f"Stripe's webhook of {brand.name}"
    url = f"{brand.config.site.url or settings.origin}{brand.base}/webhooks/stripe"
    if not settings.stripe_of(brand.name).webhook_secret:
        return what, True, f"none: changes are seen within half a minute. It would be {url}", ""
    return what, True, f"taken at {url}", ""


def _mails(brand: Brand) -> Found:
    """What leaves from here, which Stripe may mail, too; and what nobody mails unless Stripe does."""
    mail = brand.config.mail
    both = [each for each in AT_BOTH if mail.wants(each)]
    words = "passcodes, new log-ins and changes of plan from here; the rest from Stripe, where it is switched on there"
    if both:
        words += f"; from here as well: {', '.join(both)}: switch them off in Stripe's dashboard, or they come twice"
    return f"Mails of {brand.name}", True, f"{words} (Settings, Billing)", ""
