"""Misbehaviour on demand, told apart by what the ledger says was really done."""

import time

import httpx
import pytest


def writes(world):
    return world.truth("writes")["writes"]


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_an_error_before_or_after_the_work(world, when, done):
    adset = world.adsets[0]["id"]
    world.control("faults", {"kind": "error", "when": when, "method": "POST", "path": adset})
    answer = world.post(adset, status="PAUSED")
    assert (answer.status_code, world.error(answer)[0]) == (500, 2)
    assert len(writes(world)) == done
    assert world.post(adset, status="PAUSED").status_code == 200


@pytest.mark.parametrize("kind", ["hang", "drop"])
@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_lost_answer_before_or_after_the_work(world, kind, when, done):
    adset = world.adsets[0]["id"]
    world.control("faults", {"kind": kind, "when": when, "method": "POST", "seconds": 0.2})
    with pytest.raises(httpx.RemoteProtocolError):
        world.post(adset, status="PAUSED")
    assert len(writes(world)) == done


def test_a_caller_may_lose_patience_while_the_work_is_done(world):
    world.control("faults", {"kind": "hang", "when": "after", "seconds": 1})
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{world.url}/graph/v26.0/{world.adsets[0]['id']}",
            data={"access_token": "EAAGsandbox", "status": "PAUSED"},
            timeout=0.3,
            trust_env=False,
        )
    assert len(writes(world)) == 1


def test_throttling_carries_the_headers(world):
    world.control("faults", {"kind": "throttle", "code": 17, "minutes": 9, "path": "insights"})
    answer = world.raw("GET", f"act_{world.account}/insights")
    assert world.error(answer) == (17, 2446079)
    assert '"estimated_time_to_regain_access": 9' in answer.headers["x-business-use-case-usage"]
    assert f'"{world.account}"' in answer.headers["x-business-use-case-usage"]


def test_expired_token_slow_empty_and_html(world):
    world.control(
        "faults",
        {
            "faults": [
                {"kind": "expired_token"},
                {"kind": "slow", "seconds": 0.3, "skip": 1},
                {"kind": "empty_body", "skip": 2},
                {"kind": "html_body", "status": 502, "skip": 3},
            ]
        },
    )
    assert world.error(world.raw("GET", "me")) == (190, 463)
    began = time.monotonic()
    assert world.get("me")["id"]
    assert time.monotonic() - began > 0.3
    assert world.raw("GET", "me").content == b""
    answer = world.raw("GET", "me")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert world.get("me")["id"]


def test_a_fault_for_one_token_leaves_the_other_alone_and_probability_is_seeded(world):
    world.load(tokens=[{"token": "one"}, {"token": "two"}])
    world.control("faults", {"kind": "error", "token": "one", "probability": 0.5, "seed": "x"})

    def play():
        return [world.raw("GET", "me", access_token="one").status_code for _ in range(20)]

    first = play()
    assert {200, 500} == set(first)
    assert world.raw("GET", "me", access_token="two").status_code == 200
    [fault] = world.control("faults", {}, "GET")["faults"]
    assert (fault["matched"], fault["fired"]) == (20, first.count(500))
    world.control("faults", method="DELETE")
    assert play() == [200] * 20


def test_a_nonsense_order_is_refused_with_a_reason(world):
    answer = world.http.post("/_control/faults", headers=world.keys, json={"kind": "earthquake"})
    assert answer.status_code == 400
    assert "kind must be one of" in answer.json()["error"]


def test_the_request_log_counts_what_was_really_asked(world):
    world.get("me")
    world.get("me")
    log = world.control("requests", {}, "GET")
    assert {"method": "GET", "path": "/graph/v26.0/me", "status": 200, "count": 2} in log["counts"]
    assert "EAAGsandbox" not in str(log)
