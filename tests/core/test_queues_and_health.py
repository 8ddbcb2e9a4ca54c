"""What waits for whom, and whether Durum works: both told from the rows themselves."""

import pytest
from redis import Redis

from apps.clients.models import Product
from apps.core import breaker, health, queues
from apps.core.queues import Queue
from tests.factories.clients import ClientFactory, ProductFactory, UserFactory, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_queue(monkeypatch):
    rows = Queue(
        key="products",
        label="Products",
        rows=lambda user, client: Product.objects.visible_to(user).filter(**({"client": client} if client else {})),
        url=lambda client: f"/c/{client.key}/" if client else "/",
        since="pk",
    )
    monkeypatch.setattr(queues, "_queues", {"products": rows})


def test_a_queue_counts_the_persons_own_rows(as_client, client):
    shop, other = ClientFactory(), ClientFactory()
    ProductFactory.create_batch(2, client=shop)
    ProductFactory(client=other)
    as_client(shop)
    (waiting,) = queues.all_for(member(shop))
    assert (waiting.count, waiting.url) == (2, "/")
    (waiting,) = queues.all_for(member(shop), shop)
    assert (waiting.count, waiting.url) == (2, f"/c/{shop.key}/")


def test_an_empty_queue_is_not_shown():
    ProductFactory()
    assert queues.all_for(UserFactory()) == []


def test_the_servers_are_well():
    found = {reading.key: reading.state for reading in health.servers()}
    assert found == {"database": "ok", "redis": "ok"}
    assert health.is_alive(health.servers())


def test_without_redis_it_is_down_and_says_what_to_do(monkeypatch, client):
    monkeypatch.setattr(breaker, "store", Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2))
    monkeypatch.setattr(health, "store", breaker.store)
    (reading,) = [reading for reading in health.servers() if reading.key == "redis"]
    assert reading.state == "down"
    assert "REDIS_URL" in reading.next_step
    assert client.get("/healthz").status_code == 503


def test_late_work_is_no_reason_to_restart_the_web_server():
    assert health.is_alive([*health.servers(), health.Reading("x", "X", health.DOWN, "late")])
