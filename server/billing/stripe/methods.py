"""Stripe's verbs about payment methods. A number is typed on Stripe's own page (Checkout in `setup` mode) only.

Whatever takes several requests makes the new method count first and detaches the old one last: where a process dies in
between, something can still be charged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from server.billing import Account, By, NotFound, PaymentMethod, Refusal, Refused, Uncertain
from server.billing.model.account import ENDED, Subscription
from server.billing.rules.methods import may_add, may_remove, may_set_default, may_unpin, pinned_by, successor
from server.billing.stripe.asking import Asking, Planned
from server.billing.stripe.client import Raw
from server.billing.stripe.events import OF_BRAND
from server.billing.stripe.operations import NO_FEATURES, Operations, Step, Wanted
from server.billing.stripe.reading import part

SESSIONS = "/v1/checkout/sessions"
_KEEPS = "postern_keeps_default"


class StripeMethods(Operations):
    async def setup(self, by: By, *, return_to: str, replaces: str = "", as_default: bool = True) -> str:
        account = await self.account(by.customer_id, by.now)
        _allowed(may_add(account, by.features, replaces))
        back, kinds = f"{self.origin}{return_to}", by.features.payment_method_update.payment_method_configuration
        asked = await self.client.post(
            SESSIONS,
            key=self._stripe_key(by, 0 if as_default else 1),
            mode="setup",
            currency=_currency(account),
            success_url=f"{back}/returned/{{CHECKOUT_SESSION_ID}}",
            cancel_url=back,
            metadata={
                OF_BRAND: self.brand,
                "postern_replaces": replaces,
                **({} if as_default else {_KEEPS: "yes"}),
            },
            **({"payment_method_configuration": kinds} if kinds else {}),
            **whose(by.customer_id),
        )
        if not isinstance(asked.get("url", 0), (str, type(None))):
            raise Uncertain
        if not asked["url"]:  # the same form again, after the session was finished
            raise Refused("key_reused")
        return str(asked["url"])

    async def returned(self, by: By, session_id: str) -> str:
        session = await self.client.get(f"{SESSIONS}/{session_id}", expand=["setup_intent"])
        intent, said = part(session, "setup_intent"), part(session, "metadata")
        method = intent.get("payment_method")
        if _owner(session) != by.customer_id or said.get(OF_BRAND) != self.brand or session.get("status") != "complete":
            raise NotFound
        if not isinstance(method, str) or not method:
            raise NotFound
        replaces = str(said.get("postern_replaces", ""))
        as_default, by = said.get(_KEEPS) != "yes", replace(by, key=f"returned {session_id}")
        await self._do(by, Wanted("payment_method.added", method), lambda it: _added(it, method, replaces, as_default))
        return method

    async def finish(self, session_id: str, now: datetime) -> None:
        """Take in what was added on Stripe's page by a customer whose browser did not come back; else nothing is left to
        do. Raises as `returned`."""
        session = await self.client.get(f"{SESSIONS}/{session_id}")
        await self.returned(By(str(_owner(session)), NO_FEATURES, now), session_id)

    async def set_default(self, by: By, method_id: str, *, everywhere: bool) -> Account:
        def steps(account: Account) -> list[Step] | Refusal:
            refused = may_set_default(account, method_id, by.features, by.now)
            if refused:
                return refused
            others = [
                each for each in account.subscriptions if each.status not in ENDED and each.default_payment_method
            ]
            return [default(account, method_id), *(_pin(each, "") for each in others if everywhere)]

        wanted = Wanted("payment_method.default", method_id, ("everywhere",) if everywhere else ())
        return await self._do(by, wanted, steps)

    async def remove_payment_method(self, by: By, method_id: str) -> Account:
        def steps(account: Account) -> list[Step] | Refusal:
            refused = may_remove(account, method_id, by.features, by.now)
            if refused:
                return refused
            heir, was = successor(account, method_id, by.now), account.customer.default_payment_method
            first = [default(account, heir.id)] if heir and was == method_id else []
            return [*first, *(_pin(each, "") for each in pinned_by(account, method_id)), _detach(method_id)]

        return await self._do(by, Wanted("payment_method.removed", method_id), steps)

    async def _do(self, by: By, wanted: Wanted, steps: Callable[[Account], list[Step] | Refusal]) -> Account:
        async def plan() -> Sequence[Step]:
            made = steps(await self.refetch(by.customer_id, by.now))
            return [] if isinstance(_allowed(made), Refusal) else made  # type: ignore[return-value]

        return await self.once(by, wanted, plan)


def _allowed(made: list[Step] | Refusal | None) -> list[Step] | Refusal | None:
    if isinstance(made, Refusal):
        raise NotFound if made.reason == "not_found" else Refused(made.reason, made.detail)
    return made


def _owner(session: Raw) -> Any:
    return session.get("customer_account") or session.get("customer")


def _added(account: Account, method: str, replaces: str, as_default: bool) -> list[Step]:
    """No rule is asked: one was before the customer left for Stripe's page, and the method is attached already."""
    old, kept = account.payment_method(replaces), account.customer.default_payment_method
    takes = account.payment_method(kept) is None or (as_default if old is None else kept == old.id)
    steps = [default(account, method)] if takes and kept != method else []
    return [*steps, *_in_place_of(account, old, method)]


def _in_place_of(account: Account, old: PaymentMethod | None, method: str) -> list[Step]:
    if old is None:
        return []
    return [*(_pin(each, method) for each in pinned_by(account, old.id)), _detach(old.id)]


async def unpin(it: Asking) -> Planned | Refusal:
    if not it.subscription.default_payment_method:
        return Planned()
    refused = may_unpin(it.account, it.subscription.id, it.features)
    return refused or Planned((_pin(it.subscription, ""),))


def default(account: Account, method_id: str) -> Step:
    customer = account.customer.id
    if is_account(customer):
        billing = {"customer": {"billing": {"default_payment_method": method_id}}}
        return Step(f"/v2/core/accounts/{customer}", {"configuration": billing})
    return Step(f"/v1/customers/{customer}", {"invoice_settings": {"default_payment_method": method_id}})


def is_account(customer_id: str) -> bool:
    """A customer of the v2 API."""
    return customer_id.startswith("acct_")


def whose(customer_id: str) -> dict[str, Any]:
    return {"customer_account" if is_account(customer_id) else "customer": customer_id}


def _pin(subscription: Subscription, method_id: str) -> Step:
    return Step(f"/v1/subscriptions/{subscription.id}", {"default_payment_method": method_id})


def _detach(method_id: str) -> Step:
    return Step(f"/v1/payment_methods/{method_id}/detach")


def _currency(account: Account) -> str:
    """Stripe chooses the kinds that it offers by it."""
    known = [each.currency for each in account.subscriptions] + [each.currency for each in account.invoices]
    known += [account.balance.currency] if account.balance else []
    return known[0].lower() if known else "usd"
