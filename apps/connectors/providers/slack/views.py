"""Where Slack knocks, and the page on which a person links a Slack account."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from apps.connectors.models import SlackIdentity
from apps.connectors.providers.slack import inbound
from apps.connectors.services import slack_link
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid


@csrf_exempt
@require_POST
def events(request):
    """Everything Slack sends: clicks, forms, events. Its signature stands in for the form token."""
    return inbound.answer(request)


class LinkForm(forms.Form):
    """The yes to a link. Where the addresses differ, the person says that the Slack account is really theirs."""

    link = forms.CharField(widget=forms.HiddenInput, max_length=500)
    is_mine = forms.BooleanField(label=gettext_lazy("This Slack account is mine, and only I use it."))

    def __init__(self, *args, is_sure, **kwargs):
        super().__init__(*args, **kwargs)
        if is_sure:
            del self.fields["is_mine"]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accounts(request):
    """The person's Slack accounts; with `?link=` from Slack, the question whether to link one more."""
    token = request.POST.get("link") or request.GET.get("link") or ""
    context = {"identities": SlackIdentity.objects.filter(user=request.user).order_by("pk")}
    if not token:
        return render(request, "connectors/slack_accounts.html", context)
    try:
        claim = slack_link.read_link(token)
        profile = slack_link.profile_of(claim)
        is_sure = profile.is_surely(request.user)
        form = LinkForm(request.POST or None, initial={"link": token}, is_sure=is_sure)
        if form.is_bound and form.is_valid():
            slack_link.link(claim=claim, actor=Actor(request.user, "web"))
            messages.success(request, _("Your Slack account is linked. Press the button in Slack again."))
            return redirect("slack:accounts")
    except DomainError as exc:
        status = 400 if isinstance(exc, Invalid) else 409
        return render(request, "connectors/slack_accounts.html", context | {"error": exc}, status=status)
    context |= {"form": form, "claim": claim, "profile": profile, "is_sure": is_sure}
    return render(request, "connectors/slack_accounts.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def unlink(request, pk):
    """Forget one of the person's own Slack accounts."""
    try:
        slack_link.unlink(identity_id=pk, actor=Actor(request.user, "web"))
        messages.success(request, _("The Slack account is no longer linked."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("slack:accounts")
