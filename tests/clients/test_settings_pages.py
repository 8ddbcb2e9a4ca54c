"""The pages of Settings through their doors: who may do what, what is stored, and what is never shown."""

import re

import pytest

from apps.clients.models import ApiToken, Client, Membership, User
from apps.clients.roles import Role
from apps.core import audit, clock
from apps.core.actors import SYSTEM, Actor
from apps.core.models import AuditEvent
from apps.core.tenancy import use_all_clients, use_client
from tests.factories.clients import ClientFactory, MembershipFactory, UserFactory, member

pytestmark = pytest.mark.django_db
PAGES = ["", "team/", "tokens/", "audit/", "accounts/"]
OWNERS_ONLY = ["team/invite/"]
MANAGERS_ONLY = ["accounts/connect/meta/", "accounts/connect/slack/"]


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def ours():
    return ClientFactory(key="ours", name="Clos des Lys")


@pytest.fixture
def sign_in(client, ours):
    """`sign_in(role)` signs a new member of ours in; returns the person."""

    def enter(role):
        user = member(ours, role)
        client.force_login(user)
        return user

    return enter


def form_of(client, changes=None):
    fields = (
        "name currency time_zone roi_target value_per_lead value_per_purchase max_daily_budget max_change_percent "
        "max_actions_per_day cooldown_hours holdout_percent cycle_hour brand_color"
    )
    values = {name: getattr(client, name) for name in fields.split()} | {"is_active": "on"} | (changes or {})
    return {name: value for name, value in values.items() if value is not None}


def now(client):
    return Client.objects.get(pk=client.pk)


# --- who may look, who may change ---


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", Role.values)
def test_every_member_may_look(path, role, client, sign_in):
    sign_in(role)

    assert client.get(f"/c/ours/settings/{path}").status_code == 200


@pytest.mark.parametrize("path", [*PAGES, *OWNERS_ONLY, *MANAGERS_ONLY])
def test_a_stranger_finds_nothing_and_a_visitor_signs_in(path, client, ours):
    assert client.get(f"/c/ours/settings/{path}").status_code == 302
    client.force_login(member(ClientFactory(), Role.OWNER))
    assert client.get(f"/c/ours/settings/{path}").status_code == 404


@pytest.mark.parametrize("path", [*OWNERS_ONLY, *MANAGERS_ONLY])
@pytest.mark.parametrize("role", Role.values)
def test_forms_open_for_those_who_may_send_them(path, role, client, sign_in):
    sign_in(role)
    allowed = role == Role.OWNER or (path in MANAGERS_ONLY and role == Role.MANAGER)

    assert client.get(f"/c/ours/settings/{path}").status_code == (200 if allowed else 403)


# --- the client ---


