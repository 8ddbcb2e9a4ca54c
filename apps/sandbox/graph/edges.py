"""Lists: the edges of accounts, campaigns and ad sets, with filters and cursor paging."""

import base64
from urllib.parse import urlencode

from apps.sandbox import tree
from apps.sandbox.graph.errors import bad_parameter
from apps.sandbox.graph.nodes import effective_status
from apps.sandbox.models import Creative

DEFAULT_LIMIT = 25
MAX_LIMIT = 5000
EDGE_KINDS = {"campaigns": "campaign", "adsets": "adset", "ads": "ad", "adcreatives": "creative"}
_HIDDEN = {"ARCHIVED", "DELETED"}
_PREFIXES = ("campaign.", "adset.", "ad.", "adcreative.")


def rows_of(kind, row, edge):
    """All children of a node on this edge, in a stable order, before any filter."""
    account = row if kind == "account" else row.account
    if edge == "adcreatives":
        return list(Creative.objects.filter(account=account).order_by("position"))
    planted = tree.of(account)
    wanted = EDGE_KINDS[edge]
    found = [node for node in planted.nodes.values() if node.kind == wanted]
    for node in found:
        node.account = account
    if kind == "account":
        return found
    if wanted == "ad" and kind == "campaign":
        return [node for node in found if planted.home[node.parent_id] == row.pk]
    return [node for node in found if node.parent_id == row.pk]


def select(rows, edge, params):
    """Keep what the caller's filters ask for; archived and deleted only on request.

    `params` answers `listed`, `parsed` and `number` like a `Call`.
    """
    if edge == "adcreatives":
        return rows
    parents = tree.of(rows[0].account).nodes if rows else {}
    wanted = params.listed("effective_status")
    conditions = params.conditions()
    asked = set(wanted or [])
    for condition in conditions:
        if _bare(condition.get("field", "")) in {"effective_status", "status"}:
            value = condition.get("value", [])
            asked.update(value if isinstance(value, list) else [value])
    kept = []
    since = params.number("updated_since", 0)
    for row in rows:
        state = effective_status(row, parents)
        if state in _HIDDEN and state not in asked:
            continue
        if wanted is not None and state not in wanted:
            continue
        if row.updated_at < since:
            continue
        if all(_holds(row, state, parents, condition) for condition in conditions):
            kept.append(row)
    return kept


def _bare(name):
    for prefix in _PREFIXES:
        if name.startswith(prefix) and name not in {"campaign.id", "adset.id"}:
            return name.removeprefix(prefix)
    return name


def _holds(row, state, parents, condition):
    name, operator, value = (
        _bare(condition.get("field", "")),
        condition.get("operator"),
        condition.get("value"),
    )
    actual = {
        "id": row.pk,
        "name": row.name,
        "status": row.status,
        "effective_status": state,
        "delivery_info": state.lower(),
        "updated_time": row.updated_at,
        "created_time": row.created_at,
    }
    above = row.parent_id
    while above:
        actual[f"{parents[above].kind}.id"] = above
        above = parents[above].parent_id
    if row.kind in {"campaign", "adset"}:
        actual[f"{row.kind}.id"] = row.pk
    if name not in actual:
        raise bad_parameter(f"Filtering field {condition.get('field')} with operation {operator} is not supported")
    return compare(actual[name], operator, value)


_OPERATORS = {
    "IN": lambda actual, value: str(actual) in [str(one) for one in value],
    "NOT_IN": lambda actual, value: str(actual) not in [str(one) for one in value],
    "EQUAL": lambda actual, value: str(actual) == str(value),
    "NOT_EQUAL": lambda actual, value: str(actual) != str(value),
    "CONTAIN": lambda actual, value: str(value).lower() in str(actual).lower(),
    "NOT_CONTAIN": lambda actual, value: str(value).lower() not in str(actual).lower(),
    "GREATER_THAN": lambda actual, value: float(actual) > float(value),
    "LESS_THAN": lambda actual, value: float(actual) < float(value),
}


def compare(actual, operator, value):
    """One condition of `filtering`."""
    if operator not in _OPERATORS:
        raise bad_parameter(f"Filtering operator {operator} is not supported")
    try:
        return _OPERATORS[operator](actual, value)
    except (TypeError, ValueError):
        raise bad_parameter(f"Filtering operator {operator} cannot be used with this value") from None


def cursor(position):
    """An opaque cursor for a position in a list."""
    return base64.urlsafe_b64encode(f"p{position}".encode()).decode()


def position(text):
    """The position a cursor stands for."""
    try:
        decoded = base64.urlsafe_b64decode(text.encode()).decode()
        if decoded[0] != "p":
            raise ValueError(text)
        return int(decoded[1:])
    except (ValueError, IndexError):
        raise bad_parameter("Invalid cursor for paging", subcode=1349125) from None


def window(call):
    """Where a page starts and how many rows it may hold."""
    limit = min(call.number("limit", DEFAULT_LIMIT) or DEFAULT_LIMIT, call.page_limit or MAX_LIMIT)
    start = position(call.text("after")) if call.params.get("after") else 0
    return start, limit


def shortened(call, limit):
    """The page size after the faults that make Meta return short or empty pages."""
    if call.fault("empty_page"):
        return 0
    fault = call.fault("short_page")
    return min(limit, int(fault.params.get("keep", max(1, limit // 2)))) if fault else limit


def page(call, data, start, end, more):
    """One page with Meta's paging block: `next` carries the token and is missing on the last page."""
    answer = {"data": data}
    if not data and not more:
        return answer
    paging = {"cursors": {"before": cursor(start), "after": cursor(end)}}
    if more:
        query = {name: call.text(name) for name in call.params if name not in {"after", "appsecret_proof"}}
        path = "/".join(call.path)
        paging["next"] = f"{call.base_url}/graph/{call.version}/{path}?{urlencode(query | {'after': cursor(end)})}"
    answer["paging"] = paging
    return answer


def listing(call, reader, of, edge, wanted):
    """Answer an edge of a node; `of` is its kind and its row."""
    kind, row = of
    rows = select(rows_of(kind, row, edge), edge, call)
    start, limit = window(call)
    end = min(len(rows), start + shortened(call, limit))
    node_kind = EDGE_KINDS[edge]
    data = [reader.render(node_kind, child, wanted) for child in rows[start:end]]
    answer = page(call, data, start, end, end < len(rows))
    if call.params.get("summary"):
        answer["summary"] = {"total_count": len(rows)}
    return answer
