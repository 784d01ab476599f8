"""What an operator changed is kept, conflicts key by key, is shown before it is written, and can be taken back."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from server import brands
from server.brands import ThemeError
from server.merchant.studio import drafts, saving
from server.publishing import brand_files
from server.publishing.brand_files import ChangedMeanwhile
from server.store import cleaning
from tests.support.brands import SVG, png

pytestmark = pytest.mark.anyio
THEMES = Path(__file__).resolve().parents[3] / "themes"
MODE, COUPON = "features.subscription_cancel.mode", "features.subscription_cancel.retention.coupon"
NOTE, HEADLINE = "words.footer_note", "business.headline"
ANN, BOB = "ann@shop.example", "bob@shop.example"


@pytest.fixture
def folder(tmp_path):
    for name in ("plain", "harbour"):
        shutil.copytree(THEMES / name, tmp_path / name)
    return tmp_path / "harbour"


class Desk:
    """One operator of the studio, without its pages."""

    def __init__(self, store, clock, folder, operator=ANN):
        self.store, self.clock, self.folder, self.operator = store, clock, folder, operator

    async def keep(self, **touched):
        changes = {path.replace("__", "."): value for path, value in touched.items()}
        held = saving.held_by(self.folder)
        return await drafts.keep(self.store, self.operator, "harbour", touched=changes, held=held, now=self.clock())

    async def draft(self):
        return await drafts.find(self.store, self.operator, "harbour")

    async def propose(self):
        return saving.propose(
            self.folder, await self.draft(), await drafts.uploads(self.store, self.operator, "harbour")
        )

    async def save(self, proposal=None):
        proposal = proposal or await self.propose()
        return await saving.save(self.store, self.folder, self.operator, proposal, now=self.clock())


@pytest.fixture
def ann(store, clock, folder):
    return Desk(store, clock, folder)


@pytest.fixture
def bob(store, clock, folder):
    return Desk(store, clock, folder, BOB)


def texts(folder):
    return {name: (folder / name).read_text("utf-8") for name in ("theme.toml", "portal.toml")}


def by_hand(folder, old, new, name="portal.toml"):
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), "utf-8")


async def test_a_draft_keeps_what_was_touched_until_it_is_written(ann, bob, folder):
    before = texts(folder)
    await ann.keep(**{MODE: "immediately"})
    await ann.keep(**{NOTE: None, HEADLINE: 'Say "hi"\n'})
    draft = await ann.draft()
    assert draft.values == {MODE: "immediately", NOTE: None, HEADLINE: 'Say "hi"\n'}
    assert draft.changes[MODE].was == "at_period_end"
    assert (await bob.draft()).changes == {}
    assert texts(folder) == before
    # What is as in the file again is no change.
    await ann.keep(**{NOTE: "Roasted by the water since 2011.", HEADLINE: "Your coffee, your way"})
    assert (await ann.draft()).values == {MODE: "immediately"}
    await ann.save()
    assert brands.load(folder).config.features.subscription_cancel.mode == "immediately"
    assert (await ann.draft()).changed_at is None
    assert (await ann.propose()).edits == {}


async def test_two_tabs_of_one_operator_lose_nothing(ann):
    await asyncio.gather(*(ann.keep(**{f"words.de.key{number}": "x"}) for number in range(20)))
    assert len((await ann.draft()).changes) == 20


async def test_two_operators_write_different_keys_one_after_the_other(ann, bob, folder):  # threat 107
    await ann.keep(**{MODE: "immediately"})
    await bob.keep(**{COUPON: "STAY"})
    first, second = await ann.propose(), await bob.propose()
    await ann.save(first)
    with pytest.raises(ChangedMeanwhile):
        await bob.save(second)
    assert (await bob.draft()).values == {COUPON: "STAY"}
    again = await bob.propose()
    assert again.fingerprint != second.fingerprint
    assert again.conflicts == ()
    await bob.save(again)
    cancel = brands.load(folder).config.features.subscription_cancel
    assert (cancel.mode, cancel.retention.coupon) == ("immediately", "STAY")


async def test_the_same_key_changed_by_hand_is_a_conflict_and_the_operator_chooses(ann, folder, clock):  # threat 107
    await ann.keep(**{HEADLINE: "Mine", NOTE: "Mine too", MODE: "immediately"})
    by_hand(folder, "Your coffee, your way", "Theirs")
    by_hand(folder, "Roasted by the water since 2011.", "Theirs too", "theme.toml")
    proposal = await ann.propose()
    assert [(each.path, each.mine, each.theirs) for each in proposal.conflicts] == [
        (HEADLINE, "Mine", "Theirs"), (NOTE, "Mine too", "Theirs too"),
    ]  # fmt: skip
    assert '-mode = "at_period_end"' in proposal.patch
    assert "Mine" not in proposal.patch
    held = saving.held_by(folder)
    await drafts.settle(ann.store, await ann.draft(), mine=[HEADLINE], theirs=[NOTE], held=held, now=clock())
    proposal = await ann.propose()
    assert proposal.conflicts == ()
    assert '-headline = "Theirs"\n+headline = "Mine"' in proposal.patch
    by_hand(folder, "Theirs", "Again theirs")
    assert [each.theirs for each in (await ann.propose()).conflicts] == ["Again theirs"]
    await drafts.settle(
        ann.store, await ann.draft(), mine=[HEADLINE], theirs=[], held=saving.held_by(folder), now=clock()
    )
    await ann.save()
    brand = brands.load(folder)
    assert (brand.config.business.headline, brand.theme.words["footer_note"]) == ("Mine", "Theirs too")


async def test_what_somebody_else_did_already_is_no_conflict(ann, folder):
    await ann.keep(**{HEADLINE: "Ours"})
    by_hand(folder, "Your coffee, your way", "Ours")
    proposal = await ann.propose()
    assert (proposal.conflicts, proposal.edits) == ((), {})


async def test_a_change_that_does_not_pass_is_kept_and_not_written(ann, folder):
    before = texts(folder)
    await ann.keep(**{"features.subscription_pause.max_cycles": "many", HEADLINE: "Good"})
    proposal = await ann.propose()
    assert [each.key for each in proposal.mistakes] == ["features.subscription_pause.max_cycles"]
    with pytest.raises(ThemeError, match="max_cycles"):
        await ann.save(proposal)
    assert texts(folder) == before
    assert len((await ann.draft()).changes) == 2


async def test_a_value_that_no_longer_passes_blocks_no_other_key(ann, folder):
    by_hand(folder, "max_cycles = 2", "max_cycles = 99")
    await ann.keep(**{HEADLINE: "Good"})
    proposal = await ann.propose()
    assert (proposal.mistakes, [each.key for each in proposal.standing]) == (
        (),
        ["features.subscription_pause.max_cycles"],
    )
    await ann.save(proposal)
    assert 'headline = "Good"' in texts(folder)["portal.toml"]


@pytest.mark.parametrize(
    "odd", ["2026-01-01", "2026-01-01T10:00:00Z", "10:00:00", "9" * 40, "nan", "-inf", "1", "[[1], {a = 1}]"]
)
async def test_whatever_the_file_holds_for_a_key_can_be_replaced(ann, folder, odd):
    by_hand(folder, "max_cycles = 2", f"max_cycles = {odd}")
    by_hand(folder, "enabled = true\nmode", f"enabled = {odd}\nmode")
    await ann.keep(**{"features.subscription_pause.max_cycles": 2, "features.subscription_cancel.enabled": True})
    assert len((await ann.draft()).changes) == 2
    proposal = await ann.propose()
    assert (proposal.conflicts, proposal.mistakes) == ((), ())
    await ann.save(proposal)
    assert brands.load(folder).config.features.subscription_pause.max_cycles == 2


async def test_an_upload_is_written_with_the_change_that_names_it(ann, folder, clock):
    content = png(200, 200)
    name = saving.picture_name("logo", content)
    assert name.endswith(".png")
    for each, what in ((name, content), (saving.picture_name("logo", SVG), SVG)):
        await drafts.upload(ann.store, ANN, "harbour", each, content=what, now=clock())
    await ann.keep(**{"brand.logo": name})
    proposal = await ann.propose()
    assert list(proposal.pictures) == [name]
    await ann.save(proposal)
    assert brands.load(folder).theme.brand.logo.file == folder / name
    assert await drafts.uploads(ann.store, ANN, "harbour") == {}


async def test_uploads_do_not_fill_the_store(ann, clock):
    for number in range(drafts.MOST_UPLOADS + 3):
        await drafts.upload(ann.store, ANN, "harbour", f"{number}.svg", content=SVG, now=clock.forward(seconds=1))
    kept = await drafts.uploads(ann.store, ANN, "harbour")
    assert len(kept) == drafts.MOST_UPLOADS
    assert "0.svg" not in kept


@pytest.mark.parametrize("content", [b"<svg onload='x'/>", b"GIF89a", b"", png(64, 64), b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_gets_no_name(content):  # threat 104
    with pytest.raises(ValueError, match=r".+"):
        saving.picture_name("logo", content)


async def test_a_write_is_undone_to_the_byte(ann, folder):
    before = texts(folder)
    await ann.keep(**{MODE: "immediately", NOTE: "New", "features.subscription_update.products": None,
                      "features.subscription_update.enabled": False})  # fmt: skip
    written = await ann.save()
    (write,) = await drafts.writes(ann.store, "harbour")
    assert (write.id, write.operator) == (written, ANN)
    proposal = saving.propose_undo(folder, write)
    assert '+mode = "at_period_end"' in proposal.patch
    await ann.save(proposal)
    assert texts(folder) == before


async def test_an_older_write_is_undone_without_what_came_after_it(ann, bob, folder):
    await ann.keep(**{MODE: "immediately", HEADLINE: "Anns"})
    await ann.save()
    bob.clock.forward(seconds=1)
    await bob.keep(**{NOTE: "Bobs", HEADLINE: "Bobs too"})
    await bob.save()
    by_hand(folder, "# How much and which coffee", "# How much coffee")
    _, write = await drafts.writes(ann.store, "harbour")
    proposal = saving.propose_undo(folder, write)
    assert [(each.path, each.theirs) for each in proposal.conflicts] == [(HEADLINE, "Bobs too")]
    await ann.save(proposal)
    brand = brands.load(folder)
    assert brand.config.features.subscription_cancel.mode == "at_period_end"
    assert (brand.config.business.headline, brand.theme.words["footer_note"]) == ("Bobs too", "Bobs")
    assert "# How much coffee" in texts(folder)["portal.toml"]


async def test_the_last_ten_writes_are_kept_apart_for_each_brand(ann, clock):
    for number in range(12):
        files = {"portal.toml": ("", str(number))}
        await drafts.note_write(ann.store, ANN, "harbour", files, now=clock.forward(seconds=1))
    await drafts.note_write(ann.store, ANN, "plain", {"portal.toml": ("", "")}, now=ann.clock())
    kept = await drafts.writes(ann.store, "harbour")
    assert [each.files["portal.toml"][1] for each in kept] == [str(number) for number in range(11, 1, -1)]
    assert len(await drafts.writes(ann.store, "plain")) == 1


async def test_a_draft_is_kept_for_thirty_days(ann, clock, folder):
    await ann.keep(**{HEADLINE: "Mine"})
    await drafts.upload(ann.store, ANN, "harbour", "logo.1.svg", content=SVG, now=clock())
    await cleaning.clean(ann.store, clock.forward(days=29), timedelta(minutes=60))
    assert len((await ann.draft()).changes) == 1
    await cleaning.clean(ann.store, clock.forward(days=2), timedelta(minutes=60))
    assert (await ann.draft()).changes == {}
    assert await drafts.uploads(ann.store, ANN, "harbour") == {}


async def test_dropping_a_draft_forgets_it_and_its_uploads(ann, clock):
    await ann.keep(**{HEADLINE: "Mine"})
    await drafts.upload(ann.store, ANN, "harbour", "logo.1.svg", content=SVG, now=clock())
    await drafts.drop(ann.store, ANN, "harbour")
    assert (await ann.draft()).changes == {}
    assert await drafts.uploads(ann.store, ANN, "harbour") == {}


@pytest.mark.parametrize(
    "name", ["../harbour", "Harbour", "v1", "", ".", "a/b", "harbour\n", "nothing", "linked", "%2e%2e", "\0"]
)
def test_a_brand_is_the_name_of_a_folder_of_its_own(folder, name):  # threat 105
    folder.with_name("linked").symlink_to(folder)
    with pytest.raises(ThemeError):
        saving.folder_of(folder.parent, name)
    assert saving.folder_of(folder.parent, "harbour") == folder


async def test_a_folder_that_cannot_be_written_leaves_the_patch(ann, folder, monkeypatch):
    await ann.keep(**{HEADLINE: "Mine"})
    proposal = await ann.propose()

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(brand_files, "write_file", refuse)
    with pytest.raises(ThemeError, match="Read-only"):
        await ann.save(proposal)
    assert len((await ann.draft()).changes) == 1
    assert '+headline = "Mine"' in proposal.patch
    assert await drafts.writes(ann.store, "harbour") == ()
