"""May this person do this for this client? The one place that answers."""

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core.errors import Conflict, NotAllowed
from apps.core.tenancy import Scope, use_all_clients, use_scope

from .models import Membership, User
from .roles import NEEDS, RANK, Role


def role_of(user, client):
    """The person's role for the client, or None. Superusers and agency managers act as owners."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.OWNER
    membership = Membership.objects.filter(user=user, client=client).first()
    if membership:
        return Role(membership.role)
    return Role.VIEWER if user.has_perm("clients.view_all_clients") else None


def roles_in(user, client_ids):
    """`role_of` for many clients at once: `{client id: role or None}`, in one query."""
    if not user.is_authenticated or not user.is_active:
        return dict.fromkeys(client_ids)
    if user.is_superuser:
        return dict.fromkeys(client_ids, Role.OWNER)
    usual = Role.VIEWER if user.has_perm("clients.view_all_clients") else None
    own = Membership.objects.filter(user=user, client_id__in=client_ids).values_list("client_id", "role")
    return dict.fromkeys(client_ids, usual) | {pk: Role(role) for pk, role in own}


def allows(role, verb):
    """Whether a role may `verb` (a key of `roles.NEEDS`); None may nothing."""
    return role is not None and RANK[role] >= RANK[NEEDS[verb]]


def may(user, verb, client):
    """Whether `user` may `verb` for `client`."""
    return allows(role_of(user, client), verb)


def who_may(verb, client):
    """The people who may `verb` for `client`, by name; those who only look at all clients are not among them."""
    roles = [role for role in Role.values if allows(role, verb)]
    members = Membership.objects.filter(client=client, role__in=roles).values("user")
    people = User.objects.filter(Q(pk__in=members) | Q(is_superuser=True), is_active=True)
    return people.order_by("first_name", "last_name", "pk")


def require(actor, verb, client):
    """Raise `NotAllowed` unless the actor may; the machine itself (no user) may."""
    if actor.user is not None and not may(actor.user, verb, client):
        raise NotAllowed()


def require_active(client):
    """Raise `Conflict` for a client that is switched off: nothing is read, proposed or changed for it."""
    if not client.is_active:
        raise Conflict(_("%(name)s is switched off. Switch it on in the settings first.") % {"name": client})


def scope_of(user):
    """The tenancy scope of a person: built once per request, from the memberships."""
    if not user.is_authenticated or not user.is_active:
        return Scope()
    if user.has_perm("clients.view_all_clients"):
        return Scope(tuple(_every_client_id()), user.pk, everything=user.is_superuser, is_of_user=True)
    return Scope(tuple(_own_client_ids(user)), user.pk, is_of_user=True)


def _every_client_id():
    with use_all_clients("agency staff see every client") as scope:
        return scope.client_ids


def _own_client_ids(user):
    with use_scope(Scope(user_id=user.pk)):
        return list(Membership.objects.filter(user=user).order_by("client_id").values_list("client_id", flat=True))
