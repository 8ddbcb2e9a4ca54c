"""A worker of its own, to be killed: `python -m tests.ads.one_worker RUN CLIENT MOMENT`. Exits with the run's state."""

import datetime as dt
import sys

import django


def main(run_id, client_id, moment):
    """Carry the run on at `moment`."""
    django.setup()
    from apps.ads.services import fetching
    from apps.connectors import registry
    from apps.connectors.models import SyncRun
    from apps.core import clock
    from apps.core.tenancy import use_client

    with clock.at(dt.datetime.fromisoformat(moment)), use_client(int(client_id)):
        run = SyncRun.objects.select_related("channel").get(pk=run_id)
        fetching.work(run.pk, registry.ads(run.channel))


if __name__ == "__main__":
    main(*sys.argv[1:])
