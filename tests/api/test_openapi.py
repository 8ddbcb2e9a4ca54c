"""The OpenAPI document is complete, valid and free of warnings, and its page loads under our policy."""

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

from tests.factories.clients import UserFactory

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(document):
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_the_document_is_valid_and_has_no_warnings(tmp_path):
    call_command("spectacular", fail_on_warn=True, validate=True, file=str(tmp_path / "schema.yml"))


def test_every_operation_is_described_with_examples_and_its_problems(document):
    found = operations(document)

    assert len(found) > 30
    for name, operation in found:
        assert operation["summary"], name
        assert operation["description"], name
        assert {"401", "403", "404", "429"} <= set(operation["responses"]), name
        good = [r for code, r in operation["responses"].items() if code.startswith("2")]
        assert any({"example", "examples"} & set(c) for r in good for c in r["content"].values()), name
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if kind != "application/x-www-form-urlencoded":
                assert {"example", "examples"} & set(content), f"{name} {kind}"


def test_every_unsafe_operation_takes_an_idempotency_key(document):
    for name, operation in operations(document):
        keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
        assert len(keys) == (0 if name.startswith("get") else 1), name


@pytest.mark.django_db
def test_the_page_of_the_api_runs_nothing_inline(client):
    assert client.get("/api/v1/docs/").status_code in (401, 403)
    client.force_login(UserFactory())
    page = client.get("/api/v1/docs/")

    assert page.status_code == 200
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "<style" not in page.content.decode()
    assert "<script>" not in page.content.decode()
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert client.get("/api/v1/schema/").status_code == 200


@pytest.mark.django_db
def test_looking_at_the_document_fixes_no_choices(rf, document):
    """The choices of filters are made for each request, also after the document was made with nobody asking."""
    from apps.clients.filters import AuditFilter
    from apps.core.models import AuditEvent
    from apps.core.tenancy import use_client
    from apps.suggestions.filters import SuggestionFilter
    from apps.suggestions.models import Suggestion
    from tests.factories.ads import CampaignFactory
    from tests.factories.clients import ClientFactory, member

    ours = ClientFactory()
    campaign = CampaignFactory(client=ours)
    request = rf.get("/")
    request.client, request.user = ours, member(ours)
    with use_client(ours):
        AuditEvent.objects.create(client=ours, user=request.user, via="web", verb="clients.client.changed")
        people = AuditFilter({}, AuditEvent.objects.all(), request=request).form.fields["user"].choices
        campaigns = SuggestionFilter({}, Suggestion.objects.all(), request=request).form.fields["campaign"].queryset

        assert str(request.user.pk) in [value for value, _label in people]
        assert list(campaigns) == [campaign]
