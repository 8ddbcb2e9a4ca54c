"""The steps of a fetch: each asks the platform one question and stores the answer with the place reached.

    account > campaigns > ad sets > ads > results, some days at a time > objects no longer told > library

A step reads outside of any transaction and then writes rows, raw answer, progress and cursor in one.
"""

import datetime as dt
import zoneinfo

from django.db import transaction
from django.utils.translation import gettext as _

from apps.ads.models import AdObject
from apps.ads.services import library, storing
from apps.connectors.models import SyncRun
from apps.core import clock, leases
from apps.core.crashpoints import crash_point
from apps.core.errors import Rejected, TooMuchData

STAGES = ("account", "campaigns", "adsets", "ads", "insights", "lookups", "library")
LEVEL_OF = {"campaigns": "campaign", "adsets": "adset", "ads": "ad"}

FIRST_DAYS = 60
# Meta may change a day's results for this long after reporting them.
CHANGING_DAYS = 28
CHUNK_DAYS = 7
STRUCTURE_LIMIT, SMALLEST_LIMIT = 200, 10
LOOKUPS_AT_ONCE = 50
OLDEST = dt.timedelta(days=37 * 30)
REPORT_POLL = dt.timedelta(seconds=20)
REPORT_POLLS, REPORT_TRIES = 180, 3


class NotYet(Exception):
    """The platform is preparing something: come back after `delay`, from `cursor`."""

    def __init__(self, delay, cursor):
        super().__init__(f"in {delay}")
        self.delay = delay
        self.cursor = cursor


class Place:
    """Where a run stands: its cursor with defaults, changed only by writing it with `save`."""

    def __init__(self, run, lease_seconds):
        self.run = run
        self.lease_seconds = lease_seconds
        self.cursor = {"stage": STAGES[0], "after": "", "page": 0, "tries": 0} | run.cursor
        self._account = None

    def __getitem__(self, name):
        return self.cursor.get(name)

    @property
    def account(self):
        """The account's row of the tree, which the first step has made."""
        if self._account is None:
            self._account = AdObject.objects.get(pk=self["account"])
        return self._account

    def day(self, name):
        return dt.date.fromisoformat(self.cursor[name])

    def save(self, *, done=0, counts=None, total=None, progressed=True, **changes):
        """Write the new place; the caller's transaction also holds the rows it stands for."""
        cursor = self.cursor | changes
        if progressed:
            cursor["tries"] = 0
        sums = dict(self.run.counts)
        for name, number in (counts or {}).items():
            sums[name] = sums.get(name, 0) + number
        leases.update_held(
            self.run,
            cursor=cursor,
            stage=cursor["stage"],
            done=self.run.done + done,
            total=total if total is not None else self.run.total,
            counts=sums,
            lease_until=clock.now() + dt.timedelta(seconds=self.lease_seconds),
        )
        self.cursor = cursor

    def next_stage(self, **changes):
        """The changes that lead to the stage after this one."""
        stage = STAGES[STAGES.index(self["stage"]) + 1] if self["stage"] != STAGES[-1] else "end"
        return {"stage": stage, "after": "", "page": 0, "restarts": 0, **changes}


def advance(place, connector):
    """Take one step. False when there is none left."""
    if place["stage"] == "end":
        return False
    _STEPS[place["stage"]](place, connector)
    crash_point("fetch.after_commit")
    return True


def _read_account(place, connector):
    """Currency, zone and today of the account; from them the days to read."""
    found = connector.account()
    run = place.run
    today = clock.now().astimezone(_zone(found.time_zone)).date()
    crash_point("fetch.after_page")
    with transaction.atomic():
        row = storing.account(run.channel, found)
        since = _since(run, row, today)
        storing.snapshot(run, account=run.channel.external_id, kind="account", page=0, raw=found.raw)
        days = (today - since).days + 1
        place.save(
            done=1,
            total=len(STAGES) - 1 + days,
            **place.next_stage(account=row.pk, today=today.isoformat(), since=since.isoformat(), day=since.isoformat()),
        )
        crash_point("fetch.before_commit")


def _zone(name):
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def _since(run, account, today):
    """The first day to read: asked for, or what may have changed since the last complete reading."""
    options = run.options
    if options.get("since"):
        wanted = dt.date.fromisoformat(options["since"])
    else:
        last = _last_day_read(run, full=options.get("full", True))
        if last is None:
            wanted = today - dt.timedelta(days=(options.get("days") or FIRST_DAYS) - 1)
        else:
            back = options["days"] - 1 if options.get("days") else CHANGING_DAYS
            wanted = min(today, last) - dt.timedelta(days=back)
    return max(min(wanted, today), today - OLDEST)


def _last_day_read(run, *, full):
    """Up to which day an earlier run of this account came; a full one only counts what full ones have read."""
    runs = SyncRun.objects.filter(channel=run.channel, kind=run.kind, state=SyncRun.State.DONE)
    if full:
        runs = runs.filter(options__full=True)
    days = runs.exclude(cursor__today=None).order_by("-finished_at", "-pk").values_list("cursor__today", flat=True)
    found = days.first()
    return dt.date.fromisoformat(found) if found else None


