"""Puts what a platform said into the tables, a page at a time: COPY into a temporary table, then one upsert.

Called inside the caller's transaction, beside the cursor that stands for the page, with the client in scope.
Storing the same page twice changes nothing. Memory is bounded by the page.
"""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connection

from apps.ads.angles import angle_of, hook_of
from apps.ads.models import AdObject
from apps.core import clock
from apps.core.compressed import pack

from . import statements

_FILLED = ("ads_adobject", "ads_creative", "ads_performancemetric", "ads_spendhistory")
PARENT_LEVEL = {"campaign": "account", "adset": "campaign", "ad": "adset"}


@dataclass(frozen=True)
class Stored:
    """How many rows a page had, were new, and were seen to have been changed by somebody else."""

    rows: int = 0
    new: int = 0
    changed_elsewhere: int = 0


_packer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pack")


def packing(raw):
    """Begin to pack an answer while PostgreSQL is busy with its rows; what it gives goes to `snapshot`."""
    return _packer.submit(pack, raw)


def snapshot(run, *, account, kind, page, raw):
    """Keep an answer as the platform gave it (the caller has removed its paging links), or what `packing` gave."""
    packed = raw.result() if isinstance(raw, Future) else pack(raw)
    with connection.cursor() as cursor:
        cursor.execute(
            statements.UPSERT_SNAPSHOT,
            {
                "client": run.client_id,
                "run": run.pk,
                "account": account,
                "kind": kind,
                "page": page,
                "payload": packed,
                "sha256": hashlib.sha256(packed).hexdigest(),
                "now": clock.now(),
            },
        )


def account(channel, record):
    """The account's own row of the tree, made or brought up to date."""
    row, _made = AdObject.objects.update_or_create(
        client_id=channel.client_id,
        level=AdObject.Level.ACCOUNT,
        external_id=channel.external_id,
        defaults={
            "channel": channel,
            "name": record.name[:400],
            "currency": record.currency,
            "time_zone": record.time_zone,
            "effective_status": "ACTIVE" if record.is_open else "DISABLED",
            "seen_at": clock.now(),
        },
    )
    return row


def objects(account, level, nodes, *, read_at, today):
    """Upsert campaigns, ad sets or ads of one page, with the creatives of the ads.

    A budget or switch that differs from what was stored was changed by somebody else, unless Durum wrote it after
    `read_at`, the moment before the page was asked for: then the page is older than our own change.
    """
    if not nodes:
        return Stored()
    with connection.cursor() as cursor:
        _creatives(cursor, account.client_id, nodes, today)
        _load(cursor, "fetch_objects", statements.OBJECTS, map(_object_row, nodes))
        names = _names(account) | {"level": level, "parent_level": PARENT_LEVEL[level], "read_at": read_at}
        if level != AdObject.Level.CAMPAIGN:
            _stubs(cursor, names, names["parent_level"], table="fetch_objects", column="parent_external")
        cursor.execute(statements.UPSERT_OBJECTS, names)
        return Stored(*cursor.fetchone())


def _object_row(node):
    return (
        node.id,
        node.parent_id,
        node.name[:400],
        node.status[:12],
        node.effective_status[:30],
        node.objective[:60],
        node.optimization_goal[:60],
        node.daily_budget,
        node.lifetime_budget,
        node.bid_strategy[:40],
        node.learning_status[:20],
        node.creative.id if node.creative else None,
        node.updated_at,
    )


def _creatives(cursor, client_id, nodes, today):
    rows = {node.creative.id: _creative_row(node, today) for node in nodes if node.creative}
    if rows:
        _load(cursor, "fetch_creatives", statements.CREATIVES, rows.values())
        cursor.execute(statements.UPSERT_CREATIVES, {"client": client_id})


def _creative_row(node, today):
    creative = node.creative
    born = node.created_at.date() if node.created_at else today
    return (
        creative.id,
        (creative.name or node.name)[:300],
        creative.format,
        angle_of(node.name, creative.name, tag=creative.angle_tag),
        hook_of(creative.body, creative.title),
        creative.title,
        creative.body,
        creative.call_to_action[:40],
        creative.link_url,
        creative.media_url,
        min(born, today),
        today if node.effective_status == "ACTIVE" else min(born, today),
    )


