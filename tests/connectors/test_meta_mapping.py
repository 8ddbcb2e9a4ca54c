"""Meta's JSON, as the wire sheet has it, into our records."""

import datetime as dt
from decimal import Decimal

import pytest

from apps.ads.angles import angle_of, hook_of
from apps.connectors import currencies
from apps.connectors.providers.meta_ads import mapping
from apps.core.errors import Rejected

ROW = {
    "campaign_id": "120330001",
    "adset_id": "120330002",
    "ad_id": "120330003",
    "date_start": "2026-11-18",
    "date_stop": "2026-11-18",
    "impressions": "8123",
    "reach": "6011",
    "clicks": "204",
    "inline_link_clicks": "151",
    "spend": "81.86",
    "actions": [
        {"action_type": "landing_page_view", "value": "120"},
        {"action_type": "offsite_conversion.fb_pixel_lead", "value": "6"},
        {"action_type": "onsite_conversion.lead_grouped", "value": "3"},
        {"action_type": "lead", "value": "9", "7d_click": "8", "1d_view": "1"},
        {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "4"},
        {"action_type": "purchase", "value": "4"},
        {"action_type": "omni_purchase", "value": "5"},
    ],
    "action_values": [
        {"action_type": "purchase", "value": "400"},
        {"action_type": "omni_purchase", "value": "412.5"},
    ],
}


def test_one_canonical_action_type_per_kpi_and_never_a_sum():
    row = mapping.insight(ROW)

    assert (row.leads, row.purchases, row.revenue) == (Decimal(9), Decimal(5), Decimal("412.5"))
    assert (row.spend, row.impressions, row.reach, row.link_clicks) == (Decimal("81.86"), 8123, 6011, 151)
    assert row.day == dt.date(2026, 11, 18)


def test_the_next_type_stands_in_where_the_first_is_missing():
    actions = [a for a in ROW["actions"] if a["action_type"] not in ("lead", "omni_purchase")]

    row = mapping.insight(ROW | {"actions": actions, "action_values": ROW["action_values"][:1]})

    assert (row.leads, row.purchases, row.revenue) == (Decimal(3), Decimal(4), Decimal(400))


def test_a_missing_key_is_not_a_zero():
    row = mapping.insight({"ad_id": "1", "date_start": "2026-11-18", "impressions": "4", "spend": "0.02"})

    assert (row.reach, row.link_clicks, row.revenue) == (None, None, None)
    assert (row.leads, row.purchases, row.clicks) == (0, 0, 0)


@pytest.mark.parametrize("unset", [{}, {"daily_budget": None}, {"daily_budget": "0"}, {"daily_budget": ""}])
def test_absent_null_and_zero_budgets_mean_that_the_money_is_elsewhere(unset):
    node = mapping.node("adset", {"id": "2", "campaign_id": "1", "name": "x", "status": "ACTIVE"} | unset)

    assert node.daily_budget is None


def test_times_keep_their_offset():
    assert mapping.moment("2026-11-18T09:12:44+0300") == dt.datetime(2026, 11, 18, 6, 12, 44, tzinfo=dt.UTC)
    assert mapping.moment(None) is None


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ({"image_url": "https://x"}, "image"),
        ({"image_url": "https://x", "video_id": "7"}, "video"),
        ({"object_story_spec": {"link_data": {"child_attachments": [{}]}}, "image_url": "https://x"}, "carousel"),
        ({"asset_feed_spec": {"videos": [{"video_id": "1"}]}}, "video"),
        ({}, "other"),
    ],
)
def test_the_format_is_read_from_whichever_place_has_it(raw, kind):
    assert mapping.creative({"id": "7"} | raw).format == kind


def test_a_creative_takes_its_texts_from_the_story_when_it_has_none_itself():
    creative = mapping.creative(
        {
            "id": "7",
            "url_tags": "utm_source=meta&angle=prix",
            "object_story_spec": {"link_data": {"message": "Un\nDeux", "name": "Titre", "link": "https://a.example"}},
        }
    )

    assert (creative.body, creative.title, creative.link_url) == ("Un\nDeux", "Titre", "https://a.example")
    assert creative.angle_tag == "prix"
    assert hook_of(creative.body, creative.title) == "Un"


@pytest.mark.parametrize(
    ("names", "tag", "angle"),
    [
        (("IMG | Prix | Un grand vin",), "", "Prix"),
        (("summer angle: price drop",), "", "price drop"),
        (("IMG | Prix | Un grand vin",), "proof", "proof"),
        (("just a name", "CAR | Terroir | x"), "", "Terroir"),
        (("just | two",), "", ""),
    ],
)
def test_the_angle_comes_from_the_tag_or_the_name(names, tag, angle):
    assert angle_of(*names, tag=tag) == angle


def test_minor_units_follow_meta_s_table_not_iso():
    assert currencies.to_minor("75.5", "EUR") == 7550
    assert currencies.to_minor("7500", "JPY") == 7500
    assert currencies.to_minor("10", "HUF") == 10
    assert currencies.to_minor("10", "BHD") == 1000
    assert currencies.to_major(7550, "EUR") == Decimal("75.50")
    assert currencies.to_major(7550, "JPY") == 7550
    assert currencies.to_major(None, "EUR") is None
    with pytest.raises(Rejected, match="XAU"):
        currencies.to_minor("1", "XAU")
