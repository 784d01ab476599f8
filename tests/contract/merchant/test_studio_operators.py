"""Who may use the studio: roles for one brand or all, the last owner stays, and a history that shows where it was changed."""

import argparse
import asyncio

import pytest

from server.merchant.link import NotDone
from server.merchant.studio import commands, history, operators, passkeys
from server.merchant.studio.history import Broken, Head
from server.merchant.studio.operators import Change, LastOwner
from server.merchant.studio.rights import RIGHTS, rights_in

pytestmark = pytest.mark.anyio
ANN, BOB = "ann@shop.example", "bob@shop.example"


@pytest.fixture
def give(store, clock):
    async def give(address, role, brand="", by=""):
        return await operators.change(store, Change(address=address, brand=brand, role=role, by=by), clock())

    return give


def options(**values):
    return argparse.Namespace(**{"brand": "", "head": "", "lost_passkey": False, **values})


async def spoil(store, sql, **values):
    assert await store.write(lambda transaction: transaction.count(sql, values)) >= 1


async def rights(store, address, brand):
    return rights_in(await operators.roles_of(store, address), brand)


async def test_a_role_holds_for_its_brand_and_one_for_every_brand_for_all(store, give):
    await give(ANN, "owner")
    await give(BOB, "editor", "harbour")
    await give(BOB, "support", "plain")
    assert await rights(store, ANN, "harbour") == RIGHTS["owner"]
    assert await rights(store, BOB, "harbour") == {"look", "edit"}
    assert await rights(store, BOB, "plain") == {"look", "customers"}
    assert await rights(store, BOB, "lumen") == frozenset()
    assert await rights(store, "eve@shop.example", "harbour") == frozenset()
    await give(BOB, "", "harbour")
    assert await rights(store, BOB, "harbour") == frozenset()
    assert await rights(store, BOB, "plain") == {"look", "customers"}


async def test_the_last_owner_can_neither_go_nor_get_less(store, give):
    await give(ANN, "owner")
    await give(BOB, "owner", "harbour")  # of one brand: does not count
    for role in ("", "viewer"):
        with pytest.raises(LastOwner):
            await give(ANN, role)
    assert len((await history.read(store)).acts) == 2
    await give(BOB, "owner")
    assert await give(ANN, "")


@pytest.mark.parametrize(("by_ann", "by_bob", "late"), [("", "", "LastOwner()"), (ANN, BOB, "NotAllowed()")])
async def test_of_two_owners_who_remove_each_other_at_once_one_stays(store, give, by_ann, by_bob, late):
    for _ in range(8):
        await give(ANN, "owner")
        await give(BOB, "owner")
        done = await asyncio.gather(give(ANN, "", by=by_bob), give(BOB, "", by=by_ann), return_exceptions=True)
        assert sorted(map(repr, done)) == [late, "True"]
        assert [each.role for each in await operators.every(store)] == ["owner"]


async def test_many_at_once_keep_one_chain(store, give):
    await asyncio.gather(*(give(f"o{n}@shop.example", "viewer") for n in range(20)))
    told = await history.read(store)
    assert [each.n for each in told.acts] == list(range(1, 21))
    assert told.head == Head(20, told.acts[-1].hash)


async def test_what_is_so_already_is_no_act(store, give):
    assert await give(ANN, "owner")
    assert not await give(ANN, "owner")
    assert not await give(BOB, "")
    assert len((await history.read(store)).acts) == 1


async def test_whose_passkey_is_lost_gets_a_word_again_and_whose_role_goes_keeps_none(store, give, clock):
    await give(ANN, "owner")
    made = passkeys.Passkey(b"id", ANN, b"key", 0, "Laptop", clock(), clock())
    added = options(address=ANN, role="owner")
    await store.write(lambda transaction: passkeys.add(transaction, made))
    assert "word" not in await commands.add(store, added, clock())
    lost = options(address=ANN, role="owner", lost_passkey=True)
    assert "word" in await commands.add(store, lost, clock())
    assert not await passkeys.of(store, ANN)
    assert (await history.read(store)).acts[-1].what == "passkeys_lost"
    await store.write(lambda transaction: passkeys.add(transaction, made))
    await give(BOB, "owner")
    await give(ANN, "editor", "harbour")
    await give(ANN, "")
    assert await passkeys.of(store, ANN)
    await give(ANN, "", "harbour")
    assert not await passkeys.of(store, ANN)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE studio_act SET operator = 'eve@shop.example' WHERE n = 2", "act 2 of"),
        ("UPDATE studio_act SET brand = 'harbour' WHERE n = 2", "act 2 of"),
        ("UPDATE studio_act SET at = at + 1 WHERE n = 2", "act 2 of"),
        ("UPDATE studio_act SET data = '{}' WHERE n = 3", "act 3 of"),
        ("UPDATE studio_act SET what = 'other' WHERE n = 3", "act 3 of"),
        ("DELETE FROM studio_act WHERE n = 1", "act 1 of"),
        ("DELETE FROM studio_act WHERE n = 2", "act 2 of"),
        ("DELETE FROM studio_act WHERE n = 3", "ends with act 2, and act 3"),
        ("DELETE FROM studio_act", "ends with act 0, and act 3"),
    ],
)
async def test_a_changed_history_names_the_act(store, give, sql, words):
    for role in ("viewer", "editor", "publisher"):
        await give(ANN, role)
    await spoil(store, sql)
    with pytest.raises(Broken, match=words):
        await history.read(store)


async def test_a_tail_cut_off_with_its_head_is_found_by_a_head_kept_elsewhere(store, give):
    heads = []
    for role in ("viewer", "editor", "publisher"):
        await give(ANN, role)
        heads.append((await history.read(store)).head)
    await spoil(store, "DELETE FROM studio_act WHERE n = 3")
    await spoil(store, "UPDATE studio_head SET n = 2, hash = :hash", hash=heads[1].hash)
    await history.read(store, heads[1])
    with pytest.raises(Broken, match="act 3 of"):
        await history.read(store, heads[2])
    await give(ANN, "owner")  # another act in the place of the one that was cut off
    with pytest.raises(Broken, match="act 3 of"):
        await history.read(store, heads[2])


async def test_the_commands_say_what_they_did_and_what_is_wrong(store, clock):
    now = clock()
    assert "Nobody may use" in await commands.show(store, options(), now)
    added = options(address=" Ann@Shop.example ", role="owner")
    said = await commands.add(store, added, now)
    assert said.startswith(f"{ANN} is now owner of every brand.\nThe word for a first passkey")
    word = said.splitlines()[1].rpartition(" ")[2]
    again = await commands.add(store, added, now)
    assert again.startswith(f"{ANN} is already owner of every brand.\n")
    assert not await passkeys.is_word(store, ANN, word, now)
    assert await passkeys.is_word(store, ANN, again.splitlines()[1].rpartition(" ")[2], now)
    shown = await commands.show(store, options(), now)
    assert f"{ANN}  owner of every brand" in shown
    head = shown.rpartition(" ")[2]
    assert await commands.show(store, options(head=head), now) == shown
    for words, asked in (
        ("last owner", commands.remove(store, options(address=ANN), now)),
        ("no role for harbour", commands.remove(store, options(address=ANN, brand="harbour"), now)),
        ("not an e-mail address", commands.add(store, options(address="ann", role="viewer"), now)),
        ("is no head", commands.show(store, options(head="7"), now)),
        ("missing", commands.show(store, options(head=f"9{head[1:]}"), now)),
    ):
        with pytest.raises(NotDone, match=words):
            await asked