def metrics(account, rows, *, run_id):
    """Upsert results per ad and day; an ad the structure did not have gets a stub, to be looked up later."""
    if not rows:
        return 0
    once = {(row.ad_id, row.day): row for row in rows}  # an ad and day told twice in one page would stop the upsert
    with connection.cursor() as cursor:
        _load(cursor, "fetch_metrics", statements.METRICS, once.values())
        names = _names(account) | {"run": run_id}
        cursor.execute(statements.UPSERT_METRICS, names)
        if cursor.rowcount < len(once):
            _stubs(cursor, names, "campaign", table="fetch_metrics", column="campaign_external")
            _stubs(cursor, names, "adset", table="fetch_metrics", column="adset_external", above="campaign_external")
            _stubs(cursor, names, "ad", table="fetch_metrics", column="external_id", above="adset_external")
            cursor.execute(statements.UPSERT_METRICS, names)
        return cursor.rowcount


def keep_statistics():
    """Let PostgreSQL look at tables that have grown since it last did. Call it outside of a transaction.

    It does so by itself within a minute or so; until then a first fetch has filled tables that it believes to be empty,
    and with row security in every question such plans cost a thousand times the right ones (measured).
    """
    with connection.cursor() as cursor:
        cursor.execute(statements.GROWN_TABLES, [list(_FILLED)])
        for (table,) in cursor.fetchall():
            cursor.execute(f"ANALYZE {table}")


def remove_vanished(account, since, until, *, run_id):
    """Drop results of these days that the platform did not repeat in this run: it has taken them back."""
    with connection.cursor() as cursor:
        cursor.execute(
            statements.REMOVE_VANISHED,
            _names(account) | {"since": since, "until": until, "run": run_id},
        )
        return cursor.rowcount


def spend_history(account, since, until, *, today):
    """Bring spend per ad set, campaign and day up to date; the budget in force is known for today only."""
    with connection.cursor() as cursor:
        names = _names(account) | {"since": since, "until": until, "today": today}
        _load(cursor, "fetch_spend", statements.SPEND)
        cursor.execute(statements.SPEND_OF_ADSETS, names)
        cursor.execute(statements.SPEND_OF_CAMPAIGNS, names)
        cursor.execute(statements.SPEND_HISTORY, names)
        cursor.execute(statements.SPEND_TAKEN_BACK, names)
        if since <= today <= until:
            cursor.execute(statements.BUDGETS_TODAY, names)


def missing(account, before):
    """Objects that were not in the answers since `before` though they should still exist: `[(level, id)]`."""
    return (
        AdObject.objects.present()
        .filter(account=account, channel__isnull=False, seen_at__lt=before)
        .order_by("pk")
        .values_list("level", "external_id")
    )


def mark_gone(account, ids):
    """The platform does not show these any more."""
    return AdObject.objects.filter(account=account, external_id__in=ids).update(
        status=AdObject.Status.DELETED, effective_status="DELETED", seen_at=clock.now()
    )


def note_own_write(*, ad_object_id, sent_at, **changes):
    """Remember what Durum itself has set (`daily_budget_minor`, `status`), so that it is not taken for somebody else's.

    `sent_at` is the moment before the change left: a mark that a fetch made since then meant this very change.
    """
    row = AdObject.objects.select_for_update(of=("self",)).get(pk=ad_object_id)
    for name, value in changes.items():
        setattr(row, name, value)
    row.written_at = clock.now()
    if row.changed_elsewhere_at and row.changed_elsewhere_at >= sent_at:
        row.changed_elsewhere_at = None
    row.save(update_fields=[*changes, "written_at", "changed_elsewhere_at"])
    return row


def _names(account):
    return {
        "client": account.client_id,
        "account": account.pk,
        "channel": account.channel_id,
        "currency": account.currency,
        "now": clock.now(),
    }


def _load(cursor, table, columns, rows=()):
    """Fill a temporary table of this session. ON COMMIT empties it; DELETE serves callers inside a longer one."""
    cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS")
    cursor.execute(f"DELETE FROM {table}")  # noqa: S608  (a name of ours)
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _stubs(cursor, names, level, *, table, column, above=""):
    """Rows for objects that are only known by number yet: switched off, and old enough to be looked up."""
    parent = f"t.{above}" if above else "NULL::text"
    cursor.execute(
        statements.INSERT_STUBS.format(table=table, column=column, parent=parent),
        names | {"stub_level": level, "above": PARENT_LEVEL[level]},
    )
