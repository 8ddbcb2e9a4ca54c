"""The one way out, against a real server: reads are repeated, writes never, and the log keeps no secret."""

import socket

import pytest

from apps.core import http as http_module
from apps.core.breaker import FAILURES_TO_OPEN, Breaker
from apps.core.errors import NeedsReconnect, OutcomeUnknown, Rejected, Unavailable
from apps.core.http import Http
from apps.core.models import ApiCall
from apps.core.tenancy import use_all_clients, use_client
from tests.factories.clients import ClientFactory

from .http_server import Outside

pytestmark = pytest.mark.django_db
OK = (200, {}, {"ok": True})
BROKEN = (500, {}, {"error": "access_token=EAAsecret is bad"})


@pytest.fixture
def outside():
    server = Outside()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch, redis_client):
    """No test waits for the pauses between repeats."""
    from tenacity import nap

    monkeypatch.setattr(nap, "sleep", lambda seconds: None)
    monkeypatch.setattr(nap.time, "sleep", lambda seconds: None)


@pytest.fixture
def http(outside):
    return Http("trial", outside.url, timeout=0.5)


def calls():
    with use_all_clients("the test"):
        return list(ApiCall.objects.order_by("pk").values_list("method", "endpoint", "status", "error_kind", "attempt"))


def test_a_good_answer_comes_back_and_is_logged(http, outside):
    assert http.call("GET", "/me", writes=False).json() == {"ok": True}
    assert calls() == [("GET", "/me", 200, "", 1)]


def test_a_read_is_repeated_until_it_works(http, outside):
    outside.answers = [BROKEN, "drop", OK]
    assert http.call("GET", "/me", writes=False).json() == {"ok": True}
    assert [(status, kind, attempt) for _m, _e, status, kind, attempt in calls()] == [
        (500, "Unavailable", 1),
        (None, "Unavailable", 2),
        (200, "", 3),
    ]


@pytest.mark.parametrize("answer", [BROKEN, "drop", "hang"])
def test_a_read_that_never_works_happened_nowhere(http, outside, answer):
    outside.answers = [answer]
    with pytest.raises(Unavailable):
        http.call("GET", "/me", writes=False)
    assert len(outside.requests) == 3


@pytest.mark.parametrize("answer", [BROKEN, (502, {}, {}), "drop", "hang"])
def test_a_write_whose_answer_is_lost_is_unknown_and_never_sent_again(http, outside, answer):
    outside.answers = [answer, OK]
    with pytest.raises(OutcomeUnknown):
        http.call("POST", "/act", writes=True, data={"budget": 1})
    assert [(method, body) for method, _path, body in outside.requests] == [("POST", "budget=1")]
    assert calls()[0][3] == "OutcomeUnknown"


def test_a_write_that_reached_nobody_did_not_happen(redis_client):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        Http("trial", f"http://127.0.0.1:{port}").call("POST", "/act", writes=True)


@pytest.mark.parametrize("writes", [True, False])
def test_a_refusal_is_final(http, outside, writes):
    outside.answers = [(400, {}, {"error": "no"})]
    with pytest.raises(Rejected, match="400"):
        http.call("POST" if writes else "GET", "/act", writes=writes)
    assert len(outside.requests) == 1


def test_too_many_requests_names_the_pause_and_shuts_the_door(http, outside):
    outside.answers = [(429, {"Retry-After": "120"}, {})]
    with pytest.raises(Unavailable) as caught:
        http.call("GET", "/me", writes=False)
    assert caught.value.retry_after == 120
    assert len(outside.requests) == 1, "a long pause is not waited for in the worker"

    with pytest.raises(Unavailable) as caught:
        http.call("POST", "/act", writes=True)
    assert 110 < caught.value.retry_after <= 120
    assert len(outside.requests) == 1, "a paused service is not asked"


def test_the_platforms_own_words_come_first(outside):
    def read_error(response):
        return NeedsReconnect("Token expired.") if response.json().get("code") == 190 else None

    outside.answers = [(400, {}, {"code": 190}), (200, {}, {"code": 190}), OK]
    http = Http("trial", outside.url, read_error=read_error)
    for _again in range(2):
        with pytest.raises(NeedsReconnect, match="expired"):
            http.call("GET", "/me", writes=False)
    assert http.call("GET", "/me", writes=False).json() == {"ok": True}


