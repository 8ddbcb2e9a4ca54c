"""Puts PostgreSQL's row security on the table of every tenant model, after every migrate.

One plain policy a table: a function call or a CASE in it would cost the index (measured, see
docs/decisions/row-level-security.md). The role that runs Durum owns the tables, hence FORCE.
"""

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction

from .tenancy import TenantModel

IDS = "coalesce(nullif(current_setting('durum.client_ids', true), ''), '{}')::bigint[]"
POLICY = "durum_client"
READ_POLICY = "durum_client_read"


def tenant_models():
    """Every concrete model that carries rows of clients, the client itself included."""
    client = apps.get_model("clients", "Client")
    return [m for m in apps.get_models() if issubclass(m, TenantModel) or m is client]


def policy_of(model):
    """The SQL condition under which a row of `model` is seen and may be written."""
    column = "id" if not issubclass(model, TenantModel) else "client_id"
    condition = f"{column} = ANY ({IDS})"
    extra = getattr(model, "row_policy_or", "")
    return f"{condition} OR ({extra})" if extra else condition


def policies_of(model):
    """`{name: (command, condition)}` of the policies that stand on the table of `model`."""
    policies = {POLICY: ("ALL", policy_of(model))}
    seen_as_well = getattr(model, "row_policy_read_or", "")
    if seen_as_well:
        policies[READ_POLICY] = ("SELECT", seen_as_well)
    return policies


def protect_tables(using="default", **kwargs):
    """Enable and force row security wherever the stored policy differs from the wanted one."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor))
        cursor.execute(
            "SELECT c.relname, p.polname, obj_description(p.oid, 'pg_policy') "
            "FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid "
            "WHERE p.polname = ANY(%s) AND c.relrowsecurity AND c.relforcerowsecurity "
            "AND c.relnamespace = current_schema()::regnamespace",
            [[POLICY, READ_POLICY]],
        )
        in_force = {}
        for table, name, condition in cursor.fetchall():
            in_force.setdefault(table, {})[name] = condition
        for model in tenant_models():
            table, wanted = model._meta.db_table, policies_of(model)
            conditions = {name: condition for name, (_command, condition) in wanted.items()}
            if table in existing and in_force.get(table) != conditions:
                _protect(cursor, connection.ops.quote_name(table), wanted, using)


def _protect(cursor, table, policies, using):
    with transaction.atomic(using=using):
        cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        for name in (POLICY, READ_POLICY):
            cursor.execute(f"DROP POLICY IF EXISTS {name} ON {table}")
        for name, (command, condition) in policies.items():
            cursor.execute(f"CREATE POLICY {name} ON {table} FOR {command} USING ({condition})")
            # The comment is how the next migrate knows what is in force: PostgreSQL rewrites the condition itself.
            cursor.execute(f"COMMENT ON POLICY {name} ON {table} IS %s", [condition])


_checked = set()


def check_role(connection, **kwargs):
    """Signal receiver: no process works through a role that row security does not bind. Asked once a process."""
    name = connection.settings_dict.get("USER"), connection.settings_dict.get("NAME")
    if connection.vendor != "postgresql" or name in _checked:
        return
    with connection.cursor() as cursor:
        refuse_exempt_role(cursor)
    _checked.add(name)


def refuse_exempt_role(cursor):
    """Stop when the database role would see through row security."""
    cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:
        raise ImproperlyConfigured(
            "The database role is a superuser or has BYPASSRLS: clients would see each other's rows. "
            "Use an ordinary role (CREATE ROLE durum LOGIN) that owns the database."
        )
