"""Every address for everybody: who gets what, and that a stranger gets neither a page nor a word of it."""

import io
import zipfile

import pytest
from django.contrib import admin
from django.urls import reverse

from apps.clients.roles import Role
from apps.clients.services.tokens import make_token
from apps.core.actors import Actor
from apps.core.tenancy import use_client
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import SlackIdentityFactory

from .urls import ELSEWHERE, LINES, OF_THE_API, ONES_OWN, PEOPLE, every_address

pytestmark = pytest.mark.django_db
SENTINEL = "Zanzibar"


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def shop():
    return ClientFactory(name=SENTINEL, key="zanzibar")


def written(answer):
    """Everything that is to be read in an answer, workbooks unpacked."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if "spreadsheetml" not in answer.get("Content-Type", ""):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        return b"".join(book.read(name) for name in book.namelist())


def person(who, shop):
    if who == "stranger":
        return member(ClientFactory(name="Elsewhere"), Role.OWNER)
    return member(shop, Role(who))


def ask(browser, name, line, shop):
    kwargs = {}
    if "client_key" in dict(every_address())[name]:
        kwargs["client_key"] = shop.key
    if line.row is not None:
        kwargs["pk"] = line.row(shop).pk
    return getattr(browser, line.method)(reverse(name, kwargs=kwargs), line.sent)


def test_every_address_has_a_line():
    tables = {f"admin:{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    known = {*LINES, *ONES_OWN}
    elsewhere = (OF_THE_API, "^api", "api/")
    missing = {
        name or path
        for name, path in every_address()
        if name not in known and not name.startswith(ELSEWHERE) and not path.startswith(elsewhere)
    }
    assert missing == set()
    of_admin = {name for name, _path in every_address() if name.startswith("admin:") and "_" in name}
    assert {name for name in of_admin if not name.startswith(tuple(tables))} == OF_ADMIN_ITSELF
    assert set(LINES) <= {name for name, _path in every_address()}, "a line for an address that is gone"


OF_ADMIN_ITSELF = {
    "admin:auth_user_password_change",
    "admin:app_list",
    "admin:password_change",
    "admin:password_change_done",
    "admin:view_on_site",
}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("name", LINES)
def test_who_gets_what(client, name, who, shop):
    line = LINES[name]
    if who != "anonymous":
        client.force_login(person(who, shop))

    answer = ask(client, name, line, shop)

    assert answer.status_code == line.expected(who)
    if who == "anonymous" and answer.status_code == 302 and name != "set_language":
        assert "/accounts/login/" in answer["Location"]
    if who in ("anonymous", "stranger") and not answer.streaming:
        assert SENTINEL not in answer.content.decode()


@pytest.mark.parametrize("name", [name for name, line in LINES.items() if line.row is not None])
def test_a_row_of_another_client_is_not_found_below_ones_own(client, name, shop):
    """The address names my client and the number of somebody else's row."""
    mine = ClientFactory(key="mine")
    client.force_login(member(mine, Role.OWNER))
    line = LINES[name]
    row = line.row(shop)
    with use_client(shop):
        before = type(row).objects.filter(pk=row.pk).values().get()

    answer = getattr(client, line.method)(reverse(name, kwargs={"client_key": "mine", "pk": row.pk}), line.sent)

    assert answer.status_code == 404
    assert SENTINEL not in answer.content.decode()
    with use_client(shop):
        assert type(row).objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("name", [name for name, line in LINES.items() if line.method == "get"])
def test_no_page_names_another_client(client, name, shop):
    """Lists, searches, dropdowns, fragments and exports of my client, with somebody else's rows beside it."""
    mine = ClientFactory(key="mine", name="Mine")
    client.force_login(member(mine, Role.OWNER))
    line = LINES[name]
    for make in {one.row for one in LINES.values() if one.row is not None}:
        make(shop)
    kwargs = {"client_key": "mine"} if "client_key" in dict(every_address())[name] else {}
    if line.row is not None:
        kwargs["pk"] = line.row(mine).pk
    address = reverse(name, kwargs=kwargs)
    for query in (
        {},
        {"q": "Ad set"},
        {"client": shop.key},
        {"client": shop.pk},
        {"export": "csv"},
        {"export": "xlsx"},
    ):
        for headers in ({}, {"HX-Request": "true"}):
            answer = client.get(address, query, headers=headers)
            body = written(answer)
            assert answer.status_code < 500
            assert SENTINEL.encode() not in body, (query, headers)


def test_only_ones_own_slack_account_can_be_unlinked(client, shop):
    identity = SlackIdentityFactory()
    address = reverse("slack:unlink", args=[identity.pk])
    assert client.post(address).status_code == 302
    client.force_login(member(shop, Role.OWNER))
    client.post(address)
    identity.refresh_from_db()
    client.force_login(identity.user)
    client.post(address)
    assert not type(identity).objects.filter(pk=identity.pk).exists()


def test_only_ones_own_token_can_be_revoked(client, shop):
    person, other = member(shop), member(shop, Role.OWNER)
    row, _secret = make_token(name="script", lifetime="never", actor=Actor(person, "web"))
    address = reverse("clients:revoke_token", args=[shop.key, row.number])
    client.force_login(other)
    client.post(address)
    assert type(row).objects.filter(pk=row.pk).exists()
    client.force_login(person)
    assert client.post(address).status_code == 302
    assert not type(row).objects.filter(pk=row.pk).exists()


OF_TABLES = {name for name, _path in every_address() if name.startswith("admin:") and "_" in name} - OF_ADMIN_ITSELF


@pytest.mark.parametrize("name", sorted(OF_TABLES))
def test_the_admin_is_closed_to_whoever_is_not_staff(client, name, shop):
    """Which rows staff see is shown table by table in test_admin."""
    path = next(path for known, path in every_address() if known == name)
    kwargs = {"object_id": "1"} if "object_id" in path else {"id": "1"} if "<id>" in path else {}
    address = reverse(name, kwargs=kwargs)
    assert client.get(address).status_code == 302
    client.force_login(member(shop, Role.OWNER))
    answer = client.get(address)
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]
