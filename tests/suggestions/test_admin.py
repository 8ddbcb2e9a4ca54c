"""Deciding in the admin: the same door as everywhere, one by one and in bulk, with the reason asked once."""

import pytest
from django.urls import reverse

from apps.clients.roles import Role
from apps.connectors.models import Channel
from apps.core import clock
from apps.core.models import AuditEvent
from apps.core.tenancy import use_client
from apps.suggestions.models import AnalysisRule, Decision, ExecutionLog, Suggestion, ValidationItem
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import ChannelFactory, RawFileFactory
from tests.factories.suggestions import ExecutionFactory, RuleFactory, SuggestionFactory, ValidationItemFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:suggestions_suggestion_changelist")


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def shop(as_client):
    shop = ClientFactory(name="Ours")
    as_client(shop)
    return shop


@pytest.fixture
def operator(client, shop):
    person = member(shop, Role.OPERATOR, is_staff=True)
    client.force_login(person)
    return person


def choose(client, address, action, rows, **answer):
    return client.post(address, {"action": action, "_selected_action": [row.pk for row in rows], **answer})


def told(response):
    return [str(message) for message in response.context["messages"]]


def test_the_list_is_the_queue_with_its_evidence_on_the_row(client, shop, operator):
    SuggestionFactory(client=shop, ad_object__name="Waiting one")
    SuggestionFactory(client=shop, ad_object__name="Refused one", status="refused")

    page = client.get(LIST).content.decode()

    assert "Waiting one" in page
    assert "Refused one" not in page
    assert "€50.00 → €75.00 a day" in page
    assert "Return of 4.2" in page
    assert "93%" in page
    assert "Refused one" in client.get(LIST, {"state": "all"}).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"confidence": "high"}, True),
        ({"confidence": "low"}, False),
        ({"since": "day"}, False),
        ({"kind__exact": "scale"}, True),
        ({"kind__exact": "pause"}, False),
        ({"q": "Waiting"}, True),
        ({"q": "nothing like it"}, False),
    ],
)
def test_filters_and_search(client, shop, operator, query, found):
    SuggestionFactory(client=shop, ad_object__name="Waiting one")
    assert (">Raise the budget: Waiting one<" in client.get(LIST, query).content.decode()) is found


def test_approving_asks_first_and_changes_nothing_yet(client, shop, operator):
    row = SuggestionFactory(client=shop)

    page = choose(client, LIST, "approve_selected", [row])

    assert page.status_code == 200
    assert "carried out on the platform" in page.content.decode()
    row.refresh_from_db()
    assert row.status == Suggestion.Status.WAITING


def test_a_yes_from_the_list_is_a_decision_like_any_other(client, shop, operator):
    rows = [SuggestionFactory(client=shop), SuggestionFactory(client=shop)]

    answer = choose(client, LIST, "approve_selected", rows, answered=1, reason="Both earn.")

    assert answer.status_code == 302
    decisions = Decision.objects.filter(suggestion__in=rows)
    assert {(d.user, d.via, d.verdict, d.reason) for d in decisions} == {(operator, "admin", "approve", "Both earn.")}
    assert ExecutionLog.objects.filter(suggestion__in=rows).count() == 2
    assert told(client.get(answer["Location"])) == ["2 suggestions were approved."]


def test_a_refusal_needs_its_reason(client, shop, operator):
    row = SuggestionFactory(client=shop)

    page = choose(client, LIST, "refuse_selected", [row], answered=1, reason="  ")

    assert page.status_code == 422
    assert "This field is required" in page.content.decode()
    row.refresh_from_db()
    assert row.status == Suggestion.Status.WAITING
    choose(client, LIST, "refuse_selected", [row], answered=1, reason="Season is over.")
    row.refresh_from_db()
    assert row.status == Suggestion.Status.REFUSED
    assert row.decisions.get().reason == "Season is over."


