"""Structure reads in Meta's shapes."""

import hashlib
import hmac

from tests.sandbox.conftest import NOW, TOKEN


def test_control_needs_its_key_and_ping_does_not(world):
    assert world.http.get("/_control/ping").status_code == 200
    assert world.http.post("/_control/scenario", json={}).status_code == 403
    assert world.http.get("/_truth/writes", headers={"X-Sandbox-Key": "no"}).status_code == 403


def test_the_same_scenario_makes_the_same_ids_beyond_javascript(world):
    first = world.made
    assert world.load() == first
    assert all(int(adset["id"]) > 2**53 for adset in world.adsets)
    assert world.load(seed=8)["accounts"][0]["id"] != first["accounts"][0]["id"]


def test_account_fields(world):
    me = world.get(
        "me/adaccounts", fields="id,account_id,name,currency,timezone_name,timezone_offset_hours_utc,min_daily_budget"
    )
    assert me["data"] == [
        {
            "id": f"act_{world.account}",
            "account_id": world.account,
            "name": "Domaine des Tests",
            "currency": "EUR",
            "timezone_name": "Europe/Paris",
            "timezone_offset_hours_utc": 1.0,
            "min_daily_budget": 100,
        }
    ]
    assert "next" not in me["paging"]


def test_an_ad_set_has_its_budget_as_text_in_minor_units_and_times_with_the_offset(world):
    adset = world.adsets[0]
    row = world.get(
        adset["id"], fields="id,daily_budget,lifetime_budget,budget_remaining,status,effective_status,updated_time"
    )
    assert row["daily_budget"] == str(adset["daily_budget"])
    assert "lifetime_budget" not in row
    assert 0 < int(row["budget_remaining"]) < int(row["daily_budget"])
    assert row["status"] == row["effective_status"] == "ACTIVE"
    assert row["updated_time"][-5:] in {"+0100", "+0200"}


def test_unknown_fields_ids_and_edges_are_refused_as_meta_does(world):
    assert world.error(world.raw("GET", world.adsets[0]["id"], fields="id,nonsense")) == (100, None)
    assert world.error(world.raw("GET", "120200000000000001")) == (100, 33)
    assert world.error(world.raw("GET", f"act_{world.account}/nonsense"))[0] == 2500


def test_paging_ends_when_next_is_missing_and_next_carries_the_token(world):
    first = world.get(f"act_{world.account}/ads", fields="id", limit="5")
    assert TOKEN in first["paging"]["next"]
    follow = world.http.get(first["paging"]["next"]).json()
    assert len(follow["data"]) == 5
    rows, pages = world.walk(f"act_{world.account}/ads", fields="id", limit="5")
    assert (len({row["id"] for row in rows}), pages) == (12, 3)
    world.control("switches", {"page_limit": 2})
    assert world.walk(f"act_{world.account}/ads", fields="id", limit="500")[1] == 6


def test_short_and_empty_pages_still_have_a_next(world):
    world.control("faults", {"faults": [{"kind": "empty_page", "path": "/ads"}, {"kind": "short_page", "skip": 1}]})
    page = world.get(f"act_{world.account}/ads", fields="id", limit="50")
    assert page["data"] == []
    assert "next" in page["paging"]
    page = world.get(f"act_{world.account}/ads", fields="id", limit="4", after=page["paging"]["cursors"]["after"])
    assert len(page["data"]) == 2
    rest, _ = world.walk(f"act_{world.account}/ads", fields="id", limit="50", after=page["paging"]["cursors"]["after"])
    assert len(rest) == 10


def test_parents_show_through_in_effective_status_and_archived_is_hidden_unless_asked(world):
    campaign = world.made["accounts"][0]["campaigns"][0]
    adset = campaign["adsets"][0]
    world.control("people", {"object": campaign["id"], "status": "PAUSED"})
    assert world.get(adset["id"], fields="effective_status")["effective_status"] == "CAMPAIGN_PAUSED"
    assert world.get(adset["ads"][0], fields="effective_status")["effective_status"] == "CAMPAIGN_PAUSED"
    world.control("people", {"object": adset["id"], "status": "ARCHIVED"})
    edge = f"{campaign['id']}/adsets"
    assert adset["id"] not in [row["id"] for row in world.get(edge)["data"]]
    asked = world.get(edge, fields="id", effective_status='["ARCHIVED"]')["data"]
    assert asked == [{"id": adset["id"]}]
    filtering = '[{"field":"adset.effective_status","operator":"IN","value":["ARCHIVED","CAMPAIGN_PAUSED"]}]'
    assert len(world.get(edge, filtering=filtering)["data"]) == 3


def test_field_expansion_and_many_ids(world):
    ids = world.adsets[0]["ads"]
    many = world.get(
        "", ids=",".join(ids), fields="id,adset{name},creative{id,body,title},insights.date_preset(last_7d){spend}"
    )
    assert list(many) == ids
    ad = many[ids[0]]
    assert set(ad["creative"]) == {"id", "body", "title"}
    assert float(ad["insights"]["data"][0]["spend"]) > 0
    assert ad["adset"]["name"] == world.get(world.adsets[0]["id"], fields="name")["name"]
    nested = world.get(world.adsets[0]["id"], fields="ads.limit(1){id,name}")["ads"]
    assert len(nested["data"]) == 1


