"""Named places where a process may die, so that a test can make it die exactly there.

`DURUM_CRASH_AT=name` (a comma-separated list, each optionally `name:probability`) kills the process with
SIGKILL when it gets there, after a line on standard error. Unset, a crash point costs one dictionary look-up.
"""

import os
import random
import signal

_WANTED = {}
LAST_WORDS = "killed itself at "


def arm(wanted):
    """Die from now on at these points, written as in `DURUM_CRASH_AT`."""
    _WANTED.clear()
    for item in filter(None, wanted.split(",")):
        name, _, chance = item.partition(":")
        _WANTED[name] = float(chance or 1)


def crash_point(name):
    """Die here if the environment asks for it."""
    chance = _WANTED.get(name)
    if chance and random.random() < chance:  # noqa: S311  (not a secret)
        os.write(2, f"{LAST_WORDS}{name}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("DURUM_CRASH_AT", ""))
