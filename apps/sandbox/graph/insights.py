"""Insights: which rows a request means, and the page of them it gets."""

import calendar
import datetime as dt
from dataclasses import dataclass

from apps.sandbox import tree
from apps.sandbox.graph import edges, nodes, rows
from apps.sandbox.graph.errors import GraphError, bad_parameter
from apps.sandbox.world import days, observed

LEVELS = ("account", "campaign", "adset", "ad")
MONTHS_KEPT = 37
REFRESH_SECONDS = 900


@dataclass(frozen=True)
class Query:
    """A checked insights request: node, level, periods of local days, fields and windows."""

    kind: str
    row: object
    level: str
    periods: tuple[tuple[int, int], ...]
    fields: tuple[str, ...]
    windows: tuple[str, ...]
    conditions: tuple[dict, ...]
    as_of: float


def query(call, kind, row):
    """Check the parameters of an insights request and turn them into a `Query`."""
    account = row if kind == "account" else row.account
    level = call.text("level") or kind
    if level not in LEVELS:
        raise bad_parameter(f"Param level must be one of {{ad, adset, campaign, account}}, got {level}")
    if LEVELS.index(level) < LEVELS.index(kind):
        raise bad_parameter(f"level {level} is above the {kind} it was asked of")
    if call.listed("breakdowns"):
        raise GraphError(2, "Invalid breakdown and metric combination for this account.", subcode=1504041, status=400)
    names = tuple(call.listed("fields") or (*rows.DEFAULT_FIELDS[level], "impressions", "spend"))
    rows.check_fields(names)
    windows = call.listed("action_attribution_windows") or []
    for window in windows:
        if window not in rows.WINDOWS and window not in rows.RETIRED_WINDOWS:
            raise bad_parameter(f"Param action_attribution_windows must be one of the known windows, got {window}")
    return Query(
        kind=kind,
        row=row,
        level=level,
        periods=_periods(call, account),
        fields=names,
        windows=tuple(window for window in windows if window in rows.WINDOWS),
        conditions=tuple(call.conditions()),
        as_of=call.now - call.now % REFRESH_SECONDS,
    )


def _periods(call, account):
    planted_zone = tree.of(account).account.zone
    today = days.ordinal_of(planted_zone, call.now)
    first, last = _range(call, today)
    oldest = dt.date.fromordinal(today)
    if (oldest.year * 12 + oldest.month) - _months(first) > MONTHS_KEPT:
        raise GraphError(
            3018, "(#3018) The start date of the time range cannot be beyond 37 months from the current date"
        )
    last = min(last, today)
    step = call.text("time_increment") or "all_days"
    if step == "all_days":
        return ((first, last),) if first <= last else ()
    if step == "monthly":
        return tuple(_by_month(first, last))
    if not step.isdigit() or not 1 <= int(step) <= 90:
        raise bad_parameter("Param time_increment must be 1-90, monthly or all_days")
    size = int(step)
    return tuple((start, min(start + size - 1, last)) for start in range(first, last + 1, size))


def _months(ordinal):
    day = dt.date.fromordinal(ordinal)
    return day.year * 12 + day.month


def _by_month(first, last):
    start = first
    while start <= last:
        day = dt.date.fromordinal(start)
        end = day.replace(day=calendar.monthrange(day.year, day.month)[1]).toordinal()
        yield start, min(end, last)
        start = end + 1


def _range(call, today):
    given = call.parsed("time_range")
    if given:
        try:
            first, last = (dt.date.fromisoformat(given[name]).toordinal() for name in ("since", "until"))
        except (KeyError, TypeError, ValueError):
            raise bad_parameter("Must be a valid time_range like {'since':YYYY-MM-DD,'until':YYYY-MM-DD}") from None
        if first > last:
            raise bad_parameter("since must be before until in time_range")
        return first, last
    preset = call.text("date_preset") or "last_30d"
    month = dt.date.fromordinal(today).replace(day=1)
    fixed = {
        "today": (today, today),
        "yesterday": (today - 1, today - 1),
        "this_month": (month.toordinal(), today),
        "last_month": ((month - dt.timedelta(days=1)).replace(day=1).toordinal(), month.toordinal() - 1),
        "maximum": (today - 36 * 30, today),
    }
    for size in (3, 7, 14, 28, 30, 90):
        fixed[f"last_{size}d"] = (today - size, today - 1)
    if preset not in fixed:
        raise bad_parameter(f"Param date_preset must be one of {{{', '.join(sorted(fixed))}}}")
    return fixed[preset]