def test_a_manager_changes_settings_and_the_trail_tells_it(client, ours, sign_in, all_clients):
    user = sign_in(Role.MANAGER)
    answer = client.post("/c/ours/settings/", form_of(ours, {"roi_target": "4.5", "max_daily_budget": "200"}))

    assert answer.status_code == 302
    assert (str(now(ours).roi_target), str(now(ours).max_daily_budget)) == ("4.50", "200.00")
    event = AuditEvent.objects.get(verb="clients.client.changed")
    assert (event.user, event.via, event.changes["roi_target"]) == (user, "web", ["3.00", "4.5"])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_read_settings_and_change_nothing(role, client, ours, sign_in, all_clients):
    sign_in(role)

    assert "<form" not in client.get("/c/ours/settings/").content.decode().split('id="content"')[1].split("</main>")[0]
    assert client.post("/c/ours/settings/", form_of(ours, {"roi_target": "9"})).status_code == 403
    assert str(now(ours).roi_target) == "3.00"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Paris"),
        ("currency", "euro"),
        ("roi_target", "0"),
        ("cycle_hour", "24"),
        ("holdout_percent", "60"),
        ("value_per_lead", "-1"),
        ("name", ""),
        ("brand_color", "red"),
        ("max_daily_budget", "much"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_its_field(field, value, client, ours, sign_in, all_clients):
    sign_in(Role.MANAGER)
    before = form_of(now(ours))
    answer = client.post("/c/ours/settings/", form_of(ours, {field: value}))

    assert answer.status_code == 422
    assert "is-invalid" in answer.content.decode() or "data-error-sentence" in answer.content.decode()
    assert form_of(now(ours)) == before


# --- the team ---


def invite(client, **fields):
    return client.post("/c/ours/settings/team/invite/", {"email": "ana@example.com", "role": "operator"} | fields)


def test_somebody_new_gets_an_address_to_choose_a_password(client, ours, sign_in, all_clients, settings):
    settings.SITE_URL = "http://testserver"
    sign_in(Role.OWNER)
    page = invite(client, email="Ana@Example.com", name="Ana Roy")
    address = re.search(r'value="http://testserver(/accounts/password/reset/key/[^"]+)"', page.content.decode())[1]

    assert (page.status_code, page["Cache-Control"].count("no-store")) == (201, 1)
    ana = User.objects.get(email="ana@example.com")
    assert not ana.has_usable_password()
    assert Membership.objects.get(user=ana).role == Role.OPERATOR

    client.logout()
    form = client.get(address, follow=True)
    secret = "a-long-secret-of-ana"
    client.post(form.redirect_chain[-1][0], {"password1": secret, "password2": secret})
    ana.refresh_from_db()
    assert ana.check_password(secret)
    # Once: the address is dead afterwards.
    assert "password1" not in client.get(address, follow=True).content.decode()


def test_somebody_known_is_in_the_team_at_once(client, ours, sign_in, all_clients):
    owner, ana = sign_in(Role.OWNER), UserFactory(email="ana@example.com")
    shared = ClientFactory()
    MembershipFactory(client=shared, user=ana)
    MembershipFactory(client=shared, user=owner, role=Role.VIEWER)

    assert invite(client, role="viewer").status_code == 302
    assert Membership.objects.get(user=ana, client=ours).role == Role.VIEWER


def test_staff_is_known_to_every_client(client, ours, sign_in):
    UserFactory(email="ana@example.com", is_staff=True)
    sign_in(Role.OWNER)

    assert invite(client).status_code == 302


def test_an_account_that_nobody_around_knows_is_refused(client, ours, sign_in, all_clients):
    """Another client's owner may have made it with somebody's address, and hold its password."""
    MembershipFactory(client=ClientFactory(), user__email="ana@example.com")
    sign_in(Role.OWNER)
    answer = invite(client)

    assert answer.status_code == 422
    assert "none of your clients knows" in answer.content.decode()
    assert not Membership.objects.filter(client=ours, user__email="ana@example.com").exists()


def test_an_invitation_taken_back_leaves_no_address_behind(client, ours, sign_in, all_clients, settings):
    """Client one invites and removes; client two invites: the address of client one must not open client two."""
    settings.SITE_URL = "http://testserver"
    sign_in(Role.OWNER)
    find = re.compile(r'value="http://testserver(/accounts/password/reset/key/[^"]+)"')
    old = find.search(invite(client).content.decode())[1]
    Membership.objects.get(user__email="ana@example.com").delete()
    two = ClientFactory(key="two")
    client.force_login(member(two, Role.OWNER))
    asked = {"email": "ana@example.com", "role": "operator"}
    new = find.search(client.post("/c/two/settings/team/invite/", asked).content.decode())[1]

    client.logout()
    assert "password1" not in client.get(old, follow=True).content.decode()
    assert "password1" in client.get(new, follow=True).content.decode()


def test_a_renewed_invitation_ends_the_former_address(client, ours, sign_in, all_clients, settings):
    settings.SITE_URL = "http://testserver"
    sign_in(Role.OWNER)
    find = re.compile(r'value="http://testserver(/accounts/password/reset/key/[^"]+)"')
    old = find.search(invite(client).content.decode())[1]
    pending = Membership.objects.get(user__email="ana@example.com")
    new = find.search(client.post(f"/c/ours/settings/team/{pending.pk}/invite-again/").content.decode())[1]

    client.logout()
    assert "password1" not in client.get(old, follow=True).content.decode()
    assert "password1" in client.get(new, follow=True).content.decode()


def test_nobody_takes_another_address_by_himself(client, ours, sign_in):
    """Invitations go by address: whoever could write one would be invited in somebody else's place."""
    user = sign_in(Role.VIEWER)
    before = user.email
    client.post("/accounts/email/", {"action_add": "", "email": "ana@example.com"})
    client.post("/accounts/email/", {"action_primary": "", "email": "ana@example.com"})
    user.refresh_from_db()

    assert user.email == before
    assert not user.emailaddress_set.filter(email="ana@example.com").exists()


def test_a_person_invited_elsewhere_who_never_signed_in_is_refused(client, ours, sign_in, all_clients):
    """Else the other client's address would open this client, or ours the other one."""
    pending = UserFactory(email="ana@example.com", password=None)
    pending.set_unusable_password()
    pending.save()
    MembershipFactory(client=ClientFactory(), user=pending)
    sign_in(Role.OWNER)
    answer = invite(client)

    assert answer.status_code == 422
    assert "invited by another client" in answer.content.decode()
    assert not Membership.objects.filter(user=pending, client=ours).exists()


def test_an_address_is_renewed_only_while_it_opens_this_client_alone(client, ours, sign_in, all_clients):
    sign_in(Role.OWNER)
    invite(client)
    pending = Membership.objects.get(user__email="ana@example.com")
    again = f"/c/ours/settings/team/{pending.pk}/invite-again/"

    assert "/accounts/password/reset/key/" in client.post(again).content.decode()
    elsewhere = MembershipFactory(client=ClientFactory(), user=pending.user)
    assert client.post(again).status_code == 409
    elsewhere.delete()
    pending.user.set_password("chosen-by-herself")
    pending.user.save()
    assert client.post(again).status_code == 409


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"email": "ana"}, "valid email"), ({"email": ""}, "required"), ({"role": "king"}, "valid choice")],
)
def test_an_invitation_that_cannot_be_names_its_field(fields, sentence, client, ours, sign_in):
    sign_in(Role.OWNER)
    people = User.objects.count()
    answer = invite(client, **fields)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert User.objects.count() == people


