"""References and edges asked inside `fields`: `creative{body}`, `ads.limit(5){id}`, `insights{spend}`."""

from dataclasses import replace

from apps.sandbox import tree
from apps.sandbox.graph import edges, insights
from apps.sandbox.graph.nodes import Reader


def reader(call):
    """A reader of nodes that can expand."""
    return Reader(call, _expand)


def _expand(node_reader, kind, row, entry):
    if entry.name in {"creative", "adset", "campaign"}:
        return node_reader.render(entry.name, _referred(kind, row, entry.name), entry.inner)
    own_path = (f"act_{row.pk}" if kind == "account" else row.pk, entry.name)
    params = {"access_token": node_reader.call.text("access_token")} | entry.modifiers
    call = replace(node_reader.call, path=own_path, params=params)
    if entry.name == "insights":
        if entry.inner:
            params["fields"] = ",".join(inner.name for inner in entry.inner)
        answered = insights.answer(call, insights.query(call, kind, row))
        return answered if answered["data"] else None
    answered = edges.listing(call, node_reader, (kind, row), entry.name, entry.inner)
    return answered if answered["data"] or "summary" in answered else None


def _referred(kind, row, name):
    if name == "creative":
        return row.creative
    planted = tree.of(row.account)
    found = planted.nodes[row.parent_id]
    if kind == "ad" and name == "campaign":
        found = planted.nodes[found.parent_id]
    found.account = row.account
    return found
