"""Clients come into being and change here."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.clients import access, hooks
from apps.clients.models import Client, Membership
from apps.clients.roles import Role
from apps.core import audit
from apps.core.errors import Conflict, Invalid, NotAllowed
from apps.core.tenancy import use_all_clients, use_client


def create_client(*, actor, owner=None, **fields):
    """Create a client with its usual rules; `owner` becomes its first member.

    Agency staff with the permission, or the command line. Raises `Invalid` naming the fields.
    """
    if actor.user is not None and not actor.user.has_perm("clients.add_client"):
        raise NotAllowed()
    client = Client(**fields)
    with use_all_clients("a client is created"), transaction.atomic():
        _check(client)
        client.save()
        with use_client(client):
            if owner is not None:
                Membership.objects.create(client=client, user=owner, role=Role.OWNER)
            hooks.run_new_client(client)
            audit.record(actor, "clients.client.created", client, client=client, key=client.key)
    return client


@transaction.atomic
def change_client(*, client_id, actor, **fields):
    """Change a client's settings; only what differs is written and told to the audit trail."""
    client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
    access.require(actor, "edit_client", client)
    changes = {name: [getattr(client, name), value] for name, value in fields.items() if getattr(client, name) != value}
    for name, (_old, new) in changes.items():
        setattr(client, name, new)
    _check(client)
    if changes:
        client.save(update_fields=list(changes))
        audit.record(actor, "clients.client.changed", client, client=client, **changes)
    return client


@transaction.atomic
def set_member(*, client_id, user, role, actor):
    """Give `user` a role for the client, a new one or another one."""
    client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
    access.require(actor, "edit_team", client)
    if role not in Role.values:
        raise Invalid(_("This role does not exist."), fields={"role": _("Choose one of the list.")})
    before = Membership.objects.filter(client=client, user=user).first()
    if before and before.role == Role.OWNER and role != Role.OWNER:
        _keep_an_owner(client, user)
    membership, _created = Membership.objects.update_or_create(client=client, user=user, defaults={"role": role})
    old = before.role if before else None
    audit.record(actor, "clients.member.set", membership, user=str(user), role=[old, role])
    return membership


@transaction.atomic
def remove_member(*, membership_id, actor):
    """Take a person off a client; the last owner stays."""
    membership = Membership.objects.select_related("client", "user").get(pk=membership_id)
    client = Client.objects.select_for_update(of=("self",)).get(pk=membership.client_id)
    access.require(actor, "edit_team", client)
    if membership.role == Role.OWNER:
        _keep_an_owner(client, membership.user)
    audit.record(actor, "clients.member.removed", membership, user=str(membership.user), role=membership.role)
    membership.delete()


def _keep_an_owner(client, leaving):
    if not Membership.objects.filter(client=client, role=Role.OWNER).exclude(user=leaving).exists():
        raise Conflict(_("A client needs an owner: make somebody else owner first."))


def _check(client):
    try:
        client.full_clean()
    except ValidationError as exc:
        raise Invalid(" ".join(exc.messages), fields=exc.message_dict) from exc
