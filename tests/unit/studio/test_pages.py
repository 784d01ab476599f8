"""The form pages: every key has its place, a form that is posted becomes a draft, and nothing is written before it is shown."""

import difflib

import pytest

from server.brands.reading.declared import entries
from server.brands.reading.keys import OneOf, Section, SomeOf
from server.brands.reference import FILES
from server.merchant.studio import drafts, history, saving
from server.merchant.studio.declarations import controls
from server.merchant.studio.pages import contents, wording
from server.publishing.rules.markup import parse
from tests.support.filling import draft_of, file_of, form_of, listing, press
from tests.support.studio import OWNER, STUDIO

pytestmark = pytest.mark.anyio
TAGS = ("de", "fr")
HARBOUR, ORBIT = "/_studio/b/harbour", "/_studio/b/orbit"


def test_every_key_is_asked_for_on_exactly_one_page():
    places: dict[str, list[str]] = {}
    for page in contents.every(TAGS):
        for _, found in contents.controls_of(page, TAGS):
            for each in found:
                places.setdefault(each.path, []).append(page.path)
    every = {each.path: each.declared for file in FILES for each in controls(file, TAGS)}
    assert {path for path in every if path not in places} == {path for path in every if contents.is_elsewhere(path)}
    assert [path for path, pages in places.items() if len(pages) != 1] == []
    asked = {every[path] for path in places} | {
        column.declared for file in FILES for each in controls(file, TAGS) for column in each.columns
    }
    declared = [each for kind in FILES.values() for each in entries(kind) if not isinstance(each.key, Section)]
    missing = {each.path for each in declared if each.path not in asked}
    assert [each for each in missing if not contents.is_elsewhere(each)] == []


def test_each_value_that_can_be_chosen_has_its_label():
    closed = {
        each.path: {str(value) for value in each.key.among}
        for kind in FILES.values()
        for each in entries(kind)
        if isinstance(each.key, OneOf | SomeOf) and not contents.is_elsewhere(each.path)
    }
    assert {path: set(values) for path, values in wording.MEANINGS.items()} == closed


async def test_a_page_that_nobody_touched_changes_nothing_when_it_is_posted(studio):
    """Of every brand that we ship, so with every kind of value in the file; each answer is held to the house rules."""
    client = await studio.operator()
    before = listing(studio)
    for brand, tags in (("harbour", ("de",)), ("orbit", ()), ("plain", ("de", "ar"))):
        for page in contents.every(tags):
            url = f"/_studio/b/{brand}/{page.path}"
            shown = await client.get(url)
            saved = await press(client, shown, "save")
            assert (saved.status_code, await draft_of(studio, brand)) == (303, {}), url
            if brand == "orbit":
                assert (await press(client, shown, "", fragment=True)).status_code == 200
    assert "Nothing changed" in (await client.get(f"{ORBIT}/change")).text
    assert listing(studio) == before


def typed(field, form):
    """Another value for a field, as a person would give it; None: it is unchecked."""
    document = {"#": "#204060", "t": "Something else"}
    kind = field.get("type")
    if field.tag == "select":
        return next(
            each.get("value")
            for each in field.walk()
            if each.tag == "option" and each.get("value") not in ("", *form.get(field.get("name"), ()))
        )
    if kind == "checkbox":
        return None if "checked" in field else "on"
    return document["#"] if "brand." in field.get("name") else document["t"]


async def test_every_key_can_be_changed_by_its_page(studio):
    client = await studio.operator()
    for page in contents.every(("de",)):
        url = f"{HARBOUR}/{page.path}"
        shown = await client.get(url)
        _, form = form_of(shown.text, "pages-fields")
        document = parse(shown.text)
        for _, found in contents.controls_of(page, ("de",)):
            for control in found:
                if control.kind in ("image", "font", "styles", "rows"):
                    continue  # by an upload, by a button: below
                inputs = [
                    each for each in document.elements if each.get("name") == control.path and each.tag != "button"
                ]
                assert inputs, control.path
                first = inputs[0]
                if control.kind in ("choice", "choices") and first.tag != "select":
                    others = [each.get("value") for each in inputs if "checked" not in each]
                    checked = [each.get("value") for each in inputs if "checked" in each]
                    new = others[0] if control.kind == "choice" else (checked[1:] or others[:1])
                else:
                    new = typed(first, form)
                changes = {control.path: new}
                if control.depends_on and control.path not in form:
                    changes[f"was:{control.path}"] = "null"  # as where its switch is on
                answer = await press(client, shown, "preview", changes)
                assert answer.status_code in (303, 422), control.path
                assert list(await draft_of(studio, "harbour")) == [control.path]
                await drafts.drop(studio.store, OWNER, "harbour")


