"""Commands as the shell runs them: what they print where, their exit code, and what they leave in the database."""

from dataclasses import dataclass

import pytest
from django.core.management import base, get_commands, load_command_class
from django.db import connection

from apps.core.tenancy import use_all_clients


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def run(db, capsys, monkeypatch):
    """`run("fetch_ads", "--days", "3")` through the very door of `manage.py`."""
    # A process closes its connections when it ends; the test's own must stay open.
    monkeypatch.setattr(base.connections, "close_all", lambda: None)

    def run(name, *arguments):
        command = load_command_class(get_commands()[name], name)
        code = 0
        try:
            command.run_from_argv(["manage.py", name, *map(str, arguments)])
        except SystemExit as end:
            code = end.code
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def rows(db):
    """`rows()` counts the rows of every table, whoever they belong to."""

    def rows():
        with use_all_clients("the test counts"), connection.cursor() as cursor:
            counted = {}
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT count(*) FROM "{table}"')
                counted[table] = cursor.fetchone()[0]
        return counted

    return rows
