"""Signs and small pictures among the components: states, confidence, bars, charts.

Part of the template library `durum`, where the list of all components and how to use each one stands.
"""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import drawing, formats

register = template.Library()

# What a state means to a reader, whatever the app calls it: colour and picture always come together.
TONES = {
    "wait": ("azure", "clock"),
    "work": ("indigo", "progress"),
    "good": ("green", "check"),
    "warn": ("orange", "alert-triangle"),
    "bad": ("red", "alert-circle"),
    "off": ("secondary", "minus"),
}
STATES = {
    "wait": "waiting pending new queued scheduled due draft proposed planned open invited uploaded mapped",
    "work": "running executing approved claimed sending publishing fetching importing in_progress "
    "started processing measuring",
    "good": "done succeeded success active executed published sent ok healthy connected finished "
    "complete completed imported confirmed up right verified enabled live",
    "warn": "unknown conflict paused expiring partial held needs_check outcome_unknown inconclusive "
    "degraded stale overdue needs_person needs_approval",
    "bad": "failed error broken rejected expired_token revoked down wrong dead needs_reconnect denied blocked",
    "off": "refused cancelled canceled archived expired deleted disabled inactive ignored skipped "
    "undone superseded off closed none",
}
TONE_OF_STATE = {state: tone for tone, states in STATES.items() for state in states.split()}

CONFIDENCE = (
    (0.8, "green", gettext_lazy("High confidence")),
    (0.6, "azure", gettext_lazy("Medium confidence")),
    (0.0, "orange", gettext_lazy("Low confidence")),
)


@register.inclusion_tag("components/state_badge.html")
def state_badge(state, label="", tone=""):
    """A state as a coloured word with a picture. `tone`: wait, work, good, warn, bad or off."""
    colour, picture = TONES[tone or TONE_OF_STATE.get(str(state).lower(), "off")]
    return {"label": label or state, "colour": colour, "icon": picture}


@register.inclusion_tag("components/confidence.html")
def confidence(value, right=None, of=None):
    """A probability (0..1) of being right, and how such ones turned out before: `right` of `of`."""
    record = ""
    if of:
        record = ngettext(
            "%(right)d of %(of)d like it turned out right", "%(right)d of %(of)d like it turned out right", of
        ) % {"right": right or 0, "of": of}
    if value is None:
        return {"text": formats.ABSENT, "colour": "secondary", "label": _("No confidence known"), "record": record}
    colour, label = next((colour, label) for floor, colour, label in CONFIDENCE if float(value) >= floor)
    return {"text": formats.chance(value), "colour": colour, "label": label, "record": record}


@register.inclusion_tag("components/sparkline.html")
def sparkline(values, label=""):
    """The course of a number as a small line; `label` is what a screen reader says instead."""
    return {"points": drawing.sparkline(values), "label": label}


@register.inclusion_tag("components/interval_bar.html")
def interval_bar(low, high, point=None, *, label="", minimum=None, maximum=None, zero=0.0):
    """An interval with its point and the line of no effect. Give all bars of a table the same minimum and maximum."""
    if low is None or high is None:
        return {"bar": None, "label": label}
    bounds = None if minimum is None or maximum is None else (float(minimum), float(maximum))
    return {"bar": drawing.interval(low, high, point, bounds=bounds, zero=zero), "label": label}


@register.inclusion_tag("components/percentile_bar.html")
def percentile_bar(value, marks, label="", good="up", maximum=None):
    """A value among the client's own p25, p50, p75, p90. `good` says whether high or low is good news.

    Give all bars of a table the same `maximum`, or each one has its own scale.
    """
    marks = [mark for mark in (marks or []) if mark is not None]
    if value is None or len(marks) < 3:
        return {"bar": None, "label": label}
    is_high, is_low = value >= marks[2], value <= marks[0]
    tone = "middle"
    if is_high or is_low:
        tone = "good" if is_high == (good == "up") else "bad"
    return {"bar": drawing.percentile(value, marks, maximum), "label": label, "tone": tone}


@register.inclusion_tag("components/progress_bar.html")
def progress_bar(done, total, label=""):
    return {"done": done, "total": total, "label": label}


@register.inclusion_tag("components/chart.html", takes_context=True)
def chart(context, id, labels, series, *, kind="line", title="", unit="number", currency="", height="md", marks=None):
    """Lines or bars with a table of the same numbers underneath.

    `series`: dicts with name and values, optionally low and high (a band), dashed, and kind. `unit`: number,
    money, percent or ratio. `marks`: [(one of the labels, text)], vertical lines such as "budget raised".
    """
    labels = [_on_axis(label) for label in labels]
    series = [dict(entry, values=[_plain(value) for value in entry["values"]]) for entry in series]
    for entry in series:
        for edge in ("low", "high"):
            if entry.get(edge):
                entry[edge] = [_plain(value) for value in entry[edge]]
        entry["name"] = str(entry["name"])
    rows = [
        (label, [_formatted(entry["values"][index], unit, currency) for entry in series])
        for index, label in enumerate(labels)
    ]
    return {
        "id": id,
        "title": title,
        "height": height,
        "series": series,
        "rows": rows,
        "options": {
            "kind": kind,
            "labels": labels,
            "series": series,
            "unit": unit,
            "currency": currency,
            "marks": [[_on_axis(at), str(text)] for at, text in marks or []],
        },
    }


def _on_axis(label):
    return formats.day(label, short=True) if hasattr(label, "strftime") else str(label)


def _plain(value):
    return None if value is None else float(value)


def _formatted(value, unit, currency):
    if unit == "money":
        return formats.money(value, currency or "EUR")
    if unit == "percent":
        return formats.percent(value, 1)
    if unit == "ratio":
        return formats.ratio(value)
    return formats.number(value, 0 if value is None or value == int(value) else 2)
