"""Whether the reading of ads keeps up, told from the rows that should have moved."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.connectors.models import Channel, SyncRun
from apps.core import clock
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
            _("A fetch has been due since %(when)s.") % {"when": f"{oldest.not_before:%Y-%m-%d %H:%M} UTC"},
            _("See whether a worker for the queue “fetch” is running."),
        )
    accounts = Channel.objects.filter(platform=Channel.Platform.META_ADS, client__is_active=True)
    dead = accounts.filter(state=Channel.State.NEEDS_RECONNECT).count()
    if dead:
        return Reading(
            "ads_fetch",
            LABEL,
            LATE,
            _("%(count)s accounts wait to be connected again.") % {"count": dead},
            _("Open Settings and connect them with a new token."),
        )
    stale = accounts.filter(state=Channel.State.CONNECTED, last_ok_at__lt=now - STALE).count()
    if stale:
        return Reading(
            "ads_fetch",
            LABEL,
            LATE,
            _("%(count)s accounts were not read for more than a day.") % {"count": stale},
            _("Look at their last runs."),
        )
    return Reading("ads_fetch", LABEL, OK, _("%(count)s accounts") % {"count": accounts.count()})
