"""`manage.py archive_now`: put old suggestions and decisions away."""

from apps.core.tenancy import use_client
from apps.suggestions.services import archiving
from durum.management.commanding import DurumCommand


class Command(DurumCommand):
    """What the nightly job does, now and with progress."""

    help = (
        "Move closed suggestions older than 30 days and decisions older than 90 days to the archive, where they stay "
        "readable and count in calibration. Works in batches: stopped anywhere, nothing is lost, and running it "
        "again goes on. A suggestion whose outcome is not measured yet stays."
    )

    def add_arguments(self, parser):
        parser.add_argument("--client", metavar="KEY", help="only this client")
        parser.add_argument("--batch", type=int, default=archiving.BATCH, metavar="N", help="rows a transaction")

    def handle(self, *, client, batch, **_options):
        for row in self.clients(client):
            with use_client(row):
                suggestions, decisions = archiving.archive(
                    client=row,
                    batch=max(1, batch),
                    progress=lambda s, d, key=row.key: self.stdout.write(f"{key}: {s} suggestions, {d} decisions ..."),
                )
            self.stdout.write(f"{row.key}: {suggestions} suggestions and {decisions} decisions put away")
