"""Suggestions and skipped candidates in words: the codes and numbers of the analysis as sentences.

Pages, API, admin and Slack all say the same because they all ask here. Sentences are in the language in force;
a number that is missing reads as a dash.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from apps.ads import delivery
from apps.connectors.currencies import to_major
from apps.core.errors import Rejected
from apps.core.formats import ABSENT, change, money, number, percent, ratio
from apps.suggestions.models import Suggestion
from apps.suggestions.models.proposals import Kind

TITLES = {
    Kind.SCALE: gettext_lazy("Raise the budget"),
    Kind.PAUSE: gettext_lazy("Pause"),
    Kind.REFRESH: gettext_lazy("Renew the creative"),
}
SWITCHES = {
    "ACTIVE": pgettext_lazy("an ad object", "active"),
    "PAUSED": pgettext_lazy("an ad object", "paused"),
    "ARCHIVED": pgettext_lazy("an ad object", "archived"),
    "DELETED": pgettext_lazy("an ad object", "deleted"),
}
CUTS = {
    "max_change": gettext_lazy("The raise is cut to the client's largest change."),
    "budget_cap": gettext_lazy("The raise is cut to the client's highest daily budget."),
}


def title(kind):
    """What is proposed, in two or three words."""
    return str(TITLES.get(kind, kind))


def reason(kind, evidence):
    """Why this is proposed, with its numbers."""
    build = {Kind.SCALE: _why_scale, Kind.PAUSE: _why_pause, Kind.REFRESH: _why_refresh}.get(kind)
    return " ".join(build(evidence)) if build else ""


def before_after(suggestion):
    """What changes at the platform, e.g. `€50.00 → €75.00 a day`; "" when nothing is written there."""
    if suggestion.field == "daily_budget":
        currency = suggestion.ad_object.currency
        steps = {"before": _budget(suggestion.before, currency), "after": _budget(suggestion.target, currency)}
        return _("%(before)s → %(after)s a day") % steps
    if suggestion.field == "status":
        return _("%(before)s → %(after)s") % {
            "before": SWITCHES.get(suggestion.before, suggestion.before),
            "after": SWITCHES.get(suggestion.target, suggestion.target),
        }
    return ""


def impact(suggestion):
    """What is expected of it, with its interval; says so when nobody can know."""
    if suggestion.kind == Kind.REFRESH:
        return _("Not estimated: it depends on the creative that replaces this one.")
    if suggestion.impact_mid is None and suggestion.kind == Kind.SCALE:
        return _("Unknown: no earlier raise of this client shows what more budget brings.")
    if suggestion.impact_mid is None:
        return _("Unknown.")
    currency = suggestion.evidence.get("currency") or suggestion.ad_object.currency
    days = suggestion.evidence.get("window_days") or 7
    return ngettext(
        "%(mid)s of revenue against the ROI target over %(days)d day, between %(low)s and %(high)s (90 %%)",
        "%(mid)s of revenue against the ROI target over %(days)d days, between %(low)s and %(high)s (90 %%)",
        days,
    ) % {
        "days": days,
        "low": _signed(suggestion.impact_low, currency),
        "mid": _signed(suggestion.impact_mid, currency),
        "high": _signed(suggestion.impact_high, currency),
    }


def skipped(code, numbers, currency="EUR"):
    """Why a candidate was looked at and not proposed."""
    known = _Numbers(numbers, currency)
    build = _SKIPS.get(code)
    return build(known) if build else str(code).replace("_", " ")


def summary(suggestion: Suggestion):
    """One line for notifications and lists: the action, the object, the change."""
    step = before_after(suggestion)
    named = {"action": title(suggestion.kind), "object": suggestion.ad_object, "change": step}
    return _("%(action)s: %(object)s (%(change)s)") % named if step else _("%(action)s: %(object)s") % named


class _Numbers(dict):
    """Numbers of one code, read with their unit; absent ones as a dash."""

    def __init__(self, numbers, currency):
        super().__init__(numbers or {})
        self.currency = self.get("currency") or currency

    def __missing__(self, key):
        return None

    def money(self, key):
        return money(self[key], self.currency)

    def roi(self, key):
        return ratio(self[key])

    def percent(self, key, digits=0):
        return percent(self[key], digits)

    def whole(self, key):
        return number(self[key])

    def hours(self, key):
        return ABSENT if self[key] is None else number(max(1, self[key]))


def _why_scale(evidence):
    known = _Numbers(evidence, "EUR")
    yield _measured(known)
    marks = evidence.get("benchmarks") or {}
    rank = evidence.get("percentile")
    mark = (marks.get("estimate") or {}).get(str(rank)) if rank else None
    words = {
        "bar": known.roi("bar"),
        "target": known.roi("roi_target"),
        "rank": rank,
        "mark": ratio(mark),
        "n": marks.get("n") or 0,
    }
    if mark is None:
        yield _("That is above the %(bar)s needed (target %(target)s).") % words
    elif marks.get("source") == "prior":
        yield (
            _(
                "That is above the %(bar)s needed (target %(target)s) and above p%(rank)d of the client's history, "
                "%(mark)s (too few ad sets spend now to compare with)."
            )
            % words
        )
    else:
        yield (
            _(
                "That is above the %(bar)s needed (target %(target)s) and above p%(rank)d of the client's "
                "%(n)d ad sets, %(mark)s."
            )
            % words
        )
    yield _without_noise(known)
    if evidence.get("limited_by") in CUTS:
        yield str(CUTS[evidence["limited_by"]])
    if evidence.get("ad_sets"):
        yield _("The budget sits on the campaign, so the whole campaign was judged.")


def _why_pause(evidence):
    known = _Numbers(evidence, "EUR")
    yield _measured(known)
    words = {"bar": known.roi("bar"), "target": known.roi("roi_target"), "min_spend": known.money("min_spend")}
    yield (_("That is under the limit of %(bar)s (target %(target)s), with more than %(min_spend)s spent.") % words)
    yield _without_noise(known)


def _why_refresh(evidence):
    known = _Numbers(evidence, "EUR")
    days = evidence.get("window_days") or 7
    words = {
        "days": days,
        "frequency": number(known["frequency"], 1),
        "frequency_before": number(known["frequency_before"], 1),
        "ctr": known.percent("ctr", 2),
        "ctr_before": known.percent("ctr_before", 2),
    }
    yield (
        ngettext(
            "Over %(days)d day each person saw it %(frequency)s times (%(frequency_before)s before) and the click rate "
            "went from %(ctr_before)s to %(ctr)s.",
            "Over %(days)d days each person saw it %(frequency)s times (%(frequency_before)s before) and the click "
            "rate went from %(ctr_before)s to %(ctr)s.",
            days,
        )
        % words
    )
    moved = {
        "change": change(known["ctr_change"]),
        "low": change(known["ctr_change_low"]),
        "high": change(known["ctr_change_high"]),
        "rest": change(known["ctr_change_of_rest"]),
    }
    yield (
        _("That is %(change)s, between %(low)s and %(high)s (90 %%), while the other ads moved by %(rest)s.") % moved
    )


def _measured(known):
    days = known["window_days"] or 7
    return ngettext(
        "Return of %(roi)s on %(spend)s spent over %(days)d day (%(conversions)s conversions).",
        "Return of %(roi)s on %(spend)s spent over %(days)d days (%(conversions)s conversions).",
        days,
    ) % {
        "days": days,
        "roi": known.roi("roi"),
        "spend": known.money("spend"),
        "conversions": known.whole("conversions"),
    }


def _without_noise(known):
    return _("Once chance is taken off: %(expected)s, between %(low)s and %(high)s (90 %%).") % {
        "expected": known.roi("roi_expected"),
        "low": known.roi("roi_low"),
        "high": known.roi("roi_high"),
    }


def _budget(minor, currency):
    try:
        return money(to_major(int(minor), currency), currency)
    except (ValueError, TypeError, Rejected):
        return ABSENT


def _signed(value, currency):
    text = money(value, currency)
    return f"+{text}" if value is not None and value > 0 else text


def _campaign_budget(known):
    words = {"roi": known.roi("campaign_roi"), "bar": known.roi("bar")}
    if known["retargeted"]:
        return _("The budget sits on the campaign: the campaign is proposed instead.") % words
    return (
        _("The budget sits on the campaign, and the campaign as a whole returns %(roi)s where %(bar)s are needed.")
        % words
    )


def _refused_unchanged(known):
    days = round(known["days_ago"] or 0)
    if days < 1:
        return _("Refused today, and the numbers say the same.")
    return ngettext(
        "Refused %(days)d day ago, and the numbers have not changed enough since.",
        "Refused %(days)d days ago, and the numbers have not changed enough since.",
        days,
    ) % {"days": days}


def _low_confidence(known):
    return _("Too uncertain: %(confidence)s sure, %(needed)s needed.") % {
        "confidence": known.percent("confidence"),
        "needed": known.percent("min_confidence"),
    }


def _not_delivering(known):
    status = delivery.words(known["status"]) if known["status"] else ABSENT
    return _("Not delivering (%(status)s): nothing to act on.") % {"status": status}


_SKIPS = {
    "not_delivering": _not_delivering,
    "no_revenue": lambda known: _("Its return is unknown: give the client a target and a value per lead or purchase."),
    "below_min_spend": lambda known: (
        _("Too little spent to judge: %(spend)s, more than %(needed)s needed.")
        % {"spend": known.money("spend"), "needed": known.money("min_spend")}
    ),
    "campaign_budget": _campaign_budget,
    "no_budget": lambda known: _("The platform told no budget for it."),
    "lifetime_budget": lambda known: _("It has a lifetime budget: a daily raise has no meaning for it."),
    "in_learning": lambda known: _("Still learning at Meta: a change now would start that over."),
    "changed_by_person": lambda known: (
        _("Somebody changed it at the platform %(hours)s h ago.") % {"hours": known.hours("hours_ago")}
    ),
    "cooldown": lambda known: (
        _("Changed %(hours)s h ago; it rests for %(rest)s h after a change.")
        % {"hours": known.hours("hours_ago"), "rest": known.whole("cooldown_hours")}
    ),
    "already_suggested": lambda known: _("The same suggestion is already waiting or being carried out."),
    "conflicts_with": lambda known: (
        _("It would contradict another suggestion: %(action)s.") % {"action": title(known["kind"])}
    ),
    "below_percentile": lambda known: (
        _("Once chance is taken off it returns %(roi)s, not above p%(rank)s of the client (%(mark)s).")
        % {
            "roi": known.roi("roi_expected"),
            "rank": known["percentile"] or ABSENT,
            "mark": known.roi("benchmark"),
        }
    ),
    "low_confidence": _low_confidence,
    "refused_unchanged": _refused_unchanged,
    "max_change": lambda known: (
        _("The client allows changes of %(allowed)s %% at most: too little to be worth a decision.")
        % {"allowed": known.whole("max_change_percent")}
    ),
    "budget_cap": lambda known: _("Its budget is already at the client's highest daily budget."),
    "daily_cap": lambda known: (
        _("The client's most actions a day are reached (%(allowed)s).") % {"allowed": known.whole("daily_actions")}
    ),
}
