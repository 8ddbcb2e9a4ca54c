"""Proposals, what people decided, what was done about it and whether it was right."""

from .archive import DecisionArchive, SuggestionArchive
from .execution import ExecutionLog, FeedbackLoop, Hypothesis
from .proposals import AnalysisRule, CycleRun, Decision, SkippedCandidate, Suggestion, ValidationItem
from .slack import SlackMessage

__all__ = [
    "AnalysisRule",
    "CycleRun",
    "Decision",
    "DecisionArchive",
    "ExecutionLog",
    "FeedbackLoop",
    "Hypothesis",
    "SkippedCandidate",
    "SlackMessage",
    "Suggestion",
    "SuggestionArchive",
    "ValidationItem",
]