async def test_a_change_is_shown_then_written_then_taken_back(studio):
    client = await studio.operator()
    before = listing(studio)
    shown = await client.get(f"{ORBIT}/portal/subscription_pause")
    saved = await press(client, shown, "save", {"features.subscription_pause.max_cycles": "6"})
    assert saved.headers["location"] == f"{ORBIT}/change"
    change = await client.get(f"{ORBIT}/change")
    assert "+max_cycles = 6" in change.text
    assert listing(studio) == before
    again = await client.get(f"{ORBIT}/look")
    assert "1 unsaved change" in again.text
    done = await press(client, change, "write", where=f"{ORBIT}/change")
    assert done.status_code == 303
    assert file_of(studio, "orbit")["features"]["subscription_pause"]["max_cycles"] == 6
    text = (studio.themes / "orbit" / "portal.toml").read_text()
    assert text == before[studio.themes / "orbit" / "portal.toml"].decode().replace("max_cycles = 3", "max_cycles = 6")
    writes = await client.get(done.headers["location"])
    assert "Written" in writes.text
    (link,) = [each.get("href") for each in parse(writes.text).all("a") if "/writes/" in each.get("href")]
    assert (await press(client, await client.get(link), "", where=link)).status_code == 303
    assert listing(studio) == before
    assert (await client.get(f"{ORBIT}/writes/nothing")).status_code == 404


async def test_the_files_hold_what_a_person_would_have_written(studio):
    client = await studio.operator()
    before = {name: (studio.themes / "harbour" / name).read_text() for name in FILES}
    edits = {
        "business/texts/de": {"business.de.headline": 'Kaffee "frisch"\\'},
        "business/invoices": {"business.address.line2": "Hof links", "business.bank_account.bic": ""},
        "business/site": {"site.locales": ["en", "de", "fr"], "site.timezone": "Europe/Berlin"},
        "look": {"brand.button": "", "mode.default": "light"},
        "look/words/de": {"words.de.help_text": "", "empty:words.de.help_text": "on"},
        "mails": {"mail.receipt": None, "mail.renewal_reminder_days": "7"},
        "portal/dunning": {"dunning.retry_days": "1, 4"},
        "portal/subscription_cancel": {"features.subscription_cancel.cancellation_reason.options": ["unused", "other"]},
    }
    for path, changes in edits.items():
        answer = await press(client, await client.get(f"{HARBOUR}/{path}"), "save", changes)
        assert answer.status_code == 303, path
    change = await client.get(f"{HARBOUR}/change")
    written = await press(client, change, "write", where=f"{HARBOUR}/change")
    assert written.status_code == 303
    after = {name: (studio.themes / "harbour" / name).read_text() for name in FILES}
    lines = [each for name in FILES for each in difflib.ndiff(before[name].splitlines(), after[name].splitlines())]
    assert {each[2:] for each in lines if each[0] == "-"} == {
        *(
            'headline = "Kaffee, wie Sie ihn mögen"',
            'bic = "BYLADEM1001"',
            'locales = ["en", "de"]',
            'button = "#7a3b1d"',
        ),
    }
    assert sorted(each[2:] for each in lines if each[0] == "+" and each[2:]) == sorted([
        'headline = "Kaffee \\"frisch\\"\\\\"', 'line2 = "Hof links"', 'locales = ["en", "de", "fr"]', 'timezone = "Europe/Berlin"',
        "[mode]", 'default = "light"', 'help_text = ""', "[mail]", "receipt = false", "renewal_reminder_days = 7",
        "[dunning]", "retry_days = [1, 4]", 'cancellation_reason.options = ["unused", "other"]',
    ])  # fmt: skip
    assert [each.what for each in (await history.read(studio.store)).acts][-1] == "files_written"


async def test_a_mistake_is_beside_its_field_and_summed_up_and_nothing_is_lost(studio):
    client = await studio.operator()
    page = await client.get(f"{ORBIT}/portal/subscription_cancel")
    changes = {
        "features.subscription_cancel.mode": "at_period_end",
        "features.subscription_cancel.retention.coupon": "a b",
    }
    answer = await press(client, page, "save", changes)
    assert answer.status_code == 422
    document = parse(answer.text)
    (summary,) = [each for each in document.elements if "data-focus" in each]
    links = {each.get("href") for each in summary.walk() if each.tag == "a"}
    assert links == {
        f"#field-features-subscription_cancel-{each}" for each in ("mode", "proration_behavior", "retention-coupon")
    }
    assert all(each[1:] in document.ids for each in links)
    assert document.ids["field-features-subscription_cancel-retention-coupon"].get("value") == "a b"
    change = await client.get(f"{ORBIT}/change")
    assert "Write it" not in change.text
    before = listing(studio)
    proposal = saving.propose(studio.themes / "orbit", await drafts.find(studio.store, OWNER, "orbit"), {})
    forced = await client.post(f"{ORBIT}/change", data={"do": "write", "fingerprint": proposal.fingerprint})
    assert forced.status_code == 422
    assert listing(studio) == before
    # Without scripts and with them, the same is said.
    live = await press(client, page, "", changes, fragment=True)
    assert "coupon" in live.text
    assert "is not possible here" in live.text


