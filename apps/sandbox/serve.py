"""The process: `python -m apps.sandbox.serve --port P --db FILE` migrates its file and answers with threads.

Django's threaded server is used because a fault must be able to cut the very connection it answers on.
"""

import argparse
import os
import signal
import socket
import sys
from pathlib import Path

from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError


class Handler(WSGIRequestHandler):
    """Gives each request the means to hang up, and keeps quiet."""

    disable_nagle_algorithm = True

    def get_environ(self):
        environ = super().get_environ()
        environ["sandbox.hang_up"] = self._hang_up
        return environ

    def _hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the caller has gone already

    def log_message(self, *args):
        """Requests are in the sandbox's own log."""


class Server(ThreadedWSGIServer):
    """One thread per connection; none of them keeps the process alive."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main(arguments=None):
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--db", required=True)
    given = parser.parse_args(arguments)
    file = Path(given.db).resolve()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"The sandbox cannot make {file.parent}: {error.strerror}. Give another file with --db.")
    os.environ["SANDBOX_DB"] = str(file)
    os.environ["DJANGO_SETTINGS_MODULE"] = "apps.sandbox.settings"
    application = get_wsgi_application()
    try:
        call_command("migrate", verbosity=0)
        server = Server((given.host, given.port), Handler)
    except DatabaseError as error:
        sys.exit(f"The sandbox cannot use {file}: {error}. Give another file with --db.")
    except (OSError, OverflowError) as error:
        sys.exit(f"The sandbox cannot listen on {given.host}:{given.port}: {error}. Give another --port.")
    server.set_app(application)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(f"Sandbox ready at http://{given.host}:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.stdout.write("Sandbox stopped\n")
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
