"""Where the servers of this checkout keep their files, and the account they run as."""

import contextlib
import functools
import hashlib
import os
import pwd
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from durum.settings.environment import BASE_DIR, VAR_DIR

SOCKET_PATH_LIMIT = 103  # bytes: 107 on Linux, 103 on macOS and BSD
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@-]+")  # anything else is quoted differently by each library's URL reader
POSTGRES_SOCKET = ".s.PGSQL.5432"
ELSEWHERE = Path("/var/lib")
UNPRIVILEGED = ("nobody", "daemon")


class EmbeddedError(ImproperlyConfigured):
    """The servers cannot be had; the text says what to do."""


@dataclass(frozen=True)
class Places:
    """Where the servers of this checkout keep their files, and the account they run as (None: ours).

    `mark` is ten hexadecimal digits made from the checkout's path: what tells it from others on this machine.
    """

    mark: str
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
    own_directory(VAR_DIR, 0o711)
    if not os.access(VAR_DIR, os.W_OK):
        owner = VAR_DIR.stat().st_uid
        raise EmbeddedError(f"{VAR_DIR} belongs to account {owner}: run as that account, or delete the folder.")
    account = None
    base = VAR_DIR
    if os.geteuid() == 0:
        account = _account_for_servers(VAR_DIR / "postgres")
        if not allowed(account, "-x", VAR_DIR):
            base = ELSEWHERE / f"durum-{mark}"
    sockets = base / "run"
    if len(os.fsencode(sockets / POSTGRES_SOCKET)) > SOCKET_PATH_LIMIT or not PLAIN_PATH.fullmatch(str(sockets)):
        sockets = Path("/tmp") / f"durum-{mark}-{account.pw_uid if account else os.geteuid()}"  # noqa: S108  (private: see prepare)
    return Places(mark, base, sockets, account)


def prepare(here):
    """Make the base and the socket directory, and refuse one that somebody else laid ready for us."""
    if here.base != VAR_DIR:
        own_directory(here.base, 0o711)
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


def as_account(account):
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def allowed(account, test, path):
    """Whether the account may do what test(1) calls `test` on the path: asked of the system, not guessed from modes."""
    asked = subprocess.run(  # noqa: S603  (fixed program, our own paths)
        ["/usr/bin/test", test, str(path)], cwd="/", check=False, **as_account(account)
    )
    return asked.returncode == 0


def own_directory(path, mode):
    """Create one directory with exactly this mode; one that exists is left as it is."""
    try:
        path.mkdir()
        path.chmod(mode)
    except FileExistsError:
        pass
    return path


def server_directory(here, path):
    """A directory that belongs to the servers' account and is closed to everybody else."""
    path.mkdir(mode=0o700, exist_ok=True)
    if here.account:
        os.chown(path, here.account.pw_uid, here.account.pw_gid)


def write_for_server(here, path, text):
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.chmod(0o600)
    if here.account:
        os.chown(draft, here.account.pw_uid, here.account.pw_gid)
    draft.rename(path)


def log_file(here, name):
    """An existing log that the servers' account may write: `var/log`, or beside the servers when they are elsewhere."""
    path = own_directory(here.base / "log", 0o711) / name
    path.touch(mode=0o600)
    if here.account:
        os.chown(path, here.account.pw_uid, here.account.pw_gid)
    return path
