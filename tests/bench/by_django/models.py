"""What the portal keeps of a customer, a table for each kind."""

from typing import Any

from django.db import models


class Customer(models.Model):  # noqa: DJ008 (shown to nobody but the pages)
    id = models.CharField(primary_key=True, max_length=80)
    email = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    line1 = models.CharField(max_length=200)


class PaymentMethod(models.Model):  # noqa: DJ008 (shown to nobody but the pages)
    id = models.CharField(primary_key=True, max_length=80)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="payment_methods")
    brand = models.CharField(max_length=40)
    last4 = models.CharField(max_length=4)
    expires = models.CharField(max_length=7)
    is_default = models.BooleanField()


class Subscription(models.Model):  # noqa: DJ008 (shown to nobody but the pages)
    id = models.CharField(primary_key=True, max_length=80)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="subscriptions")
    status = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    unit_amount = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    renews_at = models.DateTimeField()


class Invoice(models.Model):  # noqa: DJ008 (shown to nobody but the pages)
    id = models.CharField(primary_key=True, max_length=80)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="invoices")
    number = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    status = models.CharField(max_length=40)
    what = models.CharField(max_length=200)
    total = models.IntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ("-created_at",)


def fill(account: Any) -> None:
    it = account.customer
    customer = Customer.objects.create(id=it.id, email=it.email, name=it.name, line1=it.address.line1 or "")
    for each in account.payment_methods:
        expires = f"{each.exp_month:02}/{each.exp_year % 100:02}"
        customer.payment_methods.create(
            id=each.id, brand=each.brand, last4=each.last4, expires=expires,
            is_default=each.id == it.default_payment_method,
        )  # fmt: skip
    for each, upcoming in zip(account.subscriptions, account.upcoming, strict=True):
        price = each.items[0].price
        customer.subscriptions.create(
            id=each.id, status=each.status, name=price.product_name, unit_amount=price.unit_amount,
            currency=each.currency, renews_at=upcoming.at,
        )  # fmt: skip
    for each in account.invoices:
        customer.invoices.create(
            id=each.id, number=each.number, created_at=each.created_at, status=each.status,
            what=each.lines[0].description, total=each.total.amount, currency=each.total.currency,
        )  # fmt: skip
