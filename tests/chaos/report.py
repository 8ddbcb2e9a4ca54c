"""What a harness found, as a table and in var/chaos.json."""

import json
import sys
from dataclasses import asdict, dataclass, field

from durum.settings.environment import VAR_DIR

LEAST_DONE = 0.95
COLUMNS = ("name", "total", "done", "asked", "doubled", "lost", "kills", "kills_in_work", "kills_at", "seconds")


@dataclass(frozen=True)
class Outcome:
    """Of `total` asked-for effects `done` are in place, applied once; `asked` wait for a person and are not in
    place; `doubled` were applied again; `lost` are neither in place nor asked about. They add up.

    `kills` were at random, `kills_in_work` of them while the killed one held work; `kills_at` counts those at
    each named point, `points` are the names that must all occur. A `control` is the naive variant, which must
    show doubles.
    """

    name: str
    total: int
    done: int
    asked: int
    doubled: int
    lost: int
    kills: int
    kills_in_work: int
    kills_at: dict = field(default_factory=dict)
    points: tuple = ()
    control: bool = False
    seconds: float = 0

    @property
    def complaints(self):
        """What is not as it must be."""
        if self.control:
            return [] if self.doubled else ["the harness saw no double of the naive variant"]
        rules = {
            "doubled": self.doubled == 0,
            "lost": self.lost == 0,
            f"fewer than {LEAST_DONE:.0%} done": self.done >= LEAST_DONE * self.total,
            "does not add up": self.done + self.asked + self.doubled + self.lost == self.total,
        }
        never = [f"nobody died at {name}" for name in self.points if not self.kills_at.get(name)]
        return [complaint for complaint, holds in rules.items() if not holds] + never


def write(outcomes):
    """Print the table and store it. True when every outcome is as it must be."""
    rows = [COLUMNS] + [tuple(_cell(getattr(outcome, name)) for name in COLUMNS) for outcome in outcomes]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        sys.stdout.write("  ".join(map(str.rjust, row, widths)) + "\n")
    for outcome in outcomes:
        for complaint in outcome.complaints:
            sys.stdout.write(f"NOT AS IT MUST BE, {outcome.name}: {complaint}\n")
    path = VAR_DIR / "chaos.json"
    try:
        kept = [row for row in json.loads(path.read_text()) if row["name"] not in {o.name for o in outcomes}]
    except (FileNotFoundError, ValueError):
        kept = []
    path.write_text(json.dumps(kept + [asdict(outcome) for outcome in outcomes], indent=1))
    return not any(outcome.complaints for outcome in outcomes)


def _cell(value):
    if isinstance(value, dict):
        return "+".join(map(str, value.values())) or "-"
    return f"{value:.0f}" if isinstance(value, float) else str(value)
