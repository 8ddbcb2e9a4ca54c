"""The pages of Settings: each app registers its own in `AppConfig.ready()`, as with the menu."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse


@dataclass(frozen=True)
class Tab:
    label: Any
    url_name: str
    icon: str
    order: int


_tabs = {}


def register(tab):
    """Add a page of Settings; the same URL name again replaces it."""
    _tabs[tab.url_name] = tab


def tabs_for(request):
    """`[(tab, address, is it this one)]` for the client in the address."""
    here = request.path
    found = []
    for tab in sorted(_tabs.values(), key=lambda tab: tab.order):
        url = reverse(tab.url_name, kwargs={"client_key": request.client.key})
        found.append((tab, url, here == url))
    return found
