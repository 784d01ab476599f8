"""One request about the invoices: refused where the configuration shows none."""

from __future__ import annotations

from dataclasses import dataclass

from server.web import visit
from server.web.visit import Answer, fresh_key

__all__ = ["Answer", "Visit", "fresh_key"]


@dataclass(frozen=True, slots=True)
class Visit(visit.Visit):
    @property
    def is_offered(self) -> bool:
        return self.features.invoice_history.enabled
