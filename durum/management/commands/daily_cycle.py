"""`manage.py daily_cycle`: look at clients now and propose."""

from collections import Counter

from django.core.management.base import CommandError

from apps.core.actors import Actor
from apps.core.errors import DurumError
from apps.core.tenancy import use_client
from apps.suggestions.models import SkippedCandidate
from apps.suggestions.services import generation
from durum.management.commanding import DurumCommand


class Command(DurumCommand):
    """The morning's work for one client or all of them, in this process."""

    help = (
        "Analyse the last days of each active client against its rules, its ROI target and its own percentiles, and "
        "store what comes of it: suggestions for people to decide, and the candidates that were skipped with their "
        "reasons. Runs on the results already in the store (see fetch_ads and import_ads). Safe to run again: nothing "
        "live is proposed twice. The exit code is 1 when a client could not be analysed; the others are done."
    )

    def add_arguments(self, parser):
        parser.add_argument("--client", metavar="KEY", help="only this client")
        parser.add_argument("--skipped", action="store_true", help="also list each skipped candidate with its reason")

    def handle(self, *, client, skipped, **_options):
        failed = []
        for row in self.clients(client):
            with use_client(row):
                try:
                    cycle = generation.run_cycle(client=row, actor=Actor(None, "command"))
                except DurumError as exc:
                    failed.append(row.key)
                    self.stderr.write(self.style.ERROR(f"{row.key}: {exc}"))
                    continue
                self._report(row, cycle, skipped)
        if failed:
            raise CommandError(f"Not analysed: {', '.join(failed)}.")

    def _report(self, client, cycle, every_one):
        rows = list(SkippedCandidate.objects.filter(cycle=cycle).select_related("ad_object"))
        reasons = ", ".join(f"{n} {reason}" for reason, n in Counter(row.reason for row in rows).most_common())
        self.stdout.write(
            f"{client.key} {cycle.day}: {cycle.counts['proposed']} proposed, {len(rows)} skipped"
            + (f" ({reasons})" if reasons else "")
        )
        for suggestion in cycle.suggestions.select_related("ad_object"):
            self.stdout.write(f"  {suggestion.kind:8} {suggestion.confidence:.0%}  {suggestion.ad_object}")
        for row in rows if every_one else ():
            numbers = ", ".join(f"{name} {value}" for name, value in row.numbers.items() if value is not None)
            self.stdout.write(f"  - {row.kind:8} {row.reason:18} {row.ad_object}: {numbers}")
