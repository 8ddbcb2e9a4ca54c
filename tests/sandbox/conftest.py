"""The sandbox under test is a running process; nothing here needs PostgreSQL.

`pytest --confcutdir=tests/sandbox tests/sandbox` runs these tests without the embedded servers.
"""

import http.server
import json
import threading
from urllib.parse import parse_qs

import httpx
import pytest

from tests.outside import start_sandbox

KEY = "test-key"
NOW = "2026-11-20T09:07:00+00:00"
TOKEN = "EAAGsandbox"
BASE = {
    "seed": 7,
    "now": NOW,
    "apps": [{"id": "77"}],
    "tokens": [{"token": TOKEN, "app": "77"}],
    "accounts": [
        {
            "name": "Domaine des Tests",
            "currency": "EUR",
            "timezone": "Europe/Paris",
            "campaigns": 2,
            "adsets": 3,
            "ads": 2,
        }
    ],
}


class World:
    """A scenario that was loaded, and short ways to ask about it."""

    def __init__(self, url):
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self.keys = {"X-Sandbox-Key": KEY}
        self.made = {}

    def load(self, **changes):
        self.made = self.control("scenario", BASE | changes)
        return self.made

    @property
    def account(self):
        return self.made["accounts"][0]["id"]

    @property
    def adsets(self):
        return [adset for campaign in self.made["accounts"][0]["campaigns"] for adset in campaign["adsets"]]

    def control(self, path, body=None, method="POST"):
        answer = self.http.request(method, f"/_control/{path}", headers=self.keys, json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def truth(self, path, **query):
        answer = self.http.get(f"/_truth/{path}", headers=self.keys, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw(self, method, path, version="v26.0/", **params):
        params = {"access_token": TOKEN} | params
        place = {"params": params} if method == "GET" else {"data": params}
        return self.http.request(method, f"/graph/{version}{path}", **place)

    def get(self, path, **params):
        answer = self.raw("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, **params):
        return self.raw("POST", path, **params)

    def error(self, answer):
        assert answer.status_code >= 400, answer.text
        body = answer.json()["error"]
        return body["code"], body.get("error_subcode")

    def walk(self, path, **params):
        """All rows of an edge, page after page, and the number of pages."""
        rows, pages = [], 0
        while True:
            page = self.get(path, **params)
            rows += page["data"]
            pages += 1
            if "next" not in page.get("paging", {}):
                return rows, pages
            params["after"] = page["paging"]["cursors"]["after"]

    def slack(self, method, token="xoxb-sandbox", **body):
        return self.http.post(f"/slack/api/{method}", headers={"Authorization": f"Bearer {token}"}, json=body)


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """The process, once per worker."""
    outside, process = start_sandbox(tmp_path_factory.mktemp("outside"), key=KEY)
    yield outside
    outside.close()
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def world(running):
    """A small world with one account, its clock standing at 10:07 in Paris."""
    made = World(running.url)
    made.load()
    yield made
    made.http.close()


class Durum(http.server.BaseHTTPRequestHandler):
    """Stands where Durum will: keeps what Slack sends and answers what the test wants."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = parse_qs(body)
        payload = json.loads(form["payload"][0] if "payload" in form else body)
        self.server.received.append((dict(self.headers), body, payload))
        wanted = self.server.answer(payload) if self.server.answer else ""
        text = json.dumps(wanted).encode() if wanted else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def receiver():
    """A local listener that records Slack's requests."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Durum)
    server.received, server.answer = [], None
    server.url = f"http://127.0.0.1:{server.server_port}/slack/events/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