def test_each_row_is_decided_alone_and_failures_are_named(client, shop, operator):
    """Somebody was faster with one of them: the other is decided all the same, and the person is told."""
    good, late = SuggestionFactory(client=shop), SuggestionFactory(client=shop, ad_object__name="Too late")
    with clock.at(clock.now()):
        Suggestion.objects.filter(pk=late.pk).update(expires_at=clock.now())

    answer = choose(client, f"{LIST}?state=all", "approve_selected", [good, late], answered=1)

    said = told(client.get(answer["Location"]))
    assert said[0] == "1 suggestion was approved."
    assert said[1].startswith("Scale · Too late: This suggestion expired")
    late.refresh_from_db()
    assert late.status == Suggestion.Status.WAITING


def test_a_row_of_another_client_cannot_be_slipped_in(client, shop, operator):
    theirs = SuggestionFactory()

    choose(client, f"{LIST}?state=all", "approve_selected", [theirs], answered=1)

    with use_client(theirs.client):
        theirs.refresh_from_db()
        assert theirs.status == Suggestion.Status.WAITING
        assert not Decision.objects.exists()


def test_a_viewer_looks_and_does_not_decide(client, shop):
    row = SuggestionFactory(client=shop)
    client.force_login(member(shop, Role.VIEWER, is_staff=True))

    answer = choose(client, LIST, "approve_selected", [row], answered=1)

    assert "You do not have the right" in told(client.get(answer["Location"]))[0]
    page = reverse("admin:suggestions_suggestion_change", args=[row.pk])
    assert client.get(page).status_code == 200
    assert client.get(f"{page[: -len('change/')]}approve/").status_code in (403, 404)
    row.refresh_from_db()
    assert row.status == Suggestion.Status.WAITING


def test_one_row_is_decided_from_its_own_page(client, shop, operator):
    row = SuggestionFactory(client=shop)
    page = client.get(reverse("admin:suggestions_suggestion_change", args=[row.pk]))
    address = reverse("admin:suggestions_suggestion_refuse_this", args=[row.pk])
    assert address in page.content.decode()

    assert client.get(address).status_code == 200
    assert client.post(address, {"answered": 1, "reason": "Not now."}).status_code == 302

    row.refresh_from_db()
    assert row.status == Suggestion.Status.REFUSED


def test_items_are_taken_and_decided(client, shop, operator):
    item = ValidationItemFactory(client=shop)
    address = reverse("admin:suggestions_validationitem_changelist")

    choose(client, address, "take", [item])
    item.refresh_from_db()
    assert item.assigned_to == operator
    choose(client, address, "approve_selected", [item], answered=1)
    item.refresh_from_db()
    assert item.closed_at is not None
    assert ValidationItem.objects.filter(closed_at=None).count() == 0


def test_a_stopped_change_is_given_up_with_a_reason(client, shop, operator):
    row = ExecutionFactory(client=shop, state=ExecutionLog.State.BLOCKED)
    address = reverse("admin:suggestions_executionlog_changelist")

    assert choose(client, address, "give_up_selected", [row], answered=1).status_code == 422
    choose(client, address, "give_up_selected", [row], answered=1, reason="Closed for the season.")

    row.refresh_from_db()
    assert row.state == ExecutionLog.State.DROPPED


def test_a_stopped_change_is_tried_again(client, shop, operator):
    row = ExecutionFactory(client=shop, state=ExecutionLog.State.CONFLICT, proof={"found": "6000"})

    choose(client, reverse("admin:suggestions_executionlog_changelist"), "try_again_selected", [row], answered=1)

    row.refresh_from_db()
    assert (row.state, row.expected) == (ExecutionLog.State.PENDING, "6000")


# --- what else is written in the admin ---


def form_of(page):
    """The values of the page's own form, to be sent back."""
    form = page.context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: "on" if value is True else value for name, value in values.items() if value not in (None, False)}


