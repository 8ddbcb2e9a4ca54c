"""Reads how often confidence was right, and what kinds of action brought."""

from collections import defaultdict
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Case, Count, IntegerField, Q, Value, When
from redis import RedisError

from apps.suggestions.calibration import BINS, FEWEST, Calibration, Forecast, calibrate
from apps.suggestions.models import Suggestion, SuggestionArchive

REMEMBERED_SECONDS = 600
MOST_FORECASTS = 20_000


@dataclass(frozen=True)
class Record:
    """How confidences of one client turned out: (n, came true) by bin of `calibration.BINS`."""

    n: int
    bins: dict[int, tuple[int, int]]

    @property
    def is_checked(self):
        """Below this many outcomes nothing is claimed."""
        return self.n >= FEWEST

    def like(self, confidence):
        """(n, came true) of the suggestions that were about as sure."""
        return self.bins.get(_bin_of(confidence), (0, 0))


NO_RECORD = Record(0, {})


def records(client_ids):
    """`{client id: Record}`. Two grouped counts, remembered for ten minutes: they change once a day."""
    ids = sorted(set(client_ids))
    if not ids:
        return {}
    key = f"suggestions:records:{','.join(map(str, ids))}"
    try:
        found = cache.get(key)
    except RedisError:
        return _read_records(ids)
    if found is None:
        found = _read_records(ids)
        cache.set(key, found, REMEMBERED_SECONDS)
    return found


def calibration_of(client) -> Calibration:
    """The calibration of everything that is known of a client, archived or not."""
    columns = ("confidence", "came_true", "created_at", "outcome_known_at")
    forecasts = []
    for model in (Suggestion, SuggestionArchive):
        known = model.objects.filter(client=client, came_true__isnull=False, outcome_known_at__isnull=False)
        rows = known.order_by("-created_at", "-pk").values_list(*columns)[:MOST_FORECASTS]
        forecasts += [Forecast(*row) for row in rows]
    return calibrate(forecasts)


def _read_records(ids):
    bins, totals = defaultdict(dict), defaultdict(int)
    for model in (Suggestion, SuggestionArchive):
        known = model.objects.filter(client_id__in=ids, came_true__isnull=False)
        grouped = known.order_by().annotate(bin=_bin_column()).values_list("client_id", "bin")
        for client_id, place, n, true in grouped.annotate(
            known=Count("pk"), right=Count("pk", filter=Q(came_true=True))
        ):
            before = bins[client_id].get(place, (0, 0))
            bins[client_id][place] = (before[0] + n, before[1] + true)
            totals[client_id] += n
    return {pk: Record(totals[pk], dict(bins[pk])) for pk in ids}


def _bin_column():
    cases = [When(confidence__gte=low, then=Value(place)) for place, low in reversed(list(enumerate(BINS[:-1])))]
    return Case(*cases, default=Value(0), output_field=IntegerField())


def _bin_of(confidence):
    return max(place for place, low in enumerate(BINS[:-1]) if confidence >= low or place == 0)
