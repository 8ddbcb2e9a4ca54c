"""What the isolation tests need of every tenant model: how to make a row, and how to make it again elsewhere."""

import importlib
import pkgutil

import tests.factories
from apps.core.row_security import tenant_models
from apps.core.tenancy import TenantModel
from tests.factories.tenant import ClientOwnedFactory

OWNED = [model for model in tenant_models() if issubclass(model, TenantModel)]


def factories():
    """`{model: factory}`; of several factories of a model the first one by name of its module and class."""
    found = {}
    for module in pkgutil.iter_modules(tests.factories.__path__):
        for name, factory in sorted(vars(importlib.import_module(f"tests.factories.{module.name}")).items()):
            if isinstance(factory, type) and issubclass(factory, ClientOwnedFactory) and not factory._meta.abstract:
                found.setdefault(factory._meta.model, (name, factory))
    return {model: factory for model, (_name, factory) in found.items()}


FACTORIES = factories()


def row_of(model, client):
    """A row of `model` that belongs to `client`."""
    return FACTORIES[model](client=client)


def name_of(model):
    return model._meta.label_lower
