"""Meta's JSON into our records. Pure.

Numbers arrive as strings, keys without a value do not arrive at all, and one purchase shows up under several
action types: each KPI takes the first type of its list that is present, and never a sum of types.
"""

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from urllib.parse import parse_qsl

from .records import AD, ADSET, CAMPAIGN, Account, AdNode, CreativeRecord, InsightRow

# `lead` already contains pixel and instant-form leads; the others stand in only where it is missing.
LEADS = ("lead", "onsite_conversion.lead_grouped", "leadgen_grouped", "offsite_conversion.fb_pixel_lead")
PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
# 1 active, 3 unsettled, 9 grace period: these still answer. Disabled, closing and closed ones do not deliver.
OPEN_STATES = {1, 3, 7, 8, 9}
ZERO = Decimal(0)

_CREATIVE = (
    "creative{id,name,title,body,object_type,call_to_action_type,image_url,thumbnail_url,video_id,link_url,url_tags,"
    "object_story_spec,asset_feed_spec}"
)
FIELDS = {
    CAMPAIGN: "id,name,objective,status,effective_status,daily_budget,lifetime_budget,bid_strategy,created_time,"
    "updated_time",
    ADSET: "id,name,campaign_id,status,effective_status,daily_budget,lifetime_budget,bid_strategy,optimization_goal,"
    "learning_stage_info,created_time,updated_time",
    AD: f"id,name,adset_id,campaign_id,status,effective_status,created_time,updated_time,{_CREATIVE}",
}
ACCOUNT_FIELDS = "id,account_id,name,account_status,currency,timezone_name"
INSIGHT_FIELDS = "campaign_id,adset_id,ad_id,spend,impressions,reach,clicks,inline_link_clicks,actions,action_values"
_PARENT = {CAMPAIGN: None, ADSET: "campaign_id", AD: "adset_id"}


def account(raw):
    """An ad account."""
    return Account(
        id=_with_prefix(raw.get("id") or raw["account_id"]),
        name=raw.get("name") or raw["id"],
        currency=raw.get("currency", ""),
        time_zone=raw.get("timezone_name", "UTC"),
        is_open=raw.get("account_status", 1) in OPEN_STATES,
        raw=raw,
    )


def _with_prefix(account_id):
    return account_id if account_id.startswith("act_") else f"act_{account_id}"


def node(level, raw):
    """A campaign, ad set or ad."""
    parent = _PARENT[level]
    return AdNode(
        level=level,
        id=raw["id"],
        parent_id=raw.get(parent, "") if parent else "",
        name=raw.get("name") or raw["id"],
        status=raw.get("status") or raw.get("configured_status") or "ACTIVE",
        effective_status=raw.get("effective_status", ""),
        objective=raw.get("objective", ""),
        optimization_goal=raw.get("optimization_goal", ""),
        daily_budget=budget(raw.get("daily_budget")),
        lifetime_budget=budget(raw.get("lifetime_budget")),
        bid_strategy=raw.get("bid_strategy") or "",
        learning_status=(raw.get("learning_stage_info") or {}).get("status", ""),
        creative=creative(raw["creative"]) if level == AD and raw.get("creative") else None,
        created_at=moment(raw.get("created_time")),
        updated_at=moment(raw.get("updated_time")),
    )


def budget(value):
    """Minor units; absent, null and "0" all mean that no budget is set here."""
    return int(value) or None if value not in (None, "") else None


def moment(text):
    """`2026-11-18T09:12:44+0300` as an aware datetime."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z") if text else None


def creative(raw):
    """What an ad shows, from whichever of Meta's places has it."""
    story = raw.get("object_story_spec") or {}
    link, video, feed = story.get("link_data") or {}, story.get("video_data") or {}, raw.get("asset_feed_spec") or {}
    action = link.get("call_to_action") or video.get("call_to_action") or {}
    return CreativeRecord(
        id=raw["id"],
        name=raw.get("name", ""),
        format=_format(raw, link, video, feed),
        title=raw.get("title") or link.get("name") or video.get("title") or _first(feed, "titles", "text"),
        body=raw.get("body") or link.get("message") or video.get("message") or _first(feed, "bodies", "text"),
        call_to_action=raw.get("call_to_action_type") or action.get("type", ""),
        link_url=raw.get("link_url")
        or link.get("link")
        or (action.get("value") or {}).get("link")
        or _first(feed, "link_urls", "website_url"),
        media_url=raw.get("image_url") or raw.get("thumbnail_url") or "",
        angle_tag=dict(parse_qsl(raw.get("url_tags") or "")).get("angle", ""),
    )


def _format(raw, link, video, feed):
    if link.get("child_attachments"):
        return "carousel"
    if raw.get("video_id") or raw.get("object_type") == "VIDEO" or video or feed.get("videos"):
        return "video"
    if raw.get("image_url") or raw.get("image_hash") or link.get("image_hash") or feed.get("images"):
        return "image"
    return "other"


def _first(feed, key, inner):
    entries = feed.get(key) or [{}]
    return entries[0].get(inner, "")


def insight(raw):
    """One ad and day."""
    get = raw.get
    counts = {action["action_type"]: action.get("value") for action in get("actions") or ()}
    values = {action["action_type"]: action.get("value") for action in get("action_values") or ()}
    reach, link_clicks = get("reach"), get("inline_link_clicks")
    return InsightRow(
        raw["ad_id"],
        get("adset_id", ""),
        get("campaign_id", ""),
        _day(raw["date_start"]),
        Decimal(get("spend") or 0),
        int(get("impressions") or 0),
        int(reach) if reach is not None else None,
        int(get("clicks") or 0),
        int(link_clicks) if link_clicks is not None else None,
        first_of(LEADS, counts) or ZERO,
        first_of(PURCHASES, counts) or ZERO,
        first_of(PURCHASES, values),
    )


@lru_cache(maxsize=512)
def _day(text):
    return dt.date.fromisoformat(text)


def first_of(kinds, told):
    """The value of the first of `kinds` that was told, as Decimal, or None. Never a sum: types nest."""
    for kind in kinds:
        value = told.get(kind)
        if value is not None:
            return Decimal(value)
    return None
