"""Every key of both files has a control made from its declaration; a form says what was changed, and only that."""

import json
import shutil
from pathlib import Path

import pytest

from server import brands
from server.brands.reading.declared import entries
from server.brands.reading.keys import Section
from server.brands.reference import FILES
from server.merchant.studio.declarations import controls, tags_of
from server.merchant.studio.drafts import value_at
from server.merchant.studio.forms import fields, touched
from server.publishing import brand_files

THEMES = Path(__file__).resolve().parents[4] / "themes"
SHIPPED = ("harbour", "orbit", "plain")
TAGS = ("de", "fr")


@pytest.fixture
def folder(tmp_path):
    for name in SHIPPED:
        shutil.copytree(THEMES / name, tmp_path / name)
    return tmp_path / "orbit"


def held(folder):
    return brand_files.held(brand_files.read(folder))


def every(tags=TAGS):
    return [each for file in FILES for each in controls(file, tags)]


def form_of(found):
    """What a browser posts of these fields when nobody touches them."""
    form = {}
    for field in found:
        form[f"was:{field.name}"] = [field.was]
        if field.control.kind in ("ids", "list", "locales"):
            form[field.name] = ["\r\n".join(field.texts)]
        elif field.control.kind not in ("switch", "choices", "rows"):
            form[field.name] = list(field.texts) or [""]
        elif field.texts:
            form[field.name] = list(field.texts)
        if field.is_empty:
            form[f"empty:{field.name}"] = ["on"]
        for number, row in enumerate(field.rows):
            form[f"{field.name}[{number}]"] = [str(number)]
            form |= {name: texts for name, texts in form_of(row).items() if not name.startswith("was:")}
    return form


def one(found, path):
    return next(each for each in found if each.control.path == path)


def test_every_key_that_is_declared_has_a_control_with_its_words():
    made = every()
    columns = {column.declared: column for each in made for column in each.columns}
    by_key = {each.declared: each for each in made} | columns
    for kind in FILES.values():
        for entry in entries(kind):
            if isinstance(entry.key, Section) and not entry.path.endswith("[]"):
                continue  # a table is asked for by its keys
            control = by_key[entry.path]
            assert control.about == entry.key.about
            assert control.kind == "rows" or entry.path.endswith("reasons_text") or control.allowed == entry.key.allowed
    assert len({each.path for each in made}) == len(made)
    assert {each.file for each in made} == set(FILES)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("features.subscription_cancel.enabled", "switch"), ("features.subscription_cancel.mode", "choice"),
        ("mail.renewal_reminder_days", "choice"), ("features.customer_update.allowed_updates", "choices"),
        ("site.locales", "locales"), ("unset", "list"), ("dunning.retry_days", "list"), ("type.scale", "number"),
        ("features.subscription_pause.max_cycles", "number"), ("brand.color", "color"), ("brand.logo", "image"),
        ("business.name", "text"), ("business.invoice_footer", "long_text"), ("business.support_url", "url"),
        ("business.support_email", "email"), ("business.support_phone", "tel"), ("business.address.country", "country"),
        ("site.timezone", "timezone"), ("business.de.headline", "text"), ("words.de.help_text", "long_text"),
        ("features.subscription_cancel.reasons_text.other", "text"), ("events.endpoints", "rows"),
        ("features.subscription_update.products", "rows"), ("features.subscription_update.rules", "rows"),
        ("type.font", "rows"), ("billing.backend", "choice"),
    ],
)  # fmt: skip
def test_a_key_is_asked_for_as_its_declaration_says(path, kind):
    assert one(fields(every(), {}, {}), path).control.kind == kind


def test_a_control_says_which_switch_must_be_on():
    by_path = {each.path: each for each in every()}
    assert by_path["features.subscription_cancel.mode"].depends_on == "features.subscription_cancel.enabled"
    assert by_path["features.subscription_cancel.cancellation_reason.options"].depends_on == (
        "features.subscription_cancel.cancellation_reason.enabled"
    )
    # The switches of mails count without the one above them, whose value they only take over.
    assert (by_path["mail.invoice"].depends_on, by_path["mail.invoice"].like) == ("", "mail.enabled")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_form_that_nobody_touched_changes_nothing(folder, name):
    values = held(folder.with_name(name))
    made = every(tags_of(values, values["site"]["locales"]))
    assert touched(made, form_of(fields(made, values, {})), values) == {}
    # Nor does a form that is older than the file: it keeps what somebody wrote meanwhile.
    assert touched(made, form_of(fields(made, values, {})), {}) == {}


