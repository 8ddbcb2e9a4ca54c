"""`manage.py up`: all of Durum on this machine."""

import contextlib
import fcntl
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from apps.clients.models import Client
from apps.core.tenancy import use_all_clients
from durum import embedded, processes
from durum.celery import QUEUES
from durum.settings.environment import BASE_DIR, VAR_DIR
from durum.supervisor import Log, Supervisor

MARK = "DURUM_UP"  # in the environment of every process we start, so that the next `up` knows its orphans
PORTS_TRIED = 50
HEALTHY_WITHIN = 60  # seconds


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
            ports = self._choose_ports(port)
            supervisor = Supervisor(
                Log(embedded.own_directory(VAR_DIR / "log", 0o711), quiet=quiet or check),
                directory=BASE_DIR,
                environment=_environment(before),
            )
            ending.callback(supervisor.stop)
            ending.callback(supervisor.log.say, "Stopping ...")
            self._start(supervisor, ports, no_demo=no_demo, stopping=stopping)
            if check:
                self._check(ports, stopping)
                return
            if self._becomes_healthy(ports, stopping):
                supervisor.log.say(_welcome(ports))
            elif not stopping.is_set():
                supervisor.log.say(f"The web server is not healthy after {HEALTHY_WITHIN} s: see var/log/web.log.")
            while not stopping.wait(1):
                supervisor.look_after()
                self._revive_servers(supervisor.log)
        self.stdout.write("Stopped.")

    def _start(self, supervisor, ports, *, no_demo, stopping):
        """In the order in which each finds what it needs."""
        python = [sys.executable, "manage.py"]
        say = supervisor.log.say
        say("Preparing the database ...")
        call_command("migrate", interactive=False, verbosity=0)
        if importlib.util.find_spec("durum.schedule"):
            importlib.import_module("durum.schedule").ensure()
        _collect_static(say)
        if "sandbox" in get_commands():
            store = VAR_DIR / "sandbox.sqlite3"
            supervisor.add("sandbox", [*python, "sandbox", "--port", ports["sandbox_port"], "--db", store])
            processes.wait_until(lambda: stopping.is_set() or _listens(ports["sandbox_port"]), seconds=30)
        if not no_demo and "demo" in get_commands() and not stopping.is_set() and _is_empty():
            say("Loading the demo: this happens once and takes a minute or two ...")
            self._load_demo(supervisor, stopping)
        if stopping.is_set():
            return
        granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
        celery = [sys.executable, "-m", "celery", "--app", "durum", "--quiet"]
        workers = ["--workers", 2, "--blocking-threads", 8, "--backpressure", 32]
        endings = ["--respawn-failed-workers", "--workers-kill-timeout", 3]
        supervisor.add("web", [*granian, *workers, *endings, "--port", ports["port"], "durum.wsgi:application"])
        queues = ["--concurrency", 2, "--queues", ",".join(QUEUES), "--hostname", "durum@local"]
        supervisor.add("worker", [*celery, "worker", "--loglevel", "INFO", *queues, "--without-mingle"])
        supervisor.add("beat", [*celery, "beat", "--loglevel", "INFO", "--pidfile="])

    def _load_demo(self, supervisor, stopping):
        """In a process of its own, so that Ctrl-C ends it like everything else."""
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
        if demo.returncode and not stopping.is_set():
            supervisor.log.say(f"The demo could not be loaded (exit code {demo.returncode}). Durum starts without it.")

    def _check(self, ports, stopping):
        if not self._becomes_healthy(ports, stopping):
            raise CommandError(f"Durum is not healthy after {HEALTHY_WITHIN} s: see var/log/.")
        self.stdout.write(f"Healthy at http://127.0.0.1:{ports['port']}")

    def _becomes_healthy(self, ports, stopping):
        address = f"http://127.0.0.1:{ports['port']}/healthz"
        return processes.wait_until(
            lambda: stopping.is_set() or _answers(address), seconds=HEALTHY_WITHIN, every=0.2
        ) and _answers(address)

    def _choose_ports(self, wanted):
        """The web port asked for or the next free one, and one for the sandbox that stays the same between starts."""
        port = _free_port(wanted, but_not=())
        if port != wanted:
            self.stdout.write(f"Port {wanted} is taken; using {port}.")
        usual = embedded.up_state().get("sandbox_port", embedded.SANDBOX_PORT)
        ports = {"port": port, "sandbox_port": _free_port(usual, but_not=(port,))}
        draft = VAR_DIR / "up.json.new"
        draft.write_text(json.dumps(ports))
        draft.replace(VAR_DIR / "up.json")
        return ports

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
    return os.environ | changed | {MARK: str(VAR_DIR)}


def _free_port(first, *, but_not):
    for port in range(first, first + PORTS_TRIED):
        if port not in but_not and not _listens(port) and _can_bind(port):
            return port
    raise CommandError(f"No free port between {first} and {first + PORTS_TRIED}: choose another with --port.")


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


def _welcome(ports):
    lines = [f"Durum runs at  http://127.0.0.1:{ports['port']}"]
    username, password = embedded.demo_login()
    person = get_user_model().objects.filter(username=username, is_active=True).first()
    if person and person.check_password(password):
        lines.append(f"Sign in with   {username}  /  {password}")
    lines.append("Stop with      Ctrl-C")
    width = max(map(len, lines)) + 4
    return "\n".join(
        ["", "╭" + "─" * width + "╮", *(f"│  {line:<{width - 2}}│" for line in lines), "╰" + "─" * width + "╯", ""]
    )
