"""Settings from the environment: every mistake is named, and nothing unknown is silently without effect."""

import pytest

from server.settings import SettingsError, from_environment

SECRET = "kV3nq0-Zt8wYb1sLx_5rJcE7uHdMf2oApGiT9yKQ6hWvS4eXlRzCjNmBgUaDkPw"
GOOD = {"PORTAL_SECRETS": SECRET, "PORTAL_ORIGIN": "https://portal.example"}


def test_the_least_that_is_needed_is_enough():
    read = from_environment(GOOD)
    assert read.origin == "https://portal.example"
    assert read.secrets == (SECRET.encode(),)
    assert (read.code_minutes, read.session_idle_minutes, read.session_hours) == (10, 60, 8)
    assert read.trusted_proxies is None


@pytest.mark.parametrize(
    ("database", "releases"),
    [
        ("sqlite:portal.sqlite", "releases"),
        ("sqlite:/var/lib/postern/portal.sqlite", "/var/lib/postern/releases"),
        ("postgresql://db.example/postern", "releases"),
    ],
)
def test_releases_are_beside_the_file_of_the_database(database, releases):
    assert str(from_environment(GOOD | {"PORTAL_DATABASE": database}).releases) == releases
    given = {"PORTAL_DATABASE": database, "PORTAL_RELEASES": "/srv/releases"}
    assert str(from_environment(GOOD | given).releases) == "/srv/releases"


