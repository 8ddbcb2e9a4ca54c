"""Whether the reading of ads keeps up, told from the rows that should have moved."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.connectors.models import Channel, SyncRun
from apps.core import clock
from apps.core.formats import moment
from apps.core.health import LATE, OK, Reading

LABEL = gettext_lazy("Fetch of ads")
PATIENCE = timedelta(minutes=10)
STALE = timedelta(hours=30)


def fetch_is_on_time():
    """One line of the status page: late when due runs are left lying, or an account was not read for a day."""
    now = clock.now()
    oldest = SyncRun.objects.due(now - PATIENCE).filter(kind=SyncRun.Kind.FETCH_ADS).first()
    if oldest is not None:
        return Reading(
            "ads_fetch",
            LABEL,
            LATE,
            _("A fetch has been due since %(when)s.") % {"when": moment(oldest.not_before)},
            _("See whether a worker for the queue “fetch” is running."),
        )
    accounts = Channel.objects.filter(platform=Channel.Platform.META_ADS, client__is_active=True)
    dead = accounts.filter(state=Channel.State.NEEDS_RECONNECT).count()
    if dead:
        return Reading(
            "ads_fetch",
            LABEL,
            LATE,
            ngettext(
                "%(count)d account waits to be connected again.", "%(count)d accounts wait to be connected again.", dead
            )
            % {"count": dead},
            _("Open the settings and connect again with a new token."),
        )
    stale = accounts.filter(state=Channel.State.CONNECTED, last_ok_at__lt=now - STALE).count()
    if stale:
        return Reading(
            "ads_fetch",
            LABEL,
            LATE,
            ngettext(
                "%(count)d account was not read for more than a day.",
                "%(count)d accounts were not read for more than a day.",
                stale,
            )
            % {"count": stale},
            _("Look at the last runs."),
        )
    count = accounts.count()
    return Reading(
        "ads_fetch", LABEL, OK, ngettext("%(count)d account", "%(count)d accounts", count) % {"count": count}
    )
