"""`portal.toml`: who the business is, where it stands and how its customers reach it."""

import pytest

from server import brands
from tests.support.brands import PORTAL, the_mistake, write_brand


def portal(tmp_path, text=""):
    return brands.load(write_brand(tmp_path, portal=PORTAL + text)).config


def test_what_is_left_out_has_its_default(tmp_path):
    config = portal(tmp_path)
    assert (config.business.name, config.business.headline, config.business.support_email) == ("Harbour", "", "")
    assert (config.site.url, config.site.locales, config.site.timezone) == ("", ("en",), "UTC")
    assert (config.login_page.enabled, config.login_page.link, config.billing.backend) == (False, "", "ledger")


def test_the_name_is_required(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, portal=""))
    assert (mistake.key, mistake.found, mistake.line) == ("business.name", "nothing", 1)


@pytest.mark.parametrize("key", ["privacy_policy_url", "terms_of_service_url", "default_return_url", "support_url"])
@pytest.mark.parametrize("url", ["https://harbour.example/privacy?a=1#b", "http://harbour.example", "https://[::1]:8/"])
def test_a_url_is_kept_as_written(tmp_path, key, url):
    assert getattr(portal(tmp_path, f'{key} = "{url}"\n').business, key) == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "/privacy",
            "harbour.example",
            "https:",
            "https://",
        ),
        *("https://a b.example/", "https://user:pass@harbour.example/", "https://harbour.example:99999/", "https://[/"),
        *(
            "https://hårbour.example/",
            "https://harbour.example/<script>",
            "https://-a.example/",
            "ftp://harbour.example/",
        ),
        *("https://harbour.example\\\\@evil.example/", "https://[fe80::1%25eth0]/", "https://a..b/"),
    ],
)
def test_what_is_not_a_web_url_is_refused(tmp_path, url):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + f'privacy_policy_url = "{url}"\n'))
    assert (mistake.line, mistake.key) == (3, "business.privacy_policy_url")


@pytest.mark.parametrize("address", ["help@harbour.example", "a+b.c@x.example"])
def test_a_support_address_is_kept(tmp_path, address):
    assert portal(tmp_path, f'support_email = "{address}"\n').business.support_email == address


@pytest.mark.parametrize(
    "address", ["help", "@x.example", "a@", "a b@x.example", "a@x.example?subject=hi", "<a@x.example>"]
)
def test_an_odd_support_address_is_refused(tmp_path, address):
    assert the_mistake(write_brand(tmp_path, portal=PORTAL + f'support_email = "{address}"\n')).line == 3


@pytest.mark.parametrize("phone", ["+1 555 0100", "030 123-45/6", "+49 (30) 1234"])
def test_a_phone_number_is_kept(tmp_path, phone):
    assert portal(tmp_path, f'support_phone = "{phone}"\n').business.support_phone == phone


def test_a_phone_number_with_words_is_refused(tmp_path):
    assert (
        the_mistake(write_brand(tmp_path, portal=PORTAL + 'support_phone = "call us"\n')).key
        == "business.support_phone"
    )


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://billing.harbour.example", "https://billing.harbour.example"),
        ("https://Billing.Harbour.example/", "https://billing.harbour.example"),
        ("https://billing.harbour.example:443", "https://billing.harbour.example"),
        ("https://billing.harbour.example:8443", "https://billing.harbour.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_site_is_an_origin_as_browsers_write_it(tmp_path, written, url):
    assert portal(tmp_path, f'[site]\nurl = "{written}"\n').site.url == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://harbour.example",
            "https://harbour.example/portal",
            "https://harbour.example/?a",
            "https://harbour.example#a",
        ),
        *("harbour.example", "ftp://harbour.example", "https://user@harbour.example", "https://"),
    ],
)
def test_a_site_with_more_or_less_than_an_origin_is_refused(tmp_path, url):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + f'[site]\nurl = "{url}"\n'))
    assert (mistake.line, mistake.key) == (4, "site.url")


@pytest.mark.parametrize("tags", [("en",), ("de", "en"), ("pt-BR", "zh-Hant", "ar", "es-419")])
def test_locales_that_babel_knows_are_kept_in_their_order(tmp_path, tags):
    listed = ", ".join(f'"{tag}"' for tag in tags)
    assert portal(tmp_path, f"[site]\nlocales = [{listed}]\n").site.locales == tags


@pytest.mark.parametrize(
    "listed", ['"xx"', '"EN"', '"en_US"', '"en", "en"', '""', "1", '"en-US-x-y"', '"../en"', "", '["en"]']
)
def test_odd_locales_are_refused(tmp_path, listed):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + f"[site]\nlocales = [{listed}]\n"))
    assert mistake.key.startswith("site.locales")


