"""One row a deed, in the transaction of the deed."""

from decimal import Decimal

import pytest
from django.db import transaction

from apps.core import audit
from apps.core.actors import SYSTEM, Actor
from apps.core.models import AuditEvent
from apps.core.tenancy import use_all_clients, use_client
from tests.factories.clients import ClientFactory, ProductFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_deed_says_who_what_where_and_what_changed():
    row, person = ProductFactory(name="Brut"), UserFactory()
    with use_client(row.client):
        audit.record(Actor(person, "slack"), "clients.product.changed", row, price=[Decimal("1.50"), None])
        event = AuditEvent.objects.get()
    assert (event.user, event.via, event.verb) == (person, "slack", "clients.product.changed")
    assert (event.subject_type, event.subject_id, event.subject_label) == ("clients.product", str(row.pk), "Brut")
    assert event.changes == {"price": ["1.50", None]}
    assert event.client_id == row.client_id


def test_a_deed_that_did_not_happen_leaves_no_row():
    shop = ClientFactory()
    with use_client(shop):
        with transaction.atomic():
            audit.record(SYSTEM, "clients.client.changed", client=shop)
            transaction.set_rollback(True)
        assert not AuditEvent.objects.exists()


def test_a_deed_of_no_client_is_seen_with_everything_in_scope_only():
    shop = ClientFactory()
    with use_client(shop):
        audit.record(SYSTEM, "core.something.done")
        assert not AuditEvent.objects.exists()
    with use_all_clients("the test"):
        assert AuditEvent.objects.get().client_id is None


def test_a_person_stays_named_by_the_deed_when_he_is_gone():
    row, person = ProductFactory(), UserFactory()
    with use_client(row.client):
        audit.record(Actor(person, "web"), "clients.product.changed", row)
    with use_all_clients("the test"):
        person.delete()
        assert AuditEvent.objects.get().user is None


@pytest.mark.parametrize(("user", "via"), [(None, "web"), (None, "slack"), ("somebody", "telepathy")])
def test_somebody_must_be_behind_every_door(user, via):
    with pytest.raises(ValueError, match=r"via|behind"):
        Actor(user, via)
