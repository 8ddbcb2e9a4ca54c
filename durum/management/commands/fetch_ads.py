"""`manage.py fetch_ads`: read ad accounts now."""

import time
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from apps.ads import tasks
from apps.ads.services import fetching
from apps.clients.models import Client
from apps.connectors import registry
from apps.connectors.models import Channel, SyncRun
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.core.tenancy import use_all_clients, use_client

POLL_SECONDS = 2


class Command(BaseCommand):
    """Queues a fetch for each account, or carries them out here and shows how far they are."""

    help = (
        "Read campaigns, ad sets, ads, creatives and daily results of the connected Meta accounts into the store. "
        "Without options: every connected account of every active client is queued for the workers. What may still "
        "change (28 days) is read again and overwritten; the first time sixty days are read. A fetch that was "
        "stopped goes on where it was. With --wait the exit code is 1 when one of them failed."
    )

    def add_arguments(self, parser):
        parser.add_argument("--client", metavar="KEY", help="only the accounts of this client")
        parser.add_argument("--days", type=int, metavar="N", help="read the last N days instead (1 to 1100)")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="do it in this process, with progress, instead of leaving it to the workers",
        )

    def handle(self, *, client, days, wait, **_options):
        """Request, then queue or carry out."""
        if days is not None and not 1 <= days <= 1100:
            raise CommandError("--days takes a whole number from 1 to 1100. Nothing was fetched.")
        with use_all_clients("accounts are looked up for the command"):
            channels = self._channels(client)
        if not channels:
            raise CommandError(
                "There is no connected Meta account to read. Connect one in Settings, or see check_connections."
            )
        failed = 0
        for channel in channels:
            with use_client(channel.client_id):
                failed += not self._fetch(channel, days, wait)
        if failed:
            raise CommandError(f"{failed} of {len(channels)} accounts could not be read.")

    def _channels(self, key):
        channels = Channel.objects.filter(platform=Channel.Platform.META_ADS, client__is_active=True)
        if key:
            if not Client.objects.filter(key=key).exists():
                raise CommandError(f"There is no client with the key {key}. Nothing was fetched.")
            channels = channels.filter(client__key=key)
        channels = channels.exclude(state=Channel.State.DISABLED)
        return list(channels.select_related("client").order_by("client__name", "pk"))

    def _fetch(self, channel, days, wait):
        name = f"{channel.client.key} · {channel.name}"
        # The account's own today is known at the platform only; a day more at either end is overwritten, not added.
        today = channel.client.today()
        since = today - timedelta(days=days - 1) if days else None
        try:
            run = fetching.request_fetch(channel_id=channel.pk, actor=Actor(None, "command"), since=since)
        except DomainError as exc:
            self.stderr.write(f"{name}: {exc}")
            return False
        if not wait:
            tasks.nudge(run)
            self.stdout.write(f"{name}: queued as run {run.pk}")
            return True
        return self._carry_out(run, name)

    def _carry_out(self, run, name):
        connector = registry.ads(run.channel)
        said = None
        while run.is_moving:
            now = clock.now()
            if run.not_before > now:
                self.stdout.write(f"{name}: waiting until {run.not_before:%H:%M:%S} UTC · {run.error}")
                time.sleep((run.not_before - now).total_seconds())
            fetching.work(run.pk, connector, on_step=lambda held: self._progress(held, name))
            run = SyncRun.objects.get(pk=run.pk)
            if run.is_moving and run.lease_until and run.lease_until > clock.now():
                if said != run.done:
                    self._progress(run, name)
                    said = run.done
                time.sleep(POLL_SECONDS)
        if run.state == SyncRun.State.DONE:
            counts = ", ".join(f"{number} {what}" for what, number in sorted(run.counts.items()))
            self.stdout.write(self.style.SUCCESS(f"{name}: done · {counts}"))
            return True
        self.stderr.write(self.style.ERROR(f"{name}: {run.get_state_display()} · {run.error}"))
        if run.error_detail:
            self.stderr.write(f"  {run.error_detail}")
        return False

    def _progress(self, run, name):
        of = f" of {run.total}" if run.total else ""
        self.stdout.write(f"{name}: {run.stage or 'account'} · {run.done}{of}")
