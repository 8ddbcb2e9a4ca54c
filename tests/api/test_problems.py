"""Whatever goes wrong is told in the caller's language, with the field and the next step, as a problem document."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils.translation import override

from apps.clients.models import ApiToken
from apps.clients.roles import Role
from apps.clients.services.tokens import make_token, revoke_token
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import NotAllowed
from apps.core.tenancy import use_all_clients
from apps.suggestions.models import Decision
from tests.factories.clients import PASSWORD, ClientFactory, UserFactory, member
from tests.factories.suggestions import SuggestionFactory

from .conftest import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    return ClientFactory(key="ours")


@pytest.fixture
def caller(ours, program):
    return program(member(ours))


def problem(answer, status):
    """The problem document, checked for what every one of them has."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "code", "detail"} <= set(body)
    assert body["status"] == status
    assert body["detail"]
    return body


# --- who asks ---


@pytest.mark.parametrize(
    "header", ["Token wrong", "Token", "Token a b", "Token é", "Token durum_" + "0" * 64, "Basic eDp5"]
)
def test_a_wrong_token_is_nobody_even_with_a_session(header, ours, redis_client):
    browser = Browser()
    browser.force_login(member(ours))
    answer = browser.get("/api/v1/clients/", headers={"Authorization": header})

    if header.startswith("Basic"):
        # Not ours to read: the session counts.
        assert answer.status_code == 200
        return
    problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Token"


def test_without_anything_the_answer_says_how_to_get_in(redis_client, db):
    body = problem(Program().read("clients/"), 401)

    assert "Settings" in body["detail"]


def test_a_token_works_until_it_is_revoked(ours, redis_client):
    user = member(ours)
    actor = Actor(user, "web")
    row, token = make_token(name="x", lifetime="30", actor=actor)
    caller = Program(token)

    assert caller.read("clients/").status_code == 200
    row.refresh_from_db()
    assert row.last_used_at is not None
    revoke_token(number=row.number, actor=actor)
    problem(caller.read("clients/"), 401)


def test_a_token_ends_with_its_time_and_stays_in_the_list(ours, redis_client):
    row, token = make_token(name="x", lifetime="30", actor=Actor(member(ours), "web"))
    ApiToken.objects.filter(pk=row.pk).update(expiry=clock.now())

    problem(Program(token).read("clients/"), 401)
    assert ApiToken.objects.filter(pk=row.pk).exists()


def test_a_token_of_somebody_switched_off_opens_nothing(ours, program):
    user = member(ours)
    caller = program(user)
    user.is_active = False
    user.save()

    problem(caller.read("clients/"), 401)


def test_a_token_sees_no_client_its_person_has_left(ours, program, all_clients):
    user = member(ours)
    caller = program(user)
    user.memberships.all().delete()

    assert caller.read("clients/").json()["count"] == 0


def test_a_token_opens_no_page(ours, program):
    assert program(member(ours)).get("/c/ours/settings/").status_code == 302


def test_a_session_may_write_with_the_csrf_token_only(ours, redis_client):
    user = member(ours)
    row = SuggestionFactory(client=ours)
    browser = Browser(enforce_csrf_checks=True)
    browser.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    browser.force_login(user)
    address = f"/api/v1/suggestions/{row.pk}/approve/"

    assert "CSRF" in problem(browser.post(address), 403)["detail"]
    browser.get("/accounts/password/change/")
    token = browser.cookies["csrftoken"].value
    answer = browser.post(address, {}, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 200


# --- what is asked ---


@pytest.mark.parametrize(
    "path", ["nothing/", "clients", "suggestions/999999/", "suggestions/x/", "clients/none/", "metrics/"]
)
def test_what_is_not_there_is_a_problem_document(path, caller):
    body = problem(caller.read(path), 404)

    assert "Check the number and the address" in body["detail"]


def test_below_api_nothing_is_a_page(client, db):
    problem(client.get("/api/v9/clients/"), 404)


@pytest.mark.parametrize(
    ("method", "path"), [("put", "clients/"), ("delete", "suggestions/1/"), ("post", "decisions/")]
)
def test_a_wrong_method_is_told_the_right_ones(method, path, caller):
    answer = getattr(caller, method)(f"/api/v1/{path}")

    assert "GET" in problem(answer, 405)["detail"]
    assert "GET" in answer["Allow"]


def test_a_wrong_kind_of_content_is_told_the_right_one(caller, ours):
    row = SuggestionFactory(client=ours)
    answer = caller.post(f"/api/v1/suggestions/{row.pk}/approve/", "<x/>", content_type="text/xml")

    assert "application/json" in problem(answer, 415)["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"reason": ', "not valid JSON"),
        ("[]", "cannot be used"),
        ('{"reason": "a\\u0000b"}', ""),
        ('{"reason": ["x"]}', ""),
        ('{"reason": null}', ""),
        ("\xff", "not valid JSON"),
        ("{}", ""),
        ('{"reason": "  "}', ""),
        ("[" * 100_000, "too deeply"),
        ('{"reason": ' * 100_000, "too deeply"),
    ],
)
def test_content_that_makes_no_sense_is_refused_and_nothing_changed(body, said, caller, ours):
    row = SuggestionFactory(client=ours)
    answer = caller.post(
        f"/api/v1/suggestions/{row.pk}/refuse/", body.encode("latin-1"), content_type="application/json"
    )

    assert said in problem(answer, 400)["detail"]
    with use_all_clients("the test looks"):
        assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("suggestions/", {"state": "lost"}, "state"),
        ("suggestions/", {"object": "x"}, "object"),
        ("ad-objects/", {"level": "planet"}, "level"),
        ("audit-events/", {"since": "yesterday"}, "since"),
        ("sync-runs/", {"channel": "x"}, "channel"),
        ("skipped-candidates/", {"day": "31/12"}, "day"),
    ],
)
def test_a_filter_that_makes_no_sense_names_its_field(path, query, field, caller):
    assert field in problem(caller.read(path, **query), 400)["fields"]


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"page": "99"}])
def test_a_page_that_is_not_there_is_404(query, caller):
    problem(caller.read("suggestions/", **query), 404)


