"""The pages of imports: bring a file, say how it is to be read, watch it, read the report."""

import csv
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from apps.ads import tasks
from apps.ads.filters import FindingFilter, ImportFilter
from apps.ads.forms import NEW_ACCOUNT, ImportFileForm, MappingForm
from apps.ads.importing.columns import LABELS
from apps.ads.importing.corrections import corrections
from apps.ads.importing.plan import Plan
from apps.ads.importing.problems import UnusableFile, sentence
from apps.ads.importing.proposing import choose_table
from apps.ads.models import AdObject
from apps.ads.services import importing
from apps.clients import access
from apps.clients.services.clients import change_client
from apps.connectors.models import QualityFinding, RawFile, SyncRun
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.core.exports import Column, export, filename, guarded, wants_export
from apps.core.pages import Progress, paginate, render_fragment, sorted_by

UNCONFIRMED_SHOWN = timedelta(days=7)
SORTS = {"created": "created_at", "file": "raw_file__name", "state": "state"}
COLUMNS = [
    Column("raw_file.name", gettext_lazy("File")),
    Column("get_state_display", gettext_lazy("State")),
    Column("created_at", gettext_lazy("Created")),
    Column("created_by", gettext_lazy("By")),
    Column("counts.rows", gettext_lazy("Rows")),
    Column("counts.new", gettext_lazy("New days")),
    Column("counts.changed", gettext_lazy("Changed days")),
    Column("counts.unchanged", gettext_lazy("Unchanged days")),
    Column("counts.rejected", gettext_lazy("Rejected rows")),
    Column("error", gettext_lazy("Error")),
]
STAGES = {"reading": gettext_lazy("Reading the rows"), "storing": gettext_lazy("Storing the days")}


def _runs(request):
    rows = SyncRun.objects.visible_to(request.user).filter(client=request.client, kind=importing.KIND)
    return rows.select_related("raw_file", "created_by")


def _file(request, pk):
    return get_object_or_404(RawFile.objects.visible_to(request.user).filter(client=request.client), pk=pk)


@require_safe
@login_required
def imports(request, client_key):
    """Every import of the client, and the files that nobody has confirmed yet."""
    found = ImportFilter(request.GET, queryset=_runs(request), request=request)
    rows, sorting = sorted_by(found.qs, request, SORTS, default="-created")
    if wants_export(request):
        return export(request, rows, COLUMNS, name=_("imports"))
    page = paginate(rows, request)
    context = {
        "filter": found,
        "page": page,
        "sorting": sorting,
        "is_moving": any(run.is_moving for run in page),
        "may_import": access.may(request.user, "import", request.client),
        "unconfirmed": RawFile.objects.visible_to(request.user)
        .filter(client=request.client, runs__isnull=True, created_at__gt=clock.now() - UNCONFIRMED_SHOWN)
        .order_by("-created_at", "-pk")[:10],
    }
    return render_fragment(request, "ads/imports.html", "imports_table", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_new(request, client_key):
    """Bring a file."""
    actor = Actor(request.user, "web")
    access.require(actor, "import", request.client)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportFileForm(*sent)
    if form.is_bound and form.is_valid():
        brought = form.cleaned_data["file"]
        try:
            row, is_new = importing.receive(client=request.client, file=brought, name=brought.name, actor=actor)
        except DomainError as exc:
            form.add_error("file", str(exc))
        else:
            if not is_new:
                messages.info(request, _known_file(row))
            return redirect("ads:import_mapping", client_key=client_key, pk=row.pk)
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "ads/import_new.html", {"form": form}, status=status)


