"""The servers without the rest of Durum: `python -m durum.embedded` lists what it can do."""

import subprocess
import sys
from pathlib import Path

from durum import embedded

USAGE = """\
usage: python -m durum.embedded VERB

  start          start PostgreSQL and Redis and leave them running
  stop           stop them
  status         say what runs and how to reach it (exit code 3 when not both do)
  clean          stop them and delete everything they store
  backup FILE    write the database to FILE, also while Durum runs
  restore FILE   put FILE's content in the place of the database
  with COMMAND   run COMMAND while they run, and pass its exit code on
"""


def main(arguments):
    """The command line; returns the exit code."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    try:
        if verb == "with" and rest:
            with embedded.servers():
                return subprocess.run(rest, check=False).returncode  # noqa: S603  (what the person typed)
        if verb in {"backup", "restore"} and len(rest) == 1:
            {"backup": embedded.backup, "restore": embedded.restore}[verb](Path(rest[0]).absolute())
            return 0
        if rest or verb not in {"start", "stop", "status", "clean"}:
            sys.stderr.write(USAGE)
            return 2
        if verb == "status":
            return _status()
        with embedded.alone():
            {"start": _start, "stop": _stop, "clean": embedded.clean}[verb]()
    except embedded.EmbeddedError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


def _start():
    embedded.start()
    embedded.keep(True)
    _status()


def _stop():
    embedded.keep(False)
    embedded.stop()


def _status():
    found = embedded.running()
    for name in ("postgres", "redis"):
        sys.stdout.write(f"{name:9} {f'process {found[name]}' if name in found else 'not running'}\n")
    for name in ("DATABASE_URL", "REDIS_URL"):
        sys.stdout.write(f"{name}={embedded.addresses()[name]}\n")
    return 0 if len(found) == 2 else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