@pytest.mark.parametrize("path", ["ad-objects/", "suggestions/", "creatives/"])
def test_a_zero_byte_in_a_search_is_refused(path, caller):
    problem(caller.read(path, q="a\x00b"), 400)


@pytest.mark.parametrize("path", ["ad-objects/", "clients/", "metrics/sums/"])
def test_a_client_whose_key_cannot_be_is_not_found(path, caller):
    problem(caller.read(path, client="a\x00b"), 404)


@pytest.mark.parametrize("number", ["9" * 30, "-1", str(2**63)])
def test_numbers_beyond_the_store_are_not_found(number, caller):
    problem(caller.read(f"suggestions/{number}/"), 404)
    answer = caller.send("sync-runs/", {"channel": int(number)})
    assert answer.status_code in (400, 404)
    assert caller.read("ad-objects/", parent=number).status_code in (200, 400)


@pytest.mark.parametrize(("header", "language"), [("en", "en"), ("fr-FR,fr;q=0.9,en;q=0.5", "fr")])
def test_the_sentence_is_in_the_callers_language(header, language, ours, program):
    row = SuggestionFactory(client=ours)
    caller = program(member(ours, Role.VIEWER))
    answer = caller.send(f"suggestions/{row.pk}/approve/", **{"Accept-Language": header})

    with override(language):
        assert problem(answer, 403)["detail"] == str(NotAllowed.default_message)
    assert answer["Content-Language"] == language


def test_a_caller_who_asks_too_often_waits(ours, program, settings):
    settings.API_RATE_PER_MINUTE = 2
    first, second = program(member(ours)), program(member(ours))
    codes = [first.read("clients/").status_code for _ in range(5)]

    # A minute may begin in between; more than twice two requests never pass.
    assert codes.count(200) in (2, 3, 4)
    answer = first.read("clients/")
    while answer.status_code == 200:
        answer = first.read("clients/")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert "Go on in" in problem(answer, 429)["detail"]
    assert second.read("clients/").status_code == 200


def test_without_redis_nobody_is_turned_down(caller, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }

    assert caller.read("clients/").status_code == 200


def test_a_crash_is_a_problem_document_too(caller, monkeypatch):
    from apps.clients.api import ClientViewSet

    monkeypatch.setattr(ClientViewSet, "get_serializer_class", lambda self: 1 / 0)
    caller.raise_request_exception = False
    body = problem(caller.read("clients/"), 500)

    assert "ZeroDivision" not in str(body)


# --- files ---


EXPORT = (
    "Campaign name,Campaign ID,Ad set name,Ad set ID,Ad name,Ad ID,Day,Amount spent (EUR),Impressions,Clicks (all)\n"
    "C,1001,S,2001,A,3001,2026-10-01,12.50,1000,10\n"
)


def bring(caller, text=EXPORT, *, name="ads.csv", key=None, **fields):
    file = SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post("/api/v1/imports/", {"client": "ours", "file": file} | fields, headers=headers)


def test_a_file_is_queued_and_told_where_to_look(caller):
    answer = bring(caller)

    assert answer.status_code == 202, answer.json()
    assert answer.json()["state"] == "waiting"
    assert answer.json()["file"] == "ads.csv"
    assert caller.get(answer["Location"]).json()["id"] == answer.json()["id"]


def test_the_same_file_under_the_same_key_is_one_run(caller):
    key = str(uuid.uuid4())
    first, second = bring(caller, key=key), bring(caller, key=key)

    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true"
    assert bring(caller, EXPORT.replace("12.50", "13.50"), key=key).status_code == 422


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"file": ""}, 400),
        ({"client": ""}, 400),
        ({"client": "none"}, 404),
        ({"account": "999999"}, 404),
        ({"mapping": "nonsense"}, 400),
        ({"mapping": '{"Day": "weather"}'}, 400),
        ({"mapping": '{"Nothing": "spend"}'}, 400),
        ({"date_order": "ymd"}, 400),
    ],
)
def test_an_import_that_cannot_be_says_what_is_wrong(fields, status, caller):
    body = problem(bring(caller, **fields), status)

    if status == 400:
        assert body["fields"]


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b"hello\n"])
def test_a_file_that_is_none_is_refused(content, caller):
    problem(bring(caller, content, name="x.xlsx" if content[:2] == b"PK" else "x.csv"), 400)


def test_an_ambiguous_file_asks_for_what_it_needs(caller):
    answer = bring(caller, EXPORT.replace("2026-10-01", "03/04/2026"))

    assert "date_order" in problem(answer, 400)["fields"]
    assert bring(caller, EXPORT.replace("2026-10-01", "03/04/2026"), date_order="dmy").status_code == 202


def test_a_viewer_may_not_import(ours, program):
    problem(bring(program(member(ours, Role.VIEWER))), 403)


def test_somebody_without_a_client_sees_nothing(program):
    caller = program(UserFactory())

    assert caller.read("suggestions/").json()["count"] == 0
