"""Changes through the API, each checked as Meta checks it, applied once and entered in the ledger."""

from django.db import transaction

from apps.sandbox import tree
from apps.sandbox.graph import access, currency, expansion
from apps.sandbox.graph.calls import parse_fields
from apps.sandbox.graph.errors import GraphError, bad_parameter
from apps.sandbox.models import Account, Node, Write

BUDGETS = ("daily_budget", "lifetime_budget")
WRITABLE = (*BUDGETS, "status", "name")
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
CHANGES_PER_HOUR = 4
_IGNORED = {"access_token", "appsecret_proof", "execution_options", "fields", "method", "format", "locale"}


def update(call, node_id):
    """POST on a campaign, ad set or ad: check all, then apply all, or nothing."""
    access.need(call, "ads_management")
    with transaction.atomic():
        node = access.node(call, node_id)
        changes = _wanted(call, node)
        for name, value in changes.items():
            _check(call, node, name, value)
        if "validate_only" not in (call.listed("execution_options") or []):
            apply(node, changes, at=call.now, source="api", request_id=call.request_id)
    answer = {"success": True}
    if call.params.get("fields"):
        fresh = access.node(call, node_id)
        answer |= expansion.reader(call).render(node.kind, fresh, parse_fields(call.text("fields")))
    return answer


def delete(call, node_id):
    """DELETE on a node: it stays readable by id with status DELETED."""
    access.need(call, "ads_management")
    with transaction.atomic():
        node = access.node(call, node_id)
        apply(node, {"status": "DELETED"}, at=call.now, source="api", request_id=call.request_id)
    return {"success": True}


def apply(node, changes, *, at, source, request_id):
    """Set the fields and enter each in the ledger, also where the value was there already.

    The caller holds the transaction. The account's version moves, so cached trees are rebuilt.
    """
    for name, value in changes.items():
        Write.objects.create(
            account_id=node.account_id,
            object_id=node.pk,
            field=name,
            old=getattr(node, name),
            new=value,
            at=at,
            source=source,
            request_id=request_id,
        )
        bumps = not (node.kind == "campaign" and name in BUDGETS)
        if bumps and getattr(node, name) != value:
            node.updated_at = at
        setattr(node, name, value)
    node.save(update_fields=[*changes, "updated_at"])
    account = Account.objects.get(pk=node.account_id)
    account.version += 1
    account.save(update_fields=["version"])


def _wanted(call, node):
    changes = {}
    for name in call.params:
        if name in _IGNORED:
            continue
        if name not in WRITABLE or (name in BUDGETS and node.kind == "ad"):
            raise bad_parameter(f"Param {name} is not supported on this node by this server")
        changes[name] = call.text(name)
    for name in BUDGETS:
        if name in changes:
            if not str(changes[name]).isdigit():
                raise bad_parameter(f"Param {name} must be an integer", blame=name)
            changes[name] = int(changes[name])
    if not changes:
        raise bad_parameter("No updatable parameter was given")
    return changes


def _check(call, node, name, value):
    if node.status == "DELETED" and name != "name":
        raise bad_parameter(
            "Invalid parameter",
            subcode=1487566,
            title="Deleted object cannot be edited",
            user_message="This object is deleted: only its name can change.",
        )
    if node.status == "ARCHIVED" and not (name == "name" or (name == "status" and value in {"DELETED", "ARCHIVED"})):
        raise bad_parameter(
            "Invalid parameter",
            subcode=1487056,
            title="Archived object cannot be edited",
            user_message="This object is archived: you can rename or delete it.",
        )
    if name == "status" and value not in STATUSES:
        raise bad_parameter(f"Param status must be one of {{{', '.join(STATUSES)}}}", blame="status")
    if name == "name" and not value.strip():
        raise bad_parameter("Param name must not be empty", blame="name")
    if name in BUDGETS:
        _check_budget(call, node, name, value)


def _check_budget(call, node, name, value):
    _check_home(node, name)
    minimum = currency.minimum_daily_budget(node.account.currency)
    if value < minimum:
        raise bad_parameter(
            "Invalid parameter",
            subcode=1885272,
            title="Your budget is too low",
            user_message=f"The minimum budget is {minimum} (in the smallest unit of {node.account.currency}).",
            blame=name,
        )
    if node.kind == "adset" and value != getattr(node, name):
        since = call.now - 3600
        recent = Write.objects.filter(object_id=node.pk, field__in=BUDGETS, at__gt=since, at__lte=call.now)
        if sum(write.old != write.new for write in recent) >= CHANGES_PER_HOUR:
            raise GraphError(
                613,
                "(#613) Calls to this api have exceeded the rate limit.",
                subcode=1487632,
                title="Ad set budget changed too often",
                user_message="You can change an ad set's budget only 4 times per hour. Wait an hour and try again.",
            )
    if value < (getattr(node, name) or 0) and value < (floor := _spent(call, node, name) * 1.1):
        raise bad_parameter(
            "Invalid parameter",
            subcode=1885650,
            title="Your budget is below what was spent",
            user_message=f"A lowered budget must be at least 110% of what was spent: {round(floor)}.",
            blame=name,
        )


def _check_home(node, name):
    has_own = bool(node.daily_budget or node.lifetime_budget)
    if node.kind == "adset" and (node.parent.daily_budget or node.parent.lifetime_budget):
        raise _budget_at_both("This ad set's campaign uses a campaign budget: change it on the campaign.", name)
    if node.kind == "campaign" and not has_own:
        raise _budget_at_both("The ad sets of this campaign have their own budgets.", name)
    other = "lifetime_budget" if name == "daily_budget" else "daily_budget"
    if getattr(node, other):
        raise bad_parameter(f"This object has a {other}; its budget type cannot change", blame=name)


def _budget_at_both(message, name):
    return bad_parameter(
        "Invalid parameter",
        subcode=1885621,
        title="Can't set ad set budget and campaign budget",
        user_message=message,
        blame=name,
    )


def _spent(call, node, name):
    """Minor units spent: today for a daily budget, since the start for a lifetime budget."""
    planted = tree.of(node.account)
    adsets = [node.pk] if node.kind == "adset" else [one.id for one in planted.campaigns[node.pk].adsets]
    if name == "daily_budget":
        reader = expansion.reader(call)
        return sum(reader.spent_today(one, node.account) for one in adsets) * planted.offset
    total = 0.0
    for adset_id in adsets:
        series = planted.series_of(adset_id)
        last = series.first + int((call.now - planted.adsets[adset_id].start) // 86_400) + 1
        for ordinal in range(series.first, last + 1):
            total += sum(ad_day.spend for ad_day in series.day(ordinal, call.now) if ad_day)
    return total * planted.offset


def change_by_person(object_id, changes, *, at):
    """Somebody changes an object in Ads Manager: no API rules, but the same ledger."""
    with transaction.atomic():
        node = Node.objects.select_related("account").get(pk=object_id)
        apply(node, changes, at=at, source="person", request_id="person")
    return node
