"""Runs Durum's processes on one machine: logs with a name in front, restarts, and an orderly end.

Production uses one container per process instead (`docker/compose.yml`).
"""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

LOG_BYTES = 10 * 1024 * 1024
COLOURS = {"web": 36, "worker": 32, "beat": 35, "sandbox": 33, "durum": 34}
STEADY_AFTER = 60  # seconds of running after which the next fall counts as the first one again
LONGEST_PAUSE = 30


class Log:
    """Lines to the console, with the name of their process in front, and to var/log/<name>.log."""

    def __init__(self, directory, *, quiet=False):
        self._directory = directory
        self._quiet = quiet
        self._lock = threading.Lock()
        self._colour = sys.stdout.isatty()

    def line(self, name, text):
        """One line of one process. A log that outgrows 10 MB becomes <name>.log.1."""
        path = self._directory / f"{name}.log"
        with self._lock:
            with path.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
                full = file.tell() > LOG_BYTES
            if full:
                path.replace(path.with_suffix(".log.1"))
            if not self._quiet:
                self._print(f"{name:>8} │ ", text, COLOURS.get(name, 0))

    def say(self, text):
        """A line of the supervisor itself, shown even when quiet."""
        with self._lock:
            self._print("", text, 0)

    def _print(self, head, text, colour):
        if self._colour and head:
            head = f"\033[{colour}m{head}\033[0m"
        try:
            print(f"{head}{text}", flush=True)  # noqa: T201  (a person watches this console)
        except (BrokenPipeError, OSError):  # the terminal is gone; the files go on
            self._quiet = True


@dataclass
class Child:
    """One process that should always run."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None
    started: float = 0
    falls: int = 0
    not_before: float = 0


class Supervisor:
    """Starts children, passes their words on, starts again those that end, and stops all of them."""

    def __init__(self, log, *, directory, environment):
        self.log = log
        self.children = []
        self._directory = directory
        self.environment = environment

    def add(self, name, command, **environment):
        """Start one more process and keep it running."""
        child = Child(name, [str(part) for part in command], environment)
        self.children.append(child)
        self._start(child)
        return child

    def look_after(self):
        """Start again what ended, each with a longer pause than before; to be called every second or so."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.not_before:
                    self._start(child)
                continue
            code = child.process.poll()
            if code is None:
                continue
            _signal_group(child.process, signal.SIGKILL)  # its own children would go on with half of the work
            child.process = None
            child.falls = 1 if now - child.started > STEADY_AFTER else child.falls + 1
            pause = min(2 ** (child.falls - 1), LONGEST_PAUSE)
            child.not_before = now + pause
            self.log.say(f"{child.name} ended ({_said(code)}); it starts again in {pause} s. See {child.name}.log.")

    def stop(self, *, patience=6):
        """Ask every process to end, ask again louder, then make them: done within a few seconds."""
        for number, seconds in ((signal.SIGTERM, patience), (signal.SIGQUIT, 2), (signal.SIGKILL, 3)):
            for child in self._running():
                _signal_group(child.process, number)
            deadline = time.monotonic() + seconds
            while self._running() and time.monotonic() < deadline:
                time.sleep(0.05)
            if not self._running():
                break
        for child in self.children:  # grandchildren that outlived their parent
            if child.process is not None:
                _signal_group(child.process, signal.SIGKILL)

    def _running(self):
        return [child for child in self.children if child.process is not None and child.process.poll() is None]

    def _start(self, child):
        child.started = time.monotonic()
        child.process = subprocess.Popen(  # noqa: S603  (our own commands)
            child.command,
            cwd=self._directory,
            env=self.environment | child.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us only: we end them in order
        )
        threading.Thread(target=self._listen, args=(child.name, child.process.stdout), daemon=True).start()

    def _listen(self, name, stream):
        with stream:
            for raw in stream:
                self.log.line(name, raw.decode(errors="replace").rstrip())


def _signal_group(process, number):
    try:
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        pass


def _said(code):
    """An exit code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
