"""Whose rows may be seen right now.

The current scope is a context variable; `apps.core.postgresql` carries it to the connection before each
statement, and row security in PostgreSQL compares every row with it. No scope means no rows.

    with use_client(client): ...
    with use_all_clients("nightly archive"): ...
"""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.apps import apps
from django.db import models


@dataclass(frozen=True)
class Scope:
    """`client_ids` are visible; `user_id` additionally sees its own memberships; `everything` also sees
    rows that belong to no client (logs of the installation) and may create clients."""

    client_ids: tuple[int, ...] = ()
    user_id: int | None = None
    everything: bool = False

    @property
    def guc(self):
        """The three values as PostgreSQL settings."""
        return (
            "{" + ",".join(map(str, self.client_ids)) + "}",
            "" if self.user_id is None else str(self.user_id),
            "on" if self.everything else "",
        )


NOTHING = Scope()
_scope = ContextVar("tenancy_scope", default=NOTHING)


def current_scope():
    """The scope in force; `NOTHING` outside of every block."""
    return _scope.get()


@contextmanager
def use_scope(scope):
    """Run the block in `scope`; the doors build it from the person asking."""
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


def use_client(client):
    """Only `client` (a row or its id) exists inside the block."""
    return use_scope(Scope((getattr(client, "pk", client),), _scope.get().user_id))


def use_clients(client_ids, *, user_id=None):
    """Only these clients exist inside the block."""
    return use_scope(Scope(tuple(sorted(client_ids)), user_id))


@contextmanager
def use_all_clients(why):
    """Every client exists inside the block. `why` is for the reader of the code and must be said."""
    if not why:
        raise ValueError("use_all_clients() needs the reason")
    with use_scope(Scope(everything=True)):
        ids = tuple(apps.get_model("clients", "Client").objects.order_by("pk").values_list("pk", flat=True))
    with use_scope(Scope(ids, everything=True)) as scope:
        yield scope


class ClientOwnedQuerySet(models.QuerySet):
    """Rows of clients, with the question every door starts from."""

    def visible_to(self, user):
        """Rows of the clients this person may see: a filter beside the database's own."""
        Client = apps.get_model("clients", "Client")
        path = "pk" if self.model is Client else f"{self.model.client_path}_id"
        return self.filter(**{f"{path}__in": Client.objects.ids_for(user)})


class TenantModel(models.Model):
    """A row that belongs to one client. The table gets forced row security after every migrate."""

    client_path = "client"
    # More SQL that also lets a row be seen, beside its client being in scope. Rare, and explained where set.
    row_policy_or = ""

    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="+")

    objects = ClientOwnedQuerySet.as_manager()

    class Meta:
        abstract = True


class MaybeTenantModel(TenantModel):
    """A row of one client, or of the installation itself (no client; seen only with everything in scope)."""

    row_policy_or = "client_id IS NULL AND current_setting('durum.everything', true) = 'on'"

    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True