ROWS = {
    "features.subscription_update.products": ("product", "prod_new"),
    "features.subscription_update.rules": ("to", "prod_orbit_free"),
    "events.endpoints": ("url", "https://shop.example/events"),
    "type.font": ("family", "Own"),
}
TYPED = {
    "business.bank_account.iban": "DE02 1203 0000 0000 2020 51", "business.bank_account.bic": "BYLADEM1001",
    "business.address.country": "DE", "site.timezone": "Europe/Berlin", "site.locales": "en\r\nde\r\nfr",
    "login_page.link": "test_aaaaaaaaaaaaaaaaaaaaaaaa", "dunning.retry_days": "1, 3, 5", "unset": "brand.accent",
    "extends": "harbour", "brand.icon": "logo.svg", "brand.logo": "icon.svg", "brand.dark_logo": "icon.svg", "brand.styles": "styles.css", "type.body": "serif", "type.heading": "slab",
    "site.url": "https://pay.orbit.example",
}  # fmt: skip
BY_KIND = {"text": "Some words", "long_text": "Some longer words", "url": "https://orbit.example/x", "color": "#123456",
           "email": "x@orbit.example", "tel": "+49 30 1234", "number": "1"}  # fmt: skip


def changed_by_hand(field, form):
    """Type or choose something else; answers the value that the file should hold then."""
    control, name = field.control, field.name
    if control.kind == "switch":
        form[name] = [] if field.texts else ["on"]
        return not field.texts
    if control.kind == "choice":
        chosen = next(each for each in control.choices if (each,) != field.texts)
        form[name] = [chosen]
        return int(chosen) if isinstance(control.default, int) else chosen
    if control.kind == "choices":
        form[name] = [control.choices[-1]] if field.texts != (control.choices[-1],) else [control.choices[0]]
        return form[name]
    form[name] = [TYPED.get(control.path) or BY_KIND[control.kind]]
    if control.kind in ("list", "locales"):
        texts = form[name][0].replace("\r\n", ",").replace(" ", "").split(",")
        return [int(each) if each.isdigit() else each for each in texts]
    return int(form[name][0]) if control.kind == "number" else form[name][0]


@pytest.mark.parametrize("path", [each.path for each in every() if each.kind != "rows"])
def test_every_key_can_be_set_and_set_back(folder, path):
    values = held(folder)
    made = every()
    found = fields(made, values, {})
    form = form_of(found)
    meant = changed_by_hand(one(found, path), form)
    if meant == value_at(values, path):
        pytest.fail(f"{path}: the test types what is there already")
    assert touched(made, form, values) == {path: meant}
    edits = brand_files.proposed(folder, brand_files.read(folder), {path: meant})
    after = brand_files.held({name: each.after for name, each in edits.items()})
    assert value_at(after, path) == meant
    key = path.rpartition(".")[2]
    (name,) = edits
    assert f"{key} = {json.dumps(meant, ensure_ascii=False)}\n" in edits[name].after.decode()
    # What is shown then is what was typed, and the button takes the line out again.
    again = held(folder) | after
    shown = fields(made, again, {})
    assert one(shown, path).is_set
    assert touched(made, form_of(shown) | {"do": [f"default:{path}"]}, again) == {path: None}


