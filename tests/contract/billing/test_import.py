"""Importing exports into the ledger, on both stores."""

import json

import pytest

from server.billing import Money
from server.brands.features import Features
from server.merchant.importing.files import ImportRefused, import_files, import_records
from server.publishing.samples import ADDRESSES, many, records, write_many
from tests.support import exports
from tests.support.canceling import cancel
from tests.support.ledger_accounts import NOW, day
from tests.support.pages import ledger_of

pytestmark = pytest.mark.anyio
WHOLE = [exports.product(), exports.customer(), exports.method(), exports.subscription(), exports.invoice()]
TABLES = ("customer", "account", "invoice", "catalog", "imported", "activity")


@pytest.fixture
def write(tmp_path):
    def written(name, *found, lines=True):
        file = tmp_path / name
        file.write_text("\n".join(json.dumps(each) for each in found) if lines else json.dumps(list(found), indent=2))
        return file

    return written


async def load(store, *files, live=None, **more):
    return await import_files(store, "plain", files, live=live, now=NOW, **more)


async def everything(store):
    return [await store.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES]


async def test_a_customer_with_everything(store, ledger, write):
    result = await load(store, write("all.jsonl", *WHOLE))
    assert (result.new, result.objects) == (1, {"customer": 1, "invoice": 1, "payment_method": 1, "subscription": 1})
    account = await ledger.account("cus_1", NOW)
    assert account.customer.name == "Jenny"
    assert [each.id for each in account.subscriptions] == ["sub_1"]
    assert account.upcoming[0].total == Money(3100, "EUR")
    assert (await ledger.invoice("cus_1", "in_1")).lines[0].description == "Coffee"


async def test_numbering_goes_on_after_the_invoices_that_came(store, ledger, write):
    """An export may lack `next_invoice_sequence`, and a number must not be given twice."""
    customer = {**exports.customer(invoice_prefix="HARB"), "next_invoice_sequence": None}
    numbers = ["HARB-0007", "HARB-0031", "OTHER-0099", "HARB-2026-5", "HARB-", None]
    invoices = [exports.invoice(f"in_{n}", number=each) for n, each in enumerate(numbers)]
    await load(store, write("all.jsonl", customer, *WHOLE[2:4], exports.product(), *invoices))
    assert (await ledger.account("cus_1", NOW)).customer.next_invoice_sequence == 32
    await load(store, write("more.jsonl", exports.invoice("in_9", number="HARB-0031")))
    assert (await ledger.account("cus_1", NOW)).customer.next_invoice_sequence == 32


async def test_a_list_that_goes_on_elsewhere_is_told_and_a_part_of_a_subscription_is_refused(store, write):
    page = {"object": "list", "url": "/v1/customers", "has_more": True, "data": [exports.customer()]}
    assert (await load(store, write("page.json", page))).unfinished == ("/v1/customers",)
    part = exports.subscription()
    part["items"]["has_more"] = True
    with pytest.raises(ImportRefused, match=r"\$\.items: holds some of the items only"):
        await load(store, write("part.jsonl", *WHOLE[:3], part))


async def test_the_directory_gets_the_canonical_address(store, write):
    await load(store, write("a.jsonl", exports.customer(email="Jenny@EXAMPLE.com"), *WHOLE[2:], exports.product()))
    found = await store.read("SELECT address, email, name, active, disabled FROM customer")
    assert found == [("jenny@example.com", "Jenny@EXAMPLE.com", "Jenny", 1, 0)]


@pytest.mark.parametrize("email", [None, "", "not an address", "a@b@c", '"<script>"@x', "a\r\nBcc: b@example.com"])
async def test_a_customer_without_a_usable_address_is_kept_and_counted(store, ledger, email):
    result = await import_records(store, "plain", [exports.customer(email=email)], now=NOW)
    assert result.unreachable == 1
    assert await store.read("SELECT address FROM customer") == [("",)]
    assert (await ledger.account("cus_1", NOW)).customer.email == (email or "")


async def test_metadata_disables_a_customer(store):
    await import_records(store, "plain", [exports.customer(metadata={"portal_disabled": "true"})], now=NOW)
    assert await store.read("SELECT disabled FROM customer") == [(1,)]


async def test_files_and_records_come_in_any_order(store, ledger, write):
    await load(store, write("b.json", *reversed(WHOLE[2:]), lines=False), write("a.jsonl", *reversed(WHOLE[:2])))
    assert (await ledger.account("cus_1", NOW)).subscriptions[0].items[0].price.product_name == "Coffee"


