"""Asynchronous insights: a job that gets further each time somebody asks."""

from dataclasses import replace

from django.db import transaction
from django.db.models import F

from apps.sandbox import clock
from apps.sandbox.graph import access, insights
from apps.sandbox.graph.errors import GraphError, invisible
from apps.sandbox.models import ReportRun
from apps.sandbox.world import noise

ID_PREFIX = "6"
LIFE_SECONDS = 30 * 86_400
_OWN_PARAMS = {"access_token", "appsecret_proof", "limit", "after", "fields"}


def start(call, kind, row):
    """POST insights: check the query now, promise a run."""
    insights.query(call, kind, row)
    state = clock.state()
    account = row if kind == "account" else row.account
    fate = "Job Completed"
    if call.fault("job_failed"):
        fate = "Job Failed"
    elif call.fault("job_skipped"):
        fate = "Job Skipped"
    params = {name: value for name, value in call.params.items() if name not in {"access_token", "appsecret_proof"}}
    with transaction.atomic():
        run = ReportRun.objects.create(
            id=ID_PREFIX + noise.digits(17, state.seed, "run", ReportRun.objects.count()),
            account=account,
            node_id=f"act_{row.pk}" if kind == "account" else row.pk,
            params=params,
            created_at=call.now,
            fate=fate,
            hidden_reads=1 if state.async_first_read_missing or call.fault("run_missing") else 0,
        )
    return {"report_run_id": run.pk}


def find(call, run_id):
    """The run of this id if the token may see it, or None."""
    if not run_id.startswith(ID_PREFIX):
        return None
    run = ReportRun.objects.select_related("account").filter(pk=run_id).first()
    if run is None or run.account_id not in call.token.account_ids:
        return None
    if call.now - run.created_at > LIFE_SECONDS:
        raise invisible(run_id)
    if run.hidden_reads:
        ReportRun.objects.filter(pk=run.pk).update(hidden_reads=F("hidden_reads") - 1)
        raise invisible(run_id)
    return run


def status(call, run):
    """GET run: one step further; done only at Completed and 100."""
    steps = max(1, clock.state().async_polls)
    ReportRun.objects.filter(pk=run.pk).update(polls=F("polls") + 1)
    run.polls += 1
    made = {
        "id": run.pk,
        "account_id": run.account_id,
        "time_ref": int(run.created_at),
        "time_completed": 0,
        "async_status": run.fate,
        "async_percent_completion": 100,
        "date_start": "",
        "date_stop": "",
    }
    if run.polls < steps:
        percent = round(run.polls / steps * 100) if run.polls > 1 else 0
        made["async_status"] = "Job Running" if run.polls > 1 else "Job Not Started"
        made["async_percent_completion"] = percent
        return made
    if run.fate == "Job Failed":
        made |= {
            "async_percent_completion": 40,
            "error_code": 2,
            "error_subcode": 1504044,
            "error_message": "Service temporarily unavailable",
            "error_user_title": "Report failed",
            "error_user_msg": "The report could not be made. Try again with a smaller range.",
        }
    elif run.fate == "Job Skipped":
        made["async_percent_completion"] = 0
    else:
        made["time_completed"] = int(call.now)
    return made


def results(call, run, resolve):
    """GET run/insights: the rows, once the run is done. `resolve(call, id)` finds the node."""
    if run.fate != "Job Completed" or run.polls < max(1, clock.state().async_polls):
        raise GraphError(
            2601,
            "(#2601) Loading async ads report failed: Sorry, the report you are loading has not completed",
            subcode=1815107,
            title="Report not complete",
        )
    access.need(call, "ads_read", "ads_management")
    kind, row = resolve(call, run.node_id)
    own = {name: value for name, value in call.params.items() if name in _OWN_PARAMS - {"fields"}}
    call.params = run.params | own
    asked = insights.query(call, kind, row)
    call.params = {name: value for name, value in call.params.items() if name in _OWN_PARAMS}
    return insights.answer(call, replace(asked, as_of=min(asked.as_of, run.created_at)))
