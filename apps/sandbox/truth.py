"""What only the sandbox knows: the ledger of real writes, the true parameters, the true effect of a change."""

import datetime as dt
from dataclasses import replace

from apps.sandbox import tree
from apps.sandbox.control import BadOrder, lever
from apps.sandbox.models import Account, Node, Write
from apps.sandbox.world import delivery

_COLUMNS = ("pk", "account_id", "object_id", "field", "old", "new", "at", "source", "request_id")


@lever("GET")
def ledger(request, _body):
    """Every write really applied, oldest first; `changed` tells a change from a repetition."""
    rows = Write.objects.all()
    for name, column in (
        ("object", "object_id"),
        ("account", "account_id"),
        ("field", "field"),
        ("source", "source"),
    ):
        if request.GET.get(name):
            rows = rows.filter(**{column: request.GET[name].removeprefix("act_")})
    if request.GET.get("after_id"):
        rows = rows.filter(pk__gt=int(request.GET["after_id"]))
    return {
        "writes": [
            {"id": row[0]} | dict(zip(_COLUMNS[1:], row[1:], strict=True)) | {"changed": row[4] != row[5]}
            for row in rows.values_list(*_COLUMNS)
        ]
    }


@lever("GET")
def params(request, _body):
    """The true parameters of an object, or of a whole account."""
    if request.GET.get("account"):
        rows = Node.objects.filter(account_id=request.GET["account"].removeprefix("act_"))
        account = Account.objects.get(pk=request.GET["account"].removeprefix("act_"))
        return {
            "account": account.traits["world"],
            "objects": {row.pk: row.traits.get("world") for row in rows},
        }
    node = Node.objects.get(pk=request.GET["object"])
    return {"kind": node.kind, "initial": node.initial, "params": node.traits.get("world")}


@lever("GET")
def effects(request, _body):
    """Expected totals under what happened and under what would have happened without a change."""
    node = Node.objects.select_related("account").get(pk=request.GET["object"])
    first, last = (dt.date.fromisoformat(request.GET[name]).toordinal() for name in ("from", "to"))
    planted = tree.of(node.account)
    campaign_id = {
        "campaign": lambda: node.pk,
        "adset": lambda: node.parent_id,
        "ad": lambda: planted.home[node.parent_id],
    }[node.kind]()
    campaign = planted.campaigns[campaign_id]
    change = Write.objects.get(pk=request.GET["change"]) if request.GET.get("change") else None
    since = float(request.GET["since"]) if request.GET.get("since") else None
    other = _undo(campaign, planted.offset, node, change, since)
    adset_ids = [one.id for one in campaign.adsets]
    if node.kind == "adset":
        adset_ids = [node.pk]
    elif node.kind == "ad":
        adset_ids = [node.parent_id]
    actual, counter = (_total(planted.account, one, adset_ids, first, last) for one in (campaign, other))
    effect = {name: actual[name] - counter[name] for name in actual}
    ratio = {name: actual[name] / counter[name] if counter[name] else None for name in actual}
    return {"object": node.pk, "actual": actual, "counterfactual": counter, "effect": effect, "ratio": ratio}


def _total(account, campaign, adset_ids, first, last):
    total = {}
    for adset in campaign.adsets:
        if adset.id in adset_ids:
            for name, value in delivery.expected(account, campaign, adset, first, last).items():
                total[name] = total.get(name, 0.0) + value
    total["roi"] = total["revenue"] / total["spend"] if total["spend"] else 0.0
    return total


def _undo(campaign, offset, node, change, since):
    """The campaign without one change, or without any change of the node since an instant (or at all)."""
    if change is not None and change.object_id != node.pk:
        raise BadOrder("the change belongs to another object")

    def edited(timeline, field):
        if change is None:
            return delivery.frozen_since(timeline, since if since is not None else float("-inf"))
        if change.field != field:
            return timeline
        value = change.new / offset if field == "budget" else change.new
        return delivery.without(timeline, change.at, value)

    if change is not None and change.field.endswith("budget"):
        change.field = "budget"
    if node.kind == "campaign":
        budget = campaign.budget and edited(campaign.budget, "budget")
        return replace(campaign, status=edited(campaign.status, "status"), budget=budget)
    return replace(campaign, adsets=tuple(_edited_adset(adset, node, edited) for adset in campaign.adsets))


def _edited_adset(adset, node, edited):
    if adset.id == node.pk:
        return replace(adset, status=edited(adset.status, "status"), budget=edited(adset.budget, "budget"))
    if node.kind != "ad" or adset.id != node.parent_id:
        return adset
    ads = (replace(ad, status=edited(ad.status, "status")) if ad.id == node.pk else ad for ad in adset.ads)
    return replace(adset, ads=tuple(ads))