async def test_the_same_again_changes_nothing(store, write):
    file = write("all.jsonl", *WHOLE)
    await load(store, file)
    before = await everything(store)
    again = await load(store, file)
    assert (again.new, again.changed, again.unchanged, again.objects) == (0, 0, 1, {})
    assert await everything(store) == before


async def test_the_same_again_does_not_undo_what_happened_since(store, ledger, write):
    file = write("all.jsonl", *WHOLE)
    await load(store, file)
    await cancel(ledger, "cus_1", "sub_1", key="k", now=NOW)
    await load(store, file)
    assert (await ledger.account("cus_1", NOW)).subscriptions[0].cancel_at == day(2026, 4, 1)


async def test_newer_data_takes_the_place_of_older(store, ledger, write):
    await load(store, write("old.jsonl", *WHOLE))
    newer = [exports.customer(name="Jennifer"), exports.subscription(status="past_due"), exports.invoice(status="void")]
    result = await load(store, write("new.jsonl", *newer))
    assert (result.changed, result.objects) == (1, {"customer": 1, "invoice": 1, "subscription": 1})
    account = await ledger.account("cus_1", NOW)
    assert (account.customer.name, account.subscriptions[0].status) == ("Jennifer", "past_due")
    assert account.invoices[0].status == "void" == (await ledger.invoice("cus_1", "in_1")).status
    assert len(account.payment_methods) == 1


async def test_a_later_import_merges_into_the_account_under_a_new_version(store, ledger):
    await import_records(store, "plain", WHOLE, now=NOW)
    await import_records(store, "plain", [exports.subscription("sub_2", status="trialing")], now=NOW)
    assert {each.id for each in (await ledger.account("cus_1", NOW)).subscriptions} == {"sub_1", "sub_2"}
    assert await store.read("SELECT version FROM account") == [(2,)]


async def test_the_last_of_two_records_of_one_object_counts(store, ledger):
    await import_records(store, "plain", [exports.customer(name="Old"), exports.customer(name="New")], now=NOW)
    assert (await ledger.account("cus_1", NOW)).customer.name == "New"


async def test_expanded_objects_are_read_too(store, ledger):
    inside = exports.subscription(
        customer=exports.customer(), default_payment_method=exports.method(), latest_invoice=exports.invoice(),
        items=[exports.item(price=exports.price(product=exports.product()))],
    )  # fmt: skip
    await import_records(store, "plain", [inside], now=NOW)
    account = await ledger.account("cus_1", NOW)
    assert (account.payment_methods[0].id, account.invoices[0].id) == ("pm_1", "in_1")


async def test_both_kinds_of_customers_own_things(store, ledger):
    owned = {"customer": None, "customer_account": "acct_1"}
    found = [exports.account(), exports.product(), exports.subscription(**owned), exports.method(**owned)]
    await import_records(store, "plain", found, now=NOW)
    account = await ledger.account("acct_1", NOW)
    assert (len(account.subscriptions), len(account.payment_methods)) == (1, 1)


async def test_tax_ids_come_by_themselves_or_with_the_customer(store, ledger):
    inside = {"object": "list", "data": [{"id": "txi_1", "type": "eu_vat", "value": "DE1"}]}
    alone = {
        "id": "txi_2",
        "object": "tax_id",
        "type": "gb_vat",
        "value": "GB2",
        "owner": {"type": "customer", "customer": "cus_1"},
    }
    await import_records(store, "plain", [exports.customer(tax_ids=inside), alone], now=NOW)
    assert [each.value for each in (await ledger.account("cus_1", NOW)).customer.tax_ids] == ["DE1", "GB2"]


async def test_discounts_are_found_by_their_id(store, ledger):
    found = [*WHOLE[:2], exports.coupon(), exports.discount(), exports.subscription(discounts=["di_1"])]
    await import_records(store, "plain", found, now=NOW)
    assert (await ledger.account("cus_1", NOW)).subscriptions[0].discounts[0].coupon.name == "Ten off"


async def test_the_catalog_of_an_earlier_import_is_known(store, ledger):
    await import_records(store, "plain", [exports.product(), exports.coupon(), exports.discount()], now=NOW)
    await import_records(store, "plain", [exports.customer(), exports.subscription(discounts=["di_1"])], now=NOW)
    assert (await ledger.account("cus_1", NOW)).subscriptions[0].items[0].price.product_name == "Coffee"