def test_other_programs_variables_are_none_of_ours():
    assert from_environment(GOOD | {"HOME": "/", "PATH": "/bin", "PORT": "8000"})


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORTAL_SECRETS", "", "missing"),
        ("PORTAL_SECRETS", "short", "too short"),
        ("PORTAL_SECRETS", "a" * 64, "too simple"),
        ("PORTAL_SECRETS", f"{SECRET},short", "number 2"),
        ("PORTAL_ORIGIN", "portal.example", "https://"),
        ("PORTAL_ORIGIN", "http://portal.example", "plain http"),
        ("PORTAL_ORIGIN", "https://portal.example/path", "path"),
        ("PORTAL_ORIGIN", "https://portal.example/#x", "more than an origin"),
        ("PORTAL_ORIGIN", "https://me:pass@portal.example", "more than an origin"),
        ("PORTAL_ORIGIN", "https://portal.example:port", "not a URL"),
        ("PORTAL_STUDIO_ORIGIN", "studio.example", "PORTAL_STUDIO_ORIGIN: must begin with https://"),
        ("PORTAL_STUDIO_ORIGIN", "http://studio.example", "plain http"),
        ("PORTAL_STUDIO_ORIGIN", "https://studio.example/_studio", "without a path"),
        ("PORTAL_DATABASE", "mysql://root@host/x", "sqlite:"),
        ("PORTAL_CODE_MINUTES", "11", "3 to 10"),
        ("PORTAL_CODE_MINUTES", "2", "3 to 10"),
        ("PORTAL_CODE_MINUTES", "ten", "whole number"),
        ("PORTAL_SESSION_IDLE_MINUTES", "241", "5 to 240"),
        ("PORTAL_SESSION_HOURS", "25", "1 to 24"),
        ("PORTAL_TRUSTED_PROXIES", "-1", "0 to 10"),
        ("PORTAL_PROXY_PEERS", "10.0.0.0/99", "networks"),
        ("PORTAL_CLIENT_ADDRESS_HEADER", "CF-Connecting-IP", "PORTAL_PROXY_PEERS must say"),
        ("PORTAL_OPERATIONS", "9464", "a host and a port"),
        ("PORTAL_OPERATIONS", "127.0.0.1:0", "127.0.0.1:9464"),
        ("PORTAL_OPERATIONS", "::1:9464", "[::1]:9464"),
        ("PORTAL_STUDIO_PRIVATE_TARGETS", "true", "yes, no"),
        ("PORTAL_LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("PORTAL_SMTP_URL", "http://mail.example", "smtp://"),
        ("PORTAL_SMTP_URL", "smtp://mail.example", "PORTAL_MAIL_FROM"),
        ("PORTAL_SECRET", SECRET, "not a setting"),
        ("PORTAL_TEST_CODE", "123456", "not a setting"),  # threat 17
        ("PORTAL_STRIPE_KEYS_HARBOUR", "rk_test_1", "PORTAL_STRIPE_KEY_<BRAND>, PORTAL_STRIPE_WEBHOOK_SECRET_<BRAND>"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(variable, value, words):
    with pytest.raises(SettingsError) as refused:
        from_environment(GOOD | {variable: value})
    assert words in str(refused.value)
    assert "PORTAL_" in str(refused.value)


def test_the_operators_address_is_loopback_until_it_is_set():
    assert from_environment(GOOD).operations == ("127.0.0.1", 9464)
    assert from_environment(GOOD | {"PORTAL_OPERATIONS": "[::1]:9000"}).operations == ("::1", 9000)


def test_plain_http_is_for_loopback():
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        assert from_environment(GOOD | {"PORTAL_ORIGIN": f"http://{host}"}).origin == f"http://{host}"


def test_an_origin_is_kept_as_browsers_send_it():
    for written in ("https://Portal.Example", "https://portal.example:443", "https://portal.example/"):
        assert from_environment(GOOD | {"PORTAL_ORIGIN": written}).origin == "https://portal.example"
    assert from_environment(GOOD | {"PORTAL_ORIGIN": "http://LOCALHOST:80"}).origin == "http://localhost"


STRIPE = {
    "PORTAL_STRIPE_KEY_A_B": "rk_test_0123456789",
    "PORTAL_STRIPE_WEBHOOK_SECRET_A_B": "whsec_0123456789",
}


def test_each_brand_has_its_own_key_of_stripe():
    read = from_environment(GOOD | STRIPE)
    assert read.stripe_of("a-b").key == "rk_test_0123456789"
    assert read.stripe_of("a-b").webhook_secret == "whsec_0123456789"
    assert not read.stripe_of("a-b").is_live
    assert read.stripe_of("harbour").key == ""
    assert "0123456789" not in repr(read) + repr(read.stripe_of("a-b"))


@pytest.mark.parametrize("value", ["", "  ", "whsec_", "secret", "rk_test_0123456789"])
def test_a_webhook_secret_that_is_set_but_is_none_does_not_start(value):  # threat 88
    with pytest.raises(SettingsError, match="PORTAL_STRIPE_WEBHOOK_SECRET_A_B"):
        from_environment(GOOD | STRIPE | {"PORTAL_STRIPE_WEBHOOK_SECRET_A_B": value})


@pytest.mark.parametrize("value", ["", "pk_test_0123456789", "rk_0123", "rk_test_"])
def test_a_key_that_is_none_is_refused_without_being_repeated(value):
    with pytest.raises(SettingsError, match="PORTAL_STRIPE_KEY_A_B") as refused:
        from_environment(GOOD | STRIPE | {"PORTAL_STRIPE_KEY_A_B": value})
    assert "0123" not in str(refused.value)


def test_a_stand_in_for_stripe_is_on_loopback():
    assert from_environment(GOOD | {"PORTAL_STRIPE_API_BASE": "http://127.0.0.1:9/"}).stripe_api_base == (
        "http://127.0.0.1:9"
    )
    for value in ("https://api.stripe.com", "http://10.0.0.1", "ftp://127.0.0.1"):
        with pytest.raises(SettingsError, match="PORTAL_STRIPE_API_BASE"):
            from_environment(GOOD | {"PORTAL_STRIPE_API_BASE": value})


def test_a_command_that_only_reads_the_store_needs_no_secrets():
    assert from_environment({"PORTAL_DATABASE": "sqlite:here.sqlite"}, secrets_needed=False).secrets == ()


def test_a_bad_secret_is_refused_even_where_none_is_needed():
    with pytest.raises(SettingsError, match="PORTAL_SECRETS"):
        from_environment({"PORTAL_SECRETS": "short"}, secrets_needed=False)


def test_secrets_are_not_in_what_is_logged_of_settings():
    assert SECRET not in repr(from_environment(GOOD))
