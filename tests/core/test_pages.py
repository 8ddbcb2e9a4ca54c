"""What every list page promises, and what happens around a page: fragments, refusals, errors, the frame."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.http import QueryDict

from apps.clients.models import Product
from apps.core import clock, navigation, pages
from apps.core.errors import Invalid
from apps.core.navigation import NavItem
from apps.core.pages import Progress, chosen, paginate, rows_between, sorted_by
from apps.core.tenancy import use_all_clients
from tests.factories.clients import PASSWORD, ClientFactory, MembershipFactory, ProductFactory, UserFactory, member

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _trial_pages(settings):
    settings.ROOT_URLCONF = "tests.core.pages_urls"
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [settings.BASE_DIR / "tests/core/templates", *settings.TEMPLATES[0]["DIRS"]]}
    ]
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def five_groups():
    return Group.objects.bulk_create(Group(name=f"group {n}") for n in range(5))


# --- fragment or page ---


@pytest.mark.parametrize(
    ("headers", "whole"),
    [
        ({}, True),
        (HTMX, False),
        (HTMX | {"HX-Boosted": "true"}, True),
        (HTMX | {"HX-History-Restore-Request": "true"}, True),
    ],
)
def test_one_address_answers_the_page_or_its_piece(client, headers, whole):
    response = client.get("/groups/", headers=headers)

    assert ("<html" in response.content.decode()) is whole
    assert 'id="results"' in response.content.decode()
    assert "HX-Request" in response["Vary"]
    assert "Cookie" in response["Vary"]


# --- paging ---


def test_pages_follow_each_other_without_gap_or_double(rf, five_groups):
    seen = []
    for number in (1, 2, 3):
        page = paginate(Group.objects.order_by("name"), rf.get("/", {"page": number}), per_page=2)
        seen += [group.name for group in page]

    assert seen == [f"group {n}" for n in range(5)]
    assert (page.first, page.last, page.total, page.has_next, page.has_previous) == (5, 5, 5, False, True)


def test_equal_rows_keep_their_place_by_primary_key(rf, five_groups):
    page = paginate(Group.objects.order_by("permissions"), rf.get("/"), per_page=5)

    assert [group.pk for group in page] == sorted(group.pk for group in five_groups)


@pytest.mark.parametrize(("asked", "number"), [("99", 3), ("0", 1), ("-3", 1), ("x", 1), ("9" * 30, 1), ("²", 1)])
def test_a_page_out_of_reach_is_the_nearest_one(rf, five_groups, asked, number):
    assert paginate(Group.objects.all(), rf.get("/", {"page": asked}), per_page=2).number == number


def test_an_empty_list_has_one_empty_page(rf):
    page = paginate(Group.objects.all(), rf.get("/"))

    assert (page.rows, page.number, page.total, page.numbers, page.first, page.last) == ([], 1, 0, [1], 0, 0)


def test_counting_stops_at_the_limit(rf, five_groups, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(pages, "COUNT_LIMIT", 3)
    with django_assert_num_queries(2):
        page = paginate(Group.objects.all(), rf.get("/"), per_page=2)

    assert (page.total, page.is_capped, page.last_number, page.numbers) == (3, True, None, [1, 2, None])
    assert paginate(Group.objects.all(), rf.get("/", {"page": "9"}), per_page=2).number == 3


# --- order ---


def test_sorting_takes_only_what_is_offered_and_ends_with_the_key(rf):
    allowed = {"name": "name", "both": ("-name", "id")}

    def asked(value):
        rows, sorting = sorted_by(Group.objects.all(), rf.get("/", {"sort": value}), allowed, default="-name")
        return rows.query.order_by, sorting.param

    assert asked("name") == (("name", "pk"), "name")
    assert asked("-both") == (("name", "-id", "-pk"), "-both")
    assert asked("password") == (("-name", "-pk"), "-name")
    assert asked("--name") == (("-name", "-pk"), "-name")


# --- bulk ---


def test_bulk_takes_the_ticked_rows_or_asks_the_list_again(rf, five_groups):
    def rows(data, **options):
        request = rf.post("/")
        request.POST = QueryDict(data)
        return set(chosen(Group.objects.filter(name__gt="group 1"), request, **options))

    assert rows(f"ids={five_groups[2].pk}&ids={five_groups[0].pk}&ids=x") == {five_groups[2]}
    assert rows("all=1") == set(five_groups[2:])
    with pytest.raises(Invalid):
        rows("")
    with pytest.raises(Invalid, match="2 rows"):
        rows("all=1", limit=2)


# --- long jobs ---


def test_time_left_follows_the_pace_so_far():
    with clock.at(clock.now()):
        job = Progress("x", 30, 120, started_at=clock.now() - timedelta(seconds=10))

        assert (job.percent, job.seconds_left) == (25, 30)
        assert Progress("x", 0, None).percent == 0
        assert Progress("x", 0, 0, is_finished=True).percent == 100


# --- refusals ---


def test_a_refusal_gives_htmx_the_sentence_and_keeps_the_page(client):
    response = client.post("/refuse/", headers=HTMX)

    assert response.status_code == 409
    assert 'data-error-sentence="Ana was faster."' in response.content.decode()
    assert "row 7" not in response.content.decode()


def test_a_refused_form_goes_back_with_the_sentence(client):
    response = client.post("/refuse/", headers={"Referer": "http://testserver/groups/?page=1"}, follow=True)

    assert response.redirect_chain == [("http://testserver/groups/?page=1", 302)]
    assert "Ana was faster." in response.content.decode()


def test_a_refused_form_never_goes_to_another_host(client):
    assert client.post("/refuse/", headers={"Referer": "http://evil.example/"}).status_code == 409


@pytest.mark.parametrize(("why", "status"), [("conflict", 409), ("right", 403), ("outside", 503)])
def test_a_refused_page_says_why_with_its_status(client, why, status):
    response = client.get("/refuse/", {"why": why})

    assert response.status_code == status
    assert "data-error-sentence" in response.content.decode()
    assert response.get("Retry-After") == ("30" if why == "outside" else None)


# --- htmx ---


def test_messages_ride_along_with_a_fragment_once_and_escaped(client):
    first = client.get("/say/", headers=HTMX).content.decode()
    second = client.get("/groups/", headers=HTMX).content.decode()

    assert 'hx-swap-oob="beforeend:#toasts"' in first
    assert "Saved &lt;b&gt;." in first
    assert "toast" not in second


def test_htmx_is_told_to_go_where_a_browser_is_redirected(client):
    response = client.get("/say/", {"away": 1}, headers=HTMX)

    assert (response.status_code, response["HX-Redirect"]) == (200, "/groups/")
    assert "Saved" in client.get("/groups/").content.decode()


def test_a_lost_session_returns_to_the_page_and_not_to_its_fragment(client):
    response = client.get("/private/", headers=HTMX | {"HX-Current-URL": "http://testserver/groups/?page=2"})

    assert response["HX-Redirect"] == "/accounts/login/?next=/groups/%3Fpage%3D2"


@pytest.mark.parametrize("header", ["http://[::1", "http://elsewhere.example/x", ""])
def test_a_lost_session_on_no_page_of_ours_returns_to_the_first(client, header):
    response = client.get("/private/", headers=HTMX | {"HX-Current-URL": header})

    assert response["HX-Redirect"] == "/accounts/login/?next=/"


# --- errors ---


@pytest.mark.parametrize("language", ["fr", "en"])
def test_error_pages_say_what_to_do_next(client, settings, language):
    settings.LANGUAGE_CODE = language
    client.raise_request_exception = False

    for url, status in (("/nowhere/", 404), ("/crash/", 500)):
        response = client.get(url)
        assert response.status_code == status
        assert "data-error-sentence" in response.content.decode()


def test_the_page_of_a_crash_needs_no_database(django_assert_num_queries, rf):
    from django.views.defaults import server_error

    with django_assert_num_queries(0):
        response = server_error(rf.get("/"))

    assert b"Durum made a mistake" in response.content


def test_a_stale_form_is_told_to_reload(client):
    client.handler.enforce_csrf_checks = True
    response = client.post("/refuse/")

    assert response.status_code == 403
    assert "no longer valid" in response.content.decode()


# --- the frame ---


@pytest.fixture
def two_clients():
    first, second = ClientFactory(key="first"), ClientFactory(key="second")
    user = member(first)
    MembershipFactory(client=second, user=user)
    return user


@pytest.fixture
def trial_menu(monkeypatch):
    monkeypatch.setattr(navigation, "_items", {})
    navigation.register(NavItem("Trial list", "trial-list", "list", 10, key="t"))


def test_switching_the_client_keeps_the_page(client, two_clients, trial_menu):
    client.force_login(two_clients)

    page = client.get("/c/first/list/?page=1&q=x&period=30d").content.decode()
    one = client.get("/c/first/list/7/").content.decode()

    assert 'href="/c/second/list/?period=30d"' in page
    assert 'href="/c/second/list/"' in one
    assert 'href="/c/first/list/" aria-current="page" data-shortcut="t"' in page


def test_another_ones_client_is_neither_offered_nor_found(client, two_clients, trial_menu):
    ClientFactory(key="foreign", name="Foreign")
    client.force_login(two_clients)

    assert client.get("/c/foreign/list/").status_code == 404
    assert "Foreign" not in client.get("/c/first/list/").content.decode()


def test_a_menu_entry_asks_for_its_right(client, two_clients, trial_menu):
    navigation.register(NavItem("Team only", "trial-list", "users", 20, verb="edit_team"))
    client.force_login(two_clients)

    assert "Team only" not in client.get("/c/first/list/").content.decode()


def test_pages_load_from_our_host_and_run_nothing_inline(client):
    response = client.get("/groups/")
    policy = response["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "<style" not in response.content.decode()
    assert "http://" not in response.content.decode().replace("http://www.w3.org/2000/svg", "")


# --- sign-in ---


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("path", ["login/", "logout/", "password/reset/", "password/change/", "2fa/", "signup/"])
def test_account_pages_are_in_our_look(client, settings, language, path):
    settings.LANGUAGE_CODE = language
    if path not in ("login/", "password/reset/", "signup/"):
        client.force_login(UserFactory(language=""))
    response = client.get(f"/accounts/{path}")

    assert response.status_code == 200
    assert "durum/durum.css" in response.content.decode()


def test_a_second_step_is_set_up_with_its_recovery_codes(client):
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    user = UserFactory()
    client.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert page.redirect_chain[0][0].startswith("/accounts/reauthenticate/")
    page = client.post(
        "/accounts/reauthenticate/?next=/accounts/2fa/totp/activate/", {"password": PASSWORD}, follow=True
    )
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    codes = client.post("/accounts/2fa/totp/activate/", {"code": code}, follow=True)

    assert "durum-qr" in page.content.decode()
    assert codes.status_code == 200
    client.post("/accounts/logout/")
    asked = client.post("/accounts/login/", {"login": user.username, "password": PASSWORD}, follow=True)
    assert asked.redirect_chain[-1][0].startswith("/accounts/2fa/authenticate/")


@pytest.mark.parametrize("name", ["username", "email"])
def test_wrong_passwords_lock_the_name_at_this_address(client, settings, name):
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 3
    user, other = UserFactory(), UserFactory()
    for _ in range(3):
        response = client.post("/accounts/login/", {"login": getattr(user, name), "password": "wrong"})

    assert response.status_code == 429
    assert "Sign-in is locked" in response.content.decode()
    assert (
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code != 302
        or name == "username"
    )
    assert client.post("/accounts/login/", {"login": other.email, "password": PASSWORD}).status_code == 302


def test_the_language_is_remembered_for_slack_and_the_next_sign_in(client):
    user = UserFactory(language="en")
    client.force_login(user)
    client.post("/i18n/setlang/", {"language": "fr", "next": "/"})
    user.refresh_from_db()

    assert user.language == "fr"
    client.logout()
    client.cookies.clear()
    client.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    assert client.cookies["django_language"].value == "fr"


# --- admin ---


def test_the_admin_has_our_menu_and_its_own_policy(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    response = client.get("/admin/")

    assert response.status_code == 200
    assert "What needs a person" in response.content.decode()
    assert "script-src 'self' 'unsafe-eval'" in response["Content-Security-Policy"]
    assert "unsafe" not in client.get("/groups/")["Content-Security-Policy"]


@pytest.mark.parametrize(
    "table",
    ["auth/group", "axes/accessattempt", "django_celery_beat/periodictask", "django_celery_beat/crontabschedule"],
)
def test_tables_of_packages_are_in_our_look(client, table):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    for page in ("", "add/" if "axes" not in table else ""):
        response = client.get(f"/admin/{table}/{page}")
        assert response.status_code == 200
        assert "unfold/css/styles.css" in response.content.decode()
        assert "periodic-task-overrides" not in response.content.decode()


@pytest.mark.parametrize("table", ["mfa/authenticator", "knox/authtoken", "account/emailaddress"])
def test_secrets_have_no_table_in_the_admin(client, table):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    assert client.get(f"/admin/{table}/").status_code == 404


def test_the_admin_is_entered_by_the_one_sign_in(client):
    assert client.get("/admin/login/").status_code == 302
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


# --- files ---


def test_every_file_a_stylesheet_or_template_names_exists(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)

    assert (tmp_path / "staticfiles.json").exists()


@pytest.mark.django_db
def test_rows_with_joins_keep_their_order_and_their_related_rows(django_assert_num_queries):
    made = [ProductFactory(name=name) for name in "cabd"]
    rows = Product.objects.select_related("client").order_by("-name", "pk")

    with use_all_clients("the test"), django_assert_num_queries(2):
        found = rows_between(rows, 1, 3)
        assert [(row.name, row.client.key) for row in found] == [("c", made[0].client.key), ("b", made[2].client.key)]
