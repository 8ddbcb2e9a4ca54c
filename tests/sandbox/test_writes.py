"""Updates: checked as Meta checks them, applied once, entered in the ledger."""

import json

import pytest


def test_a_budget_change_is_applied_and_entered(world):
    adset = world.adsets[0]
    answer = world.http.post(
        f"/graph/v26.0/{adset['id']}",
        data={"access_token": "EAAGsandbox", "daily_budget": "7600"},
        headers={"X-Request-Id": "req-1"},
    )
    assert answer.json() == {"success": True}
    assert world.get(adset["id"], fields="daily_budget")["daily_budget"] == "7600"
    [write] = world.truth("writes", object=adset["id"])["writes"]
    assert (write["field"], write["old"], write["new"]) == ("daily_budget", adset["daily_budget"], 7600)
    assert (write["source"], write["request_id"], write["changed"]) == ("api", "req-1", True)


def test_a_dry_run_checks_and_changes_nothing(world):
    adset = world.adsets[0]["id"]
    dry = {"execution_options": '["validate_only"]'}
    assert world.post(adset, daily_budget="7600", **dry).json() == {"success": True}
    assert world.error(world.post(adset, daily_budget="1", **dry)) == (100, 1885272)
    assert world.truth("writes")["writes"] == []


def test_read_after_write_and_several_fields(world):
    adset = world.adsets[0]["id"]
    answer = world.post(adset, status="PAUSED", name="Nouveau", fields="status,name,effective_status").json()
    assert answer == {"success": True, "status": "PAUSED", "name": "Nouveau", "effective_status": "PAUSED", "id": adset}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"daily_budget": "99"}, (100, 1885272)),
        ({"daily_budget": "12.5"}, (100, None)),
        ({"lifetime_budget": "90000"}, (100, None)),
        ({"status": "RUNNING"}, (100, None)),
        ({"colour": "red"}, (100, None)),
        ({}, (100, None)),
    ],
)
def test_bad_values_change_nothing(world, params, expected):
    assert world.error(world.post(world.adsets[0]["id"], **params)) == expected
    assert world.truth("writes")["writes"] == []


def test_the_fifth_budget_change_in_an_hour_is_refused_until_the_hour_is_over(world):
    adset = world.adsets[0]["id"]
    for step in range(4):
        assert world.post(adset, daily_budget=str(9000 + step)).status_code == 200
    assert world.error(world.post(adset, daily_budget="9100")) == (613, 1487632)
    assert world.post(adset, status="PAUSED").status_code == 200
    assert world.post(world.adsets[1]["id"], daily_budget="9100").status_code == 200
    world.control("clock", {"advance_seconds": 3601})
    assert world.post(adset, daily_budget="9100").status_code == 200


def test_the_budget_lives_in_one_place(world):
    world.load(accounts=[{"campaigns": [{"campaign_budget": True}, {}]}])
    shared, own = world.made["accounts"][0]["campaigns"]
    assert world.error(world.post(shared["adsets"][0]["id"], daily_budget="9000")) == (100, 1885621)
    assert world.error(world.post(own["id"], daily_budget="9000")) == (100, 1885621)
    assert world.post(shared["id"], daily_budget=str(shared["daily_budget"] + 500)).status_code == 200
    assert "daily_budget" not in world.get(shared["adsets"][0]["id"], fields="daily_budget")


def test_archived_and_deleted_objects_are_nearly_closed(world):
    adset = world.adsets[0]["id"]
    world.post(adset, status="ARCHIVED")
    assert world.error(world.post(adset, status="ACTIVE")) == (100, 1487056)
    assert world.error(world.post(adset, daily_budget="9000")) == (100, 1487056)
    assert world.post(adset, name="Vieux").status_code == 200
    assert world.raw("DELETE", f"{adset}?access_token=EAAGsandbox").json() == {"success": True}
    assert world.error(world.post(adset, status="PAUSED")) == (100, 1487566)
    assert world.get(adset, fields="status")["status"] == "DELETED"


def test_a_budget_cannot_go_under_what_is_spent(world):
    adset = world.adsets[0]["id"]
    world.control("clock", {"now": "2026-11-20T22:00:00+00:00"})
    assert world.error(world.post(adset, daily_budget="200")) == (100, 1885650)


def test_yen_have_no_cents(world):
    world.load(accounts=[{"currency": "JPY", "timezone": "Asia/Tokyo", "campaigns": 1}])
    budget = int(world.adsets[0]["daily_budget"])
    row = world.get(f"act_{world.account}/insights", level="adset", date_preset="yesterday", fields="adset_id,spend")[
        "data"
    ]
    spend = {one["adset_id"]: float(one["spend"]) for one in row}[world.adsets[0]["id"]]
    assert 0.7 * budget < spend < 1.3 * budget
    assert spend == int(spend)


def test_people_change_things_behind_our_back_without_rules(world):
    adset = world.adsets[0]["id"]
    world.control("people", {"object": adset, "daily_budget": 12345})
    assert world.get(adset, fields="daily_budget")["daily_budget"] == "12345"
    assert world.truth("writes", source="person")["writes"][0]["new"] == 12345


def test_a_batch_answers_in_order_and_each_item_for_itself(world):
    first, second = (adset["id"] for adset in world.adsets[:2])
    items = [
        {"method": "GET", "relative_url": f"v26.0/{first}?fields=id"},
        {"method": "POST", "relative_url": second, "body": "daily_budget=7700"},
        {"method": "POST", "relative_url": first, "body": "daily_budget=1"},
    ]
    world.control("faults", {"kind": "batch_null", "items": [0], "skip": 1})
    answer = world.post("", batch=json.dumps(items)).json()
    assert [item["code"] for item in answer] == [200, 200, 400]
    assert json.loads(answer[0]["body"]) == {"id": first}
    assert json.loads(answer[2]["body"])["error"]["error_subcode"] == 1885272
    assert world.post("", batch=json.dumps(items)).json()[0] is None
    assert world.error(world.post("", batch=json.dumps(items[:1] * 51)))[0] == 100


def test_more_money_brings_more_at_a_falling_return_and_the_truth_knows_how_much(world):
    adset = world.adsets[0]
    world.post(adset["id"], daily_budget=str(adset["daily_budget"] * 2))
    [write] = world.truth("writes")["writes"]
    ask = {"object": adset["id"], "from": "2026-11-21", "to": "2026-11-24"}
    told = world.truth("effects", change=write["id"], **ask)
    assert told["ratio"]["spend"] == pytest.approx(2.0)
    assert 2**0.6 < told["ratio"]["conversions"] < 2**0.75
    assert told["actual"]["roi"] < told["counterfactual"]["roi"]
    assert world.truth("effects", **ask) == told
    assert world.truth("params", object=adset["id"])["params"]["alpha"] == 0.75
    world.control("clock", {"advance_days": 6})
    range_ = json.dumps({"since": "2026-11-21", "until": "2026-11-24"})
    spend = world.get(f"{adset['id']}/insights", time_range=range_, fields="spend")["data"][0]["spend"]
    assert float(spend) == pytest.approx(told["actual"]["spend"], rel=0.1)
