"""The sandbox as a process of its own: the outside world that tests talk to over real HTTP."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent


class Sandbox:
    """A running sandbox: its addresses, its key, and the calls that steer it or tell the truth about it."""

    def __init__(self, port, key):
        self.port = port
        self.key = key
        self.url = f"http://127.0.0.1:{port}"
        self.graph_url = f"{self.url}/graph"
        self.slack_url = f"{self.url}/slack/api"
        self._http = httpx.Client(base_url=self.url, headers={"X-Sandbox-Key": key}, timeout=60)

    def control(self, path, payload=None):
        """POST to /_control/<path>; the answer's JSON."""
        return self._answer(self._http.post(f"/_control/{path}", json=payload or {}))

    def fault(self, kind, **order):
        """Order one misbehaviour, once unless `count` says otherwise."""
        return self.control("faults", {"kind": kind, **order})

    def forget_faults(self):
        """Cancel every misbehaviour that is still ordered."""
        self._answer(self._http.delete("/_control/faults"))

    def truth(self, path, **query):
        """GET /_truth/<path>: what only tests may know."""
        return self._answer(self._http.get(f"/_truth/{path}", params=query))

    def close(self):
        self._http.close()

    @staticmethod
    def _answer(response):
        response.raise_for_status()
        return response.json()


def start_sandbox(directory, key="test-key"):
    """Start `manage.py sandbox` with a new store in `directory`; the Sandbox and its process."""
    port = free_port()
    environment = os.environ | {"SANDBOX_KEY": key, "PYTHONUNBUFFERED": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    log = directory / "sandbox.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "manage.py",
                "sandbox",
                "--port",
                str(port),
                "--db",
                str(directory / "sandbox.sqlite3"),
            ],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 60
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise RuntimeError(f"The sandbox does not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)
    return Sandbox(port, key), process


def free_port():
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
