"""The cast: one method a sample customer, each yields everything of that customer. The list is in the package's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from server.billing.model.periods import add_months
from server.publishing.samples.codes import coupons
from server.publishing.samples.shapes import Json, Shapes, refunded, seconds
from server.publishing.samples.wares import Ware, in_minor_units, wares

_JPY_TAX = 10
_CURRENCIES = ("eur", "usd", "gbp", "jpy")
MARKUP = "<script>alert('x')</script> & \"Eve\" {{ 7*7 }} <img src=x onerror=alert(1)>"


class Cast(Shapes):
    @property
    def wares(self) -> dict[str, Ware]:
        return wares(self.brand)

    def catalog(self) -> Iterator[Json]:
        for ware in self.wares.values():
            if not ware.of:
                yield self.product(ware)
            yield from (self.price(ware, currency) for currency in _CURRENCIES)
        yield from coupons(self, self.wares["seats"])
        yield self.tax_rate("DE", "VAT", 19)
        yield self.tax_rate("JP", "消費税", _JPY_TAX)
        yield self.tax_rate("US", "Sales tax", 8.875, inclusive=False)

    def history(
        self,
        label: str,
        customer: Json,
        ware: Ware,
        currency: str,
        months: int,
        *,
        rate: Json | None,
        method: Json | None,
    ) -> Iterator[Json]:
        """Monthly invoices up to the running period, oldest first."""
        start = self.period_start(11)
        for number in range(1, months + 1):
            yield self.invoice(
                f"{label} {number}",
                customer,
                [(ware.name, in_minor_units(ware.cents, currency))],
                currency=currency,
                at=add_months(start, number - months),
                number=number,
                rate=rate,
                subscription=self.ident("sub", label),
                price=self.price(ware, currency)["id"],
                method=method,
            )

    def _with_default(self, customer: Json, method: Json) -> Json:
        return {**customer, "invoice_settings": {"default_payment_method": method["id"]}}

    def _expires(self, years: int) -> tuple[int, int]:
        return self.now.year + years, 8

    def jenny(self) -> Iterator[Json]:
        start, rate = self.period_start(11), self.tax_rate("DE", "VAT", 19)
        customer = self.customer(
            "jenny", "jenny@example.com", "Jenny Rosenbaum", add_months(start, -30), currency="eur", phone="+49 30 901820",
            address=_address("Oranienstraße 6", "Berlin", "10997", "DE"), next_invoice_sequence=31,
            shipping={"name": "Jenny Rosenbaum", "phone": None,
                      "address": _address("Schanzenstraße 91", "Hamburg", "20357", "DE")},
        )  # fmt: skip
        visa = self.card("jenny visa", customer["id"], "visa", "4242", self._expires(2))
        yield self._with_default(customer, visa)
        yield visa
        yield self.card("jenny mastercard", customer["id"], "mastercard", "4444", self._expires(1))
        yield {"id": self.ident("txi", "jenny"), "object": "tax_id", "customer": customer["id"], "type": "eu_vat",
               "value": "DE123456789", "verification": {"status": "verified"}, "livemode": False}  # fmt: skip
        yield self.subscription(
            "jenny", customer["id"], [(self.wares["main"], 1)], currency="eur", start=start,
            created=seconds(add_months(start, -29)), billing_cycle_anchor=seconds(add_months(start, -29)),
            default_tax_rates=[rate], latest_invoice=self.ident("in", "jenny 30"),
        )  # fmt: skip
        yield from self.history("jenny", customer, self.wares["main"], "eur", 30, rate=rate, method=visa)

    def sam(self) -> Iterator[Json]:
        start = self.period_start(5)
        address = _address("14 Calton Hill", "Edinburgh", "EH1 3BJ", "GB")
        older = self.customer(
            "sam older",
            "sam@example.com",
            "Sam Okafor",
            self.now - timedelta(days=700),
            currency="gbp",
            address=address,
        )
        card = self.card("sam", older["id"], "visa", "1881", self._expires(3))
        yield self._with_default(older, card)
        yield card
        yield self.subscription("sam", older["id"], [(self.wares["seats"], 3)], currency="gbp", start=start)
        newer = self.customer(
            "sam newer", "Sam@Example.com", "Sam Okafor (studio)", self.now - timedelta(days=60), currency="gbp"
        )
        yield newer
        ended = seconds(self.now - timedelta(days=20))
        yield self.subscription("sam newer", newer["id"], [(self.wares["main"], 1)], currency="gbp",
                                start=self.period_start(45), status="canceled", canceled_at=ended, ended_at=ended)  # fmt: skip

    def pat(self) -> Iterator[Json]:
        start, rate = self.period_start(4), self.tax_rate("US", "Sales tax", 8.875, inclusive=False)
        customer = self.customer(
            "pat", "pat@example.com", "Pat Lindqvist", self.now - timedelta(days=300), currency="usd",
            address={**_address("233 W 83rd St", "New York", "10024", "US"), "state": "NY"}, next_invoice_sequence=3,
        )  # fmt: skip
        card = self.card("pat", customer["id"], "visa", "0341", self._expires(2),
                         metadata={"portal_behavior": "insufficient_funds"})  # fmt: skip
        yield self._with_default(customer, card)
        yield card
        open_id, subscription = self.ident("in", "pat 2"), self.ident("sub", "pat")
        yield self.subscription("pat", customer["id"], [(self.wares["main"], 1)], currency="usd", start=start,
                                status="past_due", default_tax_rates=[rate], latest_invoice=open_id)  # fmt: skip
        line = [(self.wares["main"].name, self.wares["main"].cents)]
        yield self.invoice("pat 1", customer, line, currency="usd", at=add_months(start, -1), number=1, rate=rate,
                           subscription=subscription, method=card)  # fmt: skip
        yield self.invoice("pat 2", customer, line, currency="usd", at=start, number=2, rate=rate, method=card,
                           subscription=subscription, status="open", failure="insufficient_funds",
                           next_payment_attempt=seconds(self.now + timedelta(days=3)))  # fmt: skip

    def tina(self) -> Iterator[Json]:
        start = self.period_start(5)
        end = start + timedelta(days=14)
        customer = self.customer("tina", "tina@example.com", "Tina Moreau", start, currency="eur",
                                 address=_address("8 rue des Tanneurs", "Lille", "59800", "FR"), preferred_locales=["fr"])  # fmt: skip
        card = self.card("tina", customer["id"], "amex", "8431", self._expires(1))
        yield self._with_default(customer, card)
        yield card
        yield self.subscription("tina", customer["id"], [(self.wares["big"], 1)], currency="eur", start=start,
                                period_end=end, status="trialing", trial_start=seconds(start), trial_end=seconds(end),
                                billing_cycle_anchor=seconds(end))  # fmt: skip

    def lee(self) -> Iterator[Json]:
        start, rate = self.period_start(16), self.tax_rate("JP", "消費税", _JPY_TAX)
        customer = self.customer("lee", "lee@example.com", "Lee Nakamura 中村", self.now - timedelta(days=500), currency="jpy",
                                 address=_address("神南1-2-3", "渋谷区", "150-0041", "JP"), next_invoice_sequence=2)  # fmt: skip
        card = self.card("lee", customer["id"], "jcb", "0505", self._expires(1))
        yield self._with_default(customer, card)
        yield card
        end = seconds(add_months(start, 1))
        yield self.subscription("lee", customer["id"], [(self.wares["main"], 1)], currency="jpy", start=start,
                                cancel_at_period_end=True, cancel_at=end, default_tax_rates=[rate],
                                canceled_at=seconds(self.now - timedelta(days=2)))  # fmt: skip
        amount = in_minor_units(self.wares["main"].cents, "jpy")
        yield self.invoice("lee", customer, [(self.wares["main"].name, amount)], currency="jpy", at=start, number=1,
                           rate=rate, subscription=self.ident("sub", "lee"), method=card)  # fmt: skip

    def ivy(self) -> Iterator[Json]:
        customer: Json = {
            "id": self.ident("acct", "ivy"),
            "object": "v2.core.account",
            "created": (self.now - timedelta(days=220)).isoformat(),
            "contact_email": "ivy@example.com",
            "display_name": "Officina Ferrari",
            "livemode": False,
            "identity": {"country": "it", "entity_type": "company", "business_details": {
                "registered_name": "Officina Ferrari S.r.l.", "phone": "+39 02 7396",
                "address": {"line1": "Via Tortona 27", "town": "Milano", "postal_code": "20144", "country": "IT"}}},
        }  # fmt: skip
        yield customer
        abroad: Json = {"customer_address": _address("Via Tortona 27", "Milano", "20144", "IT"), "customer_tax_exempt": "reverse",
                  "customer_tax_ids": [{"type": "eu_vat", "value": "IT00743110157"}]}  # fmt: skip
        for number, status in enumerate(("paid", "paid", "void", "uncollectible", "open"), 1):
            at = self.now - timedelta(days=200 - 35 * number)
            due = seconds(at + timedelta(days=30)) if status == "open" else None
            yield self.invoice(f"ivy {number}", customer, [("Consulting, one day", 64000), ("Travel", 12050)],
                               currency="eur", at=at, number=number, status=status, due_date=due,
                               description="Thank you for your order.", **abroad)  # fmt: skip

    def max(self) -> Iterator[Json]:
        start = self.period_start(20)
        customer = self.customer("max", "max@example.com", "Max Adeyemi", self.now - timedelta(days=800), currency="usd",
                                 address={**_address("510 Townsend St", "San Francisco", "94103", "US"), "state": "CA"})  # fmt: skip
        card = self.card("max", customer["id"], "mastercard", "5454", self._expires(2))
        bank = self.method(
            "max bank", customer["id"], "us_bank_account", {"bank_name": "STRIPE TEST BANK", "last4": "6789"}
        )
        yield self._with_default(customer, card)
        yield from (card, bank)
        yield self.subscription("max one", customer["id"], [(self.wares["main"], 1)], currency="usd", start=start)
        several = [(self.wares["seats"], 8), (self.wares["extra"], 1), (self.wares["usage"], 0)]
        yield self.subscription("max several", customer["id"], several, currency="usd", start=self.period_start(9),
                                default_payment_method=bank["id"])  # fmt: skip
        yield self.subscription("max year", customer["id"], [(self.wares["year"], 1)], currency="usd",
                                start=self.period_start(120))  # fmt: skip

    def dee(self) -> Iterator[Json]:
        customer = self.customer("dee", "dee@example.com", "Dee Novak", self.now - timedelta(days=90), currency="eur",
                                 metadata={"portal_disabled": "true"})  # fmt: skip
        yield customer
        yield self.subscription(
            "dee", customer["id"], [(self.wares["main"], 1)], currency="eur", start=self.period_start(3)
        )

    def kim(self) -> Iterator[Json]:
        start = self.period_start(7)
        customer = self.customer("kim", "kim@example.com", "Kim & Daughters Ltd", self.now - timedelta(days=400),
                                 currency="gbp", address=_address("3 Corn Street", "Bristol", "BS1 1HT", "GB"),
                                 next_invoice_sequence=2)  # fmt: skip
        yield customer
        sent = self.invoice("kim", customer, [(self.wares["big"].name, self.wares["big"].cents)], currency="gbp", at=start,
                            number=1, status="open", due_date=seconds(start + timedelta(days=30)),
                            subscription=self.ident("sub", "kim"))  # fmt: skip
        yield self.subscription("kim", customer["id"], [(self.wares["big"], 1)], currency="gbp", start=start,
                                collection_method="send_invoice", days_until_due=30, latest_invoice=sent["id"])  # fmt: skip
        yield sent

    def noa(self) -> Iterator[Json]:
        start = self.period_start(13)
        customer = self.customer("noa", "noa@example.com", "Noa Peretz", self.now - timedelta(days=250), currency="eur")
        paypal = self.method("noa", customer["id"], "paypal", {"payer_email": "noa@example.com"})
        yield self._with_default(customer, paypal)
        yield paypal
        discount = {"id": self.ident("di", "noa"), "object": "discount", "start": seconds(start),
                    "source": {"type": "coupon", "coupon": "WELCOME20"}}  # fmt: skip
        resumes = seconds(self.now + timedelta(days=40))
        yield self.subscription("noa", customer["id"], [(self.wares["seats"], 2)], currency="eur", start=start,
                                discounts=[discount], pause_collection={"behavior": "void", "resumes_at": resumes})  # fmt: skip

    def uma(self) -> Iterator[Json]:
        customer = self.customer(
            "uma", "uma@example.com", "Uma Thorvald", self.now - timedelta(days=100), currency="eur"
        )
        method = self.method("uma", customer["id"], "carrier_pigeon", {"last4": "0007"})
        yield self._with_default(customer, method)
        yield method
        yield self.subscription("uma", customer["id"], [(self.wares["main"], 1)], currency="eur",
                                start=self.period_start(2), status="levitating")  # fmt: skip

    def eve(self) -> Iterator[Json]:
        customer = self.customer("eve", "eve@example.com", MARKUP, self.now - timedelta(days=33), currency="usd",
                                 address=_address(MARKUP, "\u202eSirap", "</td>", "US"), phone="<b>1</b>",
                                 next_invoice_sequence=2)  # fmt: skip
        yield customer
        yield {"id": self.ident("txi", "eve"), "object": "tax_id", "customer": customer["id"], "type": "us_ein",
               "value": "<svg onload=alert(1)>"}  # fmt: skip
        yield self.subscription("eve", customer["id"], [(self.wares["main"], 1)], currency="usd",
                                start=self.period_start(6), description=MARKUP)  # fmt: skip
        yield self.invoice("eve", customer, [(MARKUP, 500)], currency="usd", at=self.period_start(6), number=1,
                           description=MARKUP)  # fmt: skip

    def ann(self) -> Iterator[Json]:
        """Her last payment was given back in part, when she left in the middle of the time she had paid for."""
        customer = self.customer("ann", "ann@example.com", "Ann Björk", self.now - timedelta(days=900), currency="eur",
                                 address=_address("Storgatan 12", "Uppsala", "753 31", "SE"))  # fmt: skip
        yield customer
        start, ended = self.period_start(400), self.now - timedelta(days=370)
        yield self.subscription("ann", customer["id"], [(self.wares["main"], 1)], currency="eur", start=start,
                                status="canceled", canceled_at=seconds(ended), ended_at=seconds(ended))  # fmt: skip
        sold = self.wares["main"]
        last = self.invoice("ann", customer, [(sold.name, sold.cents)], currency="eur", at=start, number=1,
                            rate=self.tax_rate("DE", "VAT", 19), subscription=self.ident("sub", "ann"),
                            method=self.card("ann", customer["id"], "visa", "1111", (self.now.year - 1, 8)),
                            off=("WELCOME20", sold.cents // 5), post_payment_credit_notes_amount=300)  # fmt: skip
        yield refunded(last, 300)
        yield {
            "id": self.ident("cn", "ann"), "object": "credit_note", "customer": customer["id"], "invoice": last["id"],
            "number": f"{last['number']}-CN-01", "currency": "eur", "created": seconds(ended), "livemode": False,
            "amount": 300, "total": 300, "subtotal": 300, "status": "issued", "type": "post_payment", "post_payment_amount": 300,
            "total_taxes": [{"amount": 48, "taxable_amount": 252, "tax_behavior": "inclusive",
                             "tax_rate_details": {"tax_rate": self.tax_rate("DE", "VAT", 19)}}],
            "lines": {"object": "list", "has_more": False, "data": [
                {"id": self.ident("cnli", "ann"), "object": "credit_note_line_item", "amount": 300, "quantity": 1,
                 "description": f"{sold.name}, not delivered"}]},
            "refunds": [{"amount_refunded": 300}], "reason": "order_change", "memo": None,
        }  # fmt: skip


def _address(line1: str, city: str, postal_code: str, country: str) -> Json:
    return {"line1": line1, "line2": None, "city": city, "state": None, "postal_code": postal_code, "country": country}
