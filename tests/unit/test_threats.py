"""Each row of the threat model has a test that proves its defence; the tests of one row carry `# threat N` inside. One of
each is named here, so that a row without a test, or a test that was renamed or dropped, is noticed.
"""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

ACCESS, SECURITY = "contract/access", "unit/security"
STUDIO = "unit/studio"
WEBHOOKS = "unit/webhooks/test_webhooks.py"
PROVED = {
    1: f"{ACCESS}/test_guessing.py::test_after_five_wrong_codes_the_right_one_is_refused_too",
    2: f"{ACCESS}/test_guessing.py::test_the_cap_of_tries_holds_with_every_limiter_off",
    3: f"{ACCESS}/test_guessing.py::test_a_code_lapses_after_ten_minutes",
    4: f"{ACCESS}/test_races.py::test_of_64_wrong_codes_at_once_exactly_5_are_looked_at",
    5: f"{ACCESS}/test_races.py::test_of_64_right_codes_at_once_exactly_one_logs_in",
    6: f"{ACCESS}/test_guessing.py::test_over_a_year_no_more_than_twenty_six_digit_guesses_are_looked_at",
    7: f"{ACCESS}/test_guessing.py::test_fifty_browsers_share_one_budget",
    8: f"{ACCESS}/test_guessing.py::test_fifty_browsers_share_one_budget",
    9: f"{SECURITY}/test_client_address.py::test_every_form_of_an_address_is_read_or_is_nobodys",
    10: f"{ACCESS}/test_guessing.py::test_a_log_in_clears_its_own_failures_only",
    11: f"{ACCESS}/test_guessing.py::test_odd_methods_are_refused_and_change_nothing",
    12: f"{ACCESS}/test_guessing.py::test_a_code_of_another_challenge_is_refused",
    13: "unit/test_architecture.py::test_random_is_never_used_for_secrets",
    14: f"{ACCESS}/test_guessing.py::test_a_stolen_database_gives_no_codes",
    15: f"{ACCESS}/test_guessing.py::test_one_handler_alone_begins_sessions",
    16: f"{ACCESS}/test_sessions.py::test_a_whole_log_in_leaves_no_secret_in_the_log",
    17: f"{ACCESS}/test_guessing.py::test_extra_fields_are_never_looked_at",
    18: f"{ACCESS}/test_guessing.py::test_odd_forms_are_refused_without_a_session_or_a_spent_try",
    19: f"{ACCESS}/test_reserves.py::test_a_code_that_was_sent_outlives_whatever_strangers_ask",
    20: f"{ACCESS}/test_reserves.py::test_in_a_day_of_a_thousand_asks_its_owner_gets_in_at_every_hour",
    21: f"{ACCESS}/test_guessing.py::test_strangers_get_three_mails_an_hour_and_five_a_day_for_one_address",
    22: "contract/api/test_email.py::test_a_code_for_one_purpose_address_session_or_customer_is_none_for_another",
    23: f"{ACCESS}/test_guessing.py::test_a_code_of_another_challenge_is_refused",
    24: f"{ACCESS}/test_guessing.py::test_a_customer_disabled_after_the_code_was_sent_does_not_log_in",
    25: f"{ACCESS}/test_guessing.py::test_a_used_code_is_not_revived_by_a_clock_that_steps_back",
    26: f"{ACCESS}/test_enumeration.py::test_every_conversation_is_the_same_to_the_byte",
    27: f"{ACCESS}/test_enumeration.py::test_the_same_statements_run_for_every_address",
    28: "contract/test_faults.py::test_a_mail_server_that_fails_changes_no_byte_of_any_answer",
    29: f"{ACCESS}/test_reserves.py::test_strangers_do_not_see_what_the_owner_asked_for",
    30: f"{ACCESS}/test_accounts.py::test_nothing_is_opened_before_the_passcode",
    31: f"{ACCESS}/test_enumeration.py::test_before_a_right_code_nobody_asks_the_billing_side",
    32: f"{SECURITY}/test_answers.py::test_every_answer_is_kept_by_nobody_and_framed_by_nobody",
    33: "contract/mail/test_outbox.py::test_a_known_address_gets_its_code_at_the_stored_address",
    34: "unit/formats/test_email.py::test_signs_that_become_grammar_or_nothing_are_refused",
    35: "contract/mail/test_smtp.py::test_a_mail_has_one_recipient_whatever_its_headers_say",
    36: "unit/formats/test_email.py::test_what_is_not_one_plain_mailbox_is_refused",
    37: "unit/mail/test_messages.py::test_a_business_name_stays_inside_its_header",
    38: f"{ACCESS}/test_reserves.py::test_no_text_of_whoever_asks_is_in_the_mail",
    39: f"{ACCESS}/test_again.py::test_an_address_is_shown_in_its_ascii_form",
    40: f"{ACCESS}/test_directory.py::test_a_plus_or_a_dot_is_another_identity",
    41: f"{ACCESS}/test_directory.py::test_the_same_addresses_match_on_both_stores",
    42: f"{ACCESS}/test_directory.py::test_the_active_one_opens_before_a_newer_inactive_one",
    43: "contract/billing/test_import.py::test_what_belongs_to_one_customer_does_not_move_to_another",
    44: "contract/billing/test_import.py::test_a_changed_address_ends_the_sessions_of_the_old_one",
    45: f"{ACCESS}/test_sessions.py::test_log_in_makes_a_new_session_and_never_takes_a_planted_one",
    46: f"{ACCESS}/test_sessions.py::test_a_session_is_dead_after_log_out",
    47: f"{ACCESS}/test_sessions.py::test_a_stolen_database_gives_no_session",
    48: f"{ACCESS}/test_sessions.py::test_a_cookie_that_a_sibling_host_could_plant_is_ignored",
    49: "browser/test_log_in.py::test_the_cookies_are_out_of_reach_of_scripts_and_of_other_sites",
    50: f"{ACCESS}/test_sessions.py::test_nothing_extends_a_session_beyond_eight_hours",
    51: "browser/test_sessions_end.py::test_after_logging_out_the_back_button_shows_no_invoice",
    52: f"{ACCESS}/test_sessions.py::test_a_code_of_somebody_else_from_another_site_logs_nobody_in",
    53: f"{ACCESS}/test_accounts.py::test_a_tab_of_the_account_before_changes_nothing",
    54: "unit/web/test_guard.py::test_forms_are_taken_from_our_own_pages_only",
    55: "unit/web/test_guard.py::test_no_route_opts_out_of_the_check_but_the_one_for_mail_providers",
    56: "unit/web/test_policy.py::test_forms_of_our_pages_send_their_origin",
    57: "browser/test_foreign_hands.py::test_another_site_cannot_read_a_fragment",
    58: "unit/web/test_guard.py::test_another_host_is_refused",
    59: f"{ACCESS}/test_again.py::test_next_leads_nowhere_but_to_pages_of_ours",
    60: f"{SECURITY}/test_answers.py::test_no_text_of_a_visitor_becomes_a_header",
    61: "browser/test_foreign_hands.py::test_a_page_that_another_site_frames_stays_blank",
    62: f"{SECURITY}/test_matrix.py::test_reading_changes_no_row",
    63: "browser/test_page_scripts.py::test_a_prefilled_address_fills_the_field_and_nothing_else",
    64: "browser/test_samples.py::test_eves_markup_is_text_everywhere",
    65: "browser/test_page_scripts.py::test_a_fragment_with_anything_that_could_run_is_refused_whole",
    66: "unit/web/test_policy.py::test_nothing_else_may_run",
    67: "unit/web/test_policy.py::test_scripts_are_known_by_their_hashes_alone",
    68: "browser/test_page_scripts.py::test_htmx_runs_with_the_settings_that_were_tried",
    69: "browser/test_sessions_end.py::test_nothing_personal_is_kept_for_going_back_and_forward",
    70: "browser/test_foreign_hands.py::test_a_proxys_error_page_is_not_put_into_the_account",
    71: "unit/rendering/test_assets.py::test_htmx_is_published_byte_for_byte_and_never_without_what_watches_it",
    72: "unit/web/test_guard.py::test_a_script_of_another_site_reads_nothing_but_its_visitors_may_follow_links",
    73: f"{SECURITY}/test_urls.py::test_what_htmx_tells_of_the_url_stays_out_of_the_log",
    74: f"{SECURITY}/test_hostile_import.py::test_hostile_texts_of_an_export_are_text",
    75: f"{ACCESS}/test_other_sessions.py::test_what_is_another_customers_is_not_found_and_not_ended",
    76: f"{SECURITY}/test_matrix.py::test_an_address_opens_nothing_only_a_session_does",
    77: "contract/billing/test_import.py::test_a_hosted_page_of_stripe_is_not_the_ledgers",
    78: f"{SECURITY}/test_matrix.py::test_a_form_may_name_any_customer_and_changes_nobody_else",
    79: f"{SECURITY}/test_urls.py::test_the_server_fetches_no_url_so_nobody_can_choose_one",
    80: "contract/billing/test_import.py::test_test_and_live_data_are_never_mixed",
    81: f"{SECURITY}/test_answers.py::test_behind_a_proxy_that_keeps_what_it_may_everybody_sees_their_own",
    82: f"{SECURITY}/test_answers.py::test_a_path_that_is_not_exact_leads_nowhere_and_is_not_kept",
    83: "unit/test_architecture.py::test_no_server_side_response_cache",
    84: "browser/test_foreign_hands.py::test_a_running_server_sends_the_headers_of_both_kinds",
    85: f"{SECURITY}/test_answers.py::test_behind_a_proxy_that_keeps_what_it_may_everybody_sees_their_own",
    86: f"{SECURITY}/test_answers.py::test_static_pages_are_the_same_whoever_asks_and_however",
    87: "unit/web/test_policy.py::test_pages_are_asked_for_again_and_hashed_files_are_not",
    88: f"{WEBHOOKS}::test_an_event_that_another_key_signed_is_refused",
    89: f"{WEBHOOKS}::test_an_old_event_and_one_of_the_future_are_refused",
    90: f"{WEBHOOKS}::test_the_signature_is_over_the_bytes_as_they_came",
    91: f"{WEBHOOKS}::test_of_32_copies_at_once_one_counts_and_all_are_taken",
    92: "contract/stripe_backend/test_following.py::test_events_in_any_order_leave_the_same_state",
    93: f"{WEBHOOKS}::test_an_event_of_the_other_mode_or_of_another_account_is_kept_and_has_no_effect",
    94: f"{WEBHOOKS}::test_a_body_that_is_not_signed_costs_no_statement",
    95: f"{SECURITY}/test_broken_requests.py::test_a_form_that_does_not_come_to_its_end_is_given_up",
    96: f"{SECURITY}/test_log_lines.py::test_line_breaks_in_path_agent_and_address_stay_in_their_line",
    97: "unit/invoices/test_downloads.py::test_the_name_of_a_file_is_safe_whatever_the_number_is",
    98: f"{STUDIO}/test_guard.py::test_forms_are_taken_from_the_studios_own_pages_only",
    99: f"{STUDIO}/test_guard.py::test_the_cookies_of_customers_and_operators_open_nothing_of_each_other",
    100: "browser/test_studio_brand.py::test_a_hostile_template_runs_nothing_asks_for_nothing_and_leads_nowhere",
    101: f"{STUDIO}/test_previews.py::test_a_token_opens_one_brand_for_one_session_and_dies_with_it",
    102: "unit/brands/test_images.py::test_an_svg_that_could_run_or_load_something_is_refused",
    103: "unit/brands/test_images.py::test_a_picture_that_is_huge_when_it_is_opened_is_refused",
    104: f"{STUDIO}/test_page_controls.py::test_a_picture_that_lies_is_refused_and_what_was_typed_stays",
    105: f"{STUDIO}/test_rights.py::test_a_folder_with_another_name_or_a_link_to_one_is_no_brand",
    106: "unit/brands/writing/test_editing.py::test_a_thousand_edits_change_their_key_and_nothing_else",
    107: "unit/publishing/test_brand_files.py::test_of_32_writers_at_once_none_loses_what_another_wrote",
    108: "contract/merchant/test_tunnel.py::test_a_name_that_leads_inside_is_refused_at_each_connection",
    109: "contract/stripe_backend/test_studio.py::test_a_secret_is_in_no_page_log_history_draft_diff_error_or_dump",
    110: f"{STUDIO}/test_people.py::test_whose_role_changes_or_goes_is_logged_out",
    111: f"{STUDIO}/test_passkeys.py::test_another_origin_no_verification_or_a_copied_key_is_refused_and_noted",
    112: f"{STUDIO}/test_people.py::test_without_a_passkey_shown_a_moment_ago_no_role_changes",
    113: f"{STUDIO}/test_rights.py::test_a_role_leads_where_its_rights_do_in_its_brand_and_nowhere_in_another",
    114: f"{STUDIO}/test_looking.py::test_one_row_says_who_looked_at_whom_and_why",
    115: f"{STUDIO}/test_passkeys.py::test_what_needs_a_passkey_is_refused_after_five_minutes_and_the_form_is_kept",
    116: "contract/merchant/test_studio_world.py::test_a_tail_that_is_cut_off_is_found_by_the_head_in_the_log",
    117: f"{STUDIO}/test_numbers.py::test_no_cell_of_a_file_is_a_formula",
    118: f"{STUDIO}/test_rights.py::test_a_viewer_sees_no_address_of_a_customer",
    119: f"{STUDIO}/test_previews.py::test_all_that_takes_long_is_done_one_after_the_other_beside_customers",
    120: "chaos/test_releases.py::test_a_kill_at_any_file_leaves_the_old_release_or_the_new_and_the_next_start_finishes_it",
    121: f"{STUDIO}/test_outbox.py::test_a_test_mail_goes_to_oneself_alone_five_times_an_hour",
}


def test_every_row_names_its_test():
    assert sorted(PROVED) == [*range(1, 122)]


@pytest.mark.parametrize(("threat", "proof"), PROVED.items())
def test_the_test_is_there_and_says_its_row(threat, proof):
    name, _, test = proof.partition("::")
    source = (TESTS / name).read_text("utf-8")
    found = [each for each in ast.walk(ast.parse(source)) if getattr(each, "name", "") == test]
    assert found, f"{proof} is gone: which test proves the defence against threat {threat} now?"
    first, last = found[0].lineno - 1, found[0].end_lineno
    said = re.findall(r"# .*?threats? ([\d, ]+)", "\n".join(source.splitlines()[first:last]))
    numbers = {int(number) for each in said for number in re.findall(r"\d+", each)}
    assert threat in numbers, f"{proof} does not say `# threat {threat}`"
