"""Races on purpose: two callers meet at a named function, so a missing lock shows every time.

    results = at_once(first, second, gap=hold_open("apps.suggestions.services.deciding._decide"))

Both callers are held at the door of the function until the other one is there too. Where a lock keeps the
second one out, the first goes on after `PATIENCE`; `gap.met` then stays False, and a control without the
lock sees it True.
"""

import contextlib
import contextvars
import functools
import importlib
import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

PATIENCE = 1.0  # seconds the first caller waits inside the gap for the second


class Gap:
    """Stands around one function and holds its callers until two are inside."""

    def __init__(self, path, parties=2):
        self.met = False
        self._module, self._name = _find(path)
        self._original = getattr(self._module, self._name)
        self._barrier = threading.Barrier(parties)

    def __enter__(self):
        @functools.wraps(self._original)
        def held(*args, **kwargs):
            try:
                self._barrier.wait(timeout=PATIENCE)
                self.met = True
            except threading.BrokenBarrierError:
                pass  # the other one is kept out, or comes later: nobody waits for it twice
            return self._original(*args, **kwargs)

        setattr(self._module, self._name, held)
        return self

    def __exit__(self, *exc):
        setattr(self._module, self._name, self._original)


def at_once(*callers, gap=None):
    """Run the callers in threads of their own; "ok" or the name of the exception for each, in their order.

    Each thread has its own database connection and starts in the tenancy scope and clock of the test. Needs
    `django_db(transaction=True)`, or the threads see none of the test's rows.
    """
    start = threading.Barrier(len(callers))

    def run(context, caller):
        start.wait(timeout=10)
        try:
            context.run(caller)
        except Exception as exc:  # noqa: BLE001  (the name of whatever comes is the result)
            return type(exc).__name__
        finally:
            connections.close_all()
        return "ok"

    with gap or contextlib.nullcontext(), ThreadPoolExecutor(len(callers)) as pool:
        waiting = [pool.submit(run, contextvars.copy_context(), caller) for caller in callers]
        return [future.result(timeout=60) for future in waiting]


def _find(path):
    """The module and the attribute of a dotted path; class members are found too."""
    module_path, name = path.rsplit(".", 1)
    try:
        return importlib.import_module(module_path), name
    except ModuleNotFoundError:
        outer, inner = _find(module_path)
        return getattr(outer, inner), name
