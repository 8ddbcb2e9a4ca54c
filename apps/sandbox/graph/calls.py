"""One Graph call, whether it came by itself or inside a batch, and the readers of its parameters."""

import json
from dataclasses import dataclass, field

from apps.sandbox.graph.errors import bad_parameter


@dataclass
class Call:
    """What a caller asked, with everything an answer needs to know."""

    method: str
    version: str
    path: tuple[str, ...]
    params: dict
    base_url: str
    now: float
    request_id: str
    faults: list = field(default_factory=list)
    page_limit: int = 0
    token: object = None
    notes: dict = field(default_factory=dict)

    def fault(self, kind):
        """The fault of this kind that fired for the request, or None."""
        return next((fault for fault in self.faults if fault.kind == kind), None)

    def text(self, name, default=""):
        """A parameter as text."""
        value = self.params.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def parsed(self, name, default=None):
        """A parameter that carries JSON, either as text or already parsed from a JSON body."""
        value = self.params.get(name)
        if value in (None, ""):
            return default
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise bad_parameter(f"Param {name} must be valid JSON, got {value[:60]}") from None

    def listed(self, name):
        """A parameter that is a JSON array or a comma-separated list; None when absent."""
        value = self.params.get(name)
        if value in (None, ""):
            return None
        if isinstance(value, str) and not value.lstrip().startswith("["):
            return [part.strip() for part in value.split(",") if part.strip()]
        value = self.parsed(name)
        if not isinstance(value, list):
            raise bad_parameter(f"Param {name} must be an array")
        return value

    def conditions(self):
        """The conditions of `filtering`, each an object with a field, an operator and a value."""
        found = self.parsed("filtering", [])
        if not isinstance(found, list) or not all(isinstance(one, dict) and one.get("field") for one in found):
            raise bad_parameter("Param filtering must be an array of objects with field, operator and value")
        return found

    def number(self, name, default):
        """A parameter that is a whole number of at least 0."""
        value = self.params.get(name)
        if value in (None, ""):
            return default
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise bad_parameter(f"Param {name} must be an integer") from None
        if number < 0:
            raise bad_parameter(f"Param {name} must be positive")
        return number

    def truth(self, name):
        """A parameter that is a boolean in any of the spellings people use."""
        return str(self.params.get(name, "")).lower() in {"true", "1"}


@dataclass
class Wanted:
    """One entry of `fields`: a name, its modifiers and what is wanted inside."""

    name: str
    modifiers: dict = field(default_factory=dict)
    inner: list | None = None


def parse_fields(text):
    """Read `id,creative{id,body},insights.date_preset(last_7d){spend}` into a list of `Wanted`."""
    wanted, rest = _entries(text, 0)
    if rest != len(text):
        raise bad_parameter(f"Syntax error at character {rest} of fields: {text[:80]}")
    return wanted


def _entries(text, at):
    found = []
    while at < len(text):
        while at < len(text) and text[at] in ", \n":
            at += 1
        start = at
        while at < len(text) and (text[at].isalnum() or text[at] in "_:"):
            at += 1
        if start == at:
            break
        entry = Wanted(text[start:at])
        at = _modifiers(text, at, entry)
        if at < len(text) and text[at] == "{":
            entry.inner, at = _entries(text, at + 1)
            if at >= len(text) or text[at] != "}":
                raise bad_parameter("Syntax error: unbalanced braces in fields")
            at += 1
        found.append(entry)
    return found, at


def _modifiers(text, at, entry):
    while at < len(text) and text[at] == ".":
        opening = text.find("(", at)
        if opening < 0:
            raise bad_parameter("Syntax error: modifier without value in fields")
        depth, end = 1, opening + 1
        while end < len(text) and depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        entry.modifiers[text[at + 1 : opening]] = text[opening + 1 : end - 1]
        at = end
    return at
