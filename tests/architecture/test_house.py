"""The rules of the house that a machine can hold: who imports whom, what every model, task, job and command has."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command, get_commands, load_command_class

from apps.core import row_security
from apps.core.scheduling import jobs
from apps.core.tenancy import TenantModel
from durum.celery import app as celery_app

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("apps", "durum")
SOURCES = [path for top in OURS for path in sorted((ROOT / top).rglob("*.py")) if "migrations" not in path.parts]
MODELS = [model for model in apps.get_models() if model.__module__.startswith(OURS)]
# Files over 500 lines, each with its reason.
LONG_FILES = {}
# What speaks to the outside, and the one place that may import it.
WIRE = {
    "httpx": ("apps/core/http.py",),
    "requests": (),
    "urllib3": (),
    "slack_sdk": ("apps/connectors/",),
    "slack_bolt": ("apps/connectors/",),
    "gspread": ("apps/connectors/",),
    "pyairtable": ("apps/connectors/",),
    "xmlrpc": ("apps/connectors/",),
}


def name_of(model):
    return model._meta.label_lower


def where(path):
    return str(path.relative_to(ROOT))


def imported(path):
    """`[(line, module)]` of everything a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module


def test_the_import_contracts_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_only_one_place_speaks_to_the_outside():
    breaches = [
        f"{where(path)}:{line} imports {module}"
        for path in SOURCES
        if "sandbox" not in path.parts
        for line, module in imported(path)
        for wire, allowed in WIRE.items()
        if module.split(".")[0] == wire and not where(path).startswith(tuple(allowed) or ("-",))
    ]
    # The supervisor asks its own web process whether it answers.
    assert [breach for breach in breaches if not breach.startswith("durum/management/commands/up.py")] == []


# The demo starts from the real time before it moves the clock.
REAL_TIME = ("apps/core/clock.py", "durum/demo.py")


def test_services_take_the_time_from_the_clock():
    breaches = [
        f"{where(path)}:{number}"
        for path in SOURCES
        if "sandbox" not in path.parts and where(path) not in REAL_TIME
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"timezone\.now\(|datetime\.now\(|date\.today\(|utcnow\(", line)
    ]
    assert breaches == []


def test_doors_of_other_apps_are_not_imported():
    """From another app come models, services and selectors; never its views, tasks, forms or admin."""
    doors = {"views", "tasks", "forms", "admin", "api"}
    breaches = []
    for path in SOURCES:
        if "sandbox" in path.parts or not where(path).startswith("apps/"):
            continue
        own = f"apps.{path.relative_to(ROOT / 'apps').parts[0]}"
        for line, module in imported(path):
            parts = (module or "").split(".")
            foreign = parts[0] == "apps" and ".".join(parts[:2]) not in (own, "apps.core")
            if foreign and len(parts) > 2 and parts[2] in doors:
                breaches.append(f"{where(path)}:{line} imports {module}")
    assert breaches == []


def test_no_file_is_longer_than_fits_in_a_head():
    long = {
        where(path): len(path.read_text().splitlines())
        for top in (*OURS, "tests", "templates", "static/durum")
        for path in (ROOT / top).rglob("*")
        if path.suffix in {".py", ".html", ".js", ".css"} and "migrations" not in path.parts
    }
    assert {name: lines for name, lines in long.items() if lines > 500 and name not in LONG_FILES} == {}


def test_no_module_is_named_for_leftovers():
    leftovers = {"utils", "helpers", "common", "misc", "manager"}
    assert [where(path) for path in SOURCES if path.stem in leftovers] == []


@pytest.mark.parametrize("module", ["durum.urls", "durum.celery", "apps.suggestions.tasks", "apps.core.http"])
def test_nothing_goes_in_circles(module):
    """Each starting point can be imported first, in a process of its own."""
    code = f"import django; django.setup(); import {module}"
    found = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-2000:]


def test_the_system_checks_are_clean():
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_model_says_what_a_row_is(model):
    assert any("__str__" in vars(base) for base in model.__mro__ if base.__module__.startswith(OURS)), "no __str__"
    assert model.__doc__
    assert not model.__doc__.startswith(f"{model.__name__}("), "no docstring"


# Django's own names of a user.
INHERITED = {"clients.user"}
# Never shown to anybody: they have no names in other languages.
UNSEEN = {"core.idempotencykey", "connectors.seenrequest", "connectors.columnmapping"}


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_model_that_is_shown_has_names_in_words(model):
    if name_of(model) not in UNSEEN:
        assert (
            "verbose_name" in vars(model.Meta)
            if "Meta" in vars(model)
            else model._meta.original_attrs.get("verbose_name")
        )


def test_every_tenant_model_is_among_the_protected():
    owned = {model for model in MODELS if issubclass(model, TenantModel)}
    assert owned <= set(row_security.tenant_models())


@pytest.mark.parametrize("job", sorted(jobs.values(), key=lambda job: job.name), ids=lambda job: job.name)
def test_every_scheduled_job_has_its_task_and_its_time(job):
    celery_app.loader.import_default_modules()
    assert job.task in celery_app.tasks
    assert bool(job.every) != bool(job.crontab)


def test_every_task_goes_to_a_queue_that_workers_listen_to():
    from durum.celery import QUEUES

    celery_app.loader.import_default_modules()
    for name in celery_app.tasks:
        if name.startswith(OURS):
            queue = celery_app.amqp.router.route({}, name)["queue"]
            assert getattr(queue, "name", queue) in QUEUES, name


COMMANDS = sorted(name for name, app in get_commands().items() if app.startswith(OURS))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    command = load_command_class(get_commands()[name], name)
    assert len(str(command.help)) > 40
    parser = command.create_parser("manage.py", name)
    unexplained = [action.dest for action in parser._actions if not action.help]
    assert unexplained == []


OF_A_CLIENT = [
    name
    for name in COMMANDS
    if any(
        action.dest == "client"
        for action in load_command_class(get_commands()[name], name).create_parser("manage.py", name)._actions
    )
]


@pytest.mark.django_db
@pytest.mark.parametrize("name", OF_A_CLIENT)
def test_an_unknown_client_is_one_clear_sentence(name, tmp_path):
    export = tmp_path / "ads.csv"
    export.write_text("Day,Ad name,Amount spent (EUR)\n2026-11-01,A,1\n")
    files = [str(export)] if name == "import_ads" else []
    with pytest.raises(CommandError) as caught:
        call_command(name, *files, "--client", "nobody-of-that-name")
    said = str(caught.value)
    assert "nobody-of-that-name" in said
    assert "\n" not in said.strip()
    assert caught.value.returncode == 1


SECRET = re.compile(
    r"EAA[A-Za-z0-9]{20,}|xox[abp]-[0-9]{6,}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|sk_live_\w{10,}"
)


def test_nothing_in_the_repository_looks_like_a_secret():
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    found = []
    for name in filter(None, kept.split("\0")):
        path = ROOT / name
        # Tests hold made-up ones, to see that they are masked.
        if name.startswith(("static/vendor/", "tests/")) or not path.is_file() or path.stat().st_size > 2_000_000:
            continue
        if SECRET.search(path.read_text(errors="ignore")):
            found.append(name)
    assert found == []
