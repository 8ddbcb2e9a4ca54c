"""Clients, their people and what they sell."""

from decimal import Decimal

import factory

from apps.clients.models import Client, Funnel, Membership, Product, User
from apps.clients.roles import Role
from apps.core.tenancy import use_all_clients

from .tenant import ClientOwnedFactory

PASSWORD = "correct-horse-battery"


class UserFactory(factory.django.DjangoModelFactory):
    """A person who signs in with `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@example.com")
    first_name = "Nora"
    last_name = factory.Sequence(lambda n: f"Person {n}")
    language = "en"
    password = factory.django.Password(PASSWORD)


class ClientFactory(factory.django.DjangoModelFactory):
    """An active client in Paris with a target of 3."""

    class Meta:
        model = Client

    key = factory.Sequence(lambda n: f"client-{n}")
    name = factory.Sequence(lambda n: f"Client {n}")
    currency = "EUR"
    time_zone = "Europe/Paris"
    roi_target = Decimal("3")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with use_all_clients("a test makes a client"):
            return super()._create(model_class, *args, **kwargs)


class MembershipFactory(ClientOwnedFactory):
    """`user` works for `client`, as operator unless said otherwise."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    role = Role.OPERATOR


class ProductFactory(ClientOwnedFactory):
    class Meta:
        model = Product

    key = factory.Sequence(lambda n: f"product-{n}")
    name = factory.Sequence(lambda n: f"Product {n}")


class FunnelFactory(ClientOwnedFactory):
    class Meta:
        model = Funnel

    key = factory.Sequence(lambda n: f"funnel-{n}")
    name = factory.Sequence(lambda n: f"Funnel {n}")
    product = factory.SubFactory(ProductFactory, client=factory.SelfAttribute("..client"))


def member(client, role=Role.OPERATOR, **user):
    """A new person with `role` for `client`."""
    return MembershipFactory(
        client=client, role=role, user__is_active=True, **{f"user__{k}": v for k, v in user.items()}
    ).user
