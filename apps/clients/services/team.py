"""People come to a client by invitation: by their e-mail address, with a role."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.clients import access
from apps.clients.models import Client, Membership, User
from apps.core import audit
from apps.core.errors import Conflict, Invalid
from apps.core.tenancy import use_all_clients

from .clients import set_member


@transaction.atomic
def invite(*, client_id, email, role, actor, name="", language=""):
    """Give the person behind `email` a role; returns the membership and whether the person is new in Durum.

    A new person has no password yet: the door hands out `invitations.password_address`. Whoever was invited by
    another client and never signed in is refused: that client still holds an address that sets the password.
    So is an account that nobody around vouches for: its maker may have written somebody else's address on it.
    """
    client = Client.objects.get(pk=client_id)
    access.require(actor, "edit_team", client)
    email = _checked(email)
    user = User.objects.filter(email__iexact=email).first()
    is_new = user is None
    if is_new:
        user = _new_person(email, name.strip(), language, actor)
    elif Membership.objects.filter(client=client, user=user).exists():
        raise Conflict(_("%(email)s is a member already: change the role in the list.") % {"email": email})
    elif not user.is_active:
        raise Conflict(_("%(email)s is switched off in Durum. Ask an administrator.") % {"email": email})
    elif not user.has_usable_password() and not _knows_only(user, client):
        raise Conflict(
            _(
                "%(email)s was invited by another client and has not signed in yet. Invite again once that is done, "
                "or ask an administrator."
            )
            % {"email": email}
        )
    elif _may_have_address(user):
        # Left over from an invitation that was taken back: whoever made it may still hold its address.
        _forget_addresses(user)
        is_new = True
    elif not _is_vouched_for(user, actor):
        raise Conflict(
            _(
                "%(email)s has an account that none of your clients knows, so nobody can tell whose it is. "
                "Ask an administrator to add the person."
            )
            % {"email": email}
        )
    return set_member(client_id=client_id, user=user, role=role, actor=actor), is_new


@transaction.atomic
def renew_invitation(*, membership_id, actor):
    """The person, for whom a new address may be handed out: invited here, nowhere else, and never signed in."""
    membership = Membership.objects.select_related("client", "user").get(pk=membership_id)
    access.require(actor, "edit_team", membership.client)
    if not may_be_invited_again(membership):
        raise Conflict(
            _("%(user)s signs in already, or works for other clients: “Forgot your password?” helps at the sign-in.")
            % {"user": membership.user}
        )
    _forget_addresses(membership.user)
    audit.record(actor, "clients.member.invited_again", membership, user=str(membership.user))
    return membership.user


def may_be_invited_again(membership):
    """An address that sets the password opens all the person may see: only while that is this client alone."""
    return _may_have_address(membership.user) and _knows_only(membership.user, membership.client)


def _may_have_address(user):
    never_came = not user.has_usable_password() and user.last_login is None
    return never_came and user.is_active and not (user.is_staff or user.is_superuser)


def _forget_addresses(user):
    """Addresses handed out so far set no password any more: they are bound to the placeholder of the missing one."""
    user.set_unusable_password()
    user.save(update_fields=["password"])


def _is_vouched_for(user, actor):
    """Staff was made by an administrator; a colleague is known; whoever may see everybody knows whom they mean."""
    if actor.user is None or user.is_staff or user.is_superuser:
        return True
    if actor.user.has_perm("clients.view_user") or actor.user.has_perm("clients.view_all_clients"):
        return True
    return Membership.objects.visible_to(actor.user).filter(user=user).exists()


def _knows_only(user, client):
    with use_all_clients("whether an invitation would open another client as well"):
        return not Membership.objects.filter(user=user).exclude(client=client).exists()


def _new_person(email, name, language, actor):
    first, _space, last = name.partition(" ")
    user = User(username=email[:150], email=email, first_name=first[:150], last_name=last[:150], language=language)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Conflict(_("%(email)s was invited in this very moment. Try again.") % {"email": email}) from None
    audit.record(actor, "clients.user.invited", user, email=email)
    return user


def _checked(email):
    email = User.objects.normalize_email((email or "").strip()).lower()
    try:
        validate_email(email)
    except ValidationError as exc:
        raise Invalid(exc.messages[0], fields={"email": exc.messages}) from exc
    return email
