"""Does an import that was confirmed: rows are read into a waiting table, then stored in one transaction.

Cancelled or killed before that transaction, nothing of the file is stored and the run starts over; killed
after it, the run is done. There is no half.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.ads.importing.plan import Plan
from apps.ads.importing.proposing import choose_table
from apps.ads.importing.rows import DayResult, RowReader, TotalRow
from apps.ads.importing.tree import Tree
from apps.ads.models import AdObject
from apps.ads.services import import_tables, importing, storing
from apps.connectors.models import QualityFinding, SyncRun
from apps.core import audit, clock, leases
from apps.core.actors import Actor
from apps.core.crashpoints import crash_point
from apps.core.errors import Conflict, DurumError

logger = logging.getLogger(__name__)

BATCH = 5000
LEASE = 180
LEASE_WHILE_STORING = 1800
MOST_ATTEMPTS = 4
# Beyond this many problems a person needs another export, not a longer list.
MOST_FINDINGS = 50_000


def run_import(*, run_id, on_progress=None):
    """Do the import if nobody else holds it; returns the run as it stands then, None when it is not ours to do.

    Safe to call twice. `on_progress(done, total)` is told after every batch of rows.
    """
    run = leases.claim(SyncRun.objects.due(clock.now()).filter(pk=run_id, kind=importing.KIND), seconds=LEASE)
    if run is None:
        return None
    try:
        if run.attempts > MOST_ATTEMPTS:
            raise Conflict(
                _(
                    "The import was interrupted %(times)d times. Start it again; if it stops again, "
                    "tell an administrator."
                )
                % {"times": MOST_ATTEMPTS}
            )
        _import(run, on_progress)
    except leases.Lost:
        logger.info("import %s was cancelled or taken over", run.pk)
        run.refresh_from_db()
        if run.state == SyncRun.State.CANCELLED:
            # The last batch may have come after the cancel had removed them.
            run.findings.all().delete()
    except DurumError as exc:
        _fail(run, exc)
    return run


def _import(run, on_progress):
    leases.update_held(
        run,
        state=SyncRun.State.RUNNING,
        stage="reading",
        started_at=run.started_at or clock.now(),
        done=0,
        total=None,
        counts={},
        error="",
        error_detail="",
    )
    # What an interrupted attempt has found is found again.
    run.findings.all().delete()
    plan = Plan.from_json(run.options["plan"])
    account = AdObject.objects.get(pk=run.options["account"])
    with import_tables.waiting_tables():
        counts, tree = _read(run, plan, account, on_progress)
        crash_point("import_before_storing")
        leases.renew(run, seconds=LEASE_WHILE_STORING)
        leases.update_held(run, stage="storing", counts=counts)
        import_tables.add_nodes(account, tree.nodes)
        _store(run, plan, account, counts)
    crash_point("import_after_storing")


def _read(run, plan, account, on_progress):
    """Fill the waiting table. Memory holds one batch of rows, and the tree."""
    tree = Tree(account.external_id)
    latest = timezone.localdate(clock.now()) + timedelta(days=2)
    reader = RowReader(plan, account_id=account.external_id, currency=account.currency, latest_day=latest)
    counts = {"rows": 0, "rejected": 0, "totals": 0, "findings_not_listed": 0}
    rows, findings = [], []
    with importing.opened(run.raw_file) as tables:
        table = choose_table(tables, plan.sheet)[0]
        total = table.estimated_rows
        leases.update_held(run, total=total)
        for found in reader.read_all(table):
            counts["rows"] += 1
            if isinstance(found, DayResult):
                rows.append(_staged(found, tree.place(found)))
            elif isinstance(found, TotalRow):
                counts["totals"] += 1
            else:
                counts["rejected"] += 1
                findings.extend(found)
            if counts["rows"] % BATCH == 0:
                _flush(run, rows, findings, counts)
                leases.renew(run, seconds=LEASE)
                leases.update_held(run, done=counts["rows"], total=max(total or 0, counts["rows"]) if total else None)
                crash_point("import_reading")
                if on_progress:
                    on_progress(counts["rows"], run.total)
    _flush(run, rows, findings, counts)
    leases.update_held(run, done=counts["rows"], total=counts["rows"])
    if on_progress:
        on_progress(run.done, run.total)
    return counts, tree


def _staged(found, node):
    figures = found.measures
    return (
        found.line,
        node,
        found.day,
        found.subtotal,
        found.mark,
        *(figures.get(column) for column in import_tables.SUMS),
    )


def _flush(run, rows, findings, counts):
    import_tables.add_rows(rows)
    room = MOST_FINDINGS - counts.get("findings", 0)
    kept = findings[: max(room, 0)]
    QualityFinding.objects.bulk_create(
        QualityFinding(
            client_id=run.client_id,
            run=run,
            sheet=p.sheet,
            line=p.line,
            column=p.column,
            value=p.value,
            reason=p.reason,
        )
        for p in kept
    )
    counts["findings"] = counts.get("findings", 0) + len(kept)
    counts["findings_not_listed"] += len(findings) - len(kept)
    rows.clear()
    findings.clear()


@transaction.atomic
def _store(run, plan, account, counts):
    """Everything of the file, or nothing. A cancel that comes now waits for the row and finds it done."""
    held = SyncRun.objects.select_for_update(of=("self",)).filter(
        pk=run.pk, claimed_by=run.claimed_by, attempts=run.attempts, state=SyncRun.State.RUNNING
    )
    if not held.exists():
        raise leases.Lost(f"import {run.pk} was cancelled")
    # Imports into one account go one after the other.
    AdObject.objects.select_for_update(of=("self",)).get(pk=account.pk)
    counts["repeated"] = import_tables.report_repeated(run)
    placeholder = _("(not in the file)")
    counts["objects_new"] = import_tables.store_objects(account, now=clock.now(), placeholder=placeholder)
    others = import_tables.objects_of_other_accounts(account)
    if others:
        raise Conflict(
            _(
                "Ads of this file already belong to another account here (%(names)s). "
                "Import again and choose that account."
            )
            % {"names": ", ".join(others)}
        )
    counts["other_level"] = import_tables.report_other_level(run)
    new, changed, unchanged, first, last = import_tables.store_days(run, plan.measures)
    counts |= {"new": new, "changed": changed, "unchanged": unchanged}
    counts["findings"] += counts["repeated"] + counts["other_level"]
    if first is not None:
        counts |= {"first_day": str(first), "last_day": str(last)}
        if new or changed:
            _refresh_derived(account, first, last)
    leases.release(
        run,
        state=SyncRun.State.DONE,
        stage="",
        counts=counts,
        finished_at=clock.now(),
        done=counts["rows"],
        total=counts["rows"],
    )
    actor = Actor(run.created_by, "system") if run.created_by else Actor(None, "system")
    audit.record(actor, "connectors.syncrun.finished", run, new=new, changed=changed, rejected=counts["rejected"])
    crash_point("import_while_storing")


def _refresh_derived(account, first, last):
    storing.spend_history(account, first, last, today=timezone.localdate(clock.now()))


def _fail(run, exc):
    """Say what went wrong on the run. An attempt that lost its lease has nothing to say any more."""
    try:
        leases.release(
            run,
            state=SyncRun.State.FAILED,
            stage="",
            error=str(exc),
            error_detail=exc.detail,
            finished_at=clock.now(),
        )
    except leases.Lost:
        run.refresh_from_db()
