"""The set-based half of an import: rows wait in a temporary table of the session, then go in by one upsert.

Between the two nothing of the file is visible to anybody. Temporary tables die with the session, so a killed
worker leaves nothing behind.
"""

from contextlib import contextmanager

from django.db import connection

from apps.ads.importing.rows import LEVELS
from apps.ads.importing.tree import ACCOUNT_NODE

# column -> how rows of the same object and day become one. People reached on two rows may be the same people.
SUMS = {
    "spend": "coalesce(sum(r.spend), 0)",
    "impressions": "coalesce(sum(r.impressions), 0)",
    "reach": "CASE WHEN count(*) = 1 THEN max(r.reach) END",
    "clicks": "coalesce(sum(r.clicks), 0)",
    "link_clicks": "sum(r.link_clicks)",
    "leads": "coalesce(sum(r.leads), 0)",
    "purchases": "coalesce(sum(r.purchases), 0)",
    "revenue": "sum(r.revenue)",
}
_ROWS = """
    CREATE TEMP TABLE import_rows (line integer, node integer, day date, subtotal boolean, mark bigint, spend numeric,
        impressions bigint, reach bigint, clicks bigint, link_clicks bigint, leads numeric, purchases numeric,
        revenue numeric)
"""
_NODES = """
    CREATE TEMP TABLE import_nodes (node integer PRIMARY KEY, level text, parent integer, external_id text,
        has_id boolean, name text, name_key text, is_placeholder boolean, status text, object_id bigint)
"""


@contextmanager
def waiting_tables():
    """The two temporary tables, empty, for the time of the block."""
    _drop()
    with connection.cursor() as cursor:
        cursor.execute(_ROWS)
        cursor.execute(_NODES)
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _drop()


def _drop():
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.import_rows, pg_temp.import_nodes")


def add_rows(rows):
    """Append `(line, node, day, subtotal, mark, *figures in the order of SUMS)`."""
    with connection.cursor() as cursor, cursor.copy("COPY import_rows FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def add_nodes(account, nodes):
    """Put the tree beside the rows, the account itself as its root."""
    with connection.cursor() as cursor:
        with cursor.copy("COPY import_nodes FROM STDIN") as copy:
            copy.write_row(
                (ACCOUNT_NODE, "account", None, account.external_id, True, account.name, "", False, "", account.pk)
            )
            for n in nodes:
                copy.write_row(
                    (
                        n.number,
                        n.level,
                        n.parent,
                        n.external_id,
                        n.has_id,
                        n.name,
                        n.name_key,
                        n.is_placeholder,
                        n.status,
                        None,
                    )
                )
        cursor.execute("ANALYZE import_nodes")
        cursor.execute("ANALYZE import_rows")


def store_objects(account, *, now, placeholder):
    """Make or refresh the tree, top down, and note which row of the tree each node is. Returns the new ones."""
    new = 0
    names = {"client": account.client_id, "account": account.pk, "currency": account.currency, "now": now}
    names["placeholder"] = placeholder
    with connection.cursor() as cursor:
        for level in LEVELS:
            names["level"] = level
            cursor.execute(_ADOPT, names)
            cursor.execute(_REUSE, names)
            cursor.execute(_INSERT_OBJECTS, names)
            new += cursor.rowcount
            cursor.execute(_RESOLVE, names)
            cursor.execute(_REFRESH_OBJECTS, names)
    return new


def objects_of_other_accounts(account):
    """Names of accounts that already hold objects of this file: the wrong account was chosen."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_ACCOUNTS, {"account": account.pk})
        return [name for (name,) in cursor.fetchall()]


def report_repeated(run):
    """Take rows that stand twice in the file out, all but the first, and say so. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_REPEATED, _finding(run, "repeated_row"))
        return cursor.rowcount


