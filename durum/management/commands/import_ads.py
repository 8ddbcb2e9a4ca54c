"""`manage.py import_ads`: an export of Ads Manager goes in, without a browser."""

import csv
import io
import sys
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.core.management.base import CommandError
from django.utils import timezone

from apps.ads.importing.columns import DATES, FIELDS, LABELS, NUMBERS
from apps.ads.importing.corrections import corrections
from apps.ads.importing.opening import open_tables
from apps.ads.importing.plan import END_DAY, REFUSE, Plan
from apps.ads.importing.problems import UnusableFile, sentence
from apps.ads.importing.proposing import choose_table, propose, settle
from apps.ads.importing.rows import DayResult, RowReader, TotalRow
from apps.ads.importing.tree import Tree
from apps.ads.models import AdObject
from apps.ads.services import import_runs, importing
from apps.clients.services.clients import change_client
from apps.connectors.models import SyncRun
from apps.core.actors import Actor
from apps.core.exports import guarded, whole_file
from apps.core.tenancy import use_client
from durum.management.commanding import DurumCommand

MEANINGS = [field.key for field in FIELDS]
SHOWN = 10


class Command(DurumCommand):
    """Proposes how the file is to be read, asks, imports, reports."""

    help = (
        "Import an export of Ads Manager (CSV or XLSX; French or English headers) for one client. The command shows "
        "what it makes of every column and asks before it stores anything (--yes answers for you). Rows it cannot "
        "use are listed with line, column and reason, and the good ones are kept; the same file twice changes "
        "nothing. Example: manage.py import_ads --client avego export.csv --mapping Spent=spend --date-order dmy. "
        "Ends with exit code 1, and nothing stored, when the file cannot be read or no row of it can be used."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE", help="the export, a .csv or .xlsx file")
        parser.add_argument("--client", metavar="KEY", required=True, help="the client it belongs to")
        parser.add_argument(
            "--mapping",
            metavar="COLUMN=MEANING",
            nargs="+",
            action="extend",
            default=[],
            help="what a column means, by its header or its number from 1; an empty meaning leaves it out. "
            f"Meanings: {', '.join(MEANINGS)}",
        )
        parser.add_argument("--date-order", choices=("dmy", "mdy"), help="how 03/04/2026 is meant, if the file is open")
        parser.add_argument("--decimal", choices=("comma", "point"), help="the decimal sign, if the file is open")
        parser.add_argument(
            "--periods",
            choices=(REFUSE, END_DAY),
            help="rows of several days: refuse them (default), or store them whole on their last day",
        )
        parser.add_argument("--results", choices=("leads", "purchases"), help="what the column Results counts")
        parser.add_argument("--sheet", default="", help="the sheet of a workbook (default: the one that fits best)")
        parser.add_argument(
            "--account", metavar="NAME", help="the ad account, by name or number; a new name makes a new account"
        )
        parser.add_argument("--currency", help="currency of a new account (default: the file's, else the client's)")
        parser.add_argument("--value-per-lead", type=amount, metavar="AMOUNT", help="set on the client")
        parser.add_argument("--value-per-purchase", type=amount, metavar="AMOUNT", help="set on the client")
        parser.add_argument("--problems", metavar="CSV", help="write the rows left out to this file, to correct them")
        parser.add_argument("--dry-run", action="store_true", help="read everything, store nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, file, client, **options):
        path = _readable(file)
        [row] = self.clients(client)
        with use_client(row):
            if options["dry_run"]:
                self._try(path, options)
            else:
                self._import(row, path, options)

    def _try(self, path, options):
        with path.open("rb") as file:
            tables = open_tables(file, path.name)
            found = propose(tables, sheet=options["sheet"])
            plan = self._settled(found, options)
            self._show(found, plan)
            reader, tree = RowReader(plan), Tree("")
            good = totals = 0
            problems = []
            rejected = 0
            for result in reader.read_all(choose_table(tables, plan.sheet)[0]):
                if isinstance(result, DayResult):
                    good += 1
                    tree.place(result)
                elif isinstance(result, TotalRow):
                    totals += 1
                else:
                    rejected += 1
                    problems.extend(result[: max(0, SHOWN - len(problems))])
        self.stdout.write(
            f"{good} rows of {len(tree.nodes)} objects could be imported, {rejected} would be left out, "
            f"{totals} total rows passed over. Nothing was stored (--dry-run)."
        )
        self._list((p.line, p.column, p.value, p.reason) for p in problems)
        if not good:
            raise CommandError("No row of the file can be used: see the reasons above.")

    def _import(self, client, path, options):
        actor = Actor(None, "command")
        with path.open("rb") as file:
            raw, is_new = importing.receive(client=client, file=file, name=path.name, actor=actor)
        if not is_new and importing.last_run_of(raw):
            self.stdout.write("This very file was imported before.")
        found = importing.proposal(raw, sheet=options["sheet"])
        plan = self._settled(found, options)
        self._show(found, plan)
        if not options["yes"]:
            self._ask(client)
        values = {k: options[k] for k in ("value_per_lead", "value_per_purchase") if options[k] is not None}
        if values:
            change_client(client_id=client.pk, actor=actor, **values)
        account = self._account(client, found, plan, options, actor)
        run = importing.confirm(raw_file_id=raw.pk, plan=plan, account_id=account.pk, actor=actor)
        done = import_runs.run_import(run_id=run.pk, on_progress=self._progress)
        if done is None:
            raise CommandError(f"A worker has taken import {run.pk} up in this moment: see the page Imports for it.")
        self._report(done, options)

    def _settled(self, found, options):
        """The proposal with what the command line says, or one sentence about what is still missing."""
        plan = found.plan
        fields = _mapped(plan, options["mapping"])
        orders, styles = dict(plan.orders), dict(plan.styles)
        for index, meaning in enumerate(fields):
            if meaning in DATES and options["date_order"]:
                orders[str(index)] = options["date_order"]
            if meaning in NUMBERS and options["decimal"]:
                styles[str(index)] = options["decimal"]
        plan = replace(
            plan,
            fields=fields,
            orders=orders,
            styles=styles,
            periods=options["periods"] or plan.periods,
            results_are=options["results"] or plan.results_are,
        )
        for index in settle(plan, found.columns):
            name, option = plan.headers[index], "--date-order" if plan.fields[index] in DATES else "--decimal"
            raise CommandError(f"The values of the column “{name}” can be read in two ways: say {option}.")
        plan.check()
        return plan

    def _show(self, found, plan):
        self.stdout.write(f"{found.rows} rows, header on line {plan.header_line}, {found.encoding}:")
        width = max(len(h) for h in plan.headers)
        for column, meaning in zip(found.columns, plan.fields, strict=True):
            how = plan.orders.get(str(column.index)) if meaning in DATES else plan.styles.get(str(column.index))
            label = f"{meaning} ({LABELS[meaning]}{', ' + how if how else ''})" if meaning else "(left out)"
            self.stdout.write(f"  {column.header.ljust(width)}  {label}   e.g. {', '.join(column.samples[:2]) or '–'}")
        if found.has_periods and plan.periods == REFUSE:
            self.stdout.write("Some rows cover several days and will be left out; --periods end_day stores them.")

    def _ask(self, client):
        if not sys.stdin.isatty():
            raise CommandError("Nothing was imported: check the columns above, then say --yes.")
        if input(f"Import into {client.name}? [y/N] ").strip().lower() not in ("y", "yes", "o", "oui"):
            raise CommandError("Nothing was imported.")

    def _account(self, client, found, plan, options, actor):
        number, name = importing.account_in_file(found)
        wanted = options["account"] or number or name
        known = AdObject.objects.filter(client=client, level=AdObject.Level.ACCOUNT).order_by("pk")
        if wanted:
            for row in known:
                if wanted in (row.external_id, row.name):
                    return row
        elif len(known) == 1:
            return known[0]
        elif known:
            names = ", ".join(f"“{row.name}”" for row in known)
            raise CommandError(f"The client has several ad accounts ({names}): say --account.")
        return importing.make_account(
            client=client,
            name=options["account"] or name or client.name,
            number="" if options["account"] else number,
            currency=options["currency"] or plan.currency,
            actor=actor,
        )

    def _progress(self, done, total):
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done} of {total or '?'} rows", ending="")

    def _report(self, run, options):
        if run.state != SyncRun.State.DONE:
            raise CommandError(run.error or f"The import ended as “{run.get_state_display()}”. Nothing was stored.")
        counts = run.counts
        self.stdout.write(
            f"{counts['rows']} rows read: {counts['new']} days new, {counts['changed']} changed, "
            f"{counts['unchanged']} unchanged; {counts['objects_new']} objects new; "
            f"{counts['rejected']} rows left out, {counts['repeated']} repeated, "
            f"{counts['totals']} total rows passed over."
        )
        findings = run.findings.order_by("line", "pk")
        self._list(findings.values_list("line", "column", "value", "reason")[:SHOWN])
        if options["problems"] and findings.exists():
            self._write_problems(run, findings, options["problems"])
        used = counts["new"] + counts["changed"] + counts["unchanged"]
        if not used:
            raise CommandError("No row of the file could be used: see the reasons above.")
        if not counts["new"] and not counts["changed"]:
            self.stdout.write("Nothing changed: everything in the file was stored already.")
        self.stdout.write(
            self.style.SUCCESS(f"Import {run.pk} is done at {timezone.localtime(run.finished_at):%H:%M:%S}.")
        )

    def _list(self, problems):
        for line, column, value, reason in problems:
            where = f"line {line}, {column}: {value!r}" if column else f"line {line}"
            self.stdout.write(f"  {where}: {sentence(reason)}")

    def _write_problems(self, run, findings, target):
        rows = findings.values_list("line", "column", "reason").iterator(chunk_size=2000)
        plan = Plan.from_json(run.options["plan"])
        with whole_file(target) as file, importing.opened(run.raw_file) as tables:
            table = choose_table(tables, plan.sheet)[0]
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
            writer = csv.writer(text, delimiter=table.separator or ";")
            for row in corrections(table, plan.headers, rows):
                writer.writerow([guarded(cell) for cell in row])
            text.flush()
            text.detach()
        self.stdout.write(f"The rows left out are in {target}: correct them there and import that file.")


def _readable(file):
    path = Path(file)
    if not path.exists():
        raise CommandError(f"There is no file {file}.")
    if not path.is_file():
        raise CommandError(f"{file} is not a file.")
    try:
        path.open("rb").close()
    except OSError as exc:
        raise CommandError(f"{file} cannot be read: {exc.strerror}.") from exc
    return path


def _mapped(plan, pairs):
    """The meanings of the plan with `COLUMN=MEANING` of the command line over them."""
    fields = list(plan.fields)
    for pair in pairs:
        name, sign, meaning = pair.rpartition("=")
        if not sign:
            raise CommandError(f"--mapping takes COLUMN=MEANING, not {pair!r}.")
        if meaning and meaning not in MEANINGS:
            raise CommandError(f"{meaning!r} is no meaning of a column. Possible: {', '.join(MEANINGS)}.")
        index = _position(plan.headers, name)
        if meaning and meaning != "breakdown" and meaning in fields:
            fields[fields.index(meaning)] = ""
        fields[index] = meaning
    return fields


def _position(headers, name):
    if name in headers:
        return headers.index(name)
    if name.isdecimal() and 1 <= int(name) <= len(headers):
        return int(name) - 1
    raise UnusableFile(f"The file has no column “{name}”. It has: {', '.join(headers)}.", code="no_such_column")


def amount(text):
    """An amount on the command line, with a decimal point or comma."""
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise ValueError from None
    if not value.is_finite() or value < 0:
        raise ValueError
    return value
