"""Insights rows: figures into Meta's strings and lists. Pure."""

from apps.sandbox.graph.errors import bad_parameter
from apps.sandbox.world import days

IDENTITY = (
    "account_id", "account_name", "account_currency", "campaign_id", "campaign_name", "adset_id", "adset_name",
    "ad_id", "ad_name", "objective", "optimization_goal", "buying_type", "attribution_setting",
)  # fmt: skip
METRICS = (
    "impressions", "reach", "frequency", "clicks", "inline_link_clicks", "unique_clicks", "ctr",
    "inline_link_click_ctr", "cpc", "cpm", "cpp", "cost_per_inline_link_click", "spend", "actions", "action_values",
    "purchase_roas", "website_purchase_roas", "cost_per_action_type", "outbound_clicks", "outbound_clicks_ctr",
    "conversions", "video_play_actions", "video_p25_watched_actions", "video_p50_watched_actions",
    "video_p75_watched_actions", "video_p100_watched_actions", "video_thruplay_watched_actions", "quality_ranking",
    "engagement_rate_ranking", "conversion_rate_ranking", "date_start", "date_stop",
)  # fmt: skip
KNOWN = frozenset(IDENTITY) | frozenset(METRICS)
DEFAULT_FIELDS = {
    "account": ("account_id",),
    "campaign": ("account_id", "campaign_id"),
    "adset": ("account_id", "campaign_id", "adset_id"),
    "ad": ("account_id", "campaign_id", "adset_id", "ad_id"),
}
WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev", "default", "incrementality", "dda")
RETIRED_WINDOWS = ("7d_view", "28d_view")


def check_fields(names):
    """Refuse unknown fields as Meta does: the whole request fails."""
    for name in names:
        if name not in KNOWN:
            raise bad_parameter(
                f"{name} is not valid for fields param. please check https://developers.facebook.com/docs/marketing-"
                "api/reference/ads-insights/ for all valid values"
            )


