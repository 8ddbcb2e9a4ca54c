"""The clients in scope, as plain values: read by the database backend before any model exists."""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """`client_ids` are visible; `user_id` additionally sees its own memberships; `everything` also sees
    rows that belong to no client (logs of the installation) and may create clients. `is_of_user` says that
    `client_ids` are those the person's memberships give, neither narrowed nor chosen by anybody else."""

    client_ids: tuple[int, ...] = ()
    user_id: int | None = None
    everything: bool = False
    is_of_user: bool = False

    @property
    def guc(self):
        """The three values as PostgreSQL settings."""
        return (
            "{" + ",".join(map(str, self.client_ids)) + "}",
            "" if self.user_id is None else str(self.user_id),
            "on" if self.everything else "",
        )


NOTHING = Scope()
_scope = ContextVar("tenancy_scope", default=NOTHING)


def current_scope():
    """The scope in force; `NOTHING` outside of every block."""
    return _scope.get()


@contextmanager
def use_scope(scope):
    """Run the block in `scope`; the doors build it from the person asking."""
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)