async def test_drafts_and_what_nobody_uses_are_left_out(store):
    found = [
        exports.customer(),
        exports.invoice(status="draft"),
        {"id": "ch_1", "object": "charge"},
        exports.method(customer=None),
    ]
    result = await import_records(store, "plain", found, now=NOW)
    assert result.ignored == {"charge": 1, "payment_method of nobody": 1}
    assert await store.read("SELECT count(*) FROM invoice") == [(0,)]


async def test_a_hosted_page_of_stripe_is_not_the_ledgers(store, ledger):
    link = "https://invoice.stripe.com/i/acct_1/test_secret"
    await import_records(store, "plain", [exports.customer(), exports.invoice(hosted_invoice_url=link)], now=NOW)
    assert (await ledger.invoice("cus_1", "in_1")).hosted is False
    documents = await store.read("SELECT document FROM invoice UNION ALL SELECT document FROM account")
    assert all(b"invoice.stripe.com" not in bytes(document) for (document,) in documents)  # threat 77


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (exports.customer("cus_2", created="soon"), r"two\.jsonl:2: \$\.created: expected `int`, got `str`"),
        (exports.subscription(items=[]), r"two\.jsonl:2: \$\.items\.data: expected `array` of length >= 1"),
        (exports.subscription("sub_9", customer="cus_9"), r"two\.jsonl:2: \$\.customer: customer cus_9 is neither in these"),
        (exports.subscription(customer=None), r"two\.jsonl:2: \$\.customer: expected the id of a customer"),
        (exports.invoice("in_9", customer="cus_9"), r"two\.jsonl:2: \$\.customer: customer cus_9 is neither"),
        (exports.subscription(default_payment_method="pm_9"), r"two\.jsonl:2: \$\.default_payment_method: payment method pm_9"),
        (exports.customer(invoice_settings={"default_payment_method": "pm_9"}), r"two\.jsonl:2: \$\.invoice_settings\.default"),
        (exports.subscription(items=[exports.item(price=exports.price(product="prod_9"))]), r"two\.jsonl:2: \$\.items\.data\[0\]\.price\.product: product prod_9"),
        (exports.price(product="prod_9"), r"two\.jsonl:2: \$\.product: product prod_9"),
        (exports.subscription(discounts=["di_9"]), r"two\.jsonl:2: \$\.discounts\[0\]: discount di_9"),
        (exports.discount(), r"two\.jsonl:2: \$\.source\.coupon: coupon OFF"),
        ({"id": "x"}, r"two\.jsonl:2: \$\.object: expected the kind of object"),
        (exports.customer(deleted=True), r"two\.jsonl:2: \$\.deleted: a deleted object"),
        (exports.customer(name="a\x00b"), r"two\.jsonl:2: \$: holds a NUL"),
    ],
)  # fmt: skip
async def test_a_bad_record_is_named_and_nothing_of_any_file_is_kept(store, write, bad, message):
    await import_records(store, "plain", WHOLE, now=NOW)
    before = await everything(store)
    good = [exports.customer("cus_3"), exports.coupon("ANOTHER")]
    with pytest.raises(ImportRefused, match=message):
        await load(store, write("one.jsonl", *good), write("two.jsonl", exports.customer("cus_4"), bad))
    assert await everything(store) == before


async def test_a_mistake_in_a_page_is_found_on_its_line(store, write):
    file = write("page.json", exports.customer(), exports.customer("cus_2", email=5), lines=False)
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if '"email": 5' in text)
    with pytest.raises(ImportRefused, match=rf"page\.json:{line}: \$\[1\]\.email: expected `str \| null`, got `int`"):
        await load(store, file)


@pytest.mark.parametrize(("live", "record"), [(False, True), (True, False)])
async def test_test_and_live_data_are_never_mixed(store, write, live, record):  # threat 80
    file = write("a.jsonl", exports.customer(livemode=record))
    with pytest.raises(
        ImportRefused, match=r"a\.jsonl:1: \$\.livemode: (live data for test data|test data for live data)"
    ):
        await load(store, file, live=live)
    assert await store.read("SELECT count(*) FROM customer") == [(0,)]


async def test_without_a_link_the_first_record_decides(store, write):
    mixed = write("a.jsonl", exports.customer(livemode=True), exports.customer("cus_2", livemode=False))
    with pytest.raises(ImportRefused, match=r"a\.jsonl:2: \$\.livemode: test data for live data"):
        await load(store, mixed)


