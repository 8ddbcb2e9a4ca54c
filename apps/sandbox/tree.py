"""From stored rows to the world's plain specs, cached per account until something changes there."""

import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field

from apps.sandbox.graph import currency
from apps.sandbox.models import Node, Write
from apps.sandbox.world import specs
from apps.sandbox.world.delivery import Series

_KEEP = 8
_cache: OrderedDict[str, "Tree"] = OrderedDict()
_guard = threading.Lock()


@dataclass
class Tree:
    """One account as specs, with the series grown so far."""

    version: int
    account: specs.Account
    offset: int
    nodes: dict[str, Node]
    campaigns: dict[str, specs.Campaign]
    adsets: dict[str, specs.AdSet]
    ads: dict[str, specs.Ad]
    home: dict[str, str]
    series: dict[str, Series] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def series_of(self, adset_id):
        """The expected delivery of an ad set, made on first use."""
        with self.lock:
            if adset_id not in self.series:
                campaign = self.campaigns[self.home[adset_id]]
                self.series[adset_id] = Series(self.account, campaign, self.adsets[adset_id])
            return self.series[adset_id]


def of(account):
    """The tree of an account row; unchanged ad sets keep the series they had.

    A caller with an older row is served the newer tree. The birth mark in the key keeps the worlds of two
    scenarios apart when a slow request of the first outlives the second's start.
    """
    key = f"{account.pk}/{account.traits['birth']}"
    with _guard:
        known = _cache.get(key)
        if known is not None and known.version >= account.version:
            _cache.move_to_end(key)
            return known
    made = _build(account)
    if known is not None:
        _keep_series(known, made)
    with _guard:
        _cache[key] = made
        _cache.move_to_end(key)
        while len(_cache) > _KEEP:
            _cache.popitem(last=False)
    return made


def forget():
    """Empty the cache: a new scenario has begun."""
    with _guard:
        _cache.clear()


def _keep_series(old, new):
    with old.lock:
        for adset_id, series in old.series.items():
            if old.account == new.account and _delivers_alike(series, new, adset_id):
                new.series[adset_id] = series


def _delivers_alike(series, new, adset_id):
    before, now = series.campaign, new.campaigns.get(new.home.get(adset_id))
    if now is None or before.budget is not None or now.budget is not None:
        return before == now  # a shared budget: every sibling counts
    return before.status == now.status and series.adset == new.adsets[adset_id]


def _build(account):
    nodes = {node.pk: node for node in Node.objects.filter(account=account).order_by("position")}
    history = defaultdict(list)
    for row in Write.objects.filter(account=account).values_list("object_id", "field", "at", "new"):
        history[row[0], row[1]].append((row[2], row[3]))
    offset = currency.offset(account.currency)
    children = defaultdict(list)
    for node in nodes.values():
        children[node.parent_id].append(node)
    tree = Tree(account.version, None, offset, nodes, {}, {}, {}, {})
    for campaign in children[None]:
        adsets = []
        for node in children[campaign.pk]:
            tree.home[node.pk] = campaign.pk
            ads = tuple(_ad(ad, history) for ad in children[node.pk])
            for ad in ads:
                tree.home[ad.id] = node.pk
                tree.ads[ad.id] = ad
            adset = specs.AdSet(
                id=node.pk,
                start=node.created_at,
                status=_line(node, "status", history),
                budget=_budget(node, history, offset),
                ads=ads,
                **node.traits["world"],
            )
            tree.adsets[node.pk] = adset
            adsets.append(adset)
        shared = bool(campaign.daily_budget or campaign.lifetime_budget)
        tree.campaigns[campaign.pk] = specs.Campaign(
            id=campaign.pk,
            status=_line(campaign, "status", history),
            budget=_budget(campaign, history, offset) if shared else None,
            adsets=tuple(adsets),
        )
    tree.account = specs.Account(id=account.pk, seed=account.seed, timezone=account.timezone, **account.traits["world"])
    return tree


def _line(node, field_name, history):
    return specs.Timeline([(node.created_at, node.initial[field_name]), *history[node.pk, field_name]])


def _budget(node, history, offset):
    if node.initial.get("lifetime_budget"):
        days = max(1, node.traits.get("flight_days", 30))
        steps = [(node.created_at, node.initial["lifetime_budget"]), *history[node.pk, "lifetime_budget"]]
        return specs.Timeline((when, int(value) / offset / days) for when, value in steps)
    steps = [(node.created_at, node.initial.get("daily_budget") or 0), *history[node.pk, "daily_budget"]]
    return specs.Timeline((when, int(value) / offset) for when, value in steps)


def _ad(node, history):
    return specs.Ad(id=node.pk, start=node.created_at, status=_line(node, "status", history), **node.traits["world"])
