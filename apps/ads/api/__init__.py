"""Ads through the API: the tree, results, creatives, and the runs that read them."""

from .imports import ImportViewSet
from .metrics import MetricViewSet
from .objects import AdObjectViewSet, CreativeViewSet
from .runs import SyncRunViewSet

ENDPOINTS = [
    ("ad-objects", AdObjectViewSet),
    ("creatives", CreativeViewSet),
    ("metrics", MetricViewSet),
    ("sync-runs", SyncRunViewSet),
    ("imports", ImportViewSet),
]