@pytest.mark.parametrize("path", ROWS)
def test_rows_are_added_changed_moved_and_removed(folder, path):
    values = held(folder)
    column, text = ROWS[path]
    made = [each for each in every() if each.path == path]
    before = value_at(values, path) or []
    form = form_of(fields(made, values, {}))
    assert touched(made, form | {"do": [f"add:{path}"]}, values) == {path: [*before, {}]}
    new = f"{path}[{len(before)}]"
    added = form | {new: ["new"], f"{new}.{column}": [text]}
    (row,) = touched(made, added, values)[path][len(before) :]
    assert row[column] == text
    three = [{column: "a"}, {column: "b", "kept": 1}, {column: "c"}]
    form = form_of(fields(made, {}, {path: three}))
    assert touched(made, form, values) == {}
    assert touched(made, form | {f"{path}[1].{column}": ["B"]}, values) == {
        path: [three[0], {column: "B", "kept": 1}, three[2]]
    }
    for button, order in (
        ("up:{}[1]", [1, 0, 2]),
        ("down:{}[1]", [0, 2, 1]),
        ("remove:{}[0]", [1, 2]),
        ("up:{}[2]", [0, 2, 1]),
    ):
        assert touched(made, form | {"do": [button.format(path)]}, values) == {path: [three[at] for at in order]}
    assert touched(made, form | {"do": [f"up:{path}[0]"]}, values) == {}
    alone = form_of(fields(made, {}, {path: three[:1]}))
    assert touched(made, alone | {"do": [f"remove:{path}[0]"]}, values) == {path: None}


def test_a_new_product_is_written_as_a_person_would(folder):
    path = "features.subscription_update.products"
    made, values = [each for each in every() if each.path == path], held(folder)
    form = form_of(fields(made, values, {}))
    form |= {f"{path}[6]": ["new"], f"{path}[6].product": ["prod_orbit_new"], f"{path}[6].prices": ["price_a\r\nprice_b"],
             f"{path}[6].adjustable_quantity.enabled": ["on"], f"{path}[6].adjustable_quantity.maximum": ["5"]}  # fmt: skip
    edits = brand_files.proposed(folder, brand_files.read(folder), touched(made, form, values))
    assert """
[[features.subscription_update.products]]
product = "prod_orbit_new"
prices = ["price_a", "price_b"]
adjustable_quantity = { enabled = true, maximum = 5 }

# Who works with the Business plan""" in edits["portal.toml"].after.decode()
    brand_files.write(folder, edits)
    assert brands.load(folder).config.features.subscription_update.products[-1].adjustable_quantity.maximum == 5


def test_a_choice_keeps_the_order_of_the_file_and_adds_behind(folder):
    path = "features.customer_update.allowed_updates"
    made = [each for each in every() if each.path == path]
    values = {"features": {"customer_update": {"allowed_updates": ["phone", "name"]}}}
    form = form_of(fields(made, values, {})) | {path: ["name", "email", "phone"]}
    assert touched(made, form, values) == {path: ["phone", "name", "email"]}
    assert touched(made, form | {path: []}, values) == {path: []}


def test_an_empty_text_is_the_default_unless_it_is_meant(folder):
    path = "words.help_text"
    made = [each for each in every() if each.path == path]
    values = {"words": {"help_text": "Ask us."}}
    form = form_of(fields(made, values, {}))
    assert touched(made, form | {path: [" "]}, values) == {path: None}
    assert touched(made, form | {path: [""], f"empty:{path}": ["on"]}, values) == {path: ""}
    (field,) = fields(made, {"words": {"help_text": ""}}, {})
    assert (field.is_empty, field.is_set) == (True, True)
    assert touched(made, form_of([field]), values) == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("features.subscription_cancel.mode", "someday"), ("features.subscription_cancel.mode", 3),
        ("features.subscription_cancel.enabled", "yes"), ("features.subscription_pause.max_cycles", "many"),
        ("features.customer_update.allowed_updates", ["name", "shoe size"]), ("dunning.retry_days", {"a": 1}),
        ("features.customer_update.allowed_updates", "name"), ("business.headline", ["a", "b"]), ("site.locales", 7),
        ("features.subscription_update.products", "all"), ("type.scale", True), ("brand.color", 3.5),
    ],
)  # fmt: skip
def test_what_a_control_cannot_ask_for_is_shown_as_it_is_and_stays(path, value):
    """Not the form but the strict reader judges: it is shown, and it is in the way of no other key."""
    *tables, last = path.split(".")
    values = here = {}
    for key in tables:
        here = here.setdefault(key, {})
    here[last] = value
    made = every()
    found = fields(made, values, {})
    assert one(found, path).is_odd
    assert one(found, path).is_set
    form = form_of(found) | {"business.legal_name": ["Orbit Ltd"]}
    assert touched(made, form, values) == {"business.legal_name": "Orbit Ltd"}


