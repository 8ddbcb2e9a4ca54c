"""Who does something, and through which door."""

from dataclasses import dataclass
from typing import Any

VIAS = ("web", "admin", "api", "slack", "command", "system")


@dataclass(frozen=True)
class Actor:
    """`user` is None only for the machine itself (`via` system or command)."""

    user: Any
    via: str

    def __post_init__(self):
        if self.via not in VIAS:
            raise ValueError(f"via must be one of {', '.join(VIAS)}, not {self.via!r}")
        if self.user is None and self.via not in ("system", "command"):
            raise ValueError(f"somebody must be behind {self.via}")

    def __str__(self):
        return f"{self.user or 'Durum'} ({self.via})"


SYSTEM = Actor(None, "system")
