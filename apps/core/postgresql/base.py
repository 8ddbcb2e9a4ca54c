"""The database backend: each statement runs under the scope of `core.tenancy`.

The scope is compared with what the connection was last told, so an unchanged one costs nothing. A
rollback takes settings back with it, hence what was told is forgotten then and said again.
"""

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper

from apps.core.scope import current_scope

SQL = (
    "SELECT set_config('durum.client_ids', %s, false), set_config('durum.user_id', %s, false), "
    "set_config('durum.everything', %s, false)"
)


class ScopedCursor:
    """A statement runs in the scope in force when it is sent, wherever its cursor was opened.

    Rows that the server hands out piece by piece (`iterator()`) are checked while they are fetched: they stay in
    the scope of their statement, whatever the loop around them does in between.
    """

    scope = None

    def _execute_with_wrappers(self, *args, **kwargs):
        self.scope = current_scope()
        self.db.tell(self.scope)
        return super()._execute_with_wrappers(*args, **kwargs)

    def __getattr__(self, name):
        if name == "copy":
            self.db.tell(current_scope())
        elif name.startswith("fetch"):
            self._tell_for_fetch()
        return super().__getattr__(name)

    def __iter__(self):
        if not self._hands_out_pieces():
            yield from super().__iter__()
            return
        while rows := self.fetchmany(self.cursor.itersize):
            yield from rows

    def _tell_for_fetch(self):
        if self.scope is not None and self._hands_out_pieces():
            self.db.tell(self.scope)

    def _hands_out_pieces(self):
        return bool(getattr(self.cursor, "name", None))


class PlainCursor(ScopedCursor, CursorWrapper):
    pass


class DebugCursor(ScopedCursor, CursorDebugWrapper):
    pass


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL whose sessions know the clients in scope."""

    told = None

    def tell(self, scope):
        """Say which clients are in scope, if the session was last told something else."""
        if self.told == scope or self.needs_rollback or self.connection is None:
            return
        with self.wrap_database_errors:
            self.connection.execute(SQL, scope.guc)
        self.told = scope

    def make_cursor(self, cursor):
        return PlainCursor(cursor, self)

    def make_debug_cursor(self, cursor):
        return DebugCursor(cursor, self)

    def get_new_connection(self, conn_params):
        self.told = None
        return super().get_new_connection(conn_params)

    def _rollback(self):
        self.told = None
        return super()._rollback()

    def _savepoint_rollback(self, sid):
        # The transaction is broken until the savepoint is back: nothing may be said before it.
        self.told = current_scope()
        try:
            return super()._savepoint_rollback(sid)
        finally:
            self.told = None

    def _close(self):
        self.told = None
        return super()._close()
