"""One account as it is at Stripe now, in at most five calls, one for each open invoice, and one where there are credit notes; a
customer of the v2 API takes one more, for its tax numbers.

    customer · subscriptions · payment methods · invoices        four calls at once
    what the subscription that renews next will charge           one preview
    how each open invoice was tried to be paid                   one call each
    its credit notes, where an invoice was credited              one call

How the paid ones were paid, and what of it went back, nobody waits for: two calls later (`payments`).

Each object is mapped by itself: an odd one is left out, counted and logged, and the rest of the account stays. A price is
the catalog's, never the item's: Stripe sends no tiers with an item. What Stripe cannot say is in the metadata that the
portal writes (`postern_…`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from server.billing import LATEST_INVOICES, NotFound, Refused, Unavailable
from server.billing.model.account import (
    ENDED,
    MOST_DEBTS,
    PAYABLE,
    Account,
    CreditNote,
    Customer,
    Invoice,
    Payment,
    PaymentMethod,
    Subscription,
    Upcoming,
)
from server.billing.model.periods import renews_at
from server.billing.stripe import mapping, mapping_accounts, mapping_invoices
from server.billing.stripe.catalog import CopiedCatalog, Copy
from server.billing.stripe.client import Client, KeyRefused, Raw
from server.billing.stripe.mapping_credit_notes import credit_note
from server.billing.stripe.mapping_schedules import price_of, with_what_waits
from server.billing.stripe.reading import MappingError, part, parts
from server.formats.money import Money

PAGE = 100
"""Invoices of one fetch; the older ones are fetched when somebody asks for them."""
AT_ONCE = 5
_INCLUDE = ["configuration.customer", "identity", "defaults"]
_SUBSCRIPTION = ["data.discounts.source.coupon", "data.discounts.promotion_code", "data.schedule"]
_INVOICE = ["data.payments", "data.total_discount_amounts.discount"]
_PAYMENT = ["data.payment.payment_intent.latest_charge", "data.payment.payment_intent.payment_method"]
_log = logging.getLogger(__name__)

T = TypeVar("T")


class Deleted(NotFound):
    """Stripe says that the customer was deleted: the copy goes, too."""


class Fetched(msgspec.Struct, frozen=True):
    account: Account
    """`as_of` is when the fetch began."""
    invoices: tuple[Invoice, ...]
    """All that came, newest first."""
    has_more: bool
    """Stripe has older ones."""
    broken: int
    """Objects that could not be read and were left out."""


async def fetch(client: Client, catalog: CopiedCatalog, owner: str, began: datetime) -> Fetched:
    """Raises `Deleted`, `NotFound`, `Unavailable`."""
    whose = _whose(owner)
    customer, subscriptions, methods, invoices = await _all(
        _customer(client, owner),
        client.list("/v1/subscriptions", **whose, status="all", limit=PAGE, expand=_SUBSCRIPTION),
        client.list("/v1/payment_methods", **whose, limit=PAGE),
        client.list("/v1/invoices", **whose, limit=PAGE, expand=_INVOICE),
    )
    await _complete(client, subscriptions["data"])
    known = await catalog.copy_for(_prices(subscriptions["data"]))
    return await _Reading(client, known, owner, began).whole(customer, subscriptions, methods, invoices)


async def older_invoices(client: Client, catalog: CopiedCatalog, owner: str, before: str) -> tuple[list[Invoice], bool]:
    """A page of the invoices before that one, and whether Stripe has still older ones. Raises as `fetch`."""
    whose = _whose(owner)
    found = await client.list("/v1/invoices", **whose, limit=PAGE, starting_after=before, expand=_INVOICE)
    reading = _Reading(client, await catalog.copy(), owner, datetime.min.replace(tzinfo=UTC))
    return await reading.credited(reading.invoices(found["data"])), bool(found.get("has_more"))


async def payments(client: Client, owner: str) -> dict[str, tuple[Payment, ...]]:
    """How the latest paid invoices were paid, by their ids: with which method, and what was given back. Raises as `fetch`."""
    whose = _whose(owner)
    invoices, intents = await _all(
        client.list("/v1/invoices", **whose, status="paid", limit=PAGE, expand=_INVOICE),
        client.list("/v1/payment_intents", **whose, limit=PAGE, expand=["data.latest_charge"]),
    )
    found = {str(raw.get("id")): raw for raw in intents["data"]}
    for paid_by in (part(each, "payment") for raw in invoices["data"] for each in parts(raw, "payments", "data")):
        if str(paid_by.get("payment_intent")) in found:
            paid_by["payment_intent"] = found[str(paid_by["payment_intent"])]
    reading = _Reading(client, Copy({}), owner, datetime.min.replace(tzinfo=UTC))
    return {each.id: each.payments for each in reading.invoices(invoices["data"])}


def _whose(owner: str) -> dict[str, str]:
    """What a list is asked for the customer with."""
    return {"customer_account" if owner.startswith("acct_") else "customer": owner}


async def _customer(client: Client, owner: str) -> Raw:
    if owner.startswith("acct_"):
        whose = {"type": "customer", "customer_account": owner}
        found, numbers = await _all(
            client.get(f"/v2/core/accounts/{owner}", include=_INCLUDE),
            client.list("/v1/tax_ids", owner=whose, limit=PAGE),
        )
        return {**found, "tax_ids": numbers}
    found = await client.get(f"/v1/customers/{owner}", expand=["tax_ids"])
    if found.get("deleted"):
        raise Deleted
    return found


async def _complete(client: Client, subscriptions: list[Raw]) -> None:
    """Read the items that did not fit into the list."""
    for raw in subscriptions:
        items = raw.get("items")
        if isinstance(items, dict) and items.get("has_more") and "id" in raw:
            pages = client.pages("/v1/subscription_items", subscription=raw["id"])
            items["data"] = [item async for page in pages for item in page]
            items["has_more"] = False


def _prices(subscriptions: Iterable[Raw]) -> set[str]:
    return {
        price_of(item)
        for raw in subscriptions
        if str(raw.get("status")) not in ENDED
        for item in (
            *parts(raw, "items", "data"),
            *parts(raw, "pending_update", "subscription_items"),
            *(item for phase in parts(raw, "schedule", "phases") for item in parts(phase, "items")),
        )
    } - {""}


class _Reading:
    """What one fetch knows, and how much of what came was odd."""

    def __init__(self, client: Client, known: Copy, owner: str, began: datetime) -> None:
        self.client, self.known, self.owner, self.began = client, known, owner, began
        self.whose = _whose(owner)
        self.broken, self.calls = 0, asyncio.Semaphore(AT_ONCE)

    async def whole(self, customer: Raw, subscriptions: Raw, methods: Raw, invoices: Raw) -> Fetched:
        whose, balance = self._customer(customer)
        read = self.each(subscriptions["data"], self._subscription)
        waits = [raw for raw in invoices["data"] if raw.get("status") == "open" and "id" in raw]
        upcoming = asyncio.create_task(self._upcoming(read))
        await asyncio.gather(upcoming, *(self._payments(raw) for raw in waits))
        every = await self.credited(self.invoices(invoices["data"]))
        latest, older = every[:LATEST_INVOICES], every[LATEST_INVOICES:]
        debts = [each for each in older if each.status in PAYABLE and each.amount_due.amount > 0][:MOST_DEBTS]
        account = Account(
            customer=whose,
            as_of=self.began,
            subscriptions=_arranged(read),
            payment_methods=tuple(self.each(methods["data"], _method)),
            invoices=(*latest, *debts),
            has_older_invoices=len(every) > LATEST_INVOICES or bool(invoices.get("has_more")),
            upcoming=upcoming.result(),
            balance=balance,
        )
        return Fetched(account, tuple(every), has_more=bool(invoices.get("has_more")), broken=self.broken)

    def each(self, objects: Iterable[Raw], mapped: Callable[[Raw], T]) -> list[T]:
        """Those that can be read."""
        found = []
        for raw in objects:
            try:
                found.append(mapped(raw))
            except MappingError as error:
                self.broken += 1
                named = {"object": raw.get("object"), "id": raw.get("id"), "why": str(error)}
                _log.warning("an object of Stripe's is left out", extra=named)
        return found

    def invoices(self, objects: Iterable[Raw]) -> list[Invoice]:
        """Those that a customer may see."""
        found = self.each(objects, lambda raw: mapping_invoices.invoice(raw, self.known)[1])
        return [each for each in found if each.status != "draft"]

    async def credited(self, invoices: list[Invoice]) -> list[Invoice]:
        """With their credit notes. One whose notes are not all among the newest hundred keeps the sum alone, as all do where the
        key may not read them."""
        if not any(each.credited for each in invoices):
            return invoices
        try:
            raws = await self.client.list("/v1/credit_notes", **self.whose, limit=PAGE)
        except KeyRefused:
            return invoices
        notes = self.each(reversed(raws["data"]), lambda raw: credit_note(raw, self.known))  # oldest first
        return [with_notes(each, tuple(note for whose, note in notes if whose == each.id)) for each in invoices]

    def _customer(self, raw: Raw) -> tuple[Customer, Money | None]:
        if raw.get("livemode") is not self.client.is_live:
            _log.error("Stripe answered of the other mode than the key's", extra={"customer": self.owner})
            raise Unavailable
        try:
            if not self.owner.startswith("acct_"):
                return mapping.customer(raw)
            numbers = self.each(raw["tax_ids"]["data"], lambda each: mapping.tax_id(each)[1])
            return replace(mapping_accounts.account(raw), tax_ids=tuple(numbers)), None
        except MappingError as error:
            _log.error("a customer of Stripe's cannot be read", extra={"customer": self.owner, "why": str(error)})
            raise Unavailable from None

    def _subscription(self, raw: Raw) -> Subscription:
        found = ours(raw, mapping.subscription(raw, self.known))
        items = tuple(replace(each, price=self.known.price(each.price.id) or each.price) for each in found.items)
        return with_what_waits(raw, replace(found, items=items), self.known)

    async def _payments(self, raw: Raw) -> None:
        """Put in who tried to pay it, and why it failed."""
        async with self.calls:
            raw["payments"] = await self.client.list(
                "/v1/invoice_payments", invoice=raw["id"], limit=PAGE, expand=_PAYMENT
            )

    async def _upcoming(self, subscriptions: list[Subscription]) -> tuple[Upcoming, ...]:
        """When each charges next; the sum of the first, which Stripe is asked for."""
        moments = sorted(
            ((at, each) for each in subscriptions if (at := charges_at(each))), key=lambda pair: (pair[0], pair[1].id)
        )
        dates = [Upcoming(each.id, at, None) for at, each in moments]
        if not dates:
            return ()
        async with self.calls:
            first = await self._previewed(dates[0], moments[0][1].currency)
        return (first, *dates[1:]) if first else tuple(dates[1:])

    async def _previewed(self, upcoming: Upcoming, currency: str) -> Upcoming | None:
        """With the sum; None: it charges nothing. Where nobody says, the date alone is shown."""
        try:
            raw = await self.client.invoice_preview(subscription=upcoming.subscription)
        except NotFound:
            return None
        except (Refused, Unavailable):
            return upcoming
        return replace(upcoming, total=Money(raw["total"], currency))


def with_notes(invoice: Invoice, notes: tuple[CreditNote, ...]) -> Invoice:
    """The invoice with its credit notes, if they are all that was credited."""
    sums = [each.total.amount for each in notes if each.status == "issued"]
    is_all = bool(invoice.credited and sum(sums) == invoice.credited.amount)
    return replace(invoice, credit_notes=notes) if is_all else invoice


def charges_at(subscription: Subscription) -> datetime | None:
    """When it charges next; None where it ends before, is paused then, or nothing is collected."""
    at = renews_at(subscription)
    if at is None or subscription.status == "unpaid" or (subscription.cancel_at and subscription.cancel_at <= at):
        return None
    resumes = subscription.pause_resumes_at
    return None if subscription.pause_behavior and (resumes is None or resumes > at) else at


def ours(raw: Raw, found: Subscription) -> Subscription:
    """With what the portal wrote into the metadata, and why it was canceled."""
    said, kept = part(raw, "cancellation_details"), part(raw, "metadata")
    # The customer's own is the one with the end that was written beside it: the business may have made another since.
    ends = part(raw, "pause_collection").get("resumes_at")
    is_theirs = ends is not None and kept.get("postern_paused_until") == str(ends)
    paused = str(kept.get("postern_paused_at", "")) if is_theirs else ""
    return replace(
        found,
        feedback=said.get("feedback") or "",
        comment=said.get("comment") or "",
        paused_at=datetime.fromtimestamp(int(paused), UTC) if paused.isdecimal() and len(paused) < 12 else None,
        retained=str(kept.get("postern_retained", "")),
        paused_why=_why_paused(raw),
        restarted_as=str(kept.get("postern_restarted_as", "")),
    )


def _why_paused(raw: Raw) -> str:
    why = part(raw, "status_details", "paused", "subscription").get("type")
    return str(why or "") if raw.get("status") == "paused" else ""


def _method(raw: Raw) -> PaymentMethod:
    return mapping.payment_method(raw)[1]


def _arranged(subscriptions: list[Subscription]) -> tuple[Subscription, ...]:
    """Newest first; ended ones last."""
    newest = sorted(subscriptions, key=lambda each: (each.created_at, each.id), reverse=True)
    return tuple(sorted(newest, key=lambda each: each.status in ENDED))


async def _all(*calls: Coroutine[Any, Any, Raw]) -> list[Raw]:
    """The answers of calls made at once. The first that fails ends the others."""
    tasks = [asyncio.create_task(each) for each in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()
