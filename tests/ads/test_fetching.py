"""A whole fetch against the sandbox over HTTP, and everything that may get in its way."""

import datetime as dt
from decimal import Decimal

import pytest

from apps.ads.models import AdObject, Creative, CreativePerformance, PerformanceMetric, RawSnapshot, SpendHistory
from apps.ads.services import fetching
from apps.connectors import registry
from apps.connectors.models import Channel, SyncRun
from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.errors import Conflict
from apps.core.tenancy import use_client
from tests.ads.conftest import NOW, TOKEN, read

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(channel):
    with clock.at(NOW), use_client(channel.client):
        yield


def test_a_first_fetch_brings_the_whole_account(world, channel):
    made = world()

    run = read(channel)

    assert (run.state, run.error) == ("done", "")
    assert run.done == run.total == 6 + 60
    levels = {level: AdObject.objects.filter(level=level).count() for level in ("account", "campaign", "adset", "ad")}
    assert levels == {"account": 1, "campaign": 2, "adset": 4, "ad": 8}
    account = AdObject.objects.get(level="account")
    assert (account.name, account.currency, account.time_zone) == ("Durum France", "EUR", "Europe/Paris")
    adset = AdObject.objects.get(external_id=made["campaigns"][0]["adsets"][0]["id"])
    assert adset.daily_budget_minor == made["campaigns"][0]["adsets"][0]["daily_budget"]
    assert adset.parent.external_id == made["campaigns"][0]["id"]
    assert (adset.account, adset.channel) == (account, channel)
    ad = adset.children.first()
    assert ad.creative.hook
    assert ad.creative.angle
    assert Channel.objects.get().last_ok_at == NOW


def test_results_equal_what_the_account_itself_reports(world, channel):
    world()
    read(channel)
    connector = registry.ads(channel)

    rows, after = [], ""
    while True:
        page = connector.graph.page(
            "act_900/insights",
            endpoint="test",
            after=after,
            limit=7,
            level="ad",
            time_increment="1",
            time_range={"since": "2026-10-10", "until": "2026-11-19"},
            fields="ad_id,spend,impressions,clicks,actions,action_values",
        )
        rows += page.data
        after = page.after
        if not after:
            break
    stored = PerformanceMetric.objects.filter(day__gte="2026-10-10")

    assert stored.count() == len(rows) > 100
    assert sum(metric.spend for metric in stored) == sum(Decimal(row["spend"]) for row in rows)
    assert sum(metric.impressions for metric in stored) == sum(int(row["impressions"]) for row in rows)
    assert sum(metric.clicks for metric in stored) == sum(int(row["clicks"]) for row in rows)
    purchases = sum(
        Decimal(action["value"])
        for row in rows
        for action in row.get("actions", ())
        if action["action_type"] == "omni_purchase"
    )
    assert sum(metric.purchases for metric in stored) == purchases > 0
    revenue = sum(
        Decimal(value["value"])
        for row in rows
        for value in row.get("action_values", ())
        if value["action_type"] == "omni_purchase"
    )
    assert sum(metric.revenue or 0 for metric in stored) == revenue > 0


def test_the_same_fetch_again_changes_nothing_but_what_changed(world, channel, sandbox):
    world()
    read(channel)
    before = dict(PerformanceMetric.objects.values_list("pk", "spend"))

    with clock.at(NOW + dt.timedelta(hours=1)):
        run = read(channel)

    assert run.state == "done"
    assert dict(PerformanceMetric.objects.values_list("pk", "spend")) == before


def test_days_that_still_change_are_read_again_and_overwritten(world, channel):
    world(history_days=60)
    read(channel)
    day = dt.date(2026, 11, 1)
    rows = PerformanceMetric.objects.filter(day=day)
    spent = sum(row.spend for row in rows)
    rows.update(spend=1)
    old = PerformanceMetric.objects.filter(day=dt.date(2026, 10, 12))
    old.update(spend=1)
    ghost = PerformanceMetric.objects.filter(day=day).first()
    PerformanceMetric.objects.create(
        client=ghost.client, ad_object=AdObject.objects.get(level="account"), day=day, spend=3
    )
    stray = PerformanceMetric.objects.create(client=ghost.client, ad_object=ghost.ad_object.parent, day=day, spend=5)

    with clock.at(NOW + dt.timedelta(hours=1)):
        run = read(channel)

    assert sum(row.spend for row in PerformanceMetric.objects.filter(day=day, ad_object__level="ad")) == spent
    assert not PerformanceMetric.objects.filter(pk=stray.pk).exists()
    assert run.counts["removed"] == 1
    assert {row.spend for row in old.all()} == {Decimal(1)}