async def test_a_form_that_a_dead_session_stopped_is_sent_after_log_in(studio, clock):
    client = await studio.operator()
    path = f"{ORBIT}/portal/subscription_cancel"
    page = await client.get(path)
    clock.forward(seconds=61 * 60)
    changes = {"features.subscription_cancel.retention.coupon": "a <b>"}
    stopped = await press(client, page, "save", changes)
    assert (stopped.status_code, "You are logged out" in stopped.text) == (401, True)
    typing = await press(client, page, "", changes, fragment=True)
    assert typing.headers["hx-redirect"].endswith("?next=%2F_studio%2Fb%2Forbit%2Fportal%2Fsubscription_cancel")
    assert (await drafts.find(studio.store, OWNER, "orbit")).changes == {}
    await studio.log_in_to_studio(client)
    sent = await client.post(path, data=form_of(stopped.text, path)[1])
    assert sent.status_code == 422  # a coupon's id has no blank
    assert parse(sent.text).ids["field-features-subscription_cancel-retention-coupon"].get("value") == "a <b>"
    # What may be a secret is in no page, and whoever never had a session has nothing to send.
    clock.forward(seconds=61 * 60)
    for other, where in ((client, f"{ORBIT}/settings/stripe"), (studio.visitor(), path)):
        assert (await other.post(where, data={"key": "rk_test_secret"})).status_code == 303


async def test_no_brand_gets_the_address_of_the_studio_or_of_another_brand(studio):  # threat 98
    """With either, the server would not start again."""
    client = await studio.operator()
    before = listing(studio)
    other = studio.themes / "plain" / "portal.toml"
    other.write_text(other.read_text().replace("[site]", '[site]\nurl = "https://Pay.plain.example/"'))
    for url, owner in ((f"{STUDIO}/", "the studio"), ("https://pay.PLAIN.example", "plain")):
        answer = await press(client, await client.get(f"{HARBOUR}/business/site"), "save", {"site.url": url})
        assert answer.status_code == 422
        assert f"which {owner} has too" in answer.text
    assert "Write it" not in (await client.get(f"{HARBOUR}/change")).text
    answer = await press(
        client, await client.get(f"{HARBOUR}/business/site"), "save", {"site.url": "https://h.example"}
    )
    assert answer.status_code == 303
    assert {**listing(studio), other: before[other]} == before


async def test_a_viewer_sees_every_page_and_can_post_none(studio):  # threat 113
    viewer = await studio.operator("eye@shop.example", "viewer", "harbour")
    owner = await studio.operator()
    seen_by_all = [each.path for each in contents.every(("de",)) if each.right == "look"]
    assert (await viewer.get(f"{HARBOUR}/settings/endpoints")).status_code == 403
    for page in [*seen_by_all, "portal", "change", "writes"]:
        seen = await viewer.get(f"{HARBOUR}/{page}")
        assert seen.status_code == 200
        assert not [each for each in parse(seen.text).all("button") if each.get("name") == "do"], page
        if page not in ("portal", "writes"):
            posted = await viewer.post(f"{HARBOUR}/{page}", data={"was:business.name": "null", "business.name": "Mine"})
            assert posted.status_code == 403
    assert await draft_of(studio, "harbour", "eye@shop.example") == {}
    assert (await viewer.get(f"{ORBIT}/look")).status_code == 404
    assert (await owner.get(f"{ORBIT}/look")).status_code == 200


async def test_files_that_cannot_be_read_are_named_and_stay_as_they_are(studio, tmp_path):
    client = await studio.operator()
    file = studio.themes / "harbour" / "portal.toml"
    file.write_text("[business\nname = 1")
    page = await client.get(f"{HARBOUR}/business")
    assert "portal.toml" in page.text
    saved = await press(client, page, "save", {"business.name": "New"})
    assert saved.status_code == 422
    change = await client.get(f"{HARBOUR}/change")
    assert ("What cannot be edited" in change.text, "Write it" in change.text) == (True, False)
    assert file.read_text() == "[business\nname = 1"
    (tmp_path / "elsewhere").write_text("secret = 1")
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    for path in ("business", "change", "portal", "change.patch"):
        answer = await client.get(f"{HARBOUR}/{path}")
        assert (answer.status_code, "secret" in answer.text, "a link" in answer.text) == (409, False, True)


