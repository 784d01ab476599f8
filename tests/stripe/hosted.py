"""The pages that Stripe hosts: Checkout that adds a payment method, the invoice's page, its PDF, its receipt.

They work without scripts and answer a form; what is typed there takes effect as on Stripe's own pages.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs, urlsplit

from tests.stripe.app import Answer, Request, Standin
from tests.stripe.billing import paying
from tests.stripe.errors import Refusal
from tests.stripe.resources import setup
from tests.stripe.world import Json, World, belongs_to, owner_of

_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def answer(standin: Standin, request: Request) -> Answer:
    world, parts = standin.world, request.path.strip("/").split("/")
    typed = {name: values[0].strip() for name, values in parse_qs(request.body.decode()).items()}
    try:
        match request.verb, parts:
            case verb, ["c", "pay", identity] if verb in ("get", "post"):
                return _checkout(world, world.get("checkout.session", identity), typed if verb == "post" else None)
            case "get", ["i", identity, "pdf"]:
                world.get("invoice", identity)
                saved = {"content-disposition": f'attachment; filename="{identity}.pdf"'}
                return Answer(200, {"content-type": "application/pdf", **saved}, _PDF)
            case verb, ["i", identity] if verb in ("get", "post"):
                return _invoice(world, world.get("invoice", identity), typed if verb == "post" else None)
            case "get", ["r", identity]:
                invoice = world.get("invoice", identity)
                return _page(
                    "Receipt", f"<p>Receipt for invoice {escape(str(invoice['number']))}: {_amount(invoice)} paid.</p>"
                )
    except Refusal:
        pass
    return _page("Page not found", "<p>There is no such page.</p>", status=404)


def _checkout(world: World, session: Json, typed: dict[str, str] | None) -> Answer:
    if session["status"] == "open" and session["expires_at"] <= world.now:
        setup.end(world, session)
    if session["status"] != "open":
        return _page("This page has expired", "<p>Go back to the shop and begin again.</p>", status=410)
    error = ""
    if typed is not None:
        number = typed.get("number", "").replace(" ", "")
        if typed.get("iban"):
            setup.finish(world, session, setup.sepa(typed["iban"]))
            return _go(_back(session))
        if number.isdigit() and not setup.is_refused(number):
            month, _, year = typed.get("expires", "12/34").replace(" ", "").partition("/")
            setup.finish(world, session, setup.card(number, int(month), 2000 + int(year)))
            return _go(_back(session))
        error = '<p role="alert">Your card was declined. Try another one.</p>'
    away = f'<p><a href="{escape(session["cancel_url"])}">Back</a></p>' if session.get("cancel_url") else ""
    action = f"{urlsplit(world.base).path}/c/pay/{session['id']}"
    return _page("Add a payment method", f"""{error}<form method="post" action="{action}">
<p><label for="number">Card number</label> <input id="number" name="number" autocomplete="off"></p>
<p><label for="expires">Expires</label> <input id="expires" name="expires" value="12/34"></p>
<p><label for="cvc">Security code</label> <input id="cvc" name="cvc" autocomplete="off"></p>
<p><button>Add this card</button></p></form>
<form method="post" action="{action}"><p><label for="iban">IBAN</label> <input id="iban" name="iban" autocomplete="off"></p>
<p><button>Add this account</button></p></form>{away}""")  # fmt: skip


def _back(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _invoice(world: World, invoice: Json, typed: dict[str, str] | None) -> Answer:
    error = ""
    if typed is not None and invoice["status"] == "open":
        error = _pay(world, invoice, typed)
    head = f"<p>Invoice {escape(str(invoice['number']))}: {_amount(invoice)}, {escape(str(invoice['status']))}.</p>"
    if invoice["status"] != "open":
        return _page("Invoice", head)
    intent = paying.intent_of(world, invoice) or {}
    if intent.get("status") == "requires_action":
        return _page("Confirm your payment", f"""{head}{error}<form method="post" action="{urlsplit(world.base).path}/i/{invoice["id"]}">
<p><button name="confirm" value="yes">Complete authentication</button>
<button name="confirm" value="no">Fail authentication</button></p></form>""")  # fmt: skip
    return _page("Pay your invoice", f"""{head}{error}<form method="post" action="{urlsplit(world.base).path}/i/{invoice["id"]}">
<p><label for="number">Card number</label> <input id="number" name="number" autocomplete="off"></p>
<p><button>Pay</button></p></form>""")  # fmt: skip


def _pay(world: World, invoice: Json, typed: dict[str, str]) -> str:
    """Returns what the page says about it, if it did not work."""
    intent = paying.intent_of(world, invoice) or {}
    if typed.get("confirm") == "yes":
        intent["_confirmed"] = True
        refusal = paying.attempt(world, invoice, intent["payment_method"])
    elif typed.get("confirm") == "no":
        intent.update(status="requires_payment_method", last_payment_error={
            "type": "card_error", "code": "payment_intent_authentication_failure", "message": "The authentication failed.",
        })  # fmt: skip
        world.tell("invoice.payment_failed", invoice)
        return '<p role="alert">The authentication failed.</p>'
    else:
        number = typed.get("number", "").replace(" ", "")
        made = world.add("payment_method", **belongs_to(owner_of(invoice) or ""), **setup.card(number, 12, 2034))
        refusal = paying.attempt(world, invoice, made["id"])
    if refusal is None or refusal.error.get("code") == "invoice_payment_intent_requires_action":
        return ""
    return f'<p role="alert">{escape(str(refusal))}</p>'


def _amount(invoice: Json) -> str:
    return f"{invoice['amount_due']} {escape(invoice['currency'].upper())} in minor units"


def _go(url: str) -> Answer:
    return Answer(303, {"location": url}, b"")


def _page(title: str, inside: str, *, status: int = 200) -> Answer:
    html = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1>{inside}</main></body></html>"""
    return Answer(status, {"content-type": "text/html; charset=utf-8", "referrer-policy": "no-referrer"}, html.encode())
