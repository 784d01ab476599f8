"""One account for each kind of mail about a customer, and the moment at which the ledger has it to tell."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing import Account, Scheduled, UndoMove, rows
from server.billing.ledger.events.renewals import due_at
from server.billing.ledger.sums.upcoming import settled
from server.brands import Features
from server.brands.features import SubscriptionUpdate
from server.brands.mail_switches import EVERY_MAIL, MailSwitches
from server.store import Store, Transaction, micros
from tests.support.ledger_accounts import APRIL, CARD, MARCH, NOW, account, day, item, price, subscription
from tests.support.pages import LedgerOf, ledger_of

_CUSTOMER = """
INSERT INTO customer (brand, id, address, email, name, created_at, active, disabled)
VALUES ('plain', :id, :address, :address, 'Jenny', :now, 1, :disabled)"""


def _trial() -> Account:
    ends = day(2026, 4, 15)
    trial = {"status": "trialing", "trial_start_at": NOW, "trial_end_at": ends, "billing_cycle_anchor_at": ends}
    return account(subscription(item(NOW, ends, product_name="Team"), created_at=NOW, **trial))


def _failing(behavior: str) -> Account:
    return account(subscription(), payment_methods=(replace(CARD, behavior=behavior),))


CASES: dict[str, tuple[Account, datetime]] = {
    "invoice": (account(subscription(collection_method="send_invoice", days_until_due=14)), APRIL),
    "receipt": (account(subscription()), APRIL),
    "payment_failed": (_failing("insufficient_funds"), APRIL),
    "payment_action_required": (_failing("requires_action"), APRIL),
    "trial_ending": (_trial(), day(2026, 4, 8)),
    "renewal_reminder": (account(subscription(item(MARCH, day(2027, 3, 1), interval="year"))), day(2027, 1, 30)),
    "card_expiring": (
        account(subscription(item(day(2026, 3, 20), day(2026, 4, 20))),
                payment_methods=(replace(CARD, exp_year=2026, exp_month=4),)), day(2026, 4, 1, 9),
    ),
    "subscription_canceled": (
        account(subscription(cancel_at_period_end=True, cancel_at=APRIL, canceled_at=MARCH)), APRIL,
    ),
    "plan_changed": (account(subscription(scheduled=Scheduled(APRIL, price("6200"), 1, NOW))), NOW),
}  # fmt: skip


async def keep(store: Store, it: Account, *, email: str = "jenny@example.com", disabled: bool = False) -> None:
    """Put the account into the ledger of the plain brand, and its customer into the directory."""
    customer = {"id": it.customer.id, "address": email, "now": micros(NOW), "disabled": int(disabled)}
    whole = settled(replace(it, customer=replace(it.customer, email=email)))
    values = rows.account_values("plain", whole, due_at(whole))

    def work(transaction: Transaction) -> None:
        transaction.count(_CUSTOMER, customer)
        transaction.count(rows.INSERT_ACCOUNT, values)

    await store.write(work)


def ledger(store: Store, mail: MailSwitches = EVERY_MAIL) -> LedgerOf:
    return ledger_of(store, "plain", Features(subscription_update=SubscriptionUpdate(enabled=True)), mail=mail)


async def happen(store: Store, kind: str, mail: MailSwitches = EVERY_MAIL) -> datetime:
    """Let the ledger come to what this kind tells of; the moment of it."""
    it, at = CASES[kind]
    await keep(store, it)
    if kind == "plan_changed":
        asked = ledger(store, mail)
        await asked.apply(asked.by(key="k", now=at), "sub_1", UndoMove())
    else:
        await ledger(store, mail).account("cus_1", at)
    return at


async def outbox_of(store: Store) -> list[tuple[str, str]]:
    """Kind and state of every mail."""
    return [(kind, state) for kind, state in await store.read("SELECT kind, state FROM outbox ORDER BY kind, id")]