def report_other_level(run):
    """Take out days that are stored for the same money at another level, and say so. Returns how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_LEVEL, _finding(run, "stored_at_other_level"))
        return cursor.rowcount


def store_days(run, measures):
    """One upsert of all days. Only the figures the file has are written over stored ones.

    Returns `(new, changed, unchanged, first day, last day)`; an unchanged row is not touched at all.
    """
    kept = [column for column in SUMS if column in measures]
    target, source = "ads_performancemetric.", "EXCLUDED."
    sums = ", ".join(f"{expression} AS {column}" for column, expression in SUMS.items())
    sql = _STORE_DAYS.format(
        sums=sums,
        columns=", ".join(SUMS),
        updates=", ".join(f"{c} = EXCLUDED.{c}" for c in kept),
        stored=", ".join(target + c for c in kept),
        found=", ".join(source + c for c in kept),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"client": run.client_id, "run": run.pk})
        return cursor.fetchone()


def _finding(run, reason):
    sheet = run.options["plan"].get("sheet", "")[:80]
    return {"client": run.client_id, "run": run.pk, "sheet": sheet, "reason": reason}


# An object that was known by name gets its number as soon as a file tells it.
_ADOPT = """
    UPDATE ads_adobject o SET external_id = n.external_id
      FROM import_nodes n
     WHERE n.level = %(level)s AND n.has_id AND n.name_key <> '' AND o.client_id = %(client)s AND o.level = %(level)s
       AND o.external_id = n.name_key
       AND (SELECT count(*) FROM import_nodes x WHERE x.level = n.level AND x.name_key = n.name_key) = 1
       AND NOT EXISTS (SELECT 1 FROM ads_adobject k WHERE k.client_id = %(client)s AND k.level = %(level)s
                          AND k.external_id = n.external_id)
"""
# And a name without a number means the one object of that name in the same place.
_REUSE = """
    UPDATE import_nodes n SET external_id = m.external_id
      FROM (SELECT parent_id, name, min(external_id) AS external_id FROM ads_adobject
             WHERE client_id = %(client)s AND level = %(level)s AND account_id = %(account)s
             GROUP BY parent_id, name HAVING count(*) = 1) m,
           import_nodes p
     WHERE n.level = %(level)s AND NOT n.has_id AND NOT n.is_placeholder AND p.node = n.parent
       AND m.parent_id = p.object_id AND m.name = n.name
"""
_INSERT_OBJECTS = """
    INSERT INTO ads_adobject (client_id, level, external_id, parent_id, account_id, channel_id, name, status,
        effective_status, objective, optimization_goal, currency, time_zone, bid_strategy, learning_status, seen_at,
        created_at)
    SELECT %(client)s, n.level, n.external_id, p.object_id, %(account)s, NULL,
           CASE WHEN n.is_placeholder THEN %(placeholder)s ELSE coalesce(nullif(n.name, ''), n.external_id) END,
           coalesce(nullif(n.status, ''), 'ACTIVE'), '', '', '', %(currency)s, '', '', '', %(now)s, %(now)s
      FROM import_nodes n JOIN import_nodes p ON p.node = n.parent
     WHERE n.level = %(level)s
     ORDER BY n.external_id
        ON CONFLICT (client_id, level, external_id) DO NOTHING
"""
_RESOLVE = """
    UPDATE import_nodes n SET object_id = o.id
      FROM ads_adobject o
     WHERE n.level = %(level)s AND o.client_id = %(client)s AND o.level = %(level)s AND o.external_id = n.external_id
"""
# What the platform itself has told (channel) is better known than what a file says.
_REFRESH_OBJECTS = """
    UPDATE ads_adobject o
       SET name = coalesce(nullif(n.name, ''), o.name), status = coalesce(nullif(n.status, ''), o.status),
           parent_id = CASE WHEN p.is_placeholder THEN o.parent_id ELSE p.object_id END, seen_at = %(now)s
      FROM import_nodes n JOIN import_nodes p ON p.node = n.parent
     WHERE n.level = %(level)s AND o.id = n.object_id AND o.channel_id IS NULL AND o.account_id = %(account)s
       AND (o.name, o.status, o.parent_id) IS DISTINCT FROM
           (coalesce(nullif(n.name, ''), o.name), coalesce(nullif(n.status, ''), o.status),
            CASE WHEN p.is_placeholder THEN o.parent_id ELSE p.object_id END)