def decimal(value):
    """A number as Insights writes it: at most six decimals, no trailing zeros."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text or "0"


def row(figures, identity, *, fields, windows, conversion, first, last):
    """One row of the answer with the wanted fields; what has no value is left out, the dates always come."""
    made = {}
    for name in fields:
        if name in identity:
            made[name] = identity[name]
            continue
        write = _WRITERS.get(name)
        value = write(figures, windows, conversion) if write else None
        if value not in (None, []):
            made[name] = value
    made["date_start"] = days.iso(first)
    made["date_stop"] = days.iso(last)
    return made


def _split(value, click_7d, click_1d, windows):
    entry = {"value": str(value)}
    for window in windows:
        if window in {"7d_click", "28d_click"}:
            amount = click_7d
        elif window == "1d_click":
            amount = click_1d
        elif window == "1d_view":
            amount = value - click_7d
        elif window == "default":
            amount = value
        else:
            continue
        if amount:
            entry[window] = str(amount)
    return entry


def _whole(kind, value, windows):
    """An action that happens on the click itself: all windows show the same."""
    entry = {"action_type": kind, "value": str(value)}
    for window in windows:
        if window in {"1d_click", "7d_click", "28d_click", "default"}:
            entry[window] = str(value)
    return entry


def counts(figures, windows, conversion):
    """Every action type with its count. They nest and alias as on Meta, so their sum means nothing."""
    f = figures
    post_engagement = f.link_clicks + f.reactions + f.comments + f.video_plays
    plain = (
        ("page_engagement", post_engagement + f.reactions // 9),
        ("post_engagement", post_engagement),
        ("link_click", f.link_clicks),
        ("landing_page_view", f.landings),
        ("post_reaction", f.reactions),
        ("comment", f.comments),
        ("video_view", f.video_plays),
    )
    made = [_whole(kind, value, windows) for kind, value in plain if value]
    total = f.conversions
    if conversion == "purchase":
        if f.carts:
            made += [_whole("add_to_cart", f.carts, windows), _whole("omni_add_to_cart", f.carts, windows)]
        if total:
            share = _split(total, f.click_7d, f.click_1d, windows)
            made += [
                {"action_type": kind} | share
                for kind in (
                    "purchase",
                    "omni_purchase",
                    "offsite_conversion.fb_pixel_purchase",
                    "web_in_store_purchase",
                )
            ]
    elif total:
        pixel = total - f.by_form
        made.append({"action_type": "lead"} | _split(total, f.click_7d, f.click_1d, windows))
        if pixel:
            part = _split(pixel, min(pixel, f.click_7d), min(pixel, f.click_1d), windows)
            made.append({"action_type": "offsite_conversion.fb_pixel_lead"} | part)
        if f.by_form:
            part = _split(f.by_form, min(f.by_form, f.click_7d), min(f.by_form, f.click_1d), windows)
            made.append({"action_type": "onsite_conversion.lead_grouped"} | part)
    return made


def values(figures, windows, conversion):
    """Purchase values, in major units, under the three aliases of a purchase."""
    if conversion != "purchase" or not figures.revenue:
        return []
    total = round(figures.revenue, 2)
    entry = {"value": decimal(total)}
    clicked = figures.click_7d / figures.conversions
    for window in windows:
        share = {"7d_click": clicked, "28d_click": clicked, "1d_view": 1 - clicked, "default": 1.0}.get(window)
        if window == "1d_click":
            share = figures.click_1d / figures.conversions
        if share:
            entry[window] = decimal(round(total * share, 2))
    kinds = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
    return [{"action_type": kind} | entry for kind in kinds]


def _ratio(over, under, factor=1):
    return decimal(over / under * factor) if under else None


def _costs(f, windows, conversion):
    return [
        {"action_type": action["action_type"], "value": decimal(f.spend / int(action["value"]))}
        for action in counts(f, (), conversion)
    ]


def _roas(kind):
    def write(f, _windows, conversion):
        if not values(f, (), conversion) or not f.spend:
            return []
        return [{"action_type": kind, "value": decimal(f.revenue / f.spend)}]

    return write


def _video(share):
    def write(f, _windows, _conversion):
        count = int(f.video_plays * share)
        return [{"action_type": "video_view", "value": str(count)}] if count else []

    return write


_WRITERS = {
    "impressions": lambda f, w, c: str(f.impressions),
    "reach": lambda f, w, c: str(f.reach),
    "frequency": lambda f, w, c: _ratio(f.impressions, f.reach),
    "clicks": lambda f, w, c: str(f.clicks),
    "inline_link_clicks": lambda f, w, c: str(f.link_clicks) if f.link_clicks else None,
    "unique_clicks": lambda f, w, c: str(int(f.clicks * 0.96)),
    "ctr": lambda f, w, c: _ratio(f.clicks, f.impressions, 100) or "0",
    "inline_link_click_ctr": lambda f, w, c: _ratio(f.link_clicks, f.impressions, 100),
    "cpc": lambda f, w, c: _ratio(f.spend, f.clicks),
    "cpm": lambda f, w, c: _ratio(f.spend, f.impressions, 1000),
    "cpp": lambda f, w, c: _ratio(f.spend, f.reach, 1000),
    "cost_per_inline_link_click": lambda f, w, c: _ratio(f.spend, f.link_clicks),
    "spend": lambda f, w, c: decimal(f.spend),
    "actions": counts,
    "action_values": values,
    "purchase_roas": _roas("omni_purchase"),
    "website_purchase_roas": _roas("offsite_conversion.fb_pixel_purchase"),
    "cost_per_action_type": _costs,
    "outbound_clicks": lambda f, w, c: [{"action_type": "outbound_click", "value": str(int(f.link_clicks * 0.97))}],
    "outbound_clicks_ctr": lambda f, w, c: (
        [{"action_type": "outbound_click", "value": _ratio(int(f.link_clicks * 0.97), f.impressions, 100)}]
    ),
    "conversions": lambda f, w, c: None,
    "video_play_actions": _video(1.0),
    "video_p25_watched_actions": _video(0.42),
    "video_p50_watched_actions": _video(0.24),
    "video_p75_watched_actions": _video(0.15),
    "video_p100_watched_actions": _video(0.09),
    "video_thruplay_watched_actions": _video(0.2),
    "quality_ranking": lambda f, w, c: "UNKNOWN" if f.impressions < 500 else "AVERAGE",
    "engagement_rate_ranking": lambda f, w, c: "UNKNOWN" if f.impressions < 500 else "AVERAGE",
    "conversion_rate_ranking": lambda f, w, c: "UNKNOWN" if f.impressions < 500 else "AVERAGE",
}
