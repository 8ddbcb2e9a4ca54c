"""What stands in the way of a proposal, however good its numbers: budgets, learning, cooldowns, conflicts,
caps.

Pure. Each gate returns None (open) or a skip code with its numbers.
"""

from dataclasses import dataclass
from datetime import timedelta

from apps.suggestions.metrics import PAUSE, SCALE

NOTHING = frozenset()


@dataclass(frozen=True)
class Subject:
    """An entity in question: an ad set, an ad, or a campaign standing for its ad sets.

    `row` is its row in the columns of the pass, `family` itself and what it hangs under, `members` the ad
    sets behind it, `ranked` whether it is held against the client's percentile.
    """

    level: str
    entity_id: int
    row: int
    family: tuple[int, ...]
    learning: bool
    budget_minor: int
    lifetime: bool
    members: tuple[int, ...]
    ranked: bool = True

    @classmethod
    def of_row(cls, table, row):
        """The entity in one row of a table."""
        entity = int(table.entity_id[row])
        family = dict.fromkeys((entity, int(table.parent_id[row]), int(table.campaign_id[row])))
        return cls(
            level=table.level,
            entity_id=entity,
            row=row,
            family=tuple(key for key in family if key),
            learning=bool(table.learning[row] == "LEARNING"),
            budget_minor=int(table.budget_minor[row]),
            lifetime=bool(table.lifetime_budget[row]),
            members=(entity,),
        )

    @classmethod
    def of_campaign(cls, table, rows, campaign_id, row, *, ranked):
        """The campaign that feeds the ad sets in `rows`; it learns while any of its active ad sets does."""
        learning = (table.status[rows] == "ACTIVE") & (table.learning[rows] == "LEARNING")
        return cls(
            level="campaign",
            entity_id=campaign_id,
            row=row,
            family=(campaign_id,),
            learning=bool(learning.any()),
            budget_minor=int(table.budget_minor[rows].max()),
            lifetime=bool(table.lifetime_budget[rows].any()),
            members=tuple(table.entity_id[rows].tolist()),
            ranked=ranked,
        )


def blocked(rule, subject, past, proposed, now):
    """The first gate that is shut for this entity. `proposed` maps entity ids to kinds proposed in this
    run.
    """
    if rule.kind == SCALE and subject.budget_minor <= 0:
        return "no_budget", {}
    if rule.kind == SCALE and subject.lifetime:
        return "lifetime_budget", {"budget_minor": subject.budget_minor}
    if subject.learning:
        return "in_learning", {}

    def kinds(entity):
        return past.live.get(entity, NOTHING) | proposed.get(entity, NOTHING)

    if rule.kind in kinds(subject.entity_id):
        return "already_suggested", {}
    return _too_soon(rule, subject, past, now) or _conflict(subject, kinds)


def _too_soon(rule, subject, past, now):
    wait = timedelta(hours=rule.cooldown_hours)
    for entity in subject.family:
        change = past.changed.get(entity)
        if change and change.by == "person" and now - change.at < wait:
            return "changed_by_person", {"entity_id": entity, "hours_ago": hours(now - change.at)}
    for entity in subject.family:
        at = past.acted.get(entity)
        if at and now - at < wait:
            numbers = {"hours_ago": hours(now - at), "cooldown_hours": rule.cooldown_hours}
            return "cooldown", {"entity_id": entity} | numbers
    return None


def _conflict(subject, kinds):
    """Another suggestion for the entity, a pause above it, or a pause among the ad sets of a campaign."""
    if kinds(subject.entity_id):
        return "conflicts_with", {"entity_id": subject.entity_id, "kind": min(kinds(subject.entity_id))}
    around = subject.family[1:] + (subject.members if subject.level == "campaign" else ())
    for entity in around:
        if PAUSE in kinds(entity):
            return "conflicts_with", {"entity_id": entity, "kind": PAUSE}
    return None


def capped(rule, subject, policy):
    """(absolute budget after the raise in minor units, the cap that cut it or "").

    A raise that a cap leaves smaller than `policy.min_change_percent` is not worth a decision: (None, cap).
    """
    percent, limit = rule.change_percent, ""
    if percent > policy.max_change_percent:
        percent, limit = policy.max_change_percent, "max_change"
    target = round(subject.budget_minor * (1 + percent / 100))
    if policy.max_budget_minor is not None and target > policy.max_budget_minor:
        target, limit = policy.max_budget_minor, "budget_cap"
    smallest = subject.budget_minor * (1 + policy.min_change_percent / 100)
    return (target, limit) if not limit or target >= smallest else (None, limit)


def hours(span):
    return span.total_seconds() / 3600
