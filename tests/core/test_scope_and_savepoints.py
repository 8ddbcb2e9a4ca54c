"""A savepoint that is rolled back leaves a connection that still works and still knows its clients."""

import pytest
from django.db import IntegrityError, transaction

from apps.clients.models import Product
from apps.core.tenancy import use_client
from tests.factories.clients import ClientFactory, ProductFactory

pytestmark = pytest.mark.django_db


def test_an_error_inside_a_savepoint_does_not_poison_the_transaction():
    one, other = ClientFactory(), ClientFactory()
    ProductFactory(client=one, key="a")
    ProductFactory(client=other, key="b")

    with use_client(one):
        with pytest.raises(IntegrityError), transaction.atomic():
            Product.objects.create(client=one, key="a", name="Twice")

        assert Product.objects.count() == 1


def test_a_scope_left_by_the_error_itself_is_said_again():
    one, other = ClientFactory(), ClientFactory()
    ProductFactory(client=one, key="a")
    ProductFactory(client=other, key="b")

    with use_client(other):
        with pytest.raises(IntegrityError), transaction.atomic(), use_client(one):
            Product.objects.create(client=one, key="a", name="Twice")

        assert [product.key for product in Product.objects.all()] == ["b"]
