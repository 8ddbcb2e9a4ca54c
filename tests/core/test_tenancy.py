"""The scope holds through rollbacks, savepoints, nesting, threads, pooled connections, tasks, cursors and streams."""

import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import shared_task
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from apps.clients.access import scope_of
from apps.clients.middleware import TenancyMiddleware
from apps.clients.models import Client, Membership, Product
from apps.clients.roles import Role
from apps.core.tenancy import NOTHING, current_scope, use_all_clients, use_client, use_clients, use_scope
from tests.factories.clients import ClientFactory, ProductFactory, UserFactory, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def shops():
    """Two clients with one product each, `a` and `b`."""
    one, other = ClientFactory(), ClientFactory()
    ProductFactory(client=one, key="a")
    ProductFactory(client=other, key="b")
    return one, other


def seen():
    return sorted(Product.objects.values_list("key", flat=True))


def test_nested_scopes_come_back_to_the_outer_one(shops):
    one, other = shops
    with use_client(one):
        with use_client(other):
            assert seen() == ["b"]
            with use_all_clients("the test"):
                assert seen() == ["a", "b"]
            assert seen() == ["b"]
        assert seen() == ["a"]
    assert current_scope() == NOTHING
    assert seen() == []


def test_several_clients_may_be_in_scope(shops):
    third = ClientFactory()
    ProductFactory(client=third, key="c")
    with use_clients([shop.pk for shop in shops]):
        assert seen() == ["a", "b"]


def test_an_exception_leaves_no_scope_behind(shops):
    with pytest.raises(KeyError), use_client(shops[0]):
        raise KeyError
    assert seen() == []


def test_a_reason_is_needed_for_everything():
    with pytest.raises(ValueError, match="reason"), use_all_clients(""):
        pass


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_takes_no_scope_with_it(shops):
    one, other = shops
    with use_client(other):
        assert seen() == ["b"]
        with transaction.atomic(), use_client(one):
            assert seen() == ["a"]
            transaction.set_rollback(True)
        assert seen() == ["b"]
    assert seen() == []


@pytest.mark.django_db(transaction=True)
def test_a_broken_transaction_takes_no_scope_with_it(shops):
    one, other = shops
    with use_client(one):
        with pytest.raises(IntegrityError), transaction.atomic(), use_client(other):
            Product.objects.create(client=other, key="b", name="Twice")
        assert seen() == ["a"]


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_its_own_starts_without_scope(shops):
    def look():
        try:
            return seen()
        finally:
            connections.close_all()

    with use_client(shops[0]), ThreadPoolExecutor(1) as pool:
        assert pool.submit(look).result(timeout=20) == []
        assert pool.submit(contextvars.copy_context().run, look).result(timeout=20) == ["a"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_from_the_pool_brings_no_scope_along(shops):
    """The pool hands the same session to the next request: what the last one was told does not count."""

    def session():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    used = []
    for expected, shop in ((["a"], shops[0]), (["b"], shops[1]), (["a"], shops[0])):
        with use_client(shop):
            assert seen() == expected
            used.append(session())
        connection.close()
        assert seen() == []
        used.append(session())
        connection.close()
    assert len(set(used)) < len(used), "the test shows nothing unless the pool gave sessions again"


def test_a_cursor_works_in_the_scope_in_force_when_it_speaks(shops):
    """A cursor opened with everything in scope does not carry that into a client's block."""
    one, _other = shops
    with use_all_clients("the test"):
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM clients_product")
        assert cursor.fetchone() == (2,)
    with cursor:
        with use_client(one):
            cursor.execute("SELECT key FROM clients_product")
            assert cursor.fetchall() == [("a",)]
        cursor.execute("SELECT count(*) FROM clients_product")
        assert cursor.fetchone() == (0,)
        with use_client(one), cursor.copy("COPY (SELECT key FROM clients_product) TO STDOUT") as copy:
            assert [row[0] for row in copy.rows()] == ["a"]


@pytest.mark.parametrize("in_transaction", [True, False])
@pytest.mark.django_db(transaction=True)
def test_rows_read_in_pieces_stay_in_the_scope_they_were_asked_in(shops, in_transaction):
    """The server checks such rows while they are fetched: the loop's own scopes must neither add nor lose any."""
    one, other = shops
    with use_client(one):
        Product.objects.bulk_create(Product(client=one, key=f"a{n}", name="A") for n in range(20))
    with use_client(other):
        Product.objects.bulk_create(Product(client=other, key=f"b{n}", name="B") for n in range(20))

    def keys(scope, inner):
        with scope:
            rows = Product.objects.order_by("pk").iterator(chunk_size=3)
            found = []
            for row in rows:
                found.append(row.key[0])
                with inner():
                    Client.objects.count()
        return found

    def read():
        assert keys(use_client(one), lambda: use_all_clients("the test")) == ["a"] * 21
        assert keys(use_all_clients("the test"), lambda: use_client(one)).count("b") == 21

    if in_transaction:
        with transaction.atomic():
            read()
    else:
        read()


def test_a_stream_is_read_in_the_scope_of_its_request(shops, rf: RequestFactory):
    """An export is produced after the request's block: each piece brings the person's scope with it."""
    person = member(shops[0])

    def pieces():
        for row in Product.objects.order_by("pk").iterator(chunk_size=1):
            yield row.key.encode()
        yield b"|" + ",".join(seen()).encode()

    request = rf.get("/")
    request.user = person
    response = TenancyMiddleware(lambda _request: StreamingHttpResponse(pieces()))(request)

    found = b""
    for piece in response.streaming_content:
        found += piece
        assert current_scope() == NOTHING, "the reader of the stream does not inherit its scope"
    assert found == b"a|a"


@shared_task
def look_around():
    return seen()


@shared_task
def look_at(client_id):
    with use_client(client_id):
        return seen()


def test_a_task_starts_without_scope_and_leaves_none(shops):
    assert look_around.apply().get() == []
    assert look_at.apply((shops[0].pk,)).get() == ["a"]
    assert look_around.apply().get() == []


def test_people_see_their_own_memberships_and_can_make_none(shops):
    """Which clients somebody has is asked before any client is in scope; it must not be a way to get one."""
    one, other = shops
    person = member(one)
    with use_clients([], user_id=person.pk):
        assert [row.client_id for row in Membership.objects.all()] == [one.pk]
        assert Membership.objects.filter(user=person).update(role=Role.OWNER) == 0
        assert Membership.objects.filter(user=person).delete()[0] == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Membership.objects.create(user=person, client=other, role=Role.OWNER)


def test_somebody_switched_off_sees_nothing(shops):
    person = member(shops[0])
    person.is_active = False
    assert scope_of(person) == NOTHING
    assert list(Client.objects.visible_to(person)) == []


def test_visible_to_is_a_filter_beside_the_databases_own(shops):
    one, _other = shops
    person = member(one)
    boss = UserFactory(is_superuser=True)
    with use_all_clients("the test"):
        assert [row.key for row in Product.objects.visible_to(person)] == ["a"]
        assert Product.objects.visible_to(boss).count() == 2
        assert Product.objects.visible_to(UserFactory()).count() == 0


def test_visible_to_believes_a_persons_own_scope_only(shops):
    """The list of clients in scope stands for the memberships only as the door made it, unnarrowed and for them."""
    one, other = shops
    person = member(one)
    with use_scope(scope_of(person)):
        assert [row.key for row in Product.objects.visible_to(person)] == ["a"]
        assert list(Product.objects.visible_to(member(other))) == []
        with use_client(other):
            assert list(Product.objects.visible_to(person)) == []
