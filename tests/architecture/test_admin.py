"""Every table of the admin: opens, shows the asker's clients only, says no to strangers, and asks few questions."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.clients.models import Client
from apps.clients.roles import Role
from apps.core.admin_tables import OpenFirstFilter
from apps.core.tenancy import TenantModel, use_client
from tests.factories.clients import ClientFactory, UserFactory, member

from .isolation import FACTORIES, OWNED, name_of, row_of

pytestmark = pytest.mark.django_db
TABLES = [model for model in OWNED if model in admin.site._registry]
SENTINEL = "Zanzibar"
# For engineers: their raw text is not for everybody who may look at a client.
NEEDS_PERMISSION = {"core.systemlog", "core.apicall", "ads.rawsnapshot"}


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def ours():
    return ClientFactory(name="Ours")


@pytest.fixture
def staff(ours):
    """Somebody of the agency who works for one client, and may see the engineers' tables."""
    person = member(ours, Role.OWNER, is_staff=True, language="en")
    person.user_permissions.set(
        Permission.objects.filter(codename__startswith="view_", content_type__app_label__in=["core", "ads"])
    )
    return person


def sentinel_row(model):
    """A row of a client whose every name gives itself away."""
    theirs = ClientFactory(name=SENTINEL, key="zanzibar")
    row = row_of(model, theirs)
    with use_client(theirs):
        for owned in OWNED:
            for field in owned._meta.fields:
                if field.name in (
                    "name",
                    "message",
                    "endpoint",
                    "verb",
                    "angle",
                    "user_label",
                    "ad_object_name",
                    "column",
                ):
                    owned.objects.filter(client=theirs).update(**{field.name: SENTINEL})
    return row


def everything(model):
    """The query that takes a list off its start on what waits for people."""
    starts = [
        f for f in admin.site._registry[model].list_filter if isinstance(f, type) and issubclass(f, OpenFirstFilter)
    ]
    return {start.parameter_name: "all" for start in starts}


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_tenant_model_has_a_table():
    assert [name_of(model) for model in OWNED if model not in TABLES] == []


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_a_table_shows_the_askers_clients_only(client, model, ours, staff):
    mine, theirs = row_of(model, ours), sentinel_row(model)
    client.force_login(staff)

    listed = client.get(url(model, "changelist"), everything(model))
    assert listed.status_code == 200
    assert SENTINEL not in listed.content.decode()
    assert f"/{mine.pk}/" in listed.content.decode()
    assert client.get(url(model, "change", mine.pk)).status_code == 200
    assert client.get(url(model, "history", mine.pk)).status_code == 200
    for page in ("change", "history", "delete"):
        refused = client.get(url(model, page, theirs.pk))
        assert refused.status_code in (403, 404), page
        assert SENTINEL not in refused.content.decode()


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_search_filters_and_forms_name_no_other_client(client, model, ours, staff):
    row_of(model, ours)
    theirs = sentinel_row(model)
    client.force_login(staff)
    table = admin.site._registry[model]

    asked = [
        {**everything(model), "q": "Zanz"},
        {**everything(model), "client": theirs.client_id},
        {"client": "x"},
    ]
    pages = [
        client.get(url(model, "changelist"), question)
        for question in asked
        if "q" not in question or table.search_fields
    ]
    pages.append(client.get(url(model, "add")))
    for page in pages:
        assert page.status_code in (200, 302, 403)
        assert SENTINEL not in page.content.decode().replace("Zanz&quot;", "")


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_a_table_is_not_for_members_without_staff_rights(client, model, ours):
    mine = row_of(model, ours)
    client.force_login(member(ours, Role.OWNER))
    for address in (url(model, "changelist"), url(model, "change", mine.pk), url(model, "add")):
        assert client.get(address).status_code == 302


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_staff_without_a_client_sees_an_empty_table(client, model, ours):
    row_of(model, ours)
    client.force_login(UserFactory(is_staff=True))
    answer = client.get(url(model, "changelist"), everything(model))
    assert answer.status_code == (403 if name_of(model) in NEEDS_PERMISSION else 200)
    assert "Ours" not in answer.content.decode()


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_history_cannot_be_deleted(client, model, ours, staff):
    """Only a membership ends; everything else stays, is switched off or is archived."""
    mine = row_of(model, ours)
    client.force_login(staff)
    answer = client.post(url(model, "delete", mine.pk), {"post": "yes"})
    assert answer.status_code == (302 if name_of(model) == "clients.membership" else 403)
    with use_client(ours):
        assert model.objects.filter(pk=mine.pk).exists() or name_of(model) == "clients.membership"


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_more_rows_do_not_mean_more_queries(client, model, ours, staff):
    client.force_login(staff)

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(url(model, "changelist"), everything(model)).status_code == 200
        return len(asked)

    for _again in range(2):
        row_of(model, ours)
    queries()
    few = queries()
    for _again in range(6):
        row_of(model, ours)
    assert queries() <= few


def test_the_first_screen_counts_the_askers_queues_only(client, ours, staff):
    from tests.factories.suggestions import SuggestionFactory

    SuggestionFactory(client=ours)
    SuggestionFactory.create_batch(2)
    client.force_login(staff)
    page = client.get("/admin/").content.decode()
    block = page[page.index("queues-title") : page.index("</section>", page.index("queues-title"))]
    assert re.findall(r">(\d+)</div>\s*<div[^>]*>Suggestions to decide", block) == ["1"]


def test_clients_are_never_deleted_and_only_ones_own_listed(client, ours, staff):
    other = ClientFactory(name=SENTINEL)
    client.force_login(staff)
    listed = client.get(url(Client, "changelist")).content.decode()
    assert "Ours" in listed
    assert SENTINEL not in listed
    assert client.get(url(Client, "change", other.pk)).status_code == 404
    assert client.post(url(Client, "delete", ours.pk), {"post": "yes"}).status_code == 403


def test_no_column_holds_a_token():
    for model, table in admin.site._registry.items():
        shown = {*map(str, table.list_display), *map(str, table.fields or ()), *map(str, table.search_fields or ())}
        assert not shown & {"token", "payload", "key_hash", "digest"}, model
    assert all(issubclass(model, TenantModel) for model in FACTORIES)


@pytest.mark.parametrize("query", [{"client": "9" * 5000}, {"client": str(2**63)}, {"state": "a\x00"}, {"q": "a\x00"}])
def test_what_the_store_cannot_hold_is_asked_of_it_by_nobody(query, client, staff):
    client.force_login(staff)

    assert client.get(reverse("admin:connectors_channel_changelist"), query).status_code in (200, 302, 400)