def test_errors_are_beside_their_key_in_the_words_of_the_reader(folder):
    changes = {
        "features.subscription_pause.max_cycles": "many", "features.subscription_cancel.mode": "at_period_end",
        "features.subscription_update.products": [{"product": "p q", "prices": []}], "site.locales": ["en", "xx-yy"],
        "business.privacy_policy_url": "javascript:alert(1)", "business.name": None,
    }  # fmt: skip
    edits = brand_files.proposed(folder, brand_files.read(folder), changes)
    mistakes = brand_files.checked(folder, edits).new
    found = fields(every(), held(folder), changes, mistakes)
    assert one(found, "features.subscription_pause.max_cycles").errors == (
        "'many' is not possible here. Allowed: a whole number from 1 to 12.",
    )
    # A rule about two keys is beside both.
    for key in ("mode", "proration_behavior"):
        assert "none, unless mode" in one(found, f"features.subscription_cancel.{key}").errors[0]
    assert "a whole URL" in one(found, "business.privacy_policy_url").errors[0]
    assert "it is required" in one(found, "business.name").errors[0]
    assert "a locale such as" in one(found, "site.locales").errors[0]
    (row,) = one(found, "features.subscription_update.products").rows
    assert "the product's id" in row[0].errors[0]
    assert "at least one" in row[1].errors[0]
    assert not one(found, "business.headline").errors


def test_a_default_is_what_holds_without_the_key(folder):
    found = fields(every(), held(folder), {}, inherited=brands.inherited(folder))
    assert one(found, "brand.color").default == "#2456c9"  # of the theme that this one extends
    assert one(found, "features.subscription_pause.max_cycles").default == "3"
    assert one(found, "business.privacy_policy_url").default == "no link"
    assert one(fields(every(), held(folder), {"mail.enabled": False}), "mail.invoice").texts == ()


@pytest.mark.parametrize(
    ("path", "state"), [("mode.default", "set"), ("brand.dark_logo", "left"), ("type.scale", "set")]
)
def test_what_is_typed_back_to_what_it_was_is_no_change(folder, path, state):
    """Each text on the way was kept while it was typed; the last one says again what the file holds."""
    values = held(folder)
    form = {**form_of(fields(every(), values, {})), f"seen:{path}": [state]}
    assert touched(every(), form, values) == {path: value_at(values, path)}


def test_what_is_posted_about_no_control_is_nothing(folder):
    values = held(folder)
    form = {"business.name": ["Evil"], "was:evil.key": ["[]"], "evil.key": ["x"], "do": ["default:evil.key"], "was:site.url": ["{"],
            "features.subscription_update.products[0]": ["0"], "was:business.headline": []}  # fmt: skip
    form |= {"was:features.subscription_update.rules": ["[" * 100_000], "was:type.font": ['[{"family": null}, 3]']}
    form |= {"type.font[0]": ["0"], "type.font[1]": ["1"], "type.font[2]": ["9"], "type.font[x]": ["0"]}
    assert set(touched(every(), form, values)) <= {"site.url", "business.headline", "type.font"}


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\nname = 1", '"\n[site]\nurl = "https://evil.example',
           "'''", '"""', "\\", "# x", "[[features.subscription_update.products]]", "\u202e", "\x00", "=", "{{ 7*7 }}", "é" * 80]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_looks_like_markup_or_toml_is_a_text(folder, text):  # threat 106
    before = held(folder)
    made = every(("de",))
    paths = [each.path for each in made if each.kind in ("text", "long_text")]
    form = form_of(fields(made, before, {})) | {path: [text] for path in paths}
    changes = touched(made, form, before)
    assert set(changes.values()) == {text.strip()}
    edits = brand_files.proposed(folder, brand_files.read(folder), changes)
    after = brand_files.held({name: each.after for name, each in edits.items()})
    different = brand_files.changes_between(before, after)
    assert different == {path: text.strip() for path in paths}