def test_a_member_is_invited_once(client, ours, sign_in):
    sign_in(Role.OWNER)
    member(ours, email="ana@example.com")

    assert "is a member already" in invite(client).content.decode()


def test_the_last_owner_stays(client, ours, sign_in, all_clients):
    owner = sign_in(Role.OWNER)
    own = Membership.objects.get(user=owner)

    assert client.post(f"/c/ours/settings/team/{own.pk}/remove/").status_code == 409
    assert client.post(f"/c/ours/settings/team/{own.pk}/role/", {"role": "viewer"}).status_code == 409
    assert Membership.objects.get(pk=own.pk).role == Role.OWNER


def test_roles_change_and_people_leave(client, ours, sign_in, all_clients):
    sign_in(Role.OWNER)
    other = Membership.objects.get(user=member(ours))

    client.post(f"/c/ours/settings/team/{other.pk}/role/", {"role": "manager"})
    assert Membership.objects.get(pk=other.pk).role == Role.MANAGER
    assert client.post(f"/c/ours/settings/team/{other.pk}/role/", {"role": "king"}).status_code == 409
    client.post(f"/c/ours/settings/team/{other.pk}/remove/")
    assert not Membership.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
@pytest.mark.parametrize("verb", ["role", "remove", "invite-again"])
def test_only_owners_touch_the_team(role, verb, client, ours, sign_in, all_clients):
    sign_in(role)
    other = Membership.objects.get(user=member(ours))

    assert client.post(f"/c/ours/settings/team/{other.pk}/{verb}/", {"role": "owner"}).status_code == 403
    assert Membership.objects.get(pk=other.pk).role == Role.OPERATOR


def test_another_clients_member_is_not_found(client, ours, sign_in):
    sign_in(Role.OWNER)
    foreign = MembershipFactory(client=ClientFactory())

    for verb in ("role", "remove", "invite-again"):
        assert client.post(f"/c/ours/settings/team/{foreign.pk}/{verb}/", {"role": "owner"}).status_code == 404
    with use_all_clients("the test looks"):
        assert Membership.objects.filter(pk=foreign.pk, role=Role.OPERATOR).exists()


# --- tokens ---


