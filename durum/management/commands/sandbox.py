"""`manage.py sandbox`: the outside world on loopback, for the demo and for tests."""

import os
import sys
from pathlib import Path

from django.core.management.base import BaseCommand

ROOT = Path(__file__).resolve().parents[3]


class Command(BaseCommand):
    help = (
        "Start the sandbox: a Meta Graph API and a Slack on loopback that Durum can be tried against. It keeps its "
        "state in one SQLite file and comes back as it was after a crash. Prints its address when it is ready."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
        parser.add_argument("--db", default=str(ROOT / "var" / "sandbox.sqlite3"), help="the SQLite file to keep")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")

    def handle(self, *, port, db, host, **_options):
        """Become the sandbox process: it has settings of its own, so it cannot share this interpreter."""
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "apps.sandbox.settings",
            "PYTHONPATH": str(ROOT),
        }
        command = [
            sys.executable,
            "-m",
            "apps.sandbox.serve",
            "--host",
            host,
            "--port",
            str(port),
            "--db",
            db,
        ]
        os.execve(sys.executable, command, environment)  # noqa: S606 - our own module, arguments as a list
