"""Finding and ending processes of this checkout, without trusting stale pid files.

A number in a file says nothing after a hard kill or a restart of the machine, so a process counts as ours
only when it also works in our directory or carries our mark in its environment.
"""

import os
import signal
import time

import psutil


def alive(process):
    """Whether the process runs; one that ended and waits to be collected by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def working_in(directory):
    """Running processes whose working directory is `directory`, or was before somebody deleted it."""
    wanted = {os.path.realpath(directory), f"{os.path.realpath(directory)} (deleted)"}
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() in wanted and alive(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def marked_with(name, value):
    """Running processes started with `name=value` in their environment, other than this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(name) == value and alive(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def wait_until(condition, *, seconds, every=0.05):
    """Whether `condition()` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def end(found, *, seconds, first=signal.SIGTERM):
    """Send `first` to the processes and kill those still there after `seconds`."""
    _send(found, first)
    if not wait_until(lambda: not any(map(alive, found)), seconds=seconds):
        _send(found, signal.SIGKILL)
        wait_until(lambda: not any(map(alive, found)), seconds=5)


def _send(found, signal_number):
    for process in found:
        try:
            process.send_signal(signal_number)
        except psutil.NoSuchProcess:
            continue
