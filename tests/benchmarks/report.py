"""What a benchmark found, on the screen and in var/bench.json."""

import datetime as dt
import json
from dataclasses import asdict, dataclass

from durum.settings.environment import VAR_DIR

FILE = VAR_DIR / "bench.json"
COLUMNS = ("name", "ours", "against", "ratio", "unit", "wanted", "")


@dataclass(frozen=True)
class Result:
    """`ours` measured beside `against`, the plain baseline; `wanted` is the bound of ours / against.

    With `at_least` the ratio must reach `wanted`, otherwise it must not exceed it.
    """

    name: str
    ours: float
    against: float
    unit: str
    wanted: float
    at_least: bool = False

    @property
    def ratio(self):
        """How ours compares."""
        return self.ours / self.against if self.against else float("inf")

    @property
    def holds(self):
        """Whether the ratio is within the wanted bound."""
        return self.ratio >= self.wanted if self.at_least else self.ratio <= self.wanted


def show(results):
    """Print the table."""
    rows = [COLUMNS] + [
        (
            result.name,
            f"{result.ours:,.6g}",
            f"{result.against:,.6g}",
            f"{result.ratio:.2f}",
            result.unit,
            f"{'≥' if result.at_least else '≤'} {result.wanted:g}",
            "ok" if result.holds else "MISSED",
        )
        for result in results
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def write(results):
    """Put the results into var/bench.json, beside those of other benchmarks measured earlier."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    for result in results:
        known[result.name] = asdict(result) | {"ratio": round(result.ratio, 4), "holds": result.holds, "measured": now}
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(known, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