@pytest.mark.parametrize(
    "record",
    [exports.subscription(customer="cus_2"), exports.method(customer="cus_2"), exports.invoice(customer="cus_2")],
)
async def test_what_belongs_to_one_customer_does_not_move_to_another(store, record):  # threat 43
    await import_records(store, "plain", WHOLE, now=NOW)
    with pytest.raises(ImportRefused, match=r"belongs to cus_1 in the ledger, got cus_2"):
        await import_records(store, "plain", [exports.customer("cus_2"), record], now=NOW)


async def test_a_changed_address_ends_the_sessions_of_the_old_one(store):  # threat 44
    await import_records(store, "plain", [exports.customer(), exports.customer("cus_2")], now=NOW)
    session = (
        "INSERT INTO session (id_hash, brand, customer_id, address, kind, browser, created_at, last_seen_at, expires_at)"
        " VALUES (:id, 'plain', :customer, 'jenny@example.com', 'link', '', 0, 0, 0)"
    )
    rows = [{"id": each.encode(), "customer": each} for each in ("cus_1", "cus_2")]
    await store.write(lambda transaction: transaction.run_many(session, rows))
    await import_records(store, "plain", [exports.customer(email="new@example.com")], now=NOW)
    assert await store.read("SELECT customer_id FROM session") == [("cus_2",)]


async def test_progress_is_told(store, write):
    told = []
    file = write("all.jsonl", *WHOLE)
    await load(store, file, progress=lambda *said: told.append(said))
    size = file.stat().st_size
    assert told[-1] == ("writing", 1, 1)
    assert (str(file), size, size) in told


async def test_two_brands_keep_their_data_apart(store, ledger):
    await import_records(store, "plain", WHOLE, now=NOW)
    await import_records(store, "orbit", [exports.customer(name="Other")], now=NOW)
    assert (await ledger.account("cus_1", NOW)).customer.name == "Jenny"
    assert await store.read("SELECT count(*) FROM account WHERE brand = 'orbit'") == [(1,)]


async def test_the_samples_are_who_the_list_says(ledger, samples):
    def statuses(account):
        return sorted(each.status for each in account.subscriptions)

    accounts = {name: await ledger.account(identity, NOW) for name, identity in samples.items()}
    assert {f"{name}@example.com" for name in accounts} == set(ADDRESSES)
    assert (statuses(accounts["jenny"]), len(accounts["jenny"].payment_methods)) == (["active"], 2)
    assert statuses(accounts["pat"]) == ["past_due"]
    assert accounts["pat"].invoices[0].status == "open"
    assert statuses(accounts["tina"]) == ["trialing"]
    assert accounts["lee"].subscriptions[0].cancel_at_period_end
    assert (accounts["ivy"].subscriptions, len(accounts["ivy"].invoices)) == ((), 5)
    assert sorted(len(each.items) for each in accounts["max"].subscriptions) == [1, 1, 3]
    assert accounts["dee"].customer.disabled


async def test_sam_is_two_customers_and_the_older_one_is_active(store, samples):
    found = await store.read("SELECT active FROM customer WHERE address = 'sam@example.com' ORDER BY created_at")
    assert found == [(1,), (0,)]


def test_samples_are_the_same_every_time_and_of_every_brand():
    assert records("harbour", NOW) == records("harbour", NOW)
    for brand in ("plain", "harbour", "orbit"):
        emails = {each["email"].lower() for each in records(brand, NOW) if each.get("email")}
        assert emails | {"ivy@example.com"} == set(ADDRESSES)


async def test_many_written_straight_are_the_same_as_imported(store):
    async def found(brand):
        ledger = ledger_of(store, brand, Features())
        customers = await store.read(
            "SELECT id, address, email, name, created_at, active, disabled FROM customer WHERE brand = :brand ORDER BY id",
            {"brand": brand},
        )
        return [(each, await ledger.account(each[0], NOW), await ledger.invoices(each[0])) for each in customers]

    await import_records(store, "plain", many("plain", 3, NOW), now=NOW)
    imported = await found("plain")
    await store.write(lambda transaction: [transaction.count(f"DELETE FROM {table}") for table in TABLES])
    assert [done async for done in write_many(store, "plain", 3, NOW)] == [3]
    assert await found("plain") == imported
