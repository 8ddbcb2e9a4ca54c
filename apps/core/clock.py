"""What time it is, for everything that writes or decides.

Services ask here instead of `timezone.now()`, so that the demo can live through sixty days in a few
minutes and a test can stand on the day the clocks change.
"""

from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

_moved_to = ContextVar("moved_to", default=None)


def now():
    """The present moment, aware, in UTC."""
    return _moved_to.get() or timezone.now()


@contextmanager
def at(moment):
    """Let the block live at `moment` (aware)."""
    if timezone.is_naive(moment):
        raise ValueError("clock.at() takes an aware datetime")
    token = _moved_to.set(moment)
    try:
        yield
    finally:
        _moved_to.reset(token)
