"""Every deed that the code can write has words that a person reads."""

import re
from pathlib import Path

from apps.clients.trail import VERBS
from apps.suggestions.models import Decision, ExecutionLog

APPS = Path(__file__).resolve().parents[2] / "apps"
WRITTEN = re.compile(r'"((?:clients|connectors|ads|suggestions)\.[a-z]+\.[a-z_]+)"')


def test_every_verb_in_the_code_has_words():
    written = set()
    for file in APPS.rglob("*.py"):
        if file.name != "trail.py":
            written |= set(WRITTEN.findall(file.read_text()))
    written |= {f"suggestions.suggestion.{verdict}" for verdict in Decision.Verdict.values}
    written |= {f"suggestions.execution.{state}" for state in ExecutionLog.ASKING}

    assert len(written) > 20
    assert written - set(VERBS) == set()
