"""The invoices: one page of the list, and one invoice."""

from __future__ import annotations

from litestar import Response, get

from server.billing import InvoicePage, NotFound
from server.invoices import views
from server.portal import Portal
from server.responding import AnyRequest, show
from server.sessions import LoggedIn


@get("/my/invoices")
async def invoices(request: AnyRequest, portal: Portal, customer: LoggedIn, before: str = "") -> Response[str]:
    """`before` is the cursor that an earlier page named. The newest page stands in the account already."""
    _offered(portal)
    account = customer.account
    if before:
        page = await portal.billing.invoices(customer.customer_id, before=before)
    else:
        older = account.invoices[-1].id if account.has_older_invoices and account.invoices else ""
        page = InvoicePage(account.invoices, before=older)
    view = views.listing(page, portal.clock(), before)
    return show(request, portal, view, account=account, address=customer.address)


@get("/my/invoices/{invoice_id:str}")
async def invoice(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Response[str]:
    _offered(portal)
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    view = views.detail(found, portal.clock())
    return show(request, portal, view, account=customer.account, address=customer.address)


def _offered(portal: Portal) -> None:
    if not portal.brand.portal.features.invoice_history.enabled:
        raise NotFound


handlers = (invoices, invoice)
