"""Settings, connected accounts: connect, test, connect again, switch off."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.clients import access, tabs
from apps.core.actors import Actor
from apps.core.errors import DurumError, NotAllowed

from .forms import AdAccountForm, SlackChannelForm, TokenForm
from .models import Channel
from .services import connecting as service

CONNECTING = {
    Channel.Platform.META_ADS: (AdAccountForm, service.connect_ad_account),
    Channel.Platform.SLACK: (SlackChannelForm, service.connect_slack_channel),
}


@require_safe
@login_required
def channels(request, client_key):
    """A card per connected account: its state, its last success, what is wrong."""
    context = {
        "channels": _channels(request).order_by("platform", "name", "pk"),
        "may_connect": access.may(request.user, "connect", request.client),
        "may_test": access.may(request.user, "fetch", request.client),
    }
    return _page(request, "connectors/channels.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def connect(request, client_key, platform):
    """Connect an account: its token is tested first, stored encrypted and never shown again."""
    actor = Actor(request.user, "web")
    access.require(actor, "connect", request.client)
    form_class, connect_one = CONNECTING[platform]
    form = form_class(request.POST or None)
    reachable = None
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            if platform == Channel.Platform.META_ADS and not asked["number"]:
                reachable = service.reachable_ad_accounts(
                    client_id=request.client.pk, token=asked["token"], actor=actor
                )
            else:
                channel = connect_one(client_id=request.client.pk, actor=actor, **asked)
                messages.success(request, _("%(name)s is connected.") % {"name": channel.name})
                return redirect("connectors:channels", client_key=client_key)
        except NotAllowed:
            raise
        except DurumError as exc:
            _say(form, exc)
    context = {"form": form, "reachable": reachable, "platform": Channel.Platform(platform)}
    return _page(request, "connectors/connect.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def reconnect(request, client_key, pk):
    """A new token for the account."""
    actor = Actor(request.user, "web")
    access.require(actor, "connect", request.client)
    channel = _existing(request, pk)
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            service.reconnect(channel_id=channel.pk, token=form.cleaned_data["token"], actor=actor)
        except NotAllowed:
            raise
        except DurumError as exc:
            _say(form, exc)
        else:
            messages.success(request, _("%(name)s is connected again.") % {"name": channel.name})
            return redirect("connectors:channels", client_key=client_key)
    context = {"form": form, "channel": channel}
    return _page(request, "connectors/connect.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def check(request, client_key, pk):
    """Ask the platform now whether the account works."""
    line = service.check(channel_id=_existing(request, pk).pk, actor=Actor(request.user, "web"))
    tell = {"ok": messages.success, "off": messages.info}.get(line.state, messages.warning)
    tell(request, _("%(name)s: %(text)s") % {"name": line.name, "text": line.text})
    return redirect("connectors:channels", client_key=client_key)


@require_POST
@login_required
def switch(request, client_key, pk):
    """Off, or on again."""
    channel, actor = _existing(request, pk), Actor(request.user, "web")
    channel = service.switch(channel_id=channel.pk, actor=actor)
    if channel.state == Channel.State.DISABLED:
        messages.success(request, _("%(name)s is switched off.") % {"name": channel.name})
    else:
        messages.success(request, _("%(name)s is switched on. Test it now.") % {"name": channel.name})
    return redirect("connectors:channels", client_key=client_key)


def _channels(request):
    return Channel.objects.visible_to(request.user).filter(client=request.client).defer("token")


def _existing(request, pk):
    return get_object_or_404(_channels(request), pk=pk)


def _say(form, exc):
    named = [name for name in getattr(exc, "fields", {}) if name in form.fields]
    form.add_error(named[0] if named else None, str(exc.message))


def _page(request, template, context, *, status=None):
    return render(request, template, context | {"tabs": tabs.tabs_for(request)}, status=status)
