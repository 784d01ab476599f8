"""Each key is declared once: the reader takes it from there, and so does the reference of `themes/README.md`."""

import re
import shutil
from typing import Annotated

import msgspec
import pytest

from server.brands import load, reference
from server.brands.mail_switches import MailSwitches
from server.brands.portal_file import PortalConfig
from server.brands.reading.declared import Keys, entries, fields, read
from server.brands.reading.keys import Flag, Ids, OneOf, Section, Whole
from server.brands.reading.tables import Document, Table
from server.brands.theme_file import ThemeFile
from server.brands.theme_keys import STACKS
from server.mail.letters import LETTERS
from tests.support.brands import mistakes, write_brand

README = reference.README.read_text("utf-8")
EVERY = [*entries(ThemeFile), *entries(PortalConfig)]


class Grind(Keys, frozen=True):
    fineness: Annotated[int, Whole("how fine it is", bounds=(1, 9), own=True)] = 5
    kind: Annotated[str, OneOf("for which | machine", among=("filter", "espresso"))] = "filter"


class Coffee(Keys, frozen=True):
    sold: Annotated[bool, Flag("whether it is sold", stripe="active")] = True
    from_: Annotated[tuple[str, ...], Ids("where it grows", required=True)] = msgspec.field(name="from", default=())
    grinds: Annotated[tuple[Grind, ...], Section("each grind", stripe="grinds[]")] = ()


def test_the_readme_has_the_keys_as_they_are_declared():
    assert reference.updated(README) == README, "run `python3 build.py reference`"


def test_the_theme_to_start_from_has_every_key_and_is_a_brand(tmp_path):
    start = reference.START.read_text("utf-8")
    assert start == reference.start(), "run `python3 build.py reference`"
    shutil.copytree(reference.README.parent / "plain", tmp_path / "plain")
    brand = load(write_brand(tmp_path, theme=start.replace("#2456c9", "#7a3b1d", 1)))
    assert (brand.theme.brand.color, brand.theme.brand.accent, brand.lineage[-1].name) == ("#7a3b1d", "", "plain")


def test_every_key_of_the_theme_to_start_from_can_be_used(tmp_path):
    """With each # taken away it is still a theme, but for the files that are not there."""
    shutil.copytree(reference.README.parent / "plain", tmp_path / "plain")
    keys = re.sub(r"(?m)^#(?=\w+ = |\[)", "", reference.start())
    assert {each.key for each in mistakes(write_brand(tmp_path, theme=keys))} == {
        "brand.dark_logo", "brand.styles", "type.font[0].file",
    }  # fmt: skip


def test_a_readme_without_the_markers_is_refused():
    with pytest.raises(ValueError, match=r"expected the lines <!-- the keys of portal\.toml"):
        reference.updated(README.replace("keys of portal.toml", "keys of it"))


def test_every_stack_is_named_there():
    assert all(f"`{name}`" in README for name in STACKS)


@pytest.mark.parametrize("entry", [each for each in EVERY if not each.below], ids=lambda each: each.path)
def test_every_key_says_what_it_does_and_what_is_allowed(entry):
    assert entry.key.about
    assert entry.key.allowed
    assert entry.key.required or entry.key.like or entry.default is not None


def test_every_mail_has_its_switch():
    switches = {each.name for each in fields(MailSwitches)}
    assert {each.template for each in LETTERS} | {"new_login"} == switches - {
        "enabled",
        "renewal_reminder_days",
        "optional",
    }


def test_a_declaration_is_all_that_the_reference_needs():
    assert reference.table(Coffee).splitlines()[2:] == [
        "| `sold` | whether it is sold | true or false | `true` |",
        "| `from` | where it grows | an id or a list of ids | required |",
        "| `grinds[]` | each grind | any number of tables | none |",
        "| **more** `grinds[].fineness` | how fine it is | a whole number from 1 to 9 | `5` |",
        r"| `grinds[].kind` | for which \| machine | `filter`, `espresso` | `filter` |",
    ]


def test_a_declaration_is_all_that_the_reader_needs(tmp_path):
    file, mistakes = tmp_path / "coffee.toml", []
    file.write_text('from = "prod_1"\n[[grinds]]\nkind = "filtr"\nfinenes = 3\n[[grinds]]\nfineness = 10\n')
    document = Document(file, mistakes)
    made = read(Coffee, Table([(document, document.values)], mistakes))
    assert (made.sold, made.from_, len(made.grinds)) == (True, ("prod_1",), 2)
    assert [str(each).removeprefix(f"{file}:") for each in mistakes] == [
        "3: grinds[0].kind: found 'filtr'; allowed: espresso, filter (did you mean filter?)",
        "4: grinds[0].finenes: found an unknown key; allowed: fineness, kind (did you mean fineness?)",
        "6: grinds[1].fineness: found 10; allowed: a whole number from 1 to 9",
    ]


def test_a_key_knows_where_stripe_has_it():
    assert {each.path: each.stripe for each in entries(Coffee)} == {
        "sold": "active", "from": "", "grinds[]": "grinds[]", "grinds[].fineness": "", "grinds[].kind": "grinds[].kind",
    }  # fmt: skip


def test_a_field_without_a_declaration_is_refused():
    class Tea(Keys, frozen=True):
        leaf: str = ""

    with pytest.raises(TypeError, match=r"Tea\.leaf has no Key"):
        list(entries(Tea))