def test_a_page_of_any_size_ends_only_where_next_is_missing(world, channel, sandbox):
    world()
    sandbox.control("faults", {"kind": "empty_page", "path": "/insights", "count": 1})
    sandbox.control(
        "faults", {"kind": "short_page", "path": "/(ads|adsets|insights)", "count": 999, "params": {"keep": 3}}
    )

    run = read(channel)

    assert run.state == "done"
    assert AdObject.objects.filter(level="ad").count() == 8
    assert run.counts["results"] == PerformanceMetric.objects.count() > 100


def test_raw_answers_are_kept_without_the_token(world, channel, sandbox):
    world()
    sandbox.control("faults", {"kind": "short_page", "path": "/insights", "params": {"keep": 3}, "count": 20})
    run = read(channel)

    kept = RawSnapshot.objects.filter(run=run)

    assert kept.count() == run.counts["pages"] + 1
    assert not any(TOKEN in str(snapshot.payload) for snapshot in kept)
    assert kept.filter(kind="insights").first().payload["data"][0]["actions"]


def test_money_on_the_campaign_is_kept_on_the_campaign(world, channel):
    world(campaign_budget=True)
    read(channel)

    assert all(campaign.has_own_budget for campaign in AdObject.objects.filter(level="campaign"))
    assert not any(adset.has_own_budget for adset in AdObject.objects.filter(level="adset"))


def test_yen_have_no_hundredths(world, channel):
    made = world(currency="JPY", timezone="Asia/Tokyo")
    read(channel)

    adset = AdObject.objects.get(external_id=made["campaigns"][0]["adsets"][0]["id"])
    assert adset.daily_budget_minor == made["campaigns"][0]["adsets"][0]["daily_budget"]
    assert adset.currency == "JPY"
    spent = PerformanceMetric.objects.filter(ad_object__parent=adset, day="2026-11-18")
    assert Decimal("0.3") < sum(row.spend for row in spent) / adset.daily_budget_minor < Decimal("1.5")


@pytest.mark.parametrize(
    ("zone", "moment", "today"),
    [
        ("Asia/Tokyo", dt.datetime(2026, 11, 18, 16, 30, tzinfo=dt.UTC), dt.date(2026, 11, 19)),
        ("America/Los_Angeles", dt.datetime(2026, 11, 19, 5, 0, tzinfo=dt.UTC), dt.date(2026, 11, 18)),
    ],
)
def test_today_is_the_account_s_own(world, channel, zone, moment, today):
    world(now=moment, timezone=zone)
    with clock.at(moment):
        run = read(channel)

    assert run.cursor["today"] == today.isoformat()
    assert PerformanceMetric.objects.order_by("-day").first().day == today
    assert SpendHistory.objects.filter(day=today, daily_budget_minor__gt=0).exists()


def test_what_people_change_at_meta_is_noticed(world, channel, sandbox):
    made = world()
    read(channel)
    one, other = made["campaigns"][0]["adsets"]
    assert not AdObject.objects.filter(changed_elsewhere_at__isnull=False).exists()
    sandbox.control("people", {"object": one["id"], "daily_budget": 9900})
    sandbox.control("people", {"object": other["id"], "status": "PAUSED"})

    later = NOW + dt.timedelta(hours=1)
    with clock.at(later):
        run = read(channel)

    changed = AdObject.objects.filter(changed_elsewhere_at=later).order_by("external_id")
    assert {row.external_id for row in changed} == {one["id"], other["id"]}
    assert run.counts["changed_elsewhere"] == 2
    assert AdObject.objects.get(external_id=one["id"]).daily_budget_minor == 9900
    assert AdObject.objects.get(external_id=other["id"]).status == "PAUSED"


def test_what_durum_writes_itself_is_not_taken_for_somebody_else_s(world, channel):
    from apps.ads.services import storing

    made = world()
    read(channel)
    adset = AdObject.objects.get(external_id=made["campaigns"][0]["adsets"][0]["id"])
    later = NOW + dt.timedelta(minutes=30)
    registry.ads(channel).set_daily_budget(adset.external_id, adset.daily_budget_minor + 500)
    with clock.at(later):
        storing.note_own_write(ad_object_id=adset.pk, sent_at=later, daily_budget_minor=adset.daily_budget_minor + 500)
    with clock.at(NOW + dt.timedelta(hours=1)):
        run = read(channel)

    assert run.counts["changed_elsewhere"] == 0
    assert AdObject.objects.get(pk=adset.pk).daily_budget_minor == adset.daily_budget_minor + 500


