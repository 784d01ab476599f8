"""What of the journeys runs in which engine, and what is left out there, each with its reason.

Chromium runs everything. A line below is about the driver, not about the portal: where an engine shows the portal at
fault, the portal is corrected.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "engines.lock"
BROWSER = LOCK.parent / "browser"
JOURNEYS = {
    "firefox": tuple(sorted(each.name for each in BROWSER.glob("test_*.py"))),
    "webkit": ("webkit_journey.py",),
}
"""Files of `tests/browser`: Firefox runs all of the suite's."""

_NOSCRIPT = (
    "a visitor without scripts gets no script file, but Firefox would run it: `noscript`, and what `data-no-script` marks, "
    "stay hidden"
)
LEFT_OUT = {
    "firefox": {
        "test_main_journey.py::test_without_scripts_the_account_page_leads_to_the_overview": _NOSCRIPT,
        "test_main_journey.py::test_without_scripts_the_brand_leads_to_its_log_in_page": _NOSCRIPT,
        "test_languages.py::test_without_scripts_the_list_leads_to_each_language": _NOSCRIPT,
        "test_log_in.py::test_waiting_is_shown_and_said_and_a_form_is_sent_once": (
            "an event that the test makes starts no timer of the page; a press of the button does, and was seen to"
        ),
        "test_layout.py::test_paper_shows_no_link_that_only_leads_on": "BiDi of Firefox 153 shows no page as it prints",
        "test_layout.py::test_forced_colors_show_what_is_chosen_and_frame_no_quiet_button": "nor one with forced colors",
        "test_mail_choices.py::test_the_language_is_chosen_while_logged_in_and_stays[without scripts": _NOSCRIPT,
        "test_session_rows.py::test_who_has_several_accounts_is_asked_which_and_switches_at_any_time[without scripts": (
            _NOSCRIPT
        ),
        "test_detail_rows.py::test_name_addresses_phone_and_tax_numbers_are_changed_as_their_country_writes_them[without scripts": (
            _NOSCRIPT
        ),
        "test_mail_rows.py::test_a_mail_is_dark_where_its_reader_has_it_dark": "BiDi of Firefox 153 shows no page in the dark",
        "test_hosts.py::test_a_customer_logs_in_reads_and_cancels[nginx-without scripts": _NOSCRIPT,
        "test_hosts.py::test_a_customer_logs_in_reads_and_cancels[caddy-without scripts": _NOSCRIPT,
        "test_studio.py::test_without_scripts_and_by_keyboard_an_operator_gets_in": _NOSCRIPT,
    },
    "webkit": {},
}


def arguments(engine: str, given: list[str]) -> list[str]:
    """For pytest: what it was given, or all journeys of that engine."""
    left_out = [word for each in LEFT_OUT[engine] for word in ("--deselect", f"tests/browser/{each}")]
    named = any(not each.startswith("-") and ".py" in each for each in given)
    return [*left_out, *given, *([] if named else [f"tests/browser/{each}" for each in JOURNEYS[engine]])]


def install_drivers(say: Callable[[str], None]) -> str:
    """The folder with Playwright and Selenium as these engines need them: beside those of the suite, not in their place."""
    folder = Path(sys.prefix) / "engines"
    stamp, digest = folder / "lock", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        say("Installing the drivers of the other engines (once) …")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
        locked = ["--target", str(folder), "--no-deps", "--require-hashes", "-r", str(LOCK)]
        if code := subprocess.call([*pip, *locked]):
            raise SystemExit(code)
        stamp.write_text(digest)
    return str(folder)
