"""What a harness found, as a table and in var/chaos.json."""

import json
from dataclasses import asdict, dataclass

from durum.settings.environment import VAR_DIR


@dataclass(frozen=True)
class Outcome:
    """`done` of the asked-for effects are in place once; `doubled` were applied again; `lost` are neither done nor
    asked about; `asked` stopped for a person. A `control` is the naive variant, which must show doubles."""

    name: str
    done: int
    kills: int
    doubled: int
    lost: int
    asked: int
    control: bool
    seconds: float = 0

    @property
    def is_good(self):
        return self.doubled > 0 if self.control else not (self.doubled or self.lost)


def write(outcomes):
    """Print the table and store it. True when every outcome is as it must be."""
    columns = ("name", "done", "kills", "doubled", "lost", "asked", "control", "seconds")
    print("  ".join(f"{name:>10}" for name in columns))
    for outcome in outcomes:
        row = asdict(outcome) | {"seconds": round(outcome.seconds)}
        print("  ".join(f"{row[name]!s:>10}" for name in columns), "" if outcome.is_good else "  NOT AS IT MUST BE")
    path = VAR_DIR / "chaos.json"
    try:
        kept = [row for row in json.loads(path.read_text()) if row["name"] not in {o.name for o in outcomes}]
    except (FileNotFoundError, ValueError):
        kept = []
    path.write_text(json.dumps(kept + [asdict(outcome) for outcome in outcomes], indent=1))
    return all(outcome.is_good for outcome in outcomes)
