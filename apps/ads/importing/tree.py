"""The objects a file names, each once, as a small tree in memory: bounded by the ads, not by the rows."""

from dataclasses import dataclass

from .rows import LEVELS, name_key
from .values import fold

ACCOUNT_NODE = 0
_STATUS = {
    "ACTIVE": {"active", "actif", "activee", "on", "diffusion en cours", "delivering"},
    "PAUSED": {"inactive", "inactif", "off", "paused", "en pause", "desactive", "desactivee", "not_delivering"},
    "ARCHIVED": {"archived", "archive", "archivee"},
    "DELETED": {"deleted", "supprime", "supprimee"},
}


@dataclass
class Node:
    """An object of the file. `name_key` is what it would be called had the file names only; "" if it cannot be."""

    number: int
    level: str
    parent: int
    external_id: str
    has_id: bool
    name: str
    name_key: str
    is_placeholder: bool = False
    status: str = ""


class Tree:
    """Gives each object a small number; `place` is asked once a row."""

    def __init__(self, account_id):
        self.account_id = account_id
        self.nodes = []
        self._by_id = {}
        self._by_path = {}

    def place(self, result):
        """The number of the object a row is about; makes it, and what is above it, when it is new."""
        leaf = self._by_path.get(result.path)
        if leaf is None:
            leaf = self._by_path[result.path] = self._grow(result.path)
        if result.delivery:
            self.nodes[leaf - 1].status = status_of(result.delivery) or self.nodes[leaf - 1].status
        return leaf

    def _grow(self, path):
        parent, names = ACCOUNT_NODE, [self.account_id]
        for level, (number, name) in zip(LEVELS, path, strict=False):
            names.append(name or number)
            key = name_key(level, *names)
            external = number or key
            found = self._by_id.get((level, external))
            if found is None:
                found = len(self.nodes) + 1
                self._by_id[(level, external)] = found
                known_by_name = key if name and all(names) else ""
                self.nodes.append(
                    Node(found, level, parent, external, bool(number), name, known_by_name, not number and not name)
                )
            elif name:
                # The last name in the file is the newest: exports run from old to new.
                self.nodes[found - 1].name = name
            parent = found
        return parent


def status_of(delivery):
    """Ads Manager's word for delivery as the switch it implies, "" when it implies none."""
    word = fold(delivery)
    return next((status for status, words in _STATUS.items() if word in words), "")
