"""Named places where a process may die, so that a test can make it die exactly there.

`DURUM_CRASH_AT=name` (a comma-separated list, each optionally `name:probability`) kills the process with
SIGKILL when it gets there. Unset, a crash point costs one dictionary look-up.
"""

import os
import random
import signal

_WANTED = {}
for _item in filter(None, os.environ.get("DURUM_CRASH_AT", "").split(",")):
    _name, _, _chance = _item.partition(":")
    _WANTED[_name] = float(_chance or 1)


def crash_point(name):
    """Die here if the environment asks for it."""
    chance = _WANTED.get(name)
    if chance and random.random() < chance:  # noqa: S311  (not a secret)
        os.kill(os.getpid(), signal.SIGKILL)