def test_a_timezone_is_kept(tmp_path):
    assert portal(tmp_path, '[site]\ntimezone = "Europe/Berlin"\n').site.timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    "zone", ["Europe/Berlim", "Europe", "../../etc/passwd", "/etc/passwd", "zone.tab", "x" * 300, "é"]
)
def test_an_unknown_timezone_is_refused(tmp_path, zone):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + f'[site]\ntimezone = "{zone}"\n'))
    assert mistake.key == "site.timezone"
    assert ("did you mean Europe/Berlin?" in mistake.allowed) == (zone == "Europe/Berlim")


def test_a_log_in_page_that_is_on_needs_its_link(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + "[login_page]\nenabled = true\n"))
    assert (mistake.line, mistake.key) == (3, "login_page.link")


@pytest.mark.parametrize("link", ["test_abc", "a/b" * 10, "ä" * 30, "a" * 200, "test_ 0123456789012345678901"])
def test_an_odd_link_is_refused(tmp_path, link):
    text = PORTAL + f'[login_page]\nenabled = true\nlink = "{link}"\n'
    assert the_mistake(write_brand(tmp_path, portal=text)).key == "login_page.link"


def test_a_link_may_stay_while_the_page_is_off(tmp_path):
    page = portal(tmp_path, '[login_page]\nlink = "test_0123456789012345678901"\n').login_page
    assert (page.enabled, page.link) == (False, "test_0123456789012345678901")


def test_an_unknown_backend_is_refused(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + '[billing]\nbackend = "strip"\n'))
    assert mistake.allowed == "ledger, stripe (did you mean stripe?)"


@pytest.mark.parametrize("key", ["secret", "api_key", "stripe_key"])
def test_a_secret_has_no_place_here(tmp_path, key):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + f'[billing]\n{key} = "sk_test_hidden"\n'))
    assert (mistake.found, "hidden" in str(mistake)) == ("an unknown key", False)


def test_who_issues_the_invoices_is_read(tmp_path):
    business = portal(
        tmp_path, 'legal_name = "Harbour GmbH"\ntax_id = "DE1"\n[business.address]\ncity = "Hamburg"\ncountry = "DE"\n'
    ).business
    assert (business.legal_name, business.tax_id) == ("Harbour GmbH", "DE1")
    assert (business.address.city, business.address.country, business.address.line1) == ("Hamburg", "DE", "")


def test_the_account_for_transfers_is_read(tmp_path):
    account = portal(tmp_path, '[business.bank_account]\niban = "de02 1203 0000 0000 2020 51"\nbic = "byladem1001"\n')
    found = account.business.bank_account
    assert (found.iban, found.bic) == ("DE02120300000000202051", "BYLADEM1001")


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ('iban = "DE02120300000000202052"', "check digits"),
        ('iban = "DE02120300000000202051"\nbic = "BYL"', "a BIC"),
        ('bank = "A bank"', "the IBAN of that account"),
    ],
)
def test_a_mistyped_account_is_refused(tmp_path, text, allowed):
    mistake = the_mistake(write_brand(tmp_path, portal=PORTAL + f"[business.bank_account]\n{text}\n"))
    assert allowed in str(mistake)


@pytest.mark.parametrize("country", ["de", "DEU", "Germany", "XX", ""])
def test_a_country_is_two_capital_letters(tmp_path, country):
    text = f'[business.address]\ncountry = "{country}"\n'
    assert the_mistake(write_brand(tmp_path, portal=PORTAL + text)).key == "business.address.country"


@pytest.mark.parametrize(
    ("mail", "sent"),
    [
        ("", ["plan_changed", "new_login"]),
        ("[mail]\nreceipt = true\nplan_changed = false\n", ["receipt", "new_login"]),
        ("[mail]\nenabled = false\n", []),
    ],
)
def test_beside_stripe_only_what_stripe_never_mails_is_on_unless_it_is_written(tmp_path, mail, sent):
    config = portal(tmp_path, f'[billing]\nbackend = "stripe"\n{mail}')
    kinds = ("receipt", "payment_failed", "trial_ending", "subscription_canceled", "plan_changed", "new_login")
    assert [each for each in kinds if config.mail.wants(each)] == sent


def test_doors_need_somebody_who_decides(tmp_path):
    for doors in ("cancel = true", "withdraw = true"):
        mistake = the_mistake(write_brand(tmp_path, portal=f"{PORTAL}[doors]\n{doors}\n"))
        assert (mistake.key, mistake.found) == ("doors.notify", "nothing")
    assert portal(tmp_path, '[doors]\ncancel = true\nnotify = "a@b.example"\n').doors.opens("cancel")
    assert portal(tmp_path, 'support_email = "a@b.example"\n[doors]\nwithdraw = true\n').doors.opens("withdraw")
    assert not portal(tmp_path).doors.opens("cancel")
    mistake = the_mistake(write_brand(tmp_path, portal=f'{PORTAL}[doors]\nnotify = "nobody"\n'))
    assert (mistake.key, mistake.allowed) == ("doors.notify", "an email address such as contracts@harbour.example")
