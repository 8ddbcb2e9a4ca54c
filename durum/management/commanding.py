"""What commands of Durum share: a client named by its key, and failures as one sentence and exit code 1."""

from django.core.management.base import BaseCommand, CommandError

from apps.clients.models import Client
from apps.core import systemlog
from apps.core.errors import ConnectorError, DurumError
from apps.core.tenancy import use_all_clients


class DurumCommand(BaseCommand):
    """A command whose expected failures are told in one sentence, without a trace."""

    def execute(self, *args, **options):
        try:
            return super().execute(*args, **options)
        except DurumError as exc:
            if isinstance(exc, ConnectorError):
                systemlog.record(exc, module=type(self).__module__)
            raise CommandError(str(exc)) from exc
        except CommandError:
            raise
        except Exception as exc:
            systemlog.record(exc, module=type(self).__module__)
            raise

    def clients(self, key=None):
        """The active clients, or the one with `key`; an unknown key ends the command."""
        with use_all_clients("clients are looked up for a command"):
            if key is None:
                return list(Client.objects.active().order_by("name", "pk"))
            client = Client.objects.filter(key=key).first()
            known = ", ".join(Client.objects.order_by("key").values_list("key", flat=True)[:20])
        if client is None:
            raise CommandError(f"There is no client with the key {key}. Known: {known or 'none yet'}.")
        return [client]