def test_archived_and_deleted_objects_are_known_as_such(world, channel, sandbox):
    made = world()
    first, second = made["campaigns"][0]["adsets"]
    sandbox.control("people", {"object": first["id"], "status": "ARCHIVED"})
    read(channel)
    assert AdObject.objects.get(external_id=first["id"]).status == "ARCHIVED"
    sandbox.control("people", {"object": second["id"], "status": "DELETED"})

    # The short reading does not ask for what is gone: what it no longer hears of is looked up by number.
    with clock.at(NOW + dt.timedelta(hours=1)):
        run = read(channel, full=False, days=3)

    assert AdObject.objects.get(external_id=second["id"]).status == "DELETED"
    assert run.counts["looked_up"] >= 1


def test_what_meta_does_not_show_any_more_was_deleted(world, channel):
    world()
    read(channel)
    account = AdObject.objects.get(level="account")
    AdObject.objects.create(
        client=account.client,
        level="ad",
        external_id="404404",
        name="ghost",
        account=account,
        channel=channel,
        currency="EUR",
        parent=AdObject.objects.filter(level="adset").first(),
        seen_at=NOW,
    )

    with clock.at(NOW + dt.timedelta(hours=1)):
        run = read(channel)

    assert AdObject.objects.get(external_id="404404").status == "DELETED"
    assert run.counts["gone"] == 1


def test_results_of_an_ad_that_is_not_in_the_lists_are_kept(world, channel, sandbox):
    made = world()
    lost = made["campaigns"][0]["adsets"][0]["ads"][0]
    read(channel)
    total = sum(PerformanceMetric.objects.values_list("spend", flat=True))
    AdObject.objects.filter(level__in=["campaign", "adset", "ad"]).delete()
    sandbox.control(
        "faults",
        {
            "kind": "error",
            "path": "/act_900/(ads|adsets|campaigns)",
            "count": 3,
            "params": {"body": {"data": []}, "status": 200},
        },
    )

    with clock.at(NOW + dt.timedelta(hours=1)):
        run = read(channel, days=60, since=dt.date(2026, 9, 21))

    assert run.state == "done"
    assert sum(PerformanceMetric.objects.values_list("spend", flat=True)) == total
    ad = AdObject.objects.get(external_id=lost)
    assert ad.name != lost, "the stub was looked up"
    assert ad.parent.parent.external_id == made["campaigns"][0]["id"]


def test_a_dead_token_ends_the_run_and_marks_the_channel(world, channel, sandbox):
    world()
    sandbox.control("faults", {"kind": "expired_token", "path": "/adsets"})

    run = read(channel)

    assert run.state == "failed"
    assert "Connect the ad account again" in run.error
    assert "code 190 · subcode 463" in run.error_detail
    row = Channel.objects.get()
    assert row.state == "needs_reconnect"
    assert row.last_error == run.error
    assert fetching.request_all(full=True) == []


def test_a_pause_meta_asks_for_is_waited_for_on_the_row(world, channel, sandbox, redis_client):
    world()
    sandbox.control(
        "faults", {"kind": "throttle", "path": "/ads\\?", "count": 1, "params": {"code": 80004, "minutes": 7}}
    )

    run = read(channel)

    assert (run.state, run.stage) == ("waiting", "ads")
    assert run.not_before == NOW + dt.timedelta(minutes=7)
    assert "asked for a pause" in run.error
    assert SyncRun.objects.due(NOW + dt.timedelta(minutes=6)).count() == 0
    redis_client.flushdb()
    with clock.at(NOW + dt.timedelta(minutes=7)):
        run = fetching.work(run.pk, registry.ads(channel))
    assert (run.state, run.error) == ("done", "")


def test_meta_s_own_trouble_is_tried_again_and_given_up_in_the_end(world, channel, sandbox, redis_client):
    world()
    sandbox.control(
        "faults", {"kind": "error", "path": "/campaigns", "count": 999, "params": {"status": 500, "code": 2}}
    )
    moment, waits = NOW, []

    run = read(channel)
    while run.is_moving:
        waits.append(run.not_before - moment)
        moment = run.not_before
        redis_client.flushdb()
        with clock.at(moment):
            run = fetching.work(run.pk, registry.ads(channel))

    assert run.state == "failed"
    assert len(waits) == fetching.MAX_TRIES
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]
    assert "fbtrace_id" in run.error_detail


