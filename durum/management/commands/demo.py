"""`manage.py demo`: some weeks of an agency, played through the real services."""

import time

from django.conf import settings
from django.core.management.base import CommandError

from durum import demo, embedded
from durum.management.commanding import DurumCommand
from durum.settings.environment import BASE_DIR

DESCRIPTION = BASE_DIR / "fixtures" / "demo.json"


class Command(DurumCommand):
    """Fills an empty database with a history that really happened, in the sandbox."""

    help = (
        "Play N days of an agency with three clients: every day the accounts are fetched from the sandbox, the cycle "
        "proposes, scripted people decide, what they approve is carried out and measured. Needs an empty database and "
        "a running sandbox (make run has both). The same seed gives the same history. Sixty days take a few minutes."
    )

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=24, metavar="N", help="days to live through, 1 to 180 (24)")
        parser.add_argument("--seed", type=int, default=7, help="another number is another history (7)")

    def handle(self, *, days, seed, **_options):
        if not 1 <= days <= 180:
            raise CommandError("--days takes a whole number from 1 to 180. Nothing was changed.")
        if not demo.is_empty():
            raise CommandError("There are clients already: the demo only fills an empty database. Nothing was changed.")
        username, password = embedded.demo_login()
        started = time.monotonic()
        demo.Demo(
            demo.description_from(DESCRIPTION),
            days=days,
            seed=seed,
            sandbox_url=settings.META_GRAPH_URL.removesuffix("/graph"),
            sandbox_key=settings.SANDBOX_KEY,
            site_url=settings.SITE_URL,
            signing_secret=settings.SLACK_SIGNING_SECRET,
            say=self._say,
        ).play(password)
        self.stdout.write(self.style.SUCCESS(f"Played {days} days in {time.monotonic() - started:.0f} s."))
        self.stdout.write(f"Sign in with {username} / {password}")

    def _say(self, number, of, date, counts):
        proposed, decided, done = counts
        self.stdout.write(f"day {number:3}/{of}  {date}  {proposed} proposed, {decided} decided, {done} carried out")