class Rows:
    """All rows of a query in a fixed order, entity by entity and period by period, made only where looked at."""

    def __init__(self, asked):
        self.asked = asked
        account = asked.row if asked.kind == "account" else asked.row.account
        self.account = account
        self.tree = tree.of(account)
        self.entities = self._entities()

    def __len__(self):
        return len(self.entities) * len(self.asked.periods)

    def _entities(self):
        planted, asked = self.tree, self.asked
        if asked.kind == "account":
            adsets = list(planted.adsets.values())
        elif asked.kind == "campaign":
            adsets = list(planted.campaigns[asked.row.pk].adsets)
        else:
            adset_id = asked.row.pk if asked.kind == "adset" else asked.row.parent_id
            adsets = [planted.adsets[adset_id]]
        only = asked.row.pk if asked.kind == "ad" else None
        pairs = [
            (adset, number) for adset in adsets for number, ad in enumerate(adset.ads) if only is None or ad.id == only
        ]
        groups: dict[str, list] = {}
        for adset, number in pairs:
            key = {
                "ad": adset.ads[number].id,
                "adset": adset.id,
                "campaign": planted.home[adset.id],
                "account": self.account.pk,
            }[asked.level]
            groups.setdefault(key, []).append((adset, number))
        return [(key, members) for key, members in groups.items() if self._wanted(key)]

    def _wanted(self, key):
        node = self.tree.nodes.get(key)
        for condition in self.asked.conditions:
            name = condition.get("field", "")
            if name in {f"ad.{m}" for m in ("impressions", "spend", "clicks")} | {
                "impressions",
                "spend",
                "clicks",
            }:
                continue
            if node is None or name.split(".")[0] not in LEVELS:
                raise bad_parameter(f"Filtering field {name} is not supported")
            chain = {}
            above = node
            while above is not None:
                chain[above.kind] = above
                above = self.tree.nodes.get(above.parent_id)
            target, _, attribute = name.partition(".")
            owner = chain.get(target)
            if owner is None or attribute not in {"id", "name", "effective_status", "delivery_info"}:
                raise bad_parameter(f"Filtering field {name} is not supported")
            actual = {"id": owner.pk, "name": owner.name}.get(attribute) or nodes.effective_status(
                owner, self.tree.nodes
            )
            if not edges.compare(actual, condition.get("operator"), condition.get("value")):
                return False
        return True

    def at(self, position):
        """The row at a position, or None where nothing was delivered or a filter drops it."""
        asked = self.asked
        key, members = self.entities[position // len(asked.periods)]
        first, last = asked.periods[position % len(asked.periods)]
        figures = self._figures(members, first, last)
        if figures is None:
            return None
        for condition in asked.conditions:
            name = condition.get("field", "").rpartition(".")[2]
            if name in {"impressions", "spend", "clicks"} and not edges.compare(
                getattr(figures, name), condition.get("operator"), condition.get("value")
            ):
                return None
        figures.spend = round(figures.spend, 2 if self.tree.offset > 1 else 0)
        return rows.row(
            figures,
            self._identity(key),
            fields=asked.fields,
            windows=asked.windows,
            conversion=self.tree.account.conversion,
            first=first,
            last=last,
        )

    def _figures(self, members, first, last):
        total, people = None, 0.0
        for adset, number in members:
            series = self.tree.series_of(adset.id)
            met = False
            for ordinal in range(max(first, series.first), last + 1):
                ad_day = series.day(ordinal, self.asked.as_of)[number]
                if ad_day is None:
                    continue
                seen = observed.observe(
                    self.tree.account, adset, adset.ads[number], ordinal, ad_day, as_of=self.asked.as_of
                )
                if seen is None:
                    continue
                met = True
                if total is None:
                    total = seen
                else:
                    total.add(seen)
            people += adset.audience * 0.5 if met else 0.0
        if total is not None and (len(members) > 1 or first != last):
            total.reach = observed.coverage(total.reach, people)
        return total

    def _identity(self, key):
        planted, account = self.tree, self.account
        made = {
            "account_id": account.pk,
            "account_name": account.name,
            "account_currency": account.currency,
            "buying_type": "AUCTION",
            "attribution_setting": "7d_click_1d_view",
        }
        node = planted.nodes.get(key)
        while node is not None:
            made[f"{node.kind}_id"] = node.pk
            made[f"{node.kind}_name"] = node.name
            for name in ("objective", "optimization_goal"):
                if node.traits.get(name):
                    made[name] = node.traits[name]
            node = planted.nodes.get(node.parent_id)
        return made


def answer(call, asked):
    """One page of rows. Positions without delivery are skipped, so a page is filled as long as rows last."""
    found = Rows(asked)
    start, limit = edges.window(call)
    limit = edges.shortened(call, limit)
    data, at, total = [], start, len(found)
    while at < total and len(data) < limit:
        made = found.at(at)
        at += 1
        if made is not None:
            data.append(made)
    answered = edges.page(call, data, start, at, at < total)
    if call.params.get("summary") or call.truth("default_summary"):
        answered["summary"] = {"total_rows": total}
    return answered