def test_a_token_is_shown_once_and_stored_as_a_hash(client, ours, sign_in):
    user = sign_in(Role.VIEWER)
    page = client.post("/c/ours/settings/tokens/", {"name": "Report", "lifetime": "30"})
    secret = re.search(r'value="(durum_[0-9a-f]{64})"', page.content.decode())[1]
    row = ApiToken.objects.get(user=user)

    assert page.status_code == 201
    assert "no-store" in page["Cache-Control"]
    assert secret not in {row.digest, row.token_key, row.name}
    assert 29 <= (row.expiry - clock.now()).days <= 30
    assert secret not in client.get("/c/ours/settings/tokens/").content.decode()
    assert "Report" in client.get("/c/ours/settings/tokens/").content.decode()


def test_one_revokes_ones_own_tokens_only(client, ours, sign_in):
    from apps.clients.services.tokens import make_token

    user, other = sign_in(Role.OWNER), member(ours)
    mine, _ = make_token(name="mine", lifetime="never", actor=Actor(user, "web"))
    theirs, _ = make_token(name="theirs", lifetime="never", actor=Actor(other, "web"))

    assert "theirs" not in client.get("/c/ours/settings/tokens/").content.decode()
    assert client.post(f"/c/ours/settings/tokens/{theirs.number}/revoke/").status_code == 409
    assert client.post(f"/c/ours/settings/tokens/{mine.number}/revoke/").status_code == 302
    assert list(ApiToken.objects.all()) == [theirs]


@pytest.mark.parametrize("fields", [{"name": " "}, {"name": "x", "lifetime": "99"}, {"name": "x" * 81}])
def test_a_token_that_cannot_be_is_refused(fields, client, sign_in):
    sign_in(Role.VIEWER)

    assert client.post("/c/ours/settings/tokens/", {"lifetime": "30"} | fields).status_code == 422
    assert not ApiToken.objects.exists()


# --- the trail ---


@pytest.fixture
def trail(ours):
    user = member(ours, first_name="Ana", last_name="Roy")
    with use_client(ours):
        audit.record(Actor(user, "web"), "clients.client.changed", ours, client=ours, name=["Old", "New"])
        audit.record(SYSTEM, "suggestions.cycle.run", ours, client=ours, made=3)
    other = ClientFactory(name="Elsewhere")
    with use_client(other):
        audit.record(SYSTEM, "clients.client.changed", other, client=other, name=["Secret", "New"])
    return user


def listed(client, **query):
    return client.get("/c/ours/settings/audit/", query, headers={"HX-Request": "true"}).content.decode()


def test_the_trail_tells_who_did_what_in_words(client, sign_in, trail):
    sign_in(Role.VIEWER)
    text = listed(client)

    assert "Ana Roy" in text
    assert "changed the settings" in text
    assert "Old → New" in text
    assert "ran the daily cycle" in text
    assert "Secret" not in text


def test_the_trail_is_searched_and_filtered(client, sign_in, trail):
    sign_in(Role.VIEWER)

    for query in ({"area": "clients"}, {"via": "web"}, {"user": trail.pk}, {"q": "client.changed"}):
        text = listed(client, **query)
        assert ("changed the settings" in text, "daily cycle" in text) == (True, False), query
    assert "Nothing matches" in listed(client, until="2001-01-01")
    # A stranger's number is no choice, so it cannot be used to find out about people.
    assert str(UserFactory()) not in listed(client)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_trail_is_exported_as_filtered(kind, client, sign_in, trail):
    sign_in(Role.VIEWER)
    answer = client.get("/c/ours/settings/audit/", {"format": kind, "area": "clients"})
    content = b"".join(answer.streaming_content)

    assert answer.status_code == 200
    if kind == "csv":
        assert content.decode("utf-8-sig").count("\n") == 2
        assert "Secret" not in content.decode()


def test_the_trail_asks_the_same_number_of_questions_for_any_length(client, ours, sign_in, trail):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    sign_in(Role.VIEWER)

    def questions():
        with CaptureQueriesContext(connection) as asked:
            listed(client)
        return len(asked)

    few = questions()
    with use_client(ours):
        for _ in range(20):
            audit.record(Actor(trail, "web"), "clients.client.changed", ours, client=ours, name=["A", "B"])
    assert questions() == few


def test_settings_are_in_the_menu_and_its_pages_in_the_tabs(client, sign_in):
    sign_in(Role.VIEWER)
    page = client.get("/c/ours/settings/").content.decode()

    for path in PAGES:
        assert f'href="/c/ours/settings/{path}"' in page
