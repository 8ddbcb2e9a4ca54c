"""`manage.py check_connections`: what works, in one table."""

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.clients.models import Client
from apps.connectors import checks
from apps.connectors.models import Channel
from apps.core.tenancy import use_all_clients

COLUMNS = ("System", "Account", "Client", "State", "What it says")


class Command(BaseCommand):
    """Asks every configured outside system whether it answers."""

    help = (
        "Test the database, the message broker and every connected account (Meta, Slack) and print one table of what "
        "works. Only reads. Ends with exit code 1 when something is broken; a warning (a token about to expire, a "
        "missing right) does not count as broken."
    )

    def add_arguments(self, parser):
        parser.add_argument("--client", metavar="KEY", help="only the accounts of this client")
        parser.add_argument("--detail", action="store_true", help="also print the technical detail of what is broken")

    def handle(self, *, client, detail, **_options):
        """Print the table; the exit code says whether everything works."""
        lines = checks.check_servers()
        if not lines[0].is_broken:
            lines += self._channels(client)
        self._print(lines)
        for line in lines if detail else ():
            if line.detail:
                self.stdout.write(f"\n{line.system} {line.name}: {line.detail}")
        broken = sum(line.is_broken for line in lines)
        if broken:
            raise CommandError(f"{broken} of {len(lines)} connections do not work.")

    def _channels(self, key):
        try:
            with use_all_clients("connections of every client are tested"):
                channels = Channel.objects.all()
                if key:
                    if not Client.objects.filter(key=key).exists():
                        raise CommandError(f"There is no client with the key {key}. Nothing was tested.")
                    channels = channels.filter(client__key=key)
                return list(checks.check_channels(channels))
        except DatabaseError as exc:
            raise CommandError(
                f"The database has no tables yet ({type(exc).__name__}): run manage.py migrate."
            ) from exc

    def _print(self, lines):
        rows = [(line.system, line.name, line.client, line.state.upper(), line.text) for line in lines]
        widths = [max(len(row[i]) for row in [COLUMNS, *rows]) for i in range(4)]
        for number, row in enumerate([COLUMNS, *rows]):
            text = "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
            style = self.style.ERROR if row[3] == "BROKEN" else self.style.WARNING if row[3] == "WARNING" else str
            self.stdout.write(self.style.MIGRATE_HEADING(text) if number == 0 else style(text))