def _known_file(row):
    if importing.last_run_of(row):
        return _(
            "This very file was imported before. Importing it again changes nothing, unless you map it differently."
        )
    return _("This very file was uploaded before; here is where it was left.")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_mapping(request, client_key, pk):
    """Confirm what each column means, and into which account the file goes."""
    actor = Actor(request.user, "web")
    access.require(actor, "import", request.client)
    raw_file = _file(request, pk)
    try:
        found = importing.proposal(raw_file, sheet=request.GET.get("sheet", ""))
    except UnusableFile as exc:
        return render(request, "ads/import_mapping.html", {"file": raw_file, "error": exc}, status=422)
    may_set_values = access.may(request.user, "edit_client", request.client)
    has_values = request.client.value_per_lead is not None or request.client.value_per_purchase is not None
    wants_values = not has_values and "revenue" not in found.plan.fields
    form = MappingForm(
        request.POST if request.method == "POST" else None,
        found=found,
        client=request.client,
        account=importing.account_in_file(found),
        may_set_values=wants_values and may_set_values,
    )
    if request.method == "POST" and form.is_valid():
        try:
            run = _confirm(request, raw_file, form, actor)
        except DomainError as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("ads:import_detail", client_key=client_key, pk=run.pk)
    context = {
        "file": raw_file,
        "found": found,
        "form": form,
        "needs_values_by_manager": wants_values and not may_set_values,
        "last_run": importing.last_run_of(raw_file),
    }
    return render(request, "ads/import_mapping.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _confirm(request, raw_file, form, actor):
    """Make what the form says: all of it, or nothing when one part is refused."""
    answers = form.cleaned_data
    values = {k: answers[k] for k in ("value_per_lead", "value_per_purchase") if answers.get(k) is not None}
    if answers["account"] == NEW_ACCOUNT:
        account_id = importing.make_account(
            client=request.client,
            name=answers["account_name"],
            number=form.account_number,
            currency=answers["currency"],
            time_zone=answers["time_zone"],
            actor=actor,
        ).pk
    else:
        account_id = int(answers["account"])
    run = importing.confirm(raw_file_id=raw_file.pk, plan=form.plan, account_id=account_id, actor=actor)
    if values:
        change_client(client_id=request.client.pk, actor=actor, **values)
    tasks.nudge_import(run)
    return run


@require_safe
@login_required
def import_detail(request, client_key, pk):
    """How far an import is; and once it is over, what came of it, with every problem."""
    run = get_object_or_404(_runs(request), pk=pk)
    rows = QualityFinding.objects.visible_to(request.user).filter(client=request.client, run=run)
    found = FindingFilter(request.GET, queryset=rows.order_by("line", "pk"), request=request)
    page = paginate(found.qs, request)
    for finding in page:
        finding.said = sentence(finding.reason)
    context = {
        "run": run,
        "progress": progress_of(run),
        "filter": found,
        "page": page,
        "report": _report(run),
        "first_day": parse_date(run.counts.get("first_day", "")),
        "last_day": parse_date(run.counts.get("last_day", "")),
        "account": AdObject.objects.filter(client=request.client, pk=run.options.get("account")).first(),
        "meanings": _meanings(run),
        "may_import": access.may(request.user, "import", request.client),
    }
    return render_fragment(request, "ads/import_detail.html", "import_findings", context)


@require_safe
@login_required
def import_progress(request, client_key, pk):
    """The progress panel alone; when the import is over the whole page is asked for again."""
    run = get_object_or_404(_runs(request), pk=pk)
    if not run.is_moving and request.htmx:
        return HttpResponseClientRefresh()
    return render(request, "ads/_import_progress.html", {"run": run, "progress": progress_of(run)})


@require_POST
@login_required
def import_cancel(request, client_key, pk):
    """Stop an import; nothing of it stays."""
    run = get_object_or_404(_runs(request), pk=pk)
    importing.cancel(run_id=run.pk, actor=Actor(request.user, "web"))
    messages.success(request, _("The import was cancelled. Nothing of the file was stored."))
    return redirect("ads:import_detail", client_key=client_key, pk=run.pk)


@require_safe
@login_required
def import_findings_csv(request, client_key, pk):
    """The rows that could not be used, as they were, to be corrected and brought again."""
    run = get_object_or_404(_runs(request), pk=pk)
    response = StreamingHttpResponse(_problem_rows(run), content_type="text/csv; charset=utf-8")
    name = filename(_("rows to correct %(number)d") % {"number": run.pk}, "csv")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _problem_rows(run):
    plan = Plan.from_json(run.options["plan"])
    findings = run.findings.order_by("line", "pk").values_list("line", "column", "reason").iterator(chunk_size=2000)
    with importing.opened(run.raw_file) as tables:
        table = choose_table(tables, plan.sheet)[0]
        writer = csv.writer(_Echo(), delimiter=table.separator or ";")
        yield "\ufeff"
        for row in corrections(table, plan.headers, findings):
            yield writer.writerow([guarded(cell) for cell in row])


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text):
        return text


def progress_of(run):
    """The run as the progress panel shows it."""
    return Progress(
        label=str(STAGES.get(run.stage, _("Waiting for a worker"))) if run.is_moving else run.raw_file.name,
        done=run.done,
        total=run.total,
        is_finished=not run.is_moving,
        has_failed=run.state == SyncRun.State.FAILED,
        started_at=run.started_at,
        report=run.error,
    )


def _report(run):
    counts = run.counts
    if run.state != SyncRun.State.DONE:
        return []
    pairs = [
        (_("Rows read"), counts.get("rows", 0)),
        (_("New days of ads"), counts.get("new", 0)),
        (_("Changed days"), counts.get("changed", 0)),
        (_("Unchanged days"), counts.get("unchanged", 0)),
        (_("New campaigns, ad sets and ads"), counts.get("objects_new", 0)),
        (_("Rows left out, with the reason below"), counts.get("rejected", 0)),
        (_("Repeated rows, counted once"), counts.get("repeated", 0)),
        (_("Rows stored already at another level"), counts.get("other_level", 0)),
        (_("Total rows passed over"), counts.get("totals", 0)),
        (_("Problems beyond those listed"), counts.get("findings_not_listed", 0)),
    ]
    return [(label, number) for place, (label, number) in enumerate(pairs) if number or place < 4]


def _meanings(run):
    plan = Plan.from_json(run.options["plan"])
    return [(h, LABELS[f]) for h, f in zip(plan.headers, plan.fields, strict=True) if f]