def test_versions(world):
    assert world.error(world.raw("GET", f"act_{world.account}", version="v24.0/")) == (2635, None)
    assert world.error(world.raw("GET", f"act_{world.account}", version="")) == (2635, None)
    assert world.raw("GET", "me", version="").status_code == 200


def test_dead_tokens_missing_scopes_and_foreign_accounts(world):
    world.load(
        tokens=[
            {"token": TOKEN},
            {"token": "late", "expires_at": "2026-11-20T10:00:00+00:00"},
            {"token": "reader", "scopes": ["ads_read"]},
            {"token": "stranger", "accounts": []},
        ]
    )
    adset = world.adsets[0]["id"]
    assert world.error(world.raw("GET", adset, access_token="nobody")) == (190, None)
    assert world.raw("GET", adset, access_token="late").status_code == 200
    world.control("clock", {"advance_seconds": 3600})
    assert world.error(world.raw("GET", adset, access_token="late")) == (190, 463)
    assert world.error(world.raw("POST", adset, access_token="reader", status="PAUSED")) == (200, None)
    assert world.error(world.raw("GET", adset, access_token="stranger")) == (100, 33)
    world.control("tokens", {"token": TOKEN, "dead_subcode": 460})
    assert world.error(world.raw("GET", adset)) == (190, 460)


def test_debug_token(world):
    world.load(apps=[{"id": "77", "secret": "s"}])
    data = world.get("debug_token", input_token=TOKEN, access_token="77|s")["data"]
    assert data["is_valid"] is True
    assert data["expires_at"] == 0
    assert "ads_management" in data["scopes"]
    world.control("tokens", {"token": TOKEN, "dead_subcode": 458})
    data = world.get("debug_token", input_token=TOKEN, access_token="77|s")["data"]
    assert (data["is_valid"], data["error"]["subcode"]) == (False, 458)


def test_the_secret_must_be_proved_where_there_is_one(world):
    world.load(apps=[{"id": "77", "secret": "s3cret"}])
    assert world.error(world.raw("GET", "me")) == (100, None)
    assert world.error(world.raw("GET", "me", appsecret_proof="00")) == (100, None)
    proof = hmac.new(b"s3cret", TOKEN.encode(), hashlib.sha256).hexdigest()
    assert world.get("me", appsecret_proof=proof)["id"]


def test_usage_headers_and_a_used_up_account(world):
    answer = world.raw("GET", f"act_{world.account}/insights")
    assert {"x-app-usage", "x-ad-account-usage", "x-business-use-case-usage", "x-fb-ads-insights-throttle"} <= set(
        answer.headers
    )
    world.control("accounts", {"account": world.account, "rate_limit_points": 1})
    refused = world.post(world.adsets[0]["id"], status="PAUSED")
    assert world.error(refused) == (80004, 2446079)
    assert '"estimated_time_to_regain_access": 5' in refused.headers["x-business-use-case-usage"]
    assert world.truth("writes")["writes"] == []
    world.control("clock", {"advance_seconds": 301})
    assert world.post(world.adsets[0]["id"], status="PAUSED").status_code == 200


def test_the_clock_stands_still_until_told(world):
    assert world.control("clock", {}, "GET")["now"] == NOW
    assert world.control("clock", {"advance_days": 2})["now"] == "2026-11-22T09:07:00+00:00"
    assert world.control("clock", {"real": True})["mode"] == "real"


def test_bad_filters_are_refused_not_crashed_on(world):
    edge = f"act_{world.account}/ads"
    for filtering in ("[1]", "{}", '[{"field":"ad.name"}]', '[{"field":"planet","operator":"IN","value":[1]}]'):
        assert world.error(world.raw("GET", edge, filtering=filtering))[0] == 100
    assert world.error(world.raw("GET", f"act_{world.account}/insights", level="ad", filtering="[1]"))[0] == 100


def test_a_person_makes_a_new_ad_with_french_copy(world):
    adset = world.adsets[0]["id"]
    made = world.control("people", {"new_ad_in": adset, "ad": {"angle": "Nouveau", "body": "Goûtez."}})
    ads = world.get(f"{adset}/ads", fields="id,created_time,creative{body}")["data"]
    assert ads[-1]["id"] == made["id"]
    assert ads[-1]["creative"]["body"] == "Goûtez."
    assert ads[-1]["created_time"].startswith("2026-11-20T10:07")
    world.control("clock", {"advance_days": 2})
    assert float(world.get(f"{made['id']}/insights", date_preset="yesterday", fields="spend")["data"][0]["spend"]) > 0


def test_a_second_scenario_may_be_added_to_the_first(world):
    first = world.made["accounts"][0]
    second = world.load(reset=False, accounts=[{"name": "Deux", "currency": "JPY", "campaigns": 1}])["accounts"][0]
    assert second["id"] != first["id"]
    assert world.get(f"act_{second['id']}", fields="currency")["currency"] == "JPY"
    answer = world.http.post("/_control/scenario", headers=world.keys, json={"reset": False, "accounts": [second]})
    assert answer.status_code == 400