def _read_structure(place, connector):
    """One page of campaigns, ad sets or ads."""
    stage = place["stage"]
    level = LEVEL_OF[stage]
    read_at = clock.now()
    limit = place["limit"] or STRUCTURE_LIMIT
    try:
        page = connector.structure_page(
            level, after=place["after"], limit=limit, gone=place.run.options.get("full", True)
        )
    except TooMuchData:
        if limit <= SMALLEST_LIMIT:
            raise
        _save_alone(place, limit=max(SMALLEST_LIMIT, limit // 2))
        return
    except Rejected as exc:
        _start_list_again(place, exc)
        return
    crash_point("fetch.after_page")
    account = place.account
    with transaction.atomic():
        stored = storing.objects(account, level, page.rows, read_at=read_at, today=place.day("today"))
        storing.snapshot(place.run, account=account.external_id, kind=stage, page=place["page"] or 0, raw=page.raw)
        onward = {"after": page.after, "page": (place["page"] or 0) + 1} if page.after else place.next_stage(limit=None)
        place.save(
            done=0 if page.after else 1,
            counts={stage: stored.rows, "new": stored.new, "changed_elsewhere": stored.changed_elsewhere, "pages": 1},
            **onward,
        )
        crash_point("fetch.before_commit")


def _save_alone(place, **changes):
    with transaction.atomic():
        place.save(**changes)


def _start_list_again(place, exc):
    """A cursor does not live for ever. Reading the list again costs calls and changes nothing."""
    restarts = place["restarts"] or 0
    if exc.code != "bad_cursor" or not place["after"] or restarts >= 3:
        raise exc
    _save_alone(place, after="", restarts=restarts + 1)


def _read_results(place, connector):
    """One page of results of the days in hand; after its last page those days are complete."""
    day, until = place.day("day"), place.day("today")
    size = place["size"] or CHUNK_DAYS
    last = min(day + dt.timedelta(days=size - 1), until)
    try:
        page = _page_of_results(place, connector, day, last)
    except TooMuchData:
        _ask_for_less(place, connector, day, size)
        return
    except Rejected as exc:
        _start_list_again(place, exc)
        return
    crash_point("fetch.after_page")
    account = place.account
    if not page.after:
        storing.keep_statistics()
    packed = storing.packing(page.raw)
    with transaction.atomic():
        stored = storing.metrics(account, page.rows, run_id=place.run.pk)
        storing.snapshot(place.run, account=account.external_id, kind="insights", page=place["page"] or 0, raw=packed)
        counts = {"results": stored, "pages": 1}
        onward, done = {"after": page.after, "page": (place["page"] or 0) + 1}, 0
        if not page.after:
            counts["removed"] = storing.remove_vanished(account, day, last, run_id=place.run.pk)
            storing.spend_history(account, day, last, today=until)
            done = (last - day).days + 1
            next_day = last + dt.timedelta(days=1)
            onward |= {"day": next_day.isoformat(), "report": None, "report_polls": 0, "report_tries": 0, "restarts": 0}
            if next_day > until:
                onward = place.next_stage(**{k: v for k, v in onward.items() if k not in ("after", "page", "restarts")})
        place.save(done=done, counts=counts, **onward)
        crash_point("fetch.before_commit")


def _page_of_results(place, connector, day, last):
    if not place["report"]:
        return connector.insights_page(day, last, after=place["after"])
    if not place["after"]:
        _wait_for_report(place, connector)
    return connector.report_page(place["report"], after=place["after"])


def _ask_for_less(place, connector, day, size):
    """Fewer days at a time; when a single day is too much, as a report that Meta prepares in its own time."""
    if place["report"]:
        raise Rejected(_("Meta cannot answer for a single day of this account. Its support has to look at it."))
    if size > 1:
        _save_alone(place, size=max(1, size // 2), after="")
        return
    report = connector.start_report(day, day)
    _save_alone(place, report=report, report_polls=0, after="")


def _wait_for_report(place, connector):
    """Return when the report is ready, else leave the run to come back later: no worker waits for Meta."""
    report = connector.report(place["report"])
    if report.state == "done":
        return
    polls, tries = (place["report_polls"] or 0) + 1, place["report_tries"] or 0
    cursor = place.cursor | {"tries": 0, "report_polls": polls}
    if report.state == "running" and polls < REPORT_POLLS:
        raise NotYet(min(REPORT_POLL * polls, dt.timedelta(minutes=2)), cursor)
    if tries + 1 >= REPORT_TRIES:
        raise Rejected(
            _("Meta could not prepare the results of %(day)s. Try again later or ask its support.")
            % {"day": place["day"]},
            detail=report.detail,
        )
    # Without a report and with a single day in hand, the next attempt asks directly and then for a new report.
    raise NotYet(REPORT_POLL, cursor | {"report": None, "report_polls": 0, "report_tries": tries + 1})


def _look_up(place, connector):
    """Ask for what is in the store and was not told any more; what Meta does not show has been deleted."""
    account = place.account
    known = list(storing.missing(account, place.run.started_at)[:LOOKUPS_AT_ONCE])
    if not known:
        with transaction.atomic():
            place.save(done=1, **place.next_stage())
        return
    read_at = clock.now()
    ids = {level: [object_id for lv, object_id in known if lv == level] for level in LEVEL_OF.values()}
    found = connector.read_nodes(ids)
    crash_point("fetch.after_page")
    with transaction.atomic():
        for level in LEVEL_OF.values():
            nodes = [node for node in (found[object_id] for object_id in ids[level]) if node]
            storing.objects(account, level, nodes, read_at=read_at, today=place.day("today"))
        gone = [object_id for object_id, node in found.items() if node is None]
        storing.mark_gone(account, gone)
        place.save(counts={"looked_up": len(found), "gone": len(gone)})
        crash_point("fetch.before_commit")


def _refresh_library(place, _connector):
    with transaction.atomic():
        library.refresh(client_id=place.run.client_id)
        place.save(done=1, **place.next_stage())


_STEPS = {
    "account": _read_account,
    "campaigns": _read_structure,
    "adsets": _read_structure,
    "ads": _read_structure,
    "insights": _read_results,
    "lookups": _look_up,
    "library": _refresh_library,
}
