"""Errors that reach a border are kept, without secrets, under their client, and never make things worse."""

import pytest
from celery import shared_task
from django.core.management import CommandError
from django.db import connection, transaction

from apps.core import systemlog
from apps.core.errors import Rejected, Unavailable
from apps.core.models import SystemLog
from apps.core.tenancy import use_all_clients, use_client
from durum.management.commanding import DurumCommand
from tests.factories.clients import ClientFactory

pytestmark = pytest.mark.django_db


def kept():
    with use_all_clients("the test"):
        return list(SystemLog.objects.order_by("pk"))


def raised(exc):
    try:
        raise exc
    except type(exc) as caught:
        return caught


def test_an_error_is_kept_with_its_trace_and_without_its_secrets():
    systemlog.record(raised(ValueError("access_token=EAAsecret123 is wrong")), module="apps.ads")

    (row,) = kept()
    assert (row.module, row.exception_type, row.client_id) == ("apps.ads", "ValueError", None)
    assert row.message == "access_token=[…] is wrong"
    assert "Traceback" in row.trace
    assert "EAAsecret123" not in row.trace


def test_an_error_belongs_to_the_only_client_in_scope():
    shop = ClientFactory()
    with use_client(shop):
        systemlog.record(ValueError("x"), module="m")
        assert SystemLog.objects.get().client_id == shop.pk


def test_what_postgresql_cannot_store_is_stored_all_the_same():
    systemlog.record(ValueError("a\x00b" + "x" * 10_000), module="m" * 500)
    (row,) = kept()
    assert row.message.startswith("a�b")
    assert (len(row.message), len(row.module)) == (4000, 120)


def test_a_log_that_cannot_be_written_hides_nothing(caplog):
    with transaction.atomic():
        connection.needs_rollback = True
        assert systemlog.record(ValueError("first"), module="m") is None
        connection.needs_rollback = False
    assert "could not be written" in caplog.text


def test_an_unknown_client_is_no_second_error():
    assert systemlog.record(ValueError("x"), module="m", client_id=None) is not None


@shared_task
def breaks_for_a_client(client_id, pk):
    raise ValueError("inside the task")


@shared_task
def breaks_alone():
    raise KeyError("alone")


def test_a_failing_task_is_kept_under_its_client():
    shop = ClientFactory()
    breaks_for_a_client.apply((shop.pk, 1))
    breaks_alone.apply()

    first, second = kept()
    assert (first.client_id, first.exception_type) == (shop.pk, "ValueError")
    assert first.module == breaks_for_a_client.name
    assert (second.client_id, second.exception_type) == (None, "KeyError")


class Command(DurumCommand):
    requires_system_checks = []

    def handle(self, *args, raising, **options):
        raise raising


def run(raising):
    Command().execute(raising=raising, no_color=True, force_color=False, skip_checks=True)


def test_a_crash_of_a_command_is_kept_and_still_a_crash():
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError("unexpected"))
    assert [row.exception_type for row in kept()] == ["ZeroDivisionError"]


def test_a_wrong_argument_is_nothing_to_keep():
    with pytest.raises(CommandError):
        run(CommandError("There is no client with this key."))
    assert kept() == []


@pytest.mark.parametrize("error", [Unavailable("Meta is away."), Rejected("Meta says no.")])
def test_what_the_outside_did_is_kept_and_told_in_one_sentence(error):
    with pytest.raises(CommandError, match="Meta"):
        run(error)
    assert len(kept()) == 1


def test_a_crash_of_a_page_is_kept_under_its_view(client, monkeypatch, settings):
    """Through Django's own signal, as in production."""
    from apps.core import health

    def broken():
        raise RuntimeError("nobody expected this")

    monkeypatch.setattr(health, "servers", broken)
    client.raise_request_exception = False
    assert client.get("/healthz").status_code == 500
    assert [(row.module, row.exception_type) for row in kept()] == [("healthz", "RuntimeError")]
