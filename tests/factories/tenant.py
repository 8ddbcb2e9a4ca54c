"""The base of factories for rows of clients."""

import factory

from apps.core.tenancy import use_client


class ClientOwnedFactory(factory.django.DjangoModelFactory):
    """Creates the row inside its client's scope; `client` may be given or is made."""

    class Meta:
        abstract = True

    client = factory.SubFactory("tests.factories.clients.ClientFactory")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with use_client(kwargs["client"]):
            return super()._create(model_class, *args, **kwargs)