async def test_two_editors_of_one_key_choose_and_of_two_keys_both_count(studio):  # threat 107
    ann, bob = await studio.operator(), await studio.operator("bob@shop.example", "editor", "harbour")
    for client, name, phone in ((ann, "Ann's", "+1 555 0101"), (bob, "Bob's", None)):
        page = await client.get(f"{HARBOUR}/business")
        changes = {"business.name": name} | ({"business.support_phone": phone} if phone else {})
        await press(client, page, "save", changes)
    await press(bob, await bob.get(f"{HARBOUR}/change"), "write", where=f"{HARBOUR}/change")
    change = await ann.get(f"{HARBOUR}/change")
    assert "Somebody else changed the same" in change.text
    assert "Write it" not in change.text
    undecided = await press(ann, change, "decide", where=f"{HARBOUR}/change")
    assert undecided.status_code == 422
    await press(ann, undecided, "decide", {"whose:business.name": "theirs"}, where=f"{HARBOUR}/change")
    await press(ann, await ann.get(f"{HARBOUR}/change"), "write", where=f"{HARBOUR}/change")
    business = file_of(studio, "harbour")["business"]
    assert (business["name"], business["support_phone"]) == ("Bob's", "+1 555 0101")


async def test_a_hand_edit_after_the_page_of_the_change_is_not_overwritten(studio):  # threat 107
    client = await studio.operator()
    await press(client, await client.get(f"{HARBOUR}/business"), "save", {"business.headline": "New"})
    change = await client.get(f"{HARBOUR}/change")
    file = studio.themes / "harbour" / "portal.toml"
    file.write_text(file.read_text().replace('"Harbour Coffee"', '"By hand"'))
    answer = await press(client, change, "write", where=f"{HARBOUR}/change")
    assert answer.status_code == 409
    assert "changed since this page was shown" in answer.text
    assert file_of(studio, "harbour")["business"]["headline"] == "Your coffee, your way"
    await press(client, answer, "write", where=f"{HARBOUR}/change")
    business = file_of(studio, "harbour")["business"]
    assert (business["headline"], business["name"]) == ("New", "By hand")


async def test_a_value_that_no_longer_passes_is_shown_and_blocks_no_other_key(studio):
    client = await studio.operator()
    file = studio.themes / "harbour" / "portal.toml"
    odd = file.read_text().replace("max_cycles = 2", "max_cycles = 99").replace('country = "DE"', "country = 7")
    file.write_text(
        odd.replace(
            "[features.subscription_pause]\nenabled = true", '[features.subscription_pause]\nenabled = "sometimes"'
        )
    )
    pause = await client.get(f"{HARBOUR}/portal/subscription_pause")
    assert "sometimes" in pause.text
    assert 'value="99"' in pause.text
    await press(client, await client.get(f"{HARBOUR}/business"), "save", {"business.headline": "New"})
    await press(client, await client.get(f"{HARBOUR}/change"), "write", where=f"{HARBOUR}/change")
    held = file_of(studio, "harbour")
    assert held["business"]["headline"] == "New"
    assert (held["features"]["subscription_pause"]["enabled"], held["business"]["address"]["country"]) == (
        "sometimes",
        7,
    )
    replaced = await press(client, pause, "default:features.subscription_pause.enabled")
    assert replaced.status_code == 303
    assert await draft_of(studio, "harbour") == {"features.subscription_pause.enabled": None}


async def test_a_draft_of_another_day_is_gone_on_with_or_dropped(studio, clock):
    client = await studio.operator()
    await press(client, await client.get(f"{HARBOUR}/business"), "save", {"business.name": "New"})
    clock.forward(hours=20)
    client = await studio.operator()
    page = await client.get(f"{HARBOUR}/mails")
    assert "You have unsaved changes from" in page.text
    assert (await press(client, page, "drop", where=f"{HARBOUR}/change")).status_code == 303
    assert await draft_of(studio, "harbour") == {}


async def test_a_folder_that_cannot_be_written_offers_a_patch(studio, monkeypatch):
    client = await studio.operator()
    monkeypatch.setattr("server.publishing.brand_files.is_writable", lambda _: False)
    page = await client.get(f"{HARBOUR}/business")
    assert "cannot be written" in page.text
    await press(client, page, "save", {"business.name": "New"})
    change = await client.get(f"{HARBOUR}/change")
    assert "Write it" not in change.text
    patch = await client.get(f"{HARBOUR}/change.patch")
    assert '+name = "New"' in patch.text
    assert "attachment" in patch.headers["content-disposition"]
