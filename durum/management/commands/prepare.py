"""`manage.py prepare`: make the database ready for this version of Durum."""

from django.core.management import call_command
from django.core.management.base import BaseCommand

from durum import schedule


class Command(BaseCommand):
    """One step between an upgrade and starting it, safe to call at every start."""

    help = (
        "Migrate the database, put row security on its tables and create the scheduled jobs that are missing; "
        "times that people changed stay. Run it once after an upgrade, before web and workers start."
    )

    def handle(self, *args, **options):
        call_command("migrate", interactive=False, verbosity=1 if options["verbosity"] > 1 else 0)
        created = schedule.ensure()
        self.stdout.write("The database is ready." + (f" New jobs: {', '.join(created)}." if created else ""))
