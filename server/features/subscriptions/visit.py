"""One request about one subscription. Every handler of the feature begins with it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from server.billing import Account, NotFound, Refused, Subscription, Unavailable, Uncertain
from server.billing.rules.methods import method_of
from server.features.subscriptions import views
from server.web import visit
from server.web.responding import go, wants_fragment
from server.web.visit import Answer, fresh_key

__all__ = ["Answer", "Visit", "fresh_key"]


@dataclass(frozen=True, slots=True)
class Visit(visit.Visit):
    def find(self, subscription_id: str, account: Account | None = None) -> Subscription:
        """In the customer's account, or as it is after a change. Raises `NotFound`, also for another customer's."""
        found = (account or self.account).subscription(subscription_id)
        if found is None:
            raise NotFound
        return found

    def card(
        self,
        found: Subscription,
        announcement: str,
        *,
        refusal: str = "",
        feedback: views.Feedback | None = None,
        account: Account | None = None,
        status: int = 200,
    ) -> Answer:
        """The subscription as it is now, and what was just done to it. Where that was asked in place on the overview, the
        parts of it that show more than this card come along."""
        shown = account or self.account
        shown = account or self.account
        view = views.card(found, shown, self.features, self.now, key=fresh_key())
        view = replace(view, announcement=announcement, refusal=refusal, feedback=feedback)
        is_done = self.request.method == "POST" and status == 200 and wants_fragment(self.request)
        beside = self.request.app.state.beside(shown, self.features, self.now) if is_done else None
        return self.show(view, account=account, status=status, beside=beside)

    async def to_the_bank(self, invoice_id: str, subscription: Subscription, account: Account) -> Answer:
        """To where the customer confirms what was just asked for, in the step that they pay an invoice in; where that does
        not work, to the invoice's own page."""
        paths, method = self.portal.paths, method_of(account, subscription)
        by = replace(self.by, key=f"{self.key}-bank")
        try:
            done = await self.portal.billing.pay(by, invoice_id, method.id if method else "")
        except (Refused, Unavailable, Uncertain):
            return go(self.request, paths.invoice_pay(invoice_id))
        if done.payment.status == "paid":
            return go(self.request, paths.invoice_paid(invoice_id))
        back = paths.invoice_pay(invoice_id)
        return self.leave(done.confirm_at, back=back) if done.confirm_at else go(self.request, back)

    def may_repeat(self, action: str, found: Subscription, fields: dict[str, str] | None = None) -> None:
        self.repeatable(action, found.id, fields)
