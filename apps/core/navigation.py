"""The entries of the menu. Each app registers its own in `AppConfig.ready()`; nobody edits a central list.

    navigation.register(NavItem(_("Suggestions"), "suggestions:board", "bulb", order=30, key="s"))

An entry of a client leads to `/c/<client_key>/…`; `icon` is a name of `static/vendor/tabler-icons/sprite.svg`;
`verb` is the right it takes to see the entry; `key` is the second letter of the shortcut `g …`.
"""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class NavItem:
    label: str
    url_name: str
    icon: str
    order: int
    per_client: bool = True
    verb: str = "look"
    key: str = ""
    staff_only: bool = False

    def url(self, client_key=None):
        """Where the entry leads; for an entry of a client, for that client."""
        return reverse(self.url_name, kwargs={"client_key": client_key} if self.per_client else None)


@dataclass(frozen=True)
class Entry:
    """A menu line ready to draw."""

    label: str
    url: str
    icon: str
    key: str
    is_current: bool


_items = {}
_gate = None


def register(item):
    """Add an entry; registering the same URL name again replaces it."""
    _items[item.url_name] = item


def register_gate(gate):
    """Let `gate(user, verb, client) -> bool` answer who may see what: roles live above this floor."""
    global _gate  # noqa: PLW0603  (one process, one gate, set once at start)
    _gate = gate


def items():
    """Every entry in menu order."""
    return sorted(_items.values(), key=lambda item: (item.order, item.url_name))


def entries_for(request, client):
    """The menu for this person at `client` (None: only what belongs to no client), current entry marked."""
    allowed = {}
    found = []
    for item in items():
        if (item.per_client and client is None) or (item.staff_only and not request.user.is_staff):
            continue
        if not _allowed(request.user, item, client, allowed):
            continue
        found.append((item, item.url(client.key if item.per_client else None)))
    here = _longest_prefix(request.path, [url for _, url in found])
    return [Entry(item.label, url, item.icon, item.key, url == here) for item, url in found]


def url_for_other_client(request, client):
    """The page being looked at, for another client.

    A page about one row of this client has no counterpart there: the list it belongs to is the answer, and
    failing that the first entry of the menu.
    """
    match = request.resolver_match
    if match and set(match.kwargs) == {"client_key"}:
        try:
            return reverse(match.view_name, kwargs={"client_key": client.key}) + _kept_query(request)
        except NoReverseMatch:
            pass
    of_clients = [item for item in items() if item.per_client]
    current = getattr(request, "client", None)
    if current is not None:
        urls = {item.url(current.key): item for item in of_clients}
        here = _longest_prefix(request.path, urls)
        if here:
            return urls[here].url(client.key)
    return of_clients[0].url(client.key) if of_clients else "/"


# Filters name rows of one client; what period one looks at is the person's own choice.
KEPT_ON_SWITCH = ("period", "since", "until", "compare", "view", "sort")


def _kept_query(request):
    query = request.GET.copy()
    for name in list(query):
        if name not in KEPT_ON_SWITCH:
            del query[name]
    return f"?{query.urlencode()}" if query else ""


def _allowed(user, item, client, remembered):
    # Whoever is given a client may look at it: the middleware answers 404 otherwise.
    if _gate is None or item.verb == "look" or client is None:
        return True
    if item.verb not in remembered:
        remembered[item.verb] = _gate(user, item.verb, client)
    return remembered[item.verb]


def _longest_prefix(path, urls):
    return max((url for url in urls if url == path or (url != "/" and path.startswith(url))), key=len, default=None)
