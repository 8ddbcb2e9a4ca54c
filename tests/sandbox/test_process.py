"""The process: several callers at once, a hard kill, the same world after it."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.outside import ROOT
from tests.sandbox.conftest import KEY, TOKEN, World

RANGE = json.dumps({"since": "2026-11-13", "until": "2026-11-20"})


def start(file, port=0):
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.sandbox.serve", "--db", str(file), "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"SANDBOX_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line.startswith("Sandbox ready at http://127.0.0.1:"), line
    return process, line.split()[-1]


@pytest.fixture
def own_process(tmp_path):
    """A sandbox of the test's own, which it may kill; `restart()` brings it back on the same file."""
    started = []

    def restart():
        process, url = start(tmp_path / "sandbox.sqlite3")
        started.append(process)
        return process, url

    yield restart
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_sandbox_comes_back_as_it_was(own_process):
    process, url = own_process()
    world = World(url)
    world.load()
    adset = world.adsets[0]["id"]
    world.post(adset, daily_budget="7700")
    ask = {"level": "ad", "time_increment": "1", "time_range": RANGE, "fields": "ad_id,spend,actions", "limit": "500"}
    before = world.get(f"act_{world.account}/insights", **ask)["data"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    world.http.close()
    _, url = own_process()
    again = World(url)
    assert again.get(adset, fields="daily_budget")["daily_budget"] == "7700"
    assert again.get(f"act_{world.account}/insights", **ask)["data"] == before
    assert len(again.truth("writes")["writes"]) == 1
    again.http.close()


def test_what_was_answered_before_the_kill_is_in_the_ledger(own_process):
    process, url = own_process()
    world = World(url)
    world.load(accounts=[{"campaigns": 4, "adsets": 25, "ads": 1}])
    answered = []

    def write(adset):
        try:
            answer = httpx.post(
                f"{url}/graph/v26.0/{adset['id']}",
                data={"access_token": TOKEN, "status": "PAUSED"},
                trust_env=False,
                timeout=20,
            )
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            answered.append(adset["id"])
        if len(answered) == 30:
            process.send_signal(signal.SIGKILL)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, world.adsets))
    world.http.close()
    assert process.wait() == -signal.SIGKILL
    _, url = own_process()
    again = World(url)
    entered = [row["object_id"] for row in again.truth("writes")["writes"]]
    assert set(answered) <= set(entered)
    assert len(entered) == len(set(entered))
    assert 30 <= len(entered) < 100
    again.http.close()


def test_a_port_in_use_ends_with_one_sentence(running, tmp_path):
    command = [sys.executable, "-m", "apps.sandbox.serve", "--db", str(tmp_path / "x"), "--port", str(running.port)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "Give another --port" in ended.stderr


def test_four_callers_at_once_all_get_through(world):
    world.load(accounts=[{"campaigns": 4, "adsets": 20, "ads": 2}])

    def call(number):
        adset = world.adsets[number]
        with httpx.Client(base_url=world.url, trust_env=False, timeout=30) as http:
            own = {"access_token": TOKEN}
            wrote = http.post(f"/graph/v26.0/{adset['id']}", data=own | {"daily_budget": str(20_000 + number)})
            read = http.get(f"/graph/v26.0/{adset['id']}", params=own | {"fields": "daily_budget"})
            http.get(f"/graph/v26.0/act_{world.account}/insights", params=own | {"level": "ad", "limit": "50"})
            return wrote.status_code, read.json()["daily_budget"]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(call, range(80)))
    assert results == [(200, str(20_000 + number)) for number in range(80)]
    ledger = world.truth("writes")["writes"]
    assert len(ledger) == 80
    assert len({row["request_id"] for row in ledger}) == 80


def test_the_budget_limit_holds_against_callers_at_once(world):
    adset = world.adsets[0]["id"]

    def change(number):
        own = {"access_token": TOKEN, "daily_budget": str(9000 + number)}
        return httpx.post(f"{world.url}/graph/v26.0/{adset}", data=own, trust_env=False, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        results = sorted(pool.map(change, range(8)))
    assert results == [200] * 4 + [400] * 4
