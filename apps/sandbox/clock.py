"""The sandbox's own time: real by default, shifted or frozen when a test says so."""

import datetime as dt
import time

from apps.sandbox.models import State


def state():
    """The settings row, made on first use."""
    return State.objects.get_or_create(pk=1)[0]


def reading(row):
    """Epoch seconds according to a settings row."""
    if row.clock_mode == State.ClockMode.FROZEN:
        return row.clock_value
    if row.clock_mode == State.ClockMode.SHIFTED:
        return time.time() + row.clock_value
    return time.time()


def now():
    """The sandbox's time in epoch seconds."""
    return reading(state())


def set_to(instant, *, running=False):
    """Put the clock at an instant; it stands still unless `running`."""
    mode = State.ClockMode.SHIFTED if running else State.ClockMode.FROZEN
    State.objects.filter(pk=state().pk).update(
        clock_mode=mode, clock_value=instant - time.time() if running else instant
    )


def advance(seconds):
    """Move the clock forward; a real clock becomes a shifted one that runs on."""
    row = state()
    if row.clock_mode == State.ClockMode.REAL:
        row.clock_mode, row.clock_value = State.ClockMode.SHIFTED, 0.0
    row.clock_value += seconds
    row.save(update_fields=["clock_mode", "clock_value"])


def set_real():
    """Give the clock back to the machine."""
    State.objects.filter(pk=state().pk).update(clock_mode=State.ClockMode.REAL, clock_value=0.0)


def utc(instant):
    """An epoch instant as an aware datetime."""
    return dt.datetime.fromtimestamp(instant, dt.UTC)


def instant(value):
    """Epoch seconds from a number or an ISO 8601 text (a text without offset is UTC)."""
    if isinstance(value, int | float):
        return float(value)
    moment = dt.datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
