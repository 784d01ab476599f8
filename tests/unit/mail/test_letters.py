"""What the mails about a customer say, and that no name in them becomes markup, a header or another's words."""

import email
import email.policy
import re
from email.headerregistry import HeaderRegistry

import pytest
from msgspec.structs import replace

from server.billing import Scheduled, Tier, Upcoming
from server.billing.ledger.events.renewals import catch_up
from server.billing.model.notices import Event
from server.mail import kinds, messages
from server.mail.letters import LETTERS, is_needed, letter
from server.mail.smtp import POLICY
from server.publishing import examples
from tests.support import mailing
from tests.support.ledger_accounts import APRIL, CARD, NOW, account, eur, item, price, subscription

HOSTILE = [
    "Coffee\r\nBcc: y@example.com",
    "=?utf-8?q?x=0ABcc:_y?=",
    "\u202eCoffee\u2066",
    '<script>alert(1)</script>"><img src=x>{{7*7}}',
    "c" * 3000,
    "\x00\x1b[31m",
]


def composed(mail, locale=None, **changed):
    message = messages.compose(
        mailing.portal(**changed), mail, "jenny@example.com", key="1", now=mailing.NOW, locale=locale
    )
    return email.message_from_bytes(message.as_bytes(policy=POLICY), policy=email.policy.default), message


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "Coffee (€31.00 a month × 7)"),
        ({"tiers": (Tier(None, "800"),)}, "Coffee × 7 (Priced by quantity, every month)"),
        ({"unit_amount": ""}, "Coffee × 7 (Price on request)"),
        ({"usage": "metered"}, "Coffee (€31.00 each, billed by use)"),
    ],
)
def test_a_quantity_multiplies_only_what_is_an_amount(changed, says):
    it = subscription(item(quantity=7, **changed))
    it = letter(kinds.MAILS["subscription_canceled"], Event(NOW, "kept", subscription=it))
    assert says in messages.render(mailing.portal().renderer, it).text


@pytest.mark.parametrize("kind", ["trial_ending", "renewal_reminder"])
@pytest.mark.parametrize(
    ("method", "link", "says"),
    [
        (CARD, "", "To keep it, you do not need to do anything."),
        (None, "https://portal.example/p/login/x/", "To keep it, please add a payment method in your account."),
        (None, "", "To keep it, please contact us."),
    ],
)
def test_who_has_nothing_to_pay_with_is_told_what_to_do(kind, method, link, says):
    event = Event(NOW, subscription=subscription(), upcoming=Upcoming("sub_1", APRIL, eur(3100)), method=method)
    it = letter(kinds.MAILS[kind], event, link=link)
    assert says in messages.render(mailing.portal().renderer, it).text


def test_a_subscription_is_called_as_its_page_calls_it():
    it = subscription(item(), item(price=price(id="price_2")), description="Office coffee, Berlin")
    for whole, called in ((it, "Office coffee, Berlin"), (replace(it, description=""), "Coffee and 1 more")):
        mail = letter(kinds.MAILS["subscription_canceled"], Event(NOW, "kept", subscription=whole))
        assert messages.render(mailing.portal().renderer, mail).subject == f"{called} continues"


def every(name):
    """Each kind with this name everywhere that the billing side has one."""
    of = price(product_name=name, nickname=name, unit_label=name)
    card = replace(CARD, brand=name, last4=name[:40])
    it = subscription(item(price=of), cancel_at=APRIL, scheduled=Scheduled(APRIL, of, 2, NOW))
    invoice = catch_up(account(subscription(item(price=of))), APRIL).invoices[0]
    invoice = replace(invoice, number=name, lines=(replace(invoice.lines[0], description=name),))
    told = Event(NOW, invoice=invoice, subscription=it, before=it, method=card, names=(name,), credit=eur(5),
                upcoming=Upcoming("sub_1", APRIL, eur(3100)))  # fmt: skip
    states = {"subscription_canceled": ("ends", "ended", "kept"), "plan_changed": ("now", "scheduled", "kept")}
    for kind in LETTERS:
        for state in states.get(kind.template, ("",)):
            yield letter(
                kind, replace(told, state=state), link="https://portal.example/p/login/x/?prefilled_email=a%40b"
            )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_text_and_never_becomes_a_header(name):  # threats 37, 43, 64, 74
    for mail in every(name):
        read, message = composed(mail)
        head = message.as_bytes(policy=POLICY).partition(b"\r\n\r\n")[0].decode()
        assert len(re.findall(r"(?im)^(from|to|subject|bcc|cc):", head)) == 3
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", read["Subject"])
        text, html = (read.get_body((form,)).get_content() for form in ("plain", "html"))
        assert not re.search("[\u202a-\u202e\u2066\u2067]", text + html), "a date of ours would be written backwards"
        assert not re.search(r"<(script|img)", html)
        assert "49" not in html or "{{7*7}}" not in name
        assert message.as_bytes(policy=POLICY).isascii()


