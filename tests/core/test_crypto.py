"""Secrets at rest: unreadable in the store, readable through the field, rotated, and silent wherever text is made."""

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from apps.connectors.models import Channel
from apps.core.crypto import EncryptedTextField, Secret, key_from, reveal
from apps.core.tenancy import use_client
from tests.factories.clients import UserFactory
from tests.factories.connectors import ChannelFactory

OLD, NEW = key_from("old"), key_from("new")


def stored(pk):
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM connectors_channel WHERE id = %s", [pk])
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_the_store_holds_no_plain_token():
    row = ChannelFactory(token="EAA-very-secret")
    with use_client(row.client):
        assert "very-secret" not in stored(row.pk)
        assert Channel.objects.get(pk=row.pk).token.reveal() == "EAA-very-secret"


@pytest.mark.django_db
def test_a_key_is_rotated_by_putting_a_new_one_in_front(settings):
    settings.FIELD_KEYS = [OLD]
    row = ChannelFactory(token="kept")
    with use_client(row.client):
        before = stored(row.pk)

        settings.FIELD_KEYS = [NEW, OLD]
        found = Channel.objects.get(pk=row.pk)
        assert found.token.reveal() == "kept"
        found.save()
        assert stored(row.pk) != before

        settings.FIELD_KEYS = [NEW]
        assert Channel.objects.get(pk=row.pk).token.reveal() == "kept"

        settings.FIELD_KEYS = [OLD]
        with pytest.raises(ImproperlyConfigured, match="FIELD_KEYS lacks"):
            Channel.objects.get(pk=row.pk)


@pytest.mark.django_db
def test_without_a_key_nothing_is_stored(settings):
    settings.FIELD_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="FIELD_KEYS is not set"):
        ChannelFactory(token="x")


@pytest.mark.django_db
def test_no_token_is_empty_and_needs_no_key(settings):
    settings.FIELD_KEYS = []
    row = ChannelFactory(token="")
    with use_client(row.client):
        assert stored(row.pk) == ""
        assert not Channel.objects.get(pk=row.pk).token


def test_a_secret_does_not_print_itself():
    secret = Secret("hunter2")
    made = [str(secret), repr(secret), f"{secret}", f"{secret:>10}", " ".join([repr(secret)]), repr([secret])]
    assert not any("hunter2" in text for text in made)
    assert bool(secret)
    assert secret.reveal() == reveal(secret) == reveal("hunter2") == "hunter2"


def test_no_form_has_a_field_for_it():
    assert EncryptedTextField().formfield() is None


@pytest.mark.django_db
def test_the_secret_of_the_second_step_is_not_readable_in_the_store():
    secret = generate_totp_secret()
    row = TOTP.activate(UserFactory(), secret).instance
    row.refresh_from_db()

    assert secret not in str(row.data)
    assert TOTP(row).validate_code(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))
