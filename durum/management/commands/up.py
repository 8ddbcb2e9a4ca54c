"""`manage.py up`: all of Durum on this machine."""

import contextlib
import fcntl
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from apps.clients.models import Client
from apps.core.tenancy import use_all_clients
from durum import embedded, processes
from durum.celery import QUEUES, app
from durum.settings.environment import BASE_DIR, VAR_DIR
from durum.supervisor import Log, Supervisor

MARK = "DURUM_UP"  # in the environment of every process we start, so that the next `up` knows its orphans
PORTS_TRIED = 50
DEMO_BEGUN = VAR_DIR / "demo.begun"
HEALTHY_WITHIN = 60  # seconds
HEAD_START = 8  # seconds in which the web server has the processor to itself


class Command(BaseCommand):
    """Everything in one terminal; Ctrl-C ends all of it, and starting again is always safe."""

    help = (
        "Run all of Durum on this machine: PostgreSQL and Redis (the embedded ones, or those of DATABASE_URL "
        "and REDIS_URL), the web server, the worker, the scheduler, and the sandbox in place of Meta and Slack. "
        "The database is migrated first, and an empty one is filled with the demo. Logs appear here and in "
        "var/log/. Ctrl-C stops everything within seconds; after a hard kill, start it again."
    )

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="web port on 127.0.0.1; the next free one is taken")
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--keep-servers", action="store_true", help="leave PostgreSQL and Redis running at the end")
        parser.add_argument("--quiet", action="store_true", help="keep the processes' lines for var/log/ only")
        parser.add_argument(
            "--check", action="store_true", help="start everything, wait until it is healthy, stop; 1 when it is not"
        )

    def handle(self, *, port, no_demo, keep_servers, quiet, check, **options):
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stopping.set())
        with _only_one(), contextlib.ExitStack() as ending:
            processes.end(processes.marked_with(MARK, str(VAR_DIR)), seconds=3)
            try:
                ending.enter_context(embedded.servers(leave=keep_servers))
            except embedded.EmbeddedError as exc:
                raise CommandError(str(exc)) from exc
            before = embedded.addresses()
            ports = ending.enter_context(self._ports(port))
            supervisor = Supervisor(
                Log(embedded.own_directory(VAR_DIR / "log", 0o711), quiet=quiet or check),
                directory=BASE_DIR,
                environment=_environment(before),
            )
            ending.callback(supervisor.stop)
            ending.callback(supervisor.log.say, "Stopping ...")
            login = self._prepare(supervisor, ports, no_demo=no_demo, stopping=stopping)
            if not stopping.is_set():
                _start_web(supervisor, ports)
            healthy = self._watch(supervisor, ports, login, stopping, until_healthy=check)
        if check and not healthy:
            raise CommandError(f"Durum did not become healthy within {HEALTHY_WITHIN} s: see var/log/.")
        self.stdout.write("Stopped.")

    def _prepare(self, supervisor, ports, *, no_demo, stopping):
        """Everything the processes expect to find; returns the lines that tell how to sign in."""
        say = supervisor.log.say
        store = VAR_DIR / "sandbox.sqlite3"
        if DEMO_BEGUN.exists():
            say("The demo was interrupted while it was loading: beginning it anew.")
            embedded.forget_everything()
            for path in store.parent.glob(f"{store.name}*"):
                path.unlink()
            DEMO_BEGUN.unlink()
        say("Preparing the database ...")
        try:
            call_command("prepare", stdout=io.StringIO())
            _collect_static(say)
            if "sandbox" in get_commands():
                arguments = ["sandbox", "--port", ports["sandbox_port"], "--db", store]
                supervisor.add("sandbox", [sys.executable, "manage.py", *arguments])
                processes.wait_until(lambda: stopping.is_set() or _listens(ports["sandbox_port"]), seconds=30)
            if not no_demo and "demo" in get_commands() and not stopping.is_set() and _is_empty():
                say("Loading the demo: this happens once and takes a minute or two ...")
                self._load_demo(supervisor, stopping)
            return _login()
        finally:
            # From here on this process only watches: a restart of PostgreSQL is nothing to it.
            connection.close()
            connection.close_pool()

    def _watch(self, supervisor, ports, login, stopping, *, until_healthy):
        """Keep everything running until told to stop; says when it is healthy. Returns whether it was."""
        address = f"http://127.0.0.1:{ports['port']}/healthz"
        deadline = time.monotonic() + HEALTHY_WITHIN
        healthy = working = False
        while not stopping.wait(1 if healthy else 0.2):
            supervisor.look_after()
            self._revive_servers(supervisor.log)
            if not healthy and _answers(address):
                healthy = True
                supervisor.log.say(_welcome(ports, login))
            if not working and (healthy or time.monotonic() > deadline - HEALTHY_WITHIN + HEAD_START):
                working = True
                _start_work(supervisor)
            if until_healthy and ((healthy and _worker_answers()) or time.monotonic() > deadline):
                break
            if not healthy and time.monotonic() > deadline:
                supervisor.log.say("The web server is not healthy yet; var/log/web.log says why.")
                deadline = time.monotonic() + HEALTHY_WITHIN
        return healthy

    def _load_demo(self, supervisor, stopping):
        """In a process of its own, so that Ctrl-C ends it like everything else.

        Nothing else has run on the database when it begins; a note says so until it ends, for the next `up`
        to begin anew after an interruption of any kind.
        """
        DEMO_BEGUN.touch()
        with subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=BASE_DIR,
            env=supervisor.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        ) as demo:
            while demo.poll() is None:
                if stopping.wait(0.2):
                    demo.terminate()
        if stopping.is_set() and demo.returncode:
            return
        DEMO_BEGUN.unlink()
        if demo.returncode:
            supervisor.log.say(
                f"The demo could not be loaded (exit code {demo.returncode}); Durum starts with what there is. "
                "`make clean` and `make run` try again from nothing."
            )

    @contextlib.contextmanager
    def _ports(self, wanted):
        """The web port asked for or the next free one, and one for the sandbox; nobody else's `up` takes them."""
        with contextlib.ExitStack() as held:
            port = _free_port(wanted, held)
            if port != wanted:
                self.stdout.write(f"Port {wanted} is taken; using {port}.")
            ports = {"port": port, "sandbox_port": _free_port(embedded.sandbox_port(), held)}
            draft = VAR_DIR / "up.json.new"
            draft.write_text(json.dumps(ports))
            draft.replace(VAR_DIR / "up.json")
            yield ports

    def _revive_servers(self, log):
        wanted = embedded.needed()
        if wanted - set(embedded.running()):
            log.say("A server has ended; starting it again ...")
            try:
                with embedded.alone():
                    embedded.start(wanted)
            except embedded.EmbeddedError as exc:
                log.say(str(exc))


