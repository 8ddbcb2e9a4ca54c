"""Accounts, campaigns, ad sets, ads and creatives as Meta writes them: one function per field."""

import datetime as dt
from zoneinfo import ZoneInfo

from apps.sandbox import tree
from apps.sandbox.graph import currency
from apps.sandbox.graph.calls import Wanted
from apps.sandbox.graph.errors import no_such_field
from apps.sandbox.models import Node, Write
from apps.sandbox.world import days, observed

DEFAULTS = {
    "account": ("account_id", "id"),
    "creative": ("id",),
    "campaign": ("id",),
    "adset": ("id",),
    "ad": ("id",),
}
GRAPH_NAMES = {"account": "AdAccount", "campaign": "AdCampaignGroup", "adset": "AdCampaign", "ad": "AdGroup"}
EXPANDABLE = {
    "account": {"campaigns", "adsets", "ads", "adcreatives", "insights"},
    "campaign": {"adsets", "ads", "insights"},
    "adset": {"campaign", "ads", "insights"},
    "ad": {"campaign", "adset", "creative", "insights"},
    "creative": set(),
}
LEARNING_SECONDS = 3 * 86_400


class Reader:
    """Renders nodes for one call; `expand(reader, kind, row, entry)` answers references and edges in `fields`."""

    def __init__(self, call, expand):
        self.call = call
        self._expand = expand
        self._spent = {}

    def render(self, kind, row, wanted):
        """The node as a dict of the wanted fields; a field without a value is left out, `id` always comes."""
        wanted = wanted or [Wanted(name) for name in DEFAULTS[kind]]
        made = {}
        for entry in wanted:
            value = self._field(kind, row, entry)
            if value is not None:
                made[entry.name] = value
        if "id" not in made:
            made["id"] = f"act_{row.pk}" if kind == "account" else row.pk
        return made

    def _field(self, kind, row, entry):
        reader = FIELDS[kind].get(entry.name)
        if reader is not None:
            return reader(self, row)
        if entry.name in EXPANDABLE[kind]:
            return self._expand(self, kind, row, entry)
        raise no_such_field(entry.name, GRAPH_NAMES.get(kind, "AdCreative"))

    def spent_today(self, adset_id, account):
        """What an ad set has spent so far in the account's current day, in major units."""
        if adset_id not in self._spent:
            planted = tree.of(account)
            today = days.ordinal_of(planted.account.zone, self.call.now)
            adset = planted.adsets[adset_id]
            total = 0.0
            for ad, ad_day in zip(adset.ads, planted.series_of(adset_id).day(today, self.call.now), strict=True):
                if ad_day is not None:
                    seen = observed.observe(planted.account, adset, ad, today, ad_day, as_of=self.call.now)
                    total += seen.spend if seen else 0.0
            self._spent[adset_id] = total
        return self._spent[adset_id]


def local_time(row, instant):
    """An instant as ads endpoints write it, with the account's offset: `2026-11-18T09:12:44+0300`."""
    account = row.account if isinstance(row, Node) else row
    return dt.datetime.fromtimestamp(int(instant), ZoneInfo(account.timezone)).strftime("%Y-%m-%dT%H:%M:%S%z")


def effective_status(node, parents):
    """Delivery reality: a node's own switch first, then those above it. `parents` maps ids to nodes."""
    if node.status != "ACTIVE":
        return node.status
    above = parents[node.parent_id] if node.parent_id else None
    if node.kind == "ad" and above is not None:
        if above.status != "ACTIVE":
            return "ADSET_PAUSED" if above.status == "PAUSED" else above.status
        above = parents[above.parent_id]
    if above is not None and above.status != "ACTIVE":
        return "CAMPAIGN_PAUSED" if above.status == "PAUSED" else above.status
    return node.traits.get("review") or "ACTIVE"


def _ancestors(node):
    if "parent" not in node._state.fields_cache:
        return tree.of(node.account).nodes
    found = {}
    above = node.parent
    while above is not None:
        found[above.pk] = above
        above = above.parent if above.parent_id else None
    return found


def _effective(_reader, node):
    return effective_status(node, _ancestors(node))


def _money(name):
    def read(_reader, node):
        value = getattr(node, name)
        return None if value is None else str(value)

    return read


def _remaining(reader, node):
    budget = node.daily_budget
    if budget is None:
        return None
    planted = tree.of(node.account)
    adsets = [node.pk] if node.kind == "adset" else [one.id for one in planted.campaigns[node.pk].adsets]
    spent = sum(reader.spent_today(one, node.account) for one in adsets)
    return str(max(0, round(budget - spent * planted.offset)))


def _learning(reader, node):
    edits = Write.objects.filter(object_id=node.pk, field__in=["daily_budget", "lifetime_budget"])
    big = [edit.at for edit in edits if edit.old and abs(int(edit.new) / int(edit.old) - 1) > 0.2]
    since = max([node.created_at, *big])
    return {"status": "LEARNING" if reader.call.now - since < LEARNING_SECONDS else "SUCCESS"}


def _trait(name):
    return lambda _reader, row: row.traits.get(name)


def _text(name):
    return lambda _reader, row: getattr(row, name) or None


def _when(name):
    return lambda _reader, row: local_time(row, getattr(row, name))