def test_too_much_data_shrinks_the_question_and_ends_as_a_report(world, channel, sandbox, redis_client):
    world(history_days=30, campaigns=1, adsets=1, ads=1)
    sandbox.control(
        "faults",
        {
            "kind": "error",
            "method": "GET",
            "count": 999,
            "path": "/act_900/insights",
            "params": {
                "status": 500,
                "code": 1,
                "message": "Please reduce the amount of data you're asking for, then retry your request",
            },
        },
    )
    moment = NOW
    run = read(channel, since=dt.date(2026, 11, 18))
    while run.is_moving:
        moment = max(moment, run.not_before)
        with clock.at(moment):
            run = fetching.work(run.pk, registry.ads(channel))

    assert (run.state, run.error) == ("done", "")
    assert set(PerformanceMetric.objects.values_list("day", flat=True)) == {
        dt.date(2026, 11, 18),
        dt.date(2026, 11, 19),
    }


def test_a_failed_report_is_asked_for_again_then_given_up(world, channel, sandbox, redis_client):
    world(history_days=30, campaigns=1, adsets=1, ads=1)
    sandbox.control(
        "faults",
        {
            "kind": "error",
            "method": "GET",
            "count": 999,
            "path": "/act_900/insights",
            "params": {"status": 500, "code": 1, "message": "reduce the amount of data"},
        },
    )
    sandbox.control("faults", {"kind": "job_failed", "count": 999, "method": "POST", "path": "/act_900/insights"})
    moment = NOW
    run = read(channel, since=dt.date(2026, 11, 19))
    while run.is_moving:
        moment = max(moment, run.not_before)
        with clock.at(moment):
            run = fetching.work(run.pk, registry.ads(channel))

    assert run.state == "failed"
    assert "could not prepare" in run.error
    assert "1504044" in run.error_detail


def test_a_forgotten_cursor_starts_the_list_again(world, channel, sandbox):
    world()
    sandbox.control("faults", {"kind": "short_page", "path": "/ads\\?", "count": 999, "params": {"keep": 3}})
    sandbox.control(
        "faults",
        {
            "kind": "error",
            "path": "after=.*",
            "count": 1,
            "params": {
                "status": 400,
                "code": 100,
                "subcode": 1349125,
                "message": "Invalid cursor",
                "is_transient": False,
            },
        },
    )

    run = read(channel)

    assert run.state == "done"
    assert AdObject.objects.filter(level="ad").count() == 8


def test_only_one_run_moves_per_account(world, channel):
    world()
    first = fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM)

    assert fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM) == first
    assert SyncRun.objects.count() == 1


def test_a_cancelled_run_stops_at_its_next_page(world, channel):
    world()
    run = fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM)

    def cancel(held):
        if held.stage == "ads":
            fetching.cancel_fetch(run_id=held.pk, actor=SYSTEM)

    assert fetching.work(run.pk, registry.ads(channel), on_step=cancel) is None
    run.refresh_from_db()
    assert (run.state, run.cursor["stage"]) == ("cancelled", "ads")
    assert AdObject.objects.filter(level="adset").count() == 4
    assert AdObject.objects.filter(level="ad").count() == 0


def test_spend_history_has_the_spend_of_every_day_and_the_budget_of_today(world, channel):
    world()
    read(channel)
    adset = AdObject.objects.filter(level="adset").first()
    day = dt.date(2026, 11, 18)
    spent = sum(PerformanceMetric.objects.filter(ad_object__parent=adset, day=day).values_list("spend", flat=True))

    history = SpendHistory.objects.filter(ad_object=adset)

    assert history.get(day=day).spend == spent > 0
    assert history.get(day=day).daily_budget_minor is None
    assert history.get(day=NOW.date()).daily_budget_minor == adset.daily_budget_minor
    campaign = SpendHistory.objects.get(ad_object=adset.parent, day=day)
    assert campaign.spend == sum(h.spend for h in SpendHistory.objects.filter(ad_object__parent=adset.parent, day=day))


def test_the_library_sums_what_each_creative_brought(world, channel):
    world()
    read(channel)
    creative = Creative.objects.first()
    rows = PerformanceMetric.objects.filter(ad_object__creative=creative)

    result = CreativePerformance.objects.get(creative=creative)

    assert result.spend == sum(row.spend for row in rows)
    assert result.clicks == sum(row.clicks for row in rows)
    assert (result.first_day, result.last_day) == (rows.order_by("day").first().day, rows.order_by("-day").first().day)
    assert creative.last_seen == NOW.date()


def test_a_client_that_is_switched_off_is_not_read(world, channel):
    run = fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM)
    channel.client.is_active = False
    channel.client.save()

    assert fetching.work(run.pk, registry.ads(channel)) is None
    assert not SyncRun.objects.due(clock.now()).exists()
    with pytest.raises(Conflict):
        fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM)
    assert not AdObject.objects.exists()
