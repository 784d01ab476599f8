"""`[mail]` of `portal.toml`: closed words, and all of them off with one."""

import pytest

from server import brands
from server.brands.mail_switches import OPTIONAL, RENEWAL_DAYS, MailSwitches
from server.mail.letters import LETTERS
from tests.support.brands import PORTAL, the_mistake, write_brand

KINDS = [each.template for each in LETTERS]


def read(tmp_path, text=""):
    return brands.load(write_brand(tmp_path, portal=f"{PORTAL}[mail]\n{text}\n")).config.mail


def test_every_kind_is_sent_unless_it_is_switched_off(tmp_path):
    assert read(tmp_path) == MailSwitches()
    assert all(MailSwitches().wants(kind) for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_switched_off(tmp_path, kind):  # M2
    switches = read(tmp_path, f"{kind} = false")
    assert [each for each in KINDS if not switches.wants(each)] == [kind]


def test_all_of_them_can_be_switched_off_but_one(tmp_path):
    switches = read(tmp_path, "enabled = false\nreceipt = true")
    assert [each for each in KINDS if switches.wants(each)] == ["receipt"]


def test_a_customer_may_do_without_the_reminders_that_the_business_does_not_keep(tmp_path):  # M2
    assert read(tmp_path).stoppable == OPTIONAL
    assert read(tmp_path, 'optional = ["card_expiring"]').stoppable == ("card_expiring",)
    assert read(tmp_path, "optional = []").stoppable == ()
    assert read(tmp_path, "renewal_reminder = false").stoppable == ("card_expiring",)
    assert not any(MailSwitches().may_stop(kind) for kind in KINDS if kind not in OPTIONAL)


@pytest.mark.parametrize("days", RENEWAL_DAYS)
def test_a_renewal_is_spoken_of_so_many_days_before(tmp_path, days):
    switches = read(tmp_path, f"renewal_reminder_days = {days}")
    assert [each for each in RENEWAL_DAYS if switches.wants("renewal_reminder", each)] == [days]


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("reciept = true", "mail.reciept", "did you mean receipt?"),
        ('optional = ["receipt"]', "mail.optional[0]", "renewal_reminder"),
        ('optional = ["trial_ending"]', "mail.optional[0]", "card_expiring"),
        ("optional = true", "mail.optional", "a list"),
        ("passcode = false", "mail.passcode", "receipt"),
        ('receipt = "yes"', "mail.receipt", "true or false"),
        ("renewal_reminder_days = 20", "mail.renewal_reminder_days", "7, 15, 30, 45"),
        ("renewal_reminder_days = true", "mail.renewal_reminder_days", "7, 15, 30, 45"),
        ('renewal_reminder_days = "30"', "mail.renewal_reminder_days", "7, 15, 30, 45"),
        ("renewal_reminder_days = [30]", "mail.renewal_reminder_days", "7, 15, 30, 45"),
    ],
)
def test_anything_else_is_refused_with_its_line(tmp_path, text, key, allowed):
    mistake = the_mistake(write_brand(tmp_path, portal=f"{PORTAL}[mail]\n{text}\n"))
    assert (mistake.key, mistake.line) == (key, PORTAL.count("\n") + 2)
    assert allowed in mistake.allowed
