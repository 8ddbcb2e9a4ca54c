"""The database backend: each statement runs under the scope of `core.tenancy`.

The scope is compared with what the connection was last told, so an unchanged one costs nothing. A
rollback takes settings back with it, hence what was told is forgotten then and said again.
"""

from django.db.backends.postgresql import base

from apps.core.scope import current_scope

SQL = (
    "SELECT set_config('durum.client_ids', %s, false), set_config('durum.user_id', %s, false), "
    "set_config('durum.everything', %s, false)"
)


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL whose sessions know the clients in scope."""

    told = None

    def get_new_connection(self, conn_params):
        self.told = None
        return super().get_new_connection(conn_params)

    def _cursor(self, name=None):
        self.ensure_connection()
        scope = current_scope()
        if self.told != scope and not self.needs_rollback:
            with self.wrap_database_errors:
                self.connection.execute(SQL, scope.guc)
            self.told = scope
        return super()._cursor(name)

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
