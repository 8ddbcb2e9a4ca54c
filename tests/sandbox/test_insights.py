"""Insights: strings, aliases, windows, partial days, asynchronous runs."""

import json

FIELDS = "ad_id,adset_id,impressions,reach,clicks,spend,actions,action_values"
WEEK = json.dumps({"since": "2026-11-13", "until": "2026-11-19"})


def test_rows_are_strings_and_levels_reconcile(world):
    edge = f"act_{world.account}/insights"
    ads, _ = world.walk(edge, level="ad", time_increment="1", time_range=WEEK, fields=FIELDS, limit="10")
    assert ads
    assert all(isinstance(row["spend"], str) and isinstance(row["impressions"], str) for row in ads)
    whole = world.get(edge, level="account", time_range=WEEK, fields="impressions,clicks,spend,reach")["data"][0]
    assert int(whole["impressions"]) == sum(int(row["impressions"]) for row in ads)
    assert int(whole["clicks"]) == sum(int(row["clicks"]) for row in ads)
    assert abs(float(whole["spend"]) - sum(float(row["spend"]) for row in ads)) < 0.01 * len(ads)
    assert int(whole["reach"]) < sum(int(row["reach"]) for row in ads)


def test_asking_twice_gives_the_same_and_pages_do_not_matter(world):
    ask = {"level": "ad", "time_increment": "1", "time_range": WEEK, "fields": FIELDS}
    edge = f"act_{world.account}/insights"
    assert world.walk(edge, **ask, limit="7")[0] == world.walk(edge, **ask, limit="500")[0]


def test_purchases_come_under_several_names(world):
    row = world.get(
        f"act_{world.account}/insights", time_range=WEEK, fields="actions,action_values,purchase_roas,spend"
    )["data"][0]
    counts = {action["action_type"]: int(action["value"]) for action in row["actions"]}
    assert counts["purchase"] == counts["omni_purchase"] == counts["offsite_conversion.fb_pixel_purchase"] > 0
    assert counts["page_engagement"] >= counts["post_engagement"] > counts["link_click"] >= counts["landing_page_view"]
    value = float(row["action_values"][0]["value"])
    assert abs(float(row["purchase_roas"][0]["value"]) - value / float(row["spend"])) < 1e-3


def test_leads_contain_their_two_kinds_and_have_no_value(world):
    world.load(accounts=[{"reports_revenue": False, "campaigns": 1, "currency": "TRY", "timezone": "Europe/Istanbul"}])
    row = world.get(f"act_{world.account}/insights", time_range=WEEK, fields="actions,action_values")["data"][0]
    counts = {action["action_type"]: int(action["value"]) for action in row["actions"]}
    assert counts["lead"] == counts["offsite_conversion.fb_pixel_lead"] + counts["onsite_conversion.lead_grouped"]
    assert "action_values" not in row


def test_attribution_windows_are_siblings_of_the_value_and_retired_ones_are_silent(world):
    row = world.get(
        f"act_{world.account}/insights",
        time_range=WEEK,
        fields="actions",
        action_attribution_windows='["7d_click","1d_view","7d_view"]',
    )["data"][0]
    purchase = next(action for action in row["actions"] if action["action_type"] == "purchase")
    assert int(purchase["7d_click"]) + int(purchase["1d_view"]) == int(purchase["value"])
    assert "7d_view" not in purchase


def test_no_delivery_no_row(world):
    adset = world.adsets[0]["id"]
    world.control("people", {"object": adset, "status": "PAUSED"})
    world.control("clock", {"advance_days": 3})
    range_ = json.dumps({"since": "2026-11-21", "until": "2026-11-23"})
    assert world.get(f"{adset}/insights", time_range=range_)["data"] == []
    ids = {
        row["adset_id"] for row in world.get(f"act_{world.account}/insights", level="adset", time_range=range_)["data"]
    }
    assert ids == {one["id"] for one in world.adsets} - {adset}


def test_today_fills_up_and_yesterday_still_gains_conversions(world):
    edge = f"act_{world.account}/insights"

    def look(day):
        row = world.get(edge, time_range=json.dumps({"since": day, "until": day}), fields="spend,actions")["data"][0]
        return float(row["spend"]), {one["action_type"]: int(one["value"]) for one in row["actions"]}.get("purchase", 0)

    early, before = look("2026-11-20"), look("2026-11-19")
    world.control("clock", {"advance_seconds": 6 * 3600})
    assert look("2026-11-20")[0] > early[0]
    world.control("clock", {"advance_days": 8})
    after = look("2026-11-19")
    assert after[0] == before[0]
    assert after[1] > before[1]


def test_bad_questions(world):
    edge = f"act_{world.account}/insights"
    assert world.error(world.raw("GET", edge, fields="spend,nonsense"))[0] == 100
    assert world.error(world.raw("GET", edge, level="planet"))[0] == 100
    assert world.error(world.raw("GET", edge, date_preset="last_century"))[0] == 100
    assert world.error(world.raw("GET", edge, time_range="{nope"))[0] == 100
    assert world.error(world.raw("GET", edge, time_range='{"since":"2020-01-01","until":"2020-01-02"}'))[0] == 3018
    assert world.error(world.raw("GET", edge, breakdowns="age")) == (2, 1504041)


def test_a_report_run_takes_its_time(world):
    ask = {"level": "ad", "time_increment": "1", "time_range": WEEK, "fields": FIELDS}
    run = world.post(f"act_{world.account}/insights", **ask).json()["report_run_id"]
    assert world.error(world.raw("GET", f"{run}/insights"))[0] == 2601
    states = [world.get(run) for _ in range(3)]
    assert [state["async_status"] for state in states] == ["Job Not Started", "Job Running", "Job Completed"]
    assert states[-1]["async_percent_completion"] == 100
    rows, pages = world.walk(f"{run}/insights", limit="30")
    assert pages > 1
    assert rows == world.walk(f"act_{world.account}/insights", **ask, limit="500")[0]


def test_a_report_run_may_be_unknown_at_first_or_fail(world):
    world.control("faults", {"faults": [{"kind": "run_missing"}, {"kind": "job_failed", "skip": 1}]})
    run = world.post(f"act_{world.account}/insights", time_range=WEEK).json()["report_run_id"]
    assert world.error(world.raw("GET", run)) == (100, 33)
    assert world.get(run)["async_status"] == "Job Not Started"
    world.control("faults", method="DELETE")
    world.control("faults", {"kind": "job_failed", "path": "insights"})
    run = world.post(f"act_{world.account}/insights", time_range=WEEK).json()["report_run_id"]
    failed = [world.get(run) for _ in range(3)][-1]
    assert (failed["async_status"], failed["error_code"]) == ("Job Failed", 2)
