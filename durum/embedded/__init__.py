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
import json
import os
import secrets
import shutil
from urllib.parse import quote

from durum import processes
from durum.settings.environment import VAR_DIR, read_env_file

from . import postgres, redis
from .places import EmbeddedError, own_directory, places, prepare

__all__ = [
    "EmbeddedError",
    "addresses",
    "alone",
    "backup",
    "clean",
    "demo_login",
    "forget_everything",
    "keep",
    "local_secret",
    "needed",
    "places",
    "restore",
    "running",
    "sandbox_port",
    "servers",
    "start",
    "stop",
]


def addresses():
    """The environment variables that lead to this checkout's servers and to what `up` started beside them."""
    here = places()
    running = up_state()
    sandbox = f"http://127.0.0.1:{running.get('sandbox_port', sandbox_port())}"
    return {
        "DATABASE_URL": f"postgres://durum@/durum?host={quote(str(here.sockets))}",
        "REDIS_URL": f"unix://{quote(str(here.redis_socket))}?db=0",
        "SITE_URL": f"http://127.0.0.1:{running.get('port', 8000)}",
        "META_GRAPH_URL": f"{sandbox}/graph",
        "SLACK_API_URL": f"{sandbox}/slack/api",
        "SANDBOX_KEY": local_secret("sandbox-key"),
    }


def sandbox_port():
    """The sandbox's usual port: each checkout has one of its own, below those the system hands out."""
    return 20_000 + int(places().mark, 16) % 10_000


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
    own_directory(VAR_DIR, 0o711)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):  # somebody was faster: their secret is the secret
        os.link(draft, path)
    draft.unlink()
    return path.read_text()


def demo_login():
    """Name and password of the person the demo creates; the password is this checkout's own."""
    return "demo", local_secret("demo-password")[:14]


def needed():
    """Which of our servers the environment asks for: real ones named there replace ours."""
    read_env_file()
    ours = addresses()
    return {
        server
        for server, name in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL"))
        if (os.environ.get(name) or ours[name]) == ours[name]
    }


@contextlib.contextmanager
def servers(*, leave=False):
    """The servers run inside the block; the last block to end, of any process, stops them unless told to `leave`."""
    wanted = needed()
    if not wanted:
        yield
        return
    with open(own_directory(VAR_DIR, 0o711) / "servers.users", "a") as users:
        with alone():
            start(wanted)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with alone():
                fcntl.flock(users, fcntl.LOCK_UN)
                if not leave and not kept() and _nobody_uses(users):
                    stop()


def keep(wanted):
    """Leave the servers running (`python -m durum.embedded start`) until told otherwise."""
    marker = own_directory(VAR_DIR, 0o711) / "servers.keep"
    if wanted:
        marker.touch()
    else:
        marker.unlink(missing_ok=True)


def kept():
    """Whether somebody asked for the servers to stay."""
    return (VAR_DIR / "servers.keep").exists()


def start(wanted=frozenset({"postgres", "redis"})):
    """Start what does not run yet. Safe to call again, also after a hard kill of anything."""
    here = places()
    prepare(here)
    if "postgres" in wanted:
        postgres.start(here)
    if "redis" in wanted:
        redis.start(here)


def backup(path):
    """Write the embedded database to the file `path`, while it is in use or not."""
    with servers():
        postgres.backup(places(), path)


def restore(path):
    """Put a backup in the place of the embedded database. Refused while something uses it."""
    if not path.is_file():
        raise EmbeddedError(f"{path} is not a file: nothing was changed.")
    _refuse_while_used()
    with servers():
        postgres.restore(places(), path)


def forget_everything():
    """Empty the embedded database; a database of your own (DATABASE_URL) is left alone."""
    if "postgres" in needed():
        postgres.recreate_database(places())


def stop():
    """Stop both servers cleanly, and by force what does not listen."""
    here = places()
    postgres.stop(here)
    redis.stop(here)


def running():
    """Name -> process id of the servers that run."""
    here = places()
    found = {"postgres": postgres.postmaster(here), "redis": next(iter(processes.working_in(here.redis)), None)}
    return {name: process.pid for name, process in found.items() if process}


def clean():
    """Stop the servers and delete what they store. Refused while something uses them."""
    _refuse_while_used()
    stop()
    here = places()
    for directory in {here.postgres, here.redis, here.base / "programs", here.sockets}:
        shutil.rmtree(directory, ignore_errors=True)
    if here.base != VAR_DIR:
        shutil.rmtree(here.base, ignore_errors=True)
    for name in ("servers.keep", "elsewhere"):
        (VAR_DIR / name).unlink(missing_ok=True)


@contextlib.contextmanager
def alone():
    """One process at a time starts or stops the servers of this checkout."""
    with open(own_directory(VAR_DIR, 0o711) / "servers.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refuse_while_used():
    with open(own_directory(VAR_DIR, 0o711) / "servers.users", "a") as users:
        if not _nobody_uses(users):
            raise EmbeddedError("Durum or its tests are running in this checkout: stop them first.")


def _nobody_uses(users):
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
