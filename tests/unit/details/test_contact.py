"""A field of the contact form is declared by `Contact`; these tests say where it is missing."""

import msgspec
import pytest

from server.billing.model.change import CONTACT
from server.billing.stripe import mapping
from server.billing.stripe.fields import KINDS
from server.brands.features import UPDATES, CustomerUpdate, Features
from server.publishing import examples
from tests.support.accounts import account, keep, subscription
from tests.support.rendered import renderer, words
from tests.support.selling import stored
from tests.support.world import World

PHONE = "+49401234567"
"""A text that every field takes, also the phone."""


@pytest.mark.parametrize("field", CONTACT)
def test_a_field_of_the_contact_form_has_its_names(field):
    assert field in UPDATES
    macros = '{% from "components/details/part.html" import part, short %}{{ part(it) }}|{{ short(it) }}'
    label, short = (each.strip() for each in renderer().environment().from_string(macros).render(it=field).split("|"))
    assert label != "Number", "part() in components/details/part.html has no name for it"
    assert short, "short() in components/details/part.html has no name for it"


@pytest.mark.parametrize("field", CONTACT)
def test_a_field_of_the_contact_form_is_read_from_stripe(field):
    assert field in KINDS["customer"].read.split()
    customer, _ = mapping.customer({"id": "cus_1", "object": "customer", "created": 1, field: PHONE})
    assert getattr(customer, field) == PHONE


def test_the_examples_show_every_field_of_the_contact_form():
    shown = {each.fragment: each.view for each in examples.load() if each.feature == "details"}
    assert list(shown["show"].contact) == [each.name for each in shown["edit_contact"].fields] == list(CONTACT)


@pytest.mark.anyio
async def test_every_field_of_the_contact_form_is_saved_and_told(sqlite_store, clock):
    world = World(sqlite_store, clock, features=Features(customer_update=CustomerUpdate(allowed_updates=CONTACT)))
    await keep(world, account(subscription()))
    browser = world.client()
    await world.log_in(browser)
    form = await browser.get("/harbour/my/details/contact")
    done = await browser.fill(form, step="save", **dict.fromkeys(CONTACT, PHONE))
    assert words(done.text).count("+49") == len(CONTACT)
    customer = (await stored(world)).customer
    assert {getattr(customer, each) for each in CONTACT} == {PHONE}
    ((data,),) = await world.store.read("SELECT data FROM activity WHERE kind = 'customer.updated'")
    assert msgspec.msgpack.decode(data)["fields"].split() == list(CONTACT)