@contextlib.contextmanager
def _only_one():
    """Refuse a second `up` of the same checkout; the kernel lets go of the lock however the first one ends."""
    with open(embedded.own_directory(VAR_DIR, 0o711) / "up.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(
                f"Durum already runs in this checkout (process {lock.read().strip()}), at {settings.SITE_URL}. "
                "Stop it there with Ctrl-C first."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _environment(before):
    """Our environment with the ports chosen now in place of those `before`; what somebody set on purpose stays."""
    now = embedded.addresses()
    changed = {name: value for name, value in now.items() if (os.environ.get(name) or before[name]) == before[name]}
    return os.environ | changed | {MARK: str(VAR_DIR), "PYTHONUNBUFFERED": "1"}


def _start_web(supervisor, ports):
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    workers = ["--workers", 2, "--blocking-threads", 8, "--backpressure", 32]
    endings = ["--respawn-failed-workers", "--workers-kill-timeout", 3]
    supervisor.add("web", [*granian, *workers, *endings, "--port", ports["port"], "durum.wsgi:application"])


def _start_work(supervisor):
    celery = [sys.executable, "-m", "celery", "--app", "durum", "--quiet"]
    queues = ["--concurrency", 2, "--queues", ",".join(QUEUES), "--hostname", "durum@local"]
    supervisor.add("worker", [*celery, "worker", "--loglevel", "INFO", *queues, "--without-mingle"])
    supervisor.add("beat", [*celery, "beat", "--loglevel", "INFO", "--pidfile="])


def _free_port(first, held):
    """The first port from `first` on that nobody uses, kept for us until `held` closes."""
    for port in range(first, first + PORTS_TRIED):
        if not _listens(port) and _can_bind(port) and _claim(port, held):
            return port
    raise CommandError(f"No free port between {first} and {first + PORTS_TRIED}: choose another with --port.")


def _claim(port, held):
    """Settle who gets a port when two checkouts start in the same second.

    The web server starts long after the port was looked at, so the claim is a socket name that only one
    process of the machine can hold. Linux drops it with the process; elsewhere nothing is claimed.
    """
    if sys.platform != "linux":
        return True
    claim = held.enter_context(socket.socket(socket.AF_UNIX))
    try:
        claim.bind(f"\0durum-port-{port}")
    except OSError:
        return False
    return True


def _can_bind(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  (our own loopback address)
            return answer.status == 200
    except OSError:
        return False


def _worker_answers():
    try:
        return bool(app.control.ping(timeout=1))
    except OSError:  # Redis is just being started again
        return False


def _is_empty():
    with use_all_clients("an installation without clients gets the demo"):
        return not Client.objects.exists()


def _collect_static(say):
    """Gather the static files when one of them changed since the last time."""
    stamp = VAR_DIR / "static.stamp"
    state = "\n".join(
        f"{storage.path(path)} {os.stat(storage.path(path)).st_mtime_ns}"
        for finder in get_finders()
        for path, storage in finder.list([])
    )
    if settings.STATIC_ROOT.exists() and stamp.exists() and stamp.read_text() == state:
        return
    say("Collecting static files ...")
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(state)


def _login():
    """How to sign in, as long as the demo's person still has the demo's password."""
    username, password = embedded.demo_login()
    person = get_user_model().objects.filter(username=username, is_active=True).first()
    return f"Sign in with   {username}  /  {password}" if person and person.check_password(password) else ""


def _welcome(ports, login):
    lines = [f"Durum runs at  http://127.0.0.1:{ports['port']}", login, "Stop with      Ctrl-C"]
    lines = [line for line in lines if line]
    width = max(map(len, lines)) + 4
    inside = [f"│  {line:<{width - 2}}│" for line in lines]
    return "\n".join(["", "╭" + "─" * width + "╮", *inside, "╰" + "─" * width + "╯", ""])
