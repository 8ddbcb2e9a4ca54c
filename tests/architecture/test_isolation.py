"""Clients cannot see each other's rows, whatever the code above forgets: every tenant model, every way in."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Count

from apps.clients.models import Client
from apps.core.row_security import policies_of, tenant_models
from apps.core.tenancy import MaybeTenantModel, TenantModel, use_all_clients, use_client
from tests.factories.clients import ClientFactory

from .isolation import FACTORIES, OWNED, name_of, row_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_clients():
    return ClientFactory(name="Ours"), ClientFactory(name="Theirs")


def of_theirs(model, theirs):
    """Rows of the model as SQL counts them in the scope in force, told apart by their client."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{model._meta.db_table}" WHERE client_id = %s', [theirs.pk])
        return cursor.fetchone()[0]


def test_every_tenant_model_has_a_factory():
    assert [name_of(model) for model in OWNED if model not in FACTORIES] == []


@pytest.mark.parametrize("model", tenant_models(), ids=name_of)
def test_the_table_is_protected_and_the_protection_binds_its_owner(model):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        assert cursor.fetchone() == (True, True)
        cursor.execute(
            "SELECT polname, obj_description(oid, 'pg_policy') FROM pg_policy WHERE polrelid = %s::regclass",
            [model._meta.db_table],
        )
        assert dict(cursor.fetchall()) == {name: condition for name, (_, condition) in policies_of(model).items()}


def test_every_table_with_a_client_is_a_tenant_model():
    """A model that points at a client without being a TenantModel would have no policy."""
    from django.apps import apps

    unprotected = [
        name_of(model)
        for model in apps.get_models()
        if any(field.related_model is Client for field in model._meta.fields) and not issubclass(model, TenantModel)
    ]
    assert unprotected == []


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_another_clients_row_is_out_of_reach_of_the_orm(model, two_clients):
    ours, theirs = two_clients
    mine, row = row_of(model, ours), row_of(model, theirs)

    with use_client(ours):
        assert set(model.objects.values_list("client_id", flat=True)) == {ours.pk}
        assert not model.objects.filter(pk=row.pk).exists()
        with pytest.raises(model.DoesNotExist):
            model.objects.get(pk=row.pk)
        assert model.objects.filter(client_id=theirs.pk).aggregate(n=Count("pk"))["n"] == 0
        assert row.pk not in [found.pk for found in model.objects.select_related("client")]
        assert model.objects.filter(pk=row.pk).update(client_id=ours.pk) == 0
        assert model.objects.filter(pk=row.pk).delete()[0] == 0
        assert model.objects.filter(pk=mine.pk).exists()
    with use_client(theirs):
        assert model.objects.filter(pk=row.pk, client_id=theirs.pk).exists()


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_another_clients_row_is_out_of_reach_of_plain_sql(model, two_clients):
    ours, theirs = two_clients
    row = row_of(model, theirs)
    table = f'"{model._meta.db_table}"'

    with use_client(ours):
        assert of_theirs(model, theirs) == 0
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET client_id = %s WHERE id = %s", [ours.pk, row.pk])
            assert cursor.rowcount == 0
            cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row.pk])
            assert cursor.rowcount == 0
            cursor.execute(
                f"SELECT count(*) FROM {table} t JOIN clients_client c ON c.id = t.client_id WHERE t.id = %s", [row.pk]
            )
            assert cursor.fetchone() == (0,)
    with use_client(theirs):
        assert of_theirs(model, theirs) >= 1


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_nobody_can_write_into_another_client(model, two_clients):
    ours, theirs = two_clients
    row = row_of(model, ours)
    with use_client(theirs):
        before = model.objects.count()

    with use_client(ours):
        row.client_id = theirs.pk
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            model.objects.filter(pk=row.pk).update(client_id=theirs.pk)
        row.pk = None
        row._state.adding = True
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            model.objects.bulk_create([row])
    with use_client(theirs):
        assert model.objects.count() == before


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_without_context_nothing_shows_and_nothing_is_written(model, two_clients):
    ours, _theirs = two_clients
    row = row_of(model, ours)

    assert model.objects.count() == 0
    assert not model.objects.filter(pk=row.pk).exists()
    assert of_theirs(model, ours) == 0
    row.pk = None
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        model.objects.bulk_create([row])


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_with_everything_in_scope_both_show(model, two_clients):
    ours, theirs = two_clients
    mine, row = row_of(model, ours), row_of(model, theirs)

    with use_all_clients("the test"):
        assert set(model.objects.filter(pk__in=[mine.pk, row.pk]).values_list("pk", flat=True)) == {mine.pk, row.pk}


@pytest.mark.parametrize("model", [m for m in OWNED if issubclass(m, MaybeTenantModel)], ids=name_of)
def test_rows_of_the_installation_show_only_with_everything_in_scope(model, two_clients):
    ours, _theirs = two_clients
    row = row_of(model, ours)
    row.pk, row.client_id = None, None
    row._state.adding = True
    with use_client(ours), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        model.objects.bulk_create([row])
    with use_all_clients("the test"):
        model.objects.bulk_create([row])
        assert model.objects.filter(client=None).count() == 1
    with use_client(ours):
        assert model.objects.filter(client=None).count() == 0


def test_clients_themselves_are_hidden_from_each_other(two_clients):
    ours, theirs = two_clients
    with use_client(ours):
        assert list(Client.objects.values_list("name", flat=True)) == ["Ours"]
        assert Client.objects.filter(pk=theirs.pk).update(name="Taken") == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Client.objects.create(key="made-by-ours", name="No")
    assert Client.objects.count() == 0