def test_thresholds_are_changed_by_managers_and_told_to_the_audit_trail(client, shop, operator):
    rule = RuleFactory(client=shop)
    page = reverse("admin:suggestions_analysisrule_change", args=[rule.pk])
    assert client.post(page, {"min_spend": "900"}).status_code == 403

    manager = member(shop, Role.MANAGER, is_staff=True)
    client.force_login(manager)
    answer = client.post(page, form_of(client.get(page)) | {"min_spend": "900"})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert AnalysisRule.objects.get(pk=rule.pk).min_spend == 900
    event = AuditEvent.objects.get(verb="suggestions.rule.changed")
    assert (event.user, event.via, event.changes) == (manager, "admin", {"min_spend": ["0.00", "900"]})


def test_a_token_goes_in_and_never_comes_out(client, shop):
    channel = ChannelFactory(client=shop, token="old-token", state=Channel.State.NEEDS_RECONNECT)
    client.force_login(member(shop, Role.MANAGER, is_staff=True))
    page = reverse("admin:connectors_channel_change", args=[channel.pk])
    shown = client.get(page)
    assert "old-token" not in shown.content.decode()

    answer = client.post(page, form_of(shown) | {"new_token": "brand-new"})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    channel.refresh_from_db()
    assert channel.token.reveal() == "brand-new"
    assert channel.state == Channel.State.CONNECTED
    assert "brand-new" not in client.get(page).content.decode()
    assert "brand-new" not in str(AuditEvent.objects.values_list("changes", flat=True))


def test_an_account_of_another_client_cannot_be_connected_again(client, shop):
    ChannelFactory(external_id="act_77")
    client.force_login(member(shop, Role.MANAGER, is_staff=True))
    address = reverse("admin:connectors_channel_add")

    answer = client.post(
        address,
        {"client": shop.pk, "platform": "meta_ads", "external_id": "act_77", "name": "Mine", "new_token": "x"},
        HTTP_REFERER=f"http://testserver{address}",
    )

    assert answer.status_code == 302
    assert "already connected" in told(client.get(address))[0]
    assert not Channel.objects.exists()


def test_files_are_downloaded_by_those_who_may_bring_them(client, shop):
    kept = RawFileFactory(client=shop)
    address = reverse("admin:connectors_rawfile_download", args=[kept.pk])
    client.force_login(member(shop, Role.VIEWER, is_staff=True))
    assert client.get(address).status_code == 403
    client.force_login(member(ClientFactory(), Role.OWNER, is_staff=True))
    assert client.get(address).status_code == 404

    client.force_login(member(shop, Role.OPERATOR, is_staff=True))
    answer = client.get(address)

    assert b"".join(answer.streaming_content) == b"Day,Spend\n"
    assert answer["Content-Disposition"] == 'attachment; filename="ads.csv"'
    assert AuditEvent.objects.filter(verb="connectors.rawfile.downloaded").count() == 1


def test_members_are_changed_through_the_service(client, shop):
    owner, other = member(shop, Role.OWNER, is_staff=True), member(shop, Role.VIEWER)
    client.force_login(owner)
    with use_client(shop):
        membership = other.memberships.get()
        own = owner.memberships.get()
    page = reverse("admin:clients_membership_change", args=[membership.pk])
    assert client.post(page, {"role": Role.OPERATOR}).status_code == 302
    assert AuditEvent.objects.get(verb="clients.member.set").changes["role"] == ["viewer", "operator"]

    last = reverse("admin:clients_membership_delete", args=[own.pk])
    client.post(last, {"post": "yes"}, HTTP_REFERER=f"http://testserver{page}")
    assert owner.memberships.count() == 1, "the last owner stays"


def test_nobody_makes_himself_a_superuser(client, shop):
    from django.contrib.auth.models import Permission

    person = member(shop, Role.OWNER, is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    boss = member(shop, Role.OWNER, is_staff=True, is_superuser=True)
    client.force_login(person)
    page = reverse("admin:clients_user_change", args=[person.pk])

    client.post(page, form_of(client.get(page)) | {"is_superuser": "on"})

    person.refresh_from_db()
    assert not person.is_superuser
    assert (
        client.post(reverse("admin:clients_user_change", args=[boss.pk]), {"email": "x@example.com"}).status_code == 403
    )
    assert client.get(reverse("admin:auth_user_password_change", args=[boss.pk])).status_code == 403
