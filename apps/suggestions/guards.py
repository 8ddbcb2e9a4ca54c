"""Guard rails of an execution, as a pure function: numbers in, the first reason to stop out.

Source: `docs/decisions` on effects, and Meta's own limit of four budget changes an hour per ad set.
"""

from dataclasses import dataclass

CHANGES_PER_HOUR = 4


@dataclass(frozen=True)
class Limits:
    """A client's caps. Money in the account's minor unit; None means no cap."""

    max_daily_budget_minor: int | None
    max_change_percent: int
    max_actions_per_day: int
    cooldown_hours: int


@dataclass(frozen=True)
class Situation:
    """What stands around one change. `hours_since_last` counts any change Durum made to the object."""

    field: str
    before: str
    target: str
    actions_today: int
    hours_since_last: float | None
    changes_last_hour: int
    is_undo: bool


def first_objection(limits, situation):
    """The code of the first guard rail that stops this change, or "" when it may go out.

    An undo puts back what people had before: only the highest budget and Meta's own limit hold it.
    """
    raises, percent = _budget_change(situation)
    if situation.changes_last_hour >= CHANGES_PER_HOUR and situation.field == "daily_budget":
        return "platform_hourly_limit"
    if raises and limits.max_daily_budget_minor is not None and int(situation.target) > limits.max_daily_budget_minor:
        return "max_daily_budget"
    if situation.is_undo:
        return ""
    if percent is not None and percent > limits.max_change_percent:
        return "max_change"
    if situation.actions_today >= limits.max_actions_per_day:
        return "daily_cap"
    if situation.hours_since_last is not None and situation.hours_since_last < limits.cooldown_hours:
        return "cooldown"
    return ""


def _budget_change(situation):
    """(is it a raise, size of the change in percent of the present budget or None)."""
    if situation.field != "daily_budget":
        return False, None
    before, target = int(situation.before), int(situation.target)
    percent = abs(target - before) * 100 / before if before else 100.0
    return target > before, percent
