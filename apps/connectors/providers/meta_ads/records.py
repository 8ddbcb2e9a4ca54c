"""What the connector gives out: small values that say nothing about Meta's wire.

Budgets are in minor units, amounts of results in the account's currency as Decimal, times aware, days dates
of the account's own zone.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

ACCOUNT, CAMPAIGN, ADSET, AD = "account", "campaign", "adset", "ad"
LEVELS = (CAMPAIGN, ADSET, AD)


@dataclass(frozen=True)
class Account:
    """An ad account. `is_open` is False where Meta has disabled or closed it."""

    id: str
    name: str
    currency: str
    time_zone: str
    is_open: bool
    raw: Any = None


@dataclass(frozen=True)
class CreativeRecord:
    """What an ad shows. `format` is image, video, carousel or other; `angle_tag` is the URL tag `angle`."""

    id: str
    name: str = ""
    format: str = "other"
    title: str = ""
    body: str = ""
    call_to_action: str = ""
    link_url: str = ""
    media_url: str = ""
    angle_tag: str = ""


@dataclass(frozen=True)
class AdNode:
    """A campaign, ad set or ad. A budget of None means that the money is decided elsewhere."""

    level: str
    id: str
    parent_id: str
    name: str
    status: str
    effective_status: str
    objective: str = ""
    optimization_goal: str = ""
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    bid_strategy: str = ""
    learning_status: str = ""
    creative: CreativeRecord | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


class InsightRow(NamedTuple):
    """One ad on one day. A tuple and not a dataclass: there are a million of them and they go straight to COPY."""

    ad_id: str
    adset_id: str
    campaign_id: str
    day: dt.date
    spend: Decimal
    impressions: int
    reach: int | None
    clicks: int
    link_clicks: int | None
    leads: Decimal
    purchases: Decimal
    revenue: Decimal | None


@dataclass(frozen=True)
class Page:
    """Some rows, the cursor of the next page ("" at the end) and the raw answer without its paging links."""

    rows: tuple
    after: str
    raw: dict


@dataclass(frozen=True)
class Report:
    """An asynchronous insights run at Meta. `state` is running, done, failed or gone (ask for a new one)."""

    id: str
    state: str
    percent: int = 0
    detail: str = ""


@dataclass(frozen=True)
class ObjectState:
    """The switch and budgets of one object as they stand at Meta this moment."""

    id: str
    status: str
    effective_status: str
    daily_budget: int | None
    lifetime_budget: int | None
    currency: str
    raw: Any = None
