"""`python -m durum.embedded start | stop | status | clean`: the servers without the rest of Durum."""

import sys

from durum import embedded


def main(arguments):
    """The command line; returns the exit code."""
    verbs = {"start": _start_and_keep, "stop": _stop_for_good, "status": _status, "clean": embedded.clean}
    if len(arguments) != 1 or arguments[0] not in verbs:
        sys.stderr.write("usage: python -m durum.embedded start | stop | status | clean\n")
        return 2
    try:
        if arguments[0] == "status":
            return _status()
        with embedded.alone():
            verbs[arguments[0]]()
    except embedded.EmbeddedError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


def _start_and_keep():
    embedded.start()
    (embedded.VAR_DIR / "servers.keep").touch()
    _status()


def _stop_for_good():
    (embedded.VAR_DIR / "servers.keep").unlink(missing_ok=True)
    embedded.stop()


def _status():
    """Print what runs and how to reach it; 0 when both servers do."""
    found = embedded.running()
    for name in ("postgres", "redis"):
        sys.stdout.write(f"{name:9} {f'process {found[name]}' if name in found else 'not running'}\n")
    for name in ("DATABASE_URL", "REDIS_URL"):
        sys.stdout.write(f"{name}={embedded.addresses()[name]}\n")
    return 0 if len(found) == 2 else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
