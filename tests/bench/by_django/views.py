"""Its pages, and the URLs that they are at."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path

from tests.bench.by_django.models import Customer


def overview(request: HttpRequest) -> HttpResponse:
    customer = get_object_or_404(Customer, id=request.session.get("customer"))
    methods = list(customer.payment_methods.all())
    shown = {
        "customer": customer, "subscriptions": customer.subscriptions.all(), "methods": methods,
        "invoices": customer.invoices.all()[:3], "now": datetime.now(UTC),
    }  # fmt: skip
    return render(request, "overview.html", shown)


def invoices(request: HttpRequest) -> HttpResponse:
    customer = get_object_or_404(Customer, id=request.session.get("customer"))
    found = list(customer.invoices.all())
    years = sorted({each.created_at.year for each in found}, reverse=True)
    return render(request, "invoices.html", {"invoices": found, "years": years})


urlpatterns = [path("overview", overview), path("invoices", invoices)]
