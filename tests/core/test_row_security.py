"""Policies are put where they belong, again after every migrate, and for no exempt role."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from apps.clients.models import Membership, Product
from apps.core import row_security
from apps.core.tenancy import use_client
from tests.factories.clients import ClientFactory, ProductFactory

pytestmark = pytest.mark.django_db


def alter(sql):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)


def policies(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT policyname, cmd FROM pg_policies WHERE tablename = %s ORDER BY 1", [table])
        return cursor.fetchall()


def test_a_table_that_lost_its_policy_gets_it_back():
    client = ClientFactory()
    ProductFactory(client=client)
    alter("DROP POLICY durum_client ON clients_product")
    with use_client(client):
        assert Product.objects.count() == 0, "without a policy a forced table shows nothing"

    row_security.protect_tables()

    assert policies("clients_product") == [("durum_client", "ALL")]
    with use_client(client):
        assert Product.objects.count() == 1


def test_a_table_whose_protection_was_switched_off_gets_it_back():
    ProductFactory()
    alter("ALTER TABLE clients_product NO FORCE ROW LEVEL SECURITY")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clients_product")
        assert cursor.fetchone() == (1,), "the control: the owner sees through what is not forced"

    row_security.protect_tables()

    assert Product.objects.count() == 0


def test_what_is_in_force_is_left_alone(django_assert_num_queries):
    with django_assert_num_queries(2):
        row_security.protect_tables()


def test_own_memberships_are_for_looking_only():
    assert policies(Membership._meta.db_table) == [("durum_client", "ALL"), ("durum_client_read", "SELECT")]


class Cursor:
    """Answers as PostgreSQL would for a superuser."""

    def execute(self, sql):
        assert "rolsuper" in sql

    def fetchone(self):
        return (True,)


def test_a_role_that_sees_through_row_security_stops_the_start():
    with pytest.raises(ImproperlyConfigured, match="BYPASSRLS"):
        row_security.refuse_exempt_role(Cursor())


def test_the_role_of_this_installation_is_accepted():
    with connection.cursor() as cursor:
        row_security.refuse_exempt_role(cursor)