SHOWN = [each for each in examples.load_mails() if type(each.mail) in LETTERS]


@pytest.mark.parametrize("example", SHOWN, ids=lambda it: f"{it.mail.template}: {it.name}")
def test_html_and_text_say_the_same(example):
    read, _ = composed(example.mail)
    text, html = (read.get_body((kind,)).get_content() for kind in ("plain", "html"))
    amounts = re.compile(r"[€¥][\d,.]+\d")
    assert set(amounts.findall(text)) == set(amounts.findall(html))
    dates = re.compile(r"(?:March|April) \d+, \d{4}")
    assert set(dates.findall(text)) | set(dates.findall(str(read["Subject"]))) == set(dates.findall(html))


def test_a_receipt_says_what_a_discount_took_off_a_prorated_line():
    mail = next(each.mail for each in SHOWN if each.mail.template == "receipt")
    line = replace(mail.invoice.lines[0], included_discount=eur(187))
    read, _ = composed(replace(mail, invoice=replace(mail.invoice, lines=(line, *mail.invoice.lines[1:]))))
    for form in ("plain", "html"):
        assert re.search(r"2026 · Discount of €1\.87 already applied", read.get_body((form,)).get_content()), form


def test_a_mail_in_a_language_from_right_to_left_says_so_and_turns_its_sides():
    mail = next(each.mail for each in examples.load_mails() if each.mail.template == "receipt")
    html = composed(mail, "ar", locales=("en", "ar"))[0].get_body(("html",)).get_content()
    assert '<html lang="ar" dir="rtl"' in html
    assert "text-align: right" in html
    assert "padding-right: 16px" in html


def test_the_customers_own_name_is_in_no_mail():  # threat 38
    for kind in LETTERS:
        assert "name" not in kind.__struct_fields__
    assert {"invoice", "receipt", "trial_ending"} <= set(kinds.KINDS)


def test_an_invoice_that_is_paid_needs_no_mail_any_more():
    failed = catch_up(account(subscription(), payment_methods=()), APRIL)
    kind = kinds.MAILS["payment_failed"]
    told = failed.notices[0].event
    assert is_needed(kind, told, failed.account)
    paid = replace(failed.account, invoices=(replace(failed.invoices[0], status="paid"),))
    assert not is_needed(kind, told, paid)
    assert is_needed(kinds.MAILS["receipt"], told, paid)


def test_a_card_that_was_replaced_needs_no_mail_any_more():
    its = account(subscription())
    kind = kinds.MAILS["card_expiring"]
    assert is_needed(kind, Event(NOW, method=CARD), its)
    assert not is_needed(kind, Event(NOW, method=replace(CARD, id="pm_0")), its)


def test_a_header_that_is_kept_is_written_as_the_standard_library_writes_it():
    """To two people, and in lines of two lengths: neither may see what was kept for the other."""
    for to in ("jenny@example.com", "someone-else@a-rather-long-domain-name.example.com"):
        message = messages.compose(mailing.portal(), replace(SHOWN[0].mail, stop=""), to, key=to, now=mailing.NOW)
        assert message["To"].addresses[0].addr_spec == to
        for policy in (POLICY, POLICY.clone(max_line_length=40), POLICY):
            for name, value in message.items():
                assert value.fold(policy=policy) == HeaderRegistry()(name, str(value)).fold(policy=policy)
