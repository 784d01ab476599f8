"""One request about one subscription. Every handler of the feature begins with it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from server.billing import Account, NotFound, Subscription
from server.features.subscriptions import views
from server.web import visit
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
        """The subscription as it is now, and what was just done to it."""
        view = views.card(found, account or self.account, self.features, self.now, key=fresh_key())
        view = replace(view, announcement=announcement, refusal=refusal, feedback=feedback)
        return self.show(view, account=account, status=status)

    def may_repeat(self, action: str, found: Subscription, fields: dict[str, str] | None = None) -> None:
        self.repeatable(action, found.id, fields)