def test_a_vague_try_again_after_a_write_is_unknown(outside):
    outside.answers = [(200, {}, {})]
    http = Http("trial", outside.url, read_error=lambda response: Unavailable("later"))
    with pytest.raises(OutcomeUnknown):
        http.call("POST", "/act", writes=True)


def test_usage_headers_are_logged_and_can_ask_for_a_pause(outside):
    http = Http("trial", outside.url, usage=lambda response: (96.5, 300))
    http.call("GET", "/me", writes=False)
    with use_all_clients("the test"):
        assert ApiCall.objects.get().usage_percent == 96.5
    with pytest.raises(Unavailable):
        http.call("GET", "/me", writes=False)
    assert len(outside.requests) == 1


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_try(http, outside, redis_client):
    outside.answers = [BROKEN]
    for _again in range(FAILURES_TO_OPEN):
        with pytest.raises(OutcomeUnknown):
            http.call("POST", "/act", writes=True)
    asked = len(outside.requests)
    with pytest.raises(Unavailable) as caught:
        Http("trial", outside.url).call("GET", "/me", writes=False)
    assert caught.value.retry_after > 0
    assert len(outside.requests) == asked

    redis_client.delete("breaker:open:trial")  # its time is over
    first, second = Breaker("trial"), Breaker("trial")
    assert first.seconds_closed_for() == 0, "one may try"
    assert second.seconds_closed_for() > 0, "the others wait for its answer"
    first.succeeded()
    assert second.seconds_closed_for() == 0


def test_a_breaker_is_of_one_account(outside):
    Http("trial", outside.url, scope="act_1").breaker.pause(60)
    assert Http("trial", outside.url, scope="act_2").call("GET", "/me", writes=False).json() == {"ok": True}
    with pytest.raises(Unavailable):
        Http("trial", outside.url, scope="act_1").call("GET", "/me", writes=False)


def test_without_redis_calls_go_on(http, outside, monkeypatch):
    from redis import Redis

    from apps.core import breaker

    monkeypatch.setattr(breaker, "store", Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2))
    assert http.call("GET", "/me", writes=False).json() == {"ok": True}
    outside.answers = [BROKEN]
    with pytest.raises(OutcomeUnknown):
        http.call("POST", "/act", writes=True)


def test_the_log_keeps_neither_token_nor_query_nor_body(outside):
    shop = ClientFactory()
    outside.answers = [BROKEN]
    http = Http("trial", outside.url, client_id=shop.pk, headers={"Authorization": "Bearer EAAheader"})
    with use_client(shop), pytest.raises(OutcomeUnknown) as caught:
        http.call("POST", "/act", writes=True, params={"access_token": "EAAquery"}, json={"token": "EAAbody"})
    with use_client(shop):
        row = ApiCall.objects.get()
        assert "EAA" not in " ".join(str(value) for value in vars(row).values())
    assert "EAAsecret" not in caught.value.detail
    assert row.client_id == shop.pk


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254",
        "http://10.0.0.8",
        "http://[::1]:8000",
        "http://127.0.0.1:1",
        "http://localhost:1",
        "http://0.0.0.0",
    ],
)
def test_addresses_inside_the_network_are_refused(settings, address, redis_client):
    settings.HTTP_LOOPBACK_ALLOWED = False
    with pytest.raises(Rejected, match="inside this network"):
        Http("trial", address).call("GET", "/", writes=False)


def test_proxies_of_the_environment_are_not_for_us(http, outside, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    http_module.close_pools()
    assert http.call("GET", "/me", writes=False).json() == {"ok": True}


def test_redirects_are_not_followed(http, outside):
    outside.answers = [(302, {"Location": "http://169.254.169.254/"}, {}), OK]
    with pytest.raises(Rejected, match="302"):
        http.call("GET", "/me", writes=False)
    assert len(outside.requests) == 1
