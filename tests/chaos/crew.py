"""Workers that are hired again as often as they die, and the count of what killed them.

They are forked from a process that has everything imported (`tests.chaos.work`): on a small machine a worker
that needs seconds to start would be killed before it did anything, and nothing would be shown.
"""

import multiprocessing
import os
import random
import re
import signal
import tempfile
import threading
from collections import Counter
from multiprocessing import connection

from django.conf import settings

from apps.core import crashpoints

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.chaos.work", "tests.chaos.crew"])
OUTSIDE = ("META_GRAPH_URL", "SLACK_API_URL")


class Crew:
    """`size` processes that run `work()`. `crash_at` as in `DURUM_CRASH_AT`.

    `in_work(pid)` tells whether this process held work when it was killed, as far as the store says.
    """

    def __init__(self, work, size, crash_at="", in_work=lambda _pid: False):
        self.work, self.crash_at, self.in_work = work, crash_at, in_work
        self.random = random.Random(size)
        self.kills = self.kills_in_work = self.hires = 0
        self.log = tempfile.NamedTemporaryFile("rb", prefix="crew-")  # noqa: SIM115  (lives as long as the crew)
        self.workers = [self._hire() for _ in range(size)]

    def _hire(self):
        outside = {name: getattr(settings, name) for name in OUTSIDE}
        worker = _forking.Process(target=_begin, args=(self.work, self.log.name, self.crash_at, outside), daemon=True)
        worker.start()
        self.hires += 1
        return worker

    def look_after(self):
        """Replace the dead."""
        for place, worker in enumerate(self.workers):
            if not worker.is_alive():
                self.workers[place] = self._hire()

    def kill_one(self):
        """kill -9, wherever it is."""
        worker = self.random.choice(self.workers)
        if worker.is_alive():
            worker.kill()
            worker.join()
            self.kills += 1
            self.kills_in_work += self.in_work(worker.pid)

    def calm(self):
        """No more crash points for those hired from now on, so that the end is reached."""
        self.crash_at = ""

    def dismiss(self):
        for worker in self.workers:
            worker.kill()
            worker.join()

    def suicides(self):
        """How many died at each crash point."""
        found = re.findall(rf"^{crashpoints.LAST_WORDS}(\S+)$", self._written(), re.MULTILINE)
        return dict(sorted(Counter(found).items()))

    def words(self):
        """The last lines the workers wrote, for a harness that does not end."""
        return self._written()[-3000:]

    def _written(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


def _begin(work, log, crash_at, outside):
    """In the new process: write to the log, see the outside, die with the harness, and work."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    for name, value in outside.items():
        setattr(settings, name, value)
    crashpoints.arm(crash_at)
    threading.Thread(target=_die_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    work()


def _die_with(harness):
    connection.wait([harness.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
