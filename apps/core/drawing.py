"""Geometry of the small pictures inside text and tables. Drawn as SVG on the server: no script, no inline style.

Lengths come back as strings with a point, whatever the language: SVG knows no decimal comma.
"""

from dataclasses import dataclass

WIDTH, HEIGHT = 100, 28


def length(value):
    """A coordinate as SVG wants it."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def sparkline(values, *, width=WIDTH, height=HEIGHT, margin=2):
    """The `points` of a polyline through `values`, oldest first; a gap (None) is left out. "" below two points."""
    known = [(index, float(value)) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low = min(value for _, value in known)
    span = max(value for _, value in known) - low
    last = len(values) - 1
    points = []
    for index, value in known:
        x = margin + (width - 2 * margin) * index / last
        share = (value - low) / span if span else 0.5
        points.append(f"{length(x)},{length(height - margin - (height - 2 * margin) * share)}")
    return " ".join(points)


@dataclass(frozen=True)
class Scale:
    """Maps values from `low`..`high` to 0..`width`, held inside the picture."""

    low: float
    high: float
    width: float = WIDTH

    def at(self, value):
        if self.high <= self.low:
            return self.width / 2
        share = (float(value) - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0) * self.width

    def x(self, value):
        return length(self.at(value))


def interval(low, high, point, *, bounds=None, zero=0.0):
    """Coordinates of an interval with its point estimate and the line of "no effect"."""
    known = [float(value) for value in (low, high, point, zero) if value is not None]
    if bounds is None:
        room = (max(known) - min(known)) * 0.08 or 1.0
        bounds = (min(known) - room, max(known) + room)
    scale = Scale(float(bounds[0]), float(bounds[1]))
    return {
        "start": scale.x(low),
        "length": length(max(scale.at(high) - scale.at(low), 0.5)),
        "point": None if point is None else scale.x(point),
        "zero": scale.x(zero) if bounds[0] <= zero <= bounds[1] else None,
    }


def percentile(value, marks, maximum=None):
    """Coordinates of a value among the client's own `marks` (p25, p50, p75, p90; ascending).

    The picture runs from 0 to `maximum`, else to a little beyond the larger of the value and the last mark.
    """
    marks = [float(mark) for mark in marks]
    scale = Scale(0.0, float(maximum or max([float(value), *marks]) * 1.1 or 1.0))
    return {
        "value": scale.x(value),
        "box_start": scale.x(marks[0]),
        "box_length": length(scale.at(marks[2]) - scale.at(marks[0])),
        "median": scale.x(marks[1]),
        "last": scale.x(marks[3]) if len(marks) > 3 else None,
    }
