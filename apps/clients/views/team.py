"""Who works for a client, and as what."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.clients import access, invitations
from apps.clients.forms import InvitationForm, RoleForm
from apps.clients.models import Membership
from apps.clients.services import team as service
from apps.clients.services.clients import remove_member, set_member
from apps.core.errors import Conflict, Invalid

from .frame import actor_of, add_refusal, may, page


@require_safe
@login_required
def team(request, client_key):
    """Everybody with a role; owners change it here."""
    members = list(_members(request).order_by("user__first_name", "user__last_name", "user__username", "pk"))
    may_edit = may(request, "edit_team")
    for member in members:
        member.form = RoleForm(initial={"role": member.role}, auto_id=f"id_%s_{member.pk}")
        member.is_pending = not member.user.has_usable_password() and member.user.last_login is None
        member.may_be_invited_again = may_edit and member.is_pending and service.may_be_invited_again(member)
    return page(request, "clients/team.html", {"members": members, "may_edit": may_edit})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def invite(request, client_key):
    """Bring somebody to the team; a new person's address to set the password is shown, once."""
    access.require(actor_of(request), "edit_team", request.client)
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            membership, is_new = service.invite(
                client_id=request.client.pk, actor=actor_of(request), language=get_language(), **form.cleaned_data
            )
        except (Conflict, Invalid) as exc:
            add_refusal(form, exc)
        else:
            if is_new:
                return _address_page(request, membership.user, status=201)
            messages.success(request, _("%(user)s is in the team now.") % {"user": membership.user})
            return redirect("clients:team", client_key=client_key)
    return page(request, "clients/invite.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_POST
@login_required
def invite_again(request, client_key, pk):
    """A new address for somebody who has not used the first one."""
    user = service.renew_invitation(membership_id=_existing(request, pk).pk, actor=actor_of(request))
    return _address_page(request, user)


@require_POST
@login_required
def change_role(request, client_key, pk):
    """Another role for a member."""
    member = _existing(request, pk)
    form = RoleForm(request.POST)
    role = form.cleaned_data["role"] if form.is_valid() else ""
    set_member(client_id=request.client.pk, user=member.user, role=role, actor=actor_of(request))
    messages.success(request, _("The role of %(user)s is changed.") % {"user": member.user})
    return redirect("clients:team", client_key=client_key)


@require_POST
@login_required
def remove(request, client_key, pk):
    """Take somebody off the team."""
    member = _existing(request, pk)
    remove_member(membership_id=member.pk, actor=actor_of(request))
    messages.success(request, _("%(user)s no longer sees this client.") % {"user": member.user})
    if member.user == request.user:
        return redirect("/")
    return redirect("clients:team", client_key=client_key)


def _address_page(request, user, status=200):
    context = {
        "person": user,
        "address": invitations.password_address(user),
        "days": invitations.days_valid(),
    }
    return page(request, "clients/invited.html", context, status=status)


def _members(request):
    return Membership.objects.visible_to(request.user).filter(client=request.client).select_related("user", "client")


def _existing(request, pk):
    return get_object_or_404(_members(request), pk=pk)