"""
_OTHER_ACCOUNTS = """
    SELECT DISTINCT a.name
      FROM import_nodes n JOIN ads_adobject o ON o.id = n.object_id JOIN ads_adobject a ON a.id = o.account_id
     WHERE n.level <> 'account' AND o.account_id <> %(account)s
     ORDER BY a.name LIMIT 3
"""
_FINDINGS = (
    'INSERT INTO connectors_qualityfinding (client_id, run_id, sheet, line, "column", value, reason) '
    "SELECT %(client)s, %(run)s, %(sheet)s, line, '', '', %(reason)s FROM gone ORDER BY line"
)
_REPEATED = " ".join(
    (
        """
    WITH again AS (SELECT ctid AS place, row_number() OVER (PARTITION BY mark ORDER BY line) AS nth FROM import_rows),
         gone AS (DELETE FROM import_rows r USING again a WHERE r.ctid = a.place AND a.nth > 1 RETURNING r.line)
""",
        _FINDINGS,
    )
)
_OTHER_LEVEL = " ".join(
    (
        """
    WITH RECURSIVE
         used AS (SELECT DISTINCT n.object_id FROM import_rows r JOIN import_nodes n ON n.node = r.node),
         above AS (SELECT u.object_id, o.parent_id AS other_id FROM used u JOIN ads_adobject o ON o.id = u.object_id
                   UNION ALL
                   SELECT a.object_id, o.parent_id FROM above a JOIN ads_adobject o ON o.id = a.other_id
                    WHERE o.parent_id IS NOT NULL),
         below AS (SELECT u.object_id, o.id AS other_id FROM used u
                     JOIN ads_adobject o ON o.parent_id = u.object_id AND o.client_id = %(client)s
                   UNION ALL
                   SELECT b.object_id, o.id FROM below b
                     JOIN ads_adobject o ON o.parent_id = b.other_id AND o.client_id = %(client)s),
         taken AS (SELECT DISTINCT x.object_id, m.day
                     FROM (SELECT * FROM above UNION ALL SELECT * FROM below) x
                     JOIN ads_performancemetric m ON m.client_id = %(client)s AND m.ad_object_id = x.other_id),
         gone AS (DELETE FROM import_rows r USING import_nodes n, taken t
                   WHERE n.node = r.node AND t.object_id = n.object_id AND t.day = r.day RETURNING r.line)
""",
        _FINDINGS,
    )
)
_STORE_DAYS = """
    WITH placed AS (
        SELECT n.object_id, r.*, bool_and(r.subtotal) OVER (PARTITION BY n.object_id, r.day) AS only_subtotals
          FROM import_rows r JOIN import_nodes n ON n.node = r.node),
    days AS (
        SELECT r.object_id, r.day, {sums}
          FROM placed r WHERE NOT r.subtotal OR r.only_subtotals
         GROUP BY r.object_id, r.day),
    stored AS (
        INSERT INTO ads_performancemetric (client_id, ad_object_id, day, {columns}, run_id)
        SELECT %(client)s, d.object_id, d.day, {columns}, %(run)s FROM days d ORDER BY d.object_id, d.day
            ON CONFLICT (client_id, ad_object_id, day) DO UPDATE SET {updates}, run_id = EXCLUDED.run_id
            WHERE ({stored}) IS DISTINCT FROM ({found})
        RETURNING xmax = 0 AS is_new)
    SELECT (SELECT count(*) FROM stored WHERE is_new), (SELECT count(*) FROM stored WHERE NOT is_new),
           (SELECT count(*) FROM days) - (SELECT count(*) FROM stored), (SELECT min(day) FROM days),
           (SELECT max(day) FROM days)
"""