_SHARED = {
    "id": lambda _reader, node: node.pk,
    "name": _text("name"),
    "account_id": lambda _reader, node: node.account_id,
    "status": _text("status"),
    "configured_status": _text("status"),
    "effective_status": _effective,
    "created_time": _when("created_at"),
    "updated_time": _when("updated_at"),
    "issues_info": _trait("issues_info"),
}
_BUDGETS = {
    "daily_budget": _money("daily_budget"),
    "lifetime_budget": _money("lifetime_budget"),
    "budget_remaining": _remaining,
    "bid_strategy": _trait("bid_strategy"),
    "start_time": _when("created_at"),
}


def _spent_ever(reader, account):
    planted = tree.of(account)
    today = days.ordinal_of(planted.account.zone, reader.call.now)
    total = 0.0
    for adset_id in planted.adsets:
        series = planted.series_of(adset_id)
        for ordinal in range(series.first, today + 1):
            total += sum(ad_day.spend for ad_day in series.day(ordinal, reader.call.now) if ad_day)
    return total * planted.offset


def _offset_hours(_reader, account):
    zone = ZoneInfo(account.timezone)
    return dt.datetime.fromtimestamp(_reader.call.now, zone).utcoffset().total_seconds() / 3600


FIELDS = {
    "account": {
        "id": lambda _reader, account: f"act_{account.pk}",
        "account_id": lambda _reader, account: account.pk,
        "name": _text("name"),
        "account_status": lambda _reader, account: account.status,
        "disable_reason": lambda _reader, account: 0 if account.status == 1 else 1,
        "currency": _text("currency"),
        "timezone_name": _text("timezone"),
        "timezone_id": lambda _reader, account: account.traits.get("timezone_id", 1),
        "timezone_offset_hours_utc": _offset_hours,
        "amount_spent": lambda reader, account: str(round(_spent_ever(reader, account))),
        "balance": lambda _reader, account: "0",
        "spend_cap": lambda _reader, account: "0",
        "min_daily_budget": lambda _reader, account: currency.minimum_daily_budget(account.currency),
        "created_time": _when("created_at"),
        "business": _trait("business"),
    },
    "campaign": _SHARED
    | _BUDGETS
    | {
        "objective": _trait("objective"),
        "buying_type": lambda _reader, node: "AUCTION",
        "spend_cap": lambda _reader, node: None,
        "is_adset_budget_sharing_enabled": lambda _reader, node: False,
        "special_ad_categories": lambda _reader, node: [],
        "stop_time": lambda _reader, node: None,
    },
    "adset": _SHARED
    | _BUDGETS
    | {
        "campaign_id": lambda _reader, node: node.parent_id,
        "bid_amount": _trait("bid_amount"),
        "optimization_goal": _trait("optimization_goal"),
        "billing_event": lambda _reader, node: "IMPRESSIONS",
        "destination_type": _trait("destination_type"),
        "attribution_spec": lambda _reader, node: [
            {"event_type": "CLICK_THROUGH", "window_days": 7},
            {"event_type": "VIEW_THROUGH", "window_days": 1},
        ],
        "learning_stage_info": _learning,
        "promoted_object": _trait("promoted_object"),
        "targeting": _trait("targeting"),
        "end_time": lambda _reader, node: None,
        "daily_min_spend_target": lambda _reader, node: None,
        "daily_spend_cap": lambda _reader, node: None,
    },
    "ad": _SHARED
    | {
        "adset_id": lambda _reader, node: node.parent_id,
        "campaign_id": lambda _reader, node: _ancestors(node)[node.parent_id].parent_id,
        "ad_review_feedback": _trait("ad_review_feedback"),
        "preview_shareable_link": lambda _reader, node: f"https://fb.me/sandbox{node.pk[-8:]}",
    },
    "creative": {
        "id": lambda _reader, row: row.pk,
        "account_id": lambda _reader, row: row.account_id,
        "name": _text("name"),
        "status": lambda _reader, row: "ACTIVE",
        "title": _trait("hook"),
        "body": _trait("body"),
        "object_type": lambda _reader, row: "VIDEO" if row.traits.get("format") == "VIDEO" else "SHARE",
        "call_to_action_type": _trait("cta"),
        "image_url": lambda _reader, row: f"https://scontent.example/{row.pk}_n.jpg",
        "image_hash": lambda _reader, row: f"{int(row.pk):032x}"[-32:],
        "thumbnail_url": lambda _reader, row: f"https://scontent.example/{row.pk}_t.jpg?oe=674f0000",
        "video_id": lambda _reader, row: row.pk[::-1] if row.traits.get("format") == "VIDEO" else None,
        "link_url": _trait("link"),
        "url_tags": lambda _reader, row: "utm_source=meta",
        "object_story_spec": lambda _reader, row: _story(row),
        "asset_feed_spec": lambda _reader, row: None,
        "effective_object_story_id": lambda _reader, row: f"10{row.account_id[-12:]}_{row.pk}",
        "effective_instagram_media_id": lambda _reader, row: None,
        "instagram_permalink_url": lambda _reader, row: None,
    },
}


def _story(row):
    link = {
        "message": row.traits.get("body"),
        "link": row.traits.get("link"),
        "name": row.traits.get("hook"),
        "call_to_action": {"type": row.traits.get("cta")},
    }
    if row.traits.get("format") == "CAROUSEL":
        link["child_attachments"] = [{"link": row.traits.get("link"), "name": f"Carte {n}"} for n in (1, 2, 3)]
    return {"page_id": f"10{row.account_id[-12:]}", "link_data": link}
